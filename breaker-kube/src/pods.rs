//! Pods: read one, list those of a selector, and watch them.

use std::sync::Arc;

use breaker_core::cluster::PodWatchEvent;
use breaker_core::pod::PodReport;
use breaker_core::{Clock, ClusterError};
use futures::stream::{BoxStream, StreamExt};
use jiff::SignedDuration;
use kube::api::ListParams;
use kube::runtime::watcher::Event;
use kube::{Api, ResourceExt};

use crate::client::KubeClient;
use crate::partial_pod::PartialPod;
use crate::request::ApiRequest;
use crate::watch::PAGE_SIZE;
use crate::watch_stream::{WatchStreamEvent, watch_objects};

impl KubeClient {
    /// Reads one pod.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] when it does not exist; else as for every call.
    pub async fn pod(&self, namespace: &str, name: &str) -> Result<PodReport, ClusterError> {
        let object = format!("pod {namespace}/{name}");
        let request = request(&format!("reading the {object}"), "get", namespace, object);
        request.send(api(self, namespace).get(name)).await.map(PodReport::from)
    }
}

/// Lists the pods that `selector` matches in `namespace`.
pub(crate) async fn list(
    kube: &KubeClient,
    namespace: &str,
    selector: &str,
) -> Result<Vec<PodReport>, ClusterError> {
    let action = format!("listing the pods of {namespace}");
    let request = request(&action, "list", namespace, format!("namespace {namespace}"));
    let api = api(kube, namespace);
    let mut params = ListParams::default().labels(selector).limit(PAGE_SIZE);
    let mut pods = Vec::new();
    loop {
        let page = request.send(api.list(&params)).await?;
        pods.extend(page.items.into_iter().map(PodReport::from));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(pods),
        }
    }
}

/// One pod, with the right to list pods only; `None` when it does not exist.
pub(crate) async fn find(
    kube: &KubeClient,
    namespace: &str,
    name: &str,
) -> Result<Option<PodReport>, ClusterError> {
    let object = format!("pod {namespace}/{name}");
    let request = request(&format!("reading the {object}"), "list", namespace, object);
    let params = ListParams::default().fields(&format!("metadata.name={name}"));
    let found = request.send(api(kube, namespace).list(&params)).await?;
    Ok(found.items.into_iter().next().map(PodReport::from))
}

/// Watches the pods that `selector` matches in `namespace`. The stream does not end.
pub(crate) fn watch(kube: &KubeClient, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
    let mut listing = Listing::default();
    let clock = Arc::clone(&kube.clock);
    let events = watch_objects(kube, Some(namespace), Some(selector)).filter_map(move |event| {
        let event = match event {
            WatchStreamEvent::Objects(event) => translate(*event, &mut listing, &*clock),
            WatchStreamEvent::Accepted => Some(PodWatchEvent::Alive),
            WatchStreamEvent::Failed(why) => Some(PodWatchEvent::Down(why)),
        };
        async move { event }
    });
    events.boxed()
}

fn api(kube: &KubeClient, namespace: &str) -> Api<PartialPod> {
    Api::namespaced(kube.client.clone(), namespace)
}

fn request(action: &str, verb: &'static str, namespace: &str, object: String) -> ApiRequest {
    ApiRequest { action: action.into(), verb, resource: "pods".into(), namespace: namespace.into(), object }
}

/// A list that is being received.
#[derive(Default)]
struct Listing {
    pods: Vec<PodReport>,
    /// When it was asked for, by the monotonic clock.
    asked: SignedDuration,
}

fn translate(event: Event<PartialPod>, listing: &mut Listing, clock: &dyn Clock) -> Option<PodWatchEvent> {
    match event {
        Event::Init => {
            *listing = Listing { pods: Vec::new(), asked: clock.elapsed() };
            None
        }
        Event::InitApply(pod) => {
            listing.pods.push(pod.into());
            None
        }
        Event::InitDone => {
            let asked_at = clock.wall_time(listing.asked);
            Some(PodWatchEvent::Listed { pods: std::mem::take(&mut listing.pods), asked_at })
        }
        Event::Apply(pod) => Some(PodWatchEvent::Applied(pod.into())),
        Event::Delete(pod) => Some(PodWatchEvent::Deleted(pod.uid().unwrap_or_default())),
    }
}
