//! Pods: read one, list those of a selector, and watch them.

use std::sync::Arc;

use breaker_core::cluster::PodWatchEvent;
use breaker_core::pod::PodReport;
use breaker_core::{Clock, ClusterError};
use futures::stream::{self, BoxStream, StreamExt};
use jiff::SignedDuration;
use kube::api::ListParams;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::client::KubeClient;
use crate::partial_pod::PartialPod;
use crate::request::ApiRequest;
use crate::watch::{self, PAGE_SIZE};
use crate::watch_liveness::is_pod_watch;

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

/// Watches the pods that `selector` matches in `namespace`. The stream does not end.
pub(crate) fn watch(kube: &KubeClient, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
    let config = watch::config().labels(selector);
    let mut listing = Listing::default();
    let clock = Arc::clone(&kube.clock);
    let events = watcher(api(kube, namespace), config).backoff(watch::backoff()).filter_map(move |event| {
        let event = translate(event, &mut listing, &*clock);
        async move { event }
    });
    let signs_of_life = signs_of_life(kube.watch_liveness.subscribe(), namespace.into(), selector.into());
    stream::select(events, signs_of_life).boxed()
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

/// kube lists again after a 410 and after other breaks.
fn translate(
    event: Result<Event<PartialPod>, watcher::Error>,
    listing: &mut Listing,
    clock: &dyn Clock,
) -> Option<PodWatchEvent> {
    match event {
        Ok(Event::Init) => {
            *listing = Listing { pods: Vec::new(), asked: clock.elapsed() };
            None
        }
        Ok(Event::InitApply(pod)) => {
            listing.pods.push(pod.into());
            None
        }
        Ok(Event::InitDone) => {
            let asked_at = clock.wall_time(listing.asked);
            Some(PodWatchEvent::Listed { pods: std::mem::take(&mut listing.pods), asked_at })
        }
        Ok(Event::Apply(pod)) => Some(PodWatchEvent::Applied(pod.into())),
        Ok(Event::Delete(pod)) => Some(PodWatchEvent::Deleted(pod.uid().unwrap_or_default())),
        Err(error) => Some(PodWatchEvent::Down(watch::describe(&error))),
    }
}

/// [`PodWatchEvent::Alive`] each time the API server accepts the watch of these pods.
fn signs_of_life(
    addresses: Receiver<String>,
    namespace: String,
    selector: String,
) -> BoxStream<'static, PodWatchEvent> {
    stream::unfold(addresses, move |mut addresses| {
        let (namespace, selector) = (namespace.clone(), selector.clone());
        async move {
            loop {
                match addresses.recv().await {
                    Ok(address) if is_pod_watch(&address, Some(&namespace), Some(&selector)) => {
                        return Some((PodWatchEvent::Alive, addresses));
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        }
    })
    .boxed()
}
