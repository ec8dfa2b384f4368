//! Events: a pod's, to read; the target's, to write.

use std::borrow::Cow;

use breaker_core::cluster::KubernetesEvent;
use breaker_core::pod::PodEvent;
use breaker_core::{ClusterError, WorkloadRef};
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde::Deserialize;

use crate::request::ApiRequest;
use crate::{FIELD_MANAGER, KubeClient};

const REPORTER: &str = "bigredbutton.dev/watcher";

impl KubeClient {
    pub(crate) async fn events_of_pod(
        &self,
        namespace: &str,
        pod_uid: &str,
    ) -> Result<Vec<PodEvent>, ClusterError> {
        let api: Api<PartialEvent> = Api::namespaced(self.client.clone(), namespace);
        let step = ApiRequest {
            doing: "listing the pod's events".into(),
            verb: "list",
            resource: "events".into(),
            namespace: namespace.into(),
            object: format!("namespace {namespace}"),
        };
        let params = ListParams::default().fields(&format!("involvedObject.uid={pod_uid}"));
        let events = step.attempt(api.list(&params)).await?;
        Ok(events.items.into_iter().map(PodEvent::from).collect())
    }

    pub(crate) async fn published(
        &self,
        target: &WorkloadRef,
        event: &KubernetesEvent,
    ) -> Result<(), ClusterError> {
        let kind = self.kinds.resolve(&self.client, target).await?;
        let about = ObjectReference {
            api_version: Some(kind.api_version),
            kind: Some(kind.kind),
            namespace: Some(target.namespace.clone()),
            name: Some(target.name.clone()),
            uid: Some(event.uid.clone()),
            ..ObjectReference::default()
        };
        self.published_about(about, event).await
    }

    /// An Event about any object of a namespace.
    pub(crate) async fn published_about(
        &self,
        about: ObjectReference,
        event: &KubernetesEvent,
    ) -> Result<(), ClusterError> {
        let namespace = about.namespace.clone().unwrap_or_default();
        let named = format!("{namespace}/{}", about.name.as_deref().unwrap_or_default());
        let event = Event {
            metadata: ObjectMeta { name: Some(event.key.clone()), ..ObjectMeta::default() },
            event_time: Some(MicroTime(self.clock.now())),
            type_: Some(if event.warning { "Warning" } else { "Normal" }.into()),
            reason: Some(event.reason.clone()),
            action: Some(event.action.clone()),
            note: Some(event.note.clone()),
            regarding: Some(about),
            reporting_controller: Some(REPORTER.into()),
            reporting_instance: Some("watcher".into()),
            ..Event::default()
        };
        let step = ApiRequest {
            doing: format!("publishing an Event on {named}"),
            verb: "create",
            resource: "events.events.k8s.io".into(),
            namespace: namespace.clone(),
            object: "the Event".into(),
        };
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
        match step.attempt(api.create(&params, &event)).await {
            // Told before, perhaps by another watcher.
            Ok(_) | Err(ClusterError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A core/v1 Event, to the fields used.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PartialEvent {
    #[serde(skip)]
    metadata: ObjectMeta,
    reason: Option<String>,
    message: Option<String>,
    involved_object: Involved,
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    series: Option<Series>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Involved {
    field_path: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    last_observed_time: Option<Timestamp>,
}

impl From<PartialEvent> for PodEvent {
    fn from(event: PartialEvent) -> Self {
        let series = event.series.and_then(|series| series.last_observed_time);
        Self {
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            field_path: event.involved_object.field_path.unwrap_or_default(),
            at: series.max(event.last_timestamp).max(event.event_time),
        }
    }
}

impl kube::Resource for PartialEvent {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Event".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "events".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
