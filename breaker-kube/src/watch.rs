//! The pod watch: one stream of news without end, and fresh lists.

use std::time::Duration;

use backon::ExponentialBuilder;
use breaker_core::ClusterError;
use breaker_core::cluster::PodWatchEvent;
use breaker_core::pod::PodReport;
use futures::stream::{self, BoxStream, StreamExt};
use kube::api::ListParams;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::KubeClient;
use crate::pods::PartialPod;
use crate::request::ApiRequest;
use crate::watch_liveness::watches_pods;

/// The server answers a silent watch at least this often, in seconds.
pub(crate) const SERVER_TIMEOUT: u32 = 60;

/// Pods a page: a page is in memory as JSON for a moment.
pub(crate) const PAGE: u32 = 100;

/// Kinder than a hot loop and quicker back than kube's own 30 s: an outage may be waiting to be seen.
pub(crate) fn back_off() -> watcher::ExponentialBackoff {
    let (first, longest) = (Duration::from_millis(200), Duration::from_secs(5));
    let builder = ExponentialBuilder::default().with_min_delay(first).with_max_delay(longest);
    builder.without_max_times().with_jitter().into()
}

impl KubeClient {
    pub(crate) fn pods_watched(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        let api: Api<PartialPod> = Api::namespaced(self.client.clone(), namespace);
        let config = watcher::Config::default().labels(selector).timeout(SERVER_TIMEOUT).page_size(PAGE);
        let mut listing: Vec<PodReport> = Vec::new();
        let news = watcher(api, config).backoff(back_off()).filter_map(move |event| {
            let news = translate(event, &mut listing);
            async move { news }
        });
        let pulses = pulses(self.pulses.listen(), namespace.to_owned(), selector.to_owned());
        stream::select(news, pulses).boxed()
    }

    /// One pod.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`], [`ClusterError::Forbidden`], [`ClusterError::Unreachable`] as for every call.
    pub async fn pod(&self, namespace: &str, name: &str) -> Result<PodReport, ClusterError> {
        let api: Api<PartialPod> = Api::namespaced(self.client.clone(), namespace);
        let step = ApiRequest {
            doing: format!("reading the pod {namespace}/{name}"),
            verb: "get",
            resource: "pods".into(),
            namespace: namespace.into(),
            object: format!("pod {namespace}/{name}"),
        };
        step.attempt(api.get(name)).await.map(PodReport::from)
    }

    pub(crate) async fn pods_listed(
        &self,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<PodReport>, ClusterError> {
        let api: Api<PartialPod> = Api::namespaced(self.client.clone(), namespace);
        let step = ApiRequest {
            doing: format!("listing the pods of {namespace}"),
            verb: "list",
            resource: "pods".into(),
            namespace: namespace.into(),
            object: format!("namespace {namespace}"),
        };
        let mut params = ListParams::default().labels(selector).limit(PAGE);
        let mut pods = Vec::new();
        loop {
            let page = step.attempt(api.list(&params)).await?;
            pods.extend(page.items.into_iter().map(PodReport::from));
            match page.metadata.continue_.filter(|more| !more.is_empty()) {
                Some(more) => params = params.continue_token(&more),
                None => return Ok(pods),
            }
        }
    }
}

/// kube lists again by itself after a 410 and other ruptures; what is absent at the end of a list is gone.
fn translate(
    event: Result<Event<PartialPod>, watcher::Error>,
    listing: &mut Vec<PodReport>,
) -> Option<PodWatchEvent> {
    match event {
        Ok(Event::Init) => {
            listing.clear();
            None
        }
        Ok(Event::InitApply(pod)) => {
            listing.push(pod.into());
            None
        }
        Ok(Event::InitDone) => Some(PodWatchEvent::Listed(std::mem::take(listing))),
        Ok(Event::Apply(pod)) => Some(PodWatchEvent::Applied(pod.into())),
        Ok(Event::Delete(pod)) => Some(PodWatchEvent::Deleted(pod.uid().unwrap_or_default())),
        Err(error) => Some(PodWatchEvent::Down(reason(&error))),
    }
}

pub(crate) fn reason(error: &watcher::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let (step, innermost) = (error.to_string(), innermost.to_string());
    if step.contains(&innermost) { step } else { format!("{step}: {innermost}") }
}

/// A sign of life each time the watch of these pods is established.
fn pulses(heard: Receiver<String>, namespace: String, selector: String) -> BoxStream<'static, PodWatchEvent> {
    stream::unfold(heard, move |mut heard| {
        let (namespace, selector) = (namespace.clone(), selector.clone());
        async move {
            loop {
                match heard.recv().await {
                    Ok(address) if watches_pods(&address, &namespace, &selector) => {
                        return Some((PodWatchEvent::Alive, heard));
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        }
    })
    .boxed()
}
