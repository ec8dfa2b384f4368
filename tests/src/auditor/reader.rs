//! [`Auditor`]: reads the revisions of one target from the API server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::{DynamicObject, ListParams, WatchEvent, WatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::history::{PodRevision, Revision, Stored, record_of};
use crate::TestNamespace;

/// Seconds after which the API server ends a watch; the next one goes on from the last version.
const WATCH_TIMEOUT: u32 = 280;

/// Time before a watch that failed is tried again, from the last version.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// How long the last revisions may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Reads every revision of a Deployment, its pods and its Records, until it is finished.
pub struct Auditor {
    ns: TestNamespace,
    target: String,
    seen: Arc<Mutex<Seen>>,
    watches: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    revisions: Vec<Revision>,
    /// The last version read, by plural.
    versions: HashMap<String, u64>,
    /// Why a watch failed, by plural.
    failures: HashMap<String, String>,
}

/// Objects that are watched.
struct Watched {
    kind: ApiResource,
    /// Field selector: all objects of the namespace when it is empty.
    fields: String,
}

impl Auditor {
    /// Starts to read, before the target exists. `network` is what the message of a network failure
    /// contains.
    ///
    /// # Panics
    /// When the API server does not answer.
    pub async fn start(ns: &TestNamespace, target: &str, network: &str) -> Self {
        let pods = ns.api::<Pod>().list(&ListParams::default()).await.expect("a list");
        let version = pods.metadata.resource_version.expect("a version");
        let named = |name: &str| format!("metadata.name={name}");
        let breaker = GroupVersionKind::gvk("bigredbutton.dev", "v1alpha1", "CircuitBreaker");
        let watched = [
            Watched { kind: ApiResource::erase::<Pod>(&()), fields: String::new() },
            Watched { kind: ApiResource::erase::<Deployment>(&()), fields: named(target) },
            Watched {
                kind: ApiResource::erase::<ConfigMap>(&()),
                fields: named(&format!("bigredbutton-deployment-{target}")),
            },
            Watched { kind: ApiResource::from_gvk(&breaker), fields: named(target) },
        ];
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let mut watches = Vec::new();
        for watched in watched {
            let api: Api<DynamicObject> =
                Api::namespaced_with(ns.cluster.client.clone(), &ns.name, &watched.kind);
            // A kind that was defined a moment ago has no history as old as the version of the
            // pods. One that is not defined cannot be listed.
            let own = api.list(&ListParams::default()).await.ok();
            let version =
                own.and_then(|list| list.metadata.resource_version).unwrap_or_else(|| version.clone());
            let (seen, network) = (Arc::clone(&seen), network.to_owned());
            watches.push(tokio::spawn(async move { read(api, watched, version, &network, &seen).await }));
        }
        Self { ns: ns.clone(), target: target.into(), seen, watches }
    }

    /// The revisions up to now. Whatever writes must have ended before.
    ///
    /// # Panics
    /// When the last revisions cannot be read.
    pub async fn finish(self) -> Vec<Revision> {
        let record = format!("bigredbutton-deployment-{}", self.target);
        let deployment = self.ns.api::<Deployment>().get_metadata_opt(&self.target).await.expect("an answer");
        let record = self.ns.api::<ConfigMap>().get_metadata_opt(&record).await.expect("an answer");
        // An API server without the definition of CircuitBreakers answers 404 too.
        let breaker = self.ns.breakers().get_metadata_opt(&self.target).await.expect("an answer");
        let last = [
            ("deployments", deployment.and_then(|object| object.metadata.resource_version)),
            ("configmaps", record.and_then(|object| object.metadata.resource_version)),
            ("circuitbreakers", breaker.and_then(|object| object.metadata.resource_version)),
        ];
        let end = Instant::now() + READ_TIMEOUT;
        while !self.has_read(&last) {
            assert!(Instant::now() < end, "{last:?} are not read: {}", self.progress());
            sleep(Duration::from_millis(50)).await;
        }
        for watch in &self.watches {
            watch.abort();
        }
        std::mem::take(&mut self.seen.lock().revisions)
    }

    fn progress(&self) -> String {
        let seen = self.seen.lock();
        format!("{:?} {:?}", seen.versions, seen.failures)
    }

    /// Whether these versions, or later ones, are read.
    fn has_read(&self, last: &[(&str, Option<String>)]) -> bool {
        let seen = self.seen.lock();
        last.iter().all(|(plural, version)| {
            let version = version.as_deref().and_then(|version| version.parse::<u64>().ok());
            version.is_none_or(|version| seen.versions.get(*plural).is_some_and(|read| *read >= version))
        })
    }
}

impl Drop for Auditor {
    fn drop(&mut self) {
        for watch in &self.watches {
            watch.abort();
        }
    }
}

async fn read(api: Api<DynamicObject>, watched: Watched, from: String, network: &str, seen: &Mutex<Seen>) {
    let mut version = from;
    let params = WatchParams {
        field_selector: (!watched.fields.is_empty()).then(|| watched.fields.clone()),
        timeout: Some(WATCH_TIMEOUT),
        bookmarks: false,
        ..WatchParams::default()
    };
    loop {
        let fail = |why: String| seen.lock().failures.insert(watched.kind.plural.clone(), why);
        let mut events = match api.watch(&params, &version).await {
            Ok(events) => events.boxed(),
            Err(error) => {
                fail(error.to_string());
                sleep(RETRY_INTERVAL).await;
                continue;
            }
        };
        while let Ok(Some(event)) = events.try_next().await.inspect_err(|error| drop(fail(error.to_string())))
        {
            let (object, is_deleted) = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                WatchEvent::Deleted(object) => (object, true),
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(error) => {
                    fail(format!("{error:?}"));
                    // The API server starts from a later version when a definition was changed.
                    // Until something was read, that loses nothing.
                    if !seen.lock().versions.contains_key(&watched.kind.plural)
                        && let Ok(list) = api.list(&ListParams::default()).await
                        && list.items.is_empty()
                    {
                        version = list.metadata.resource_version.unwrap_or(version);
                    }
                    sleep(RETRY_INTERVAL).await;
                    break;
                }
            };
            version = object.metadata.resource_version.clone().expect("a version");
            let number: u64 = version.parse().expect("a number");
            let stored = stored(&watched.kind.plural, object, is_deleted, network);
            let seen = &mut *seen.lock();
            seen.versions.insert(watched.kind.plural.clone(), number);
            if let Some(stored) = stored {
                seen.revisions.push(Revision { version: number, at: Timestamp::now(), stored });
            }
        }
    }
}

fn stored(plural: &str, object: DynamicObject, is_deleted: bool, network: &str) -> Option<Stored> {
    let name = object.metadata.name.clone().unwrap_or_default();
    let object: Value = serde_json::to_value(object).expect("JSON");
    match plural {
        "pods" => {
            let pod: Option<Pod> = (!is_deleted).then(|| serde_json::from_value(object).expect("a pod"));
            Some(Stored::Pod(name, pod.map(|pod| PodRevision::new(&pod, network))))
        }
        "deployments" if is_deleted => None,
        "deployments" => {
            let replicas = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or_default();
            Some(Stored::Replicas(u32::try_from(replicas).expect("a small number")))
        }
        _ => Some(Stored::Record(record_of(&object).filter(|_| !is_deleted))),
    }
}
