//! Liveness of a watch, seen from the requests of kube's watcher.
//!
//! The API server ends each watch after its `timeoutSeconds`, here at least once a minute, and kube
//! opens the next one without emitting an event. That request proves that the watch is alive
//! although no pod changed. This observer reports the address of each watch request that was
//! answered.

use http::{Method, StatusCode, Uri};
use tokio::sync::broadcast;

use crate::request_layer::{RequestObserver, query_has};

/// A subscriber that is further behind misses addresses. The next one comes within a minute.
const MAX_BACKLOG: usize = 64;

/// Broadcasts the address (path and query) of each watch request that was answered with success.
#[derive(Debug, Clone)]
pub(crate) struct WatchLiveness(broadcast::Sender<String>);

impl Default for WatchLiveness {
    fn default() -> Self {
        Self(broadcast::channel(MAX_BACKLOG).0)
    }
}

impl WatchLiveness {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<String> {
        self.0.subscribe()
    }
}

/// Whether `address` is the watch of the pods that `selector` matches in `namespace`; `None` is all
/// namespaces, or a watch without a selector.
pub(crate) fn is_pod_watch(address: &str, namespace: Option<&str>, selector: Option<&str>) -> bool {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let path_matches = match namespace {
        Some(namespace) => path.ends_with(&format!("/api/v1/namespaces/{namespace}/pods")),
        None => path.ends_with("/api/v1/pods"),
    };
    let mut selectors = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, value)| key == "labelSelector" && !value.is_empty());
    path_matches
        && match selector {
            Some(selector) => selectors.any(|(_, value)| value == selector),
            None => selectors.next().is_none(),
        }
}

/// The version that a watch request names, if it is a number.
pub(crate) fn version_of(address: &str) -> Option<u64> {
    let (_, query) = address.split_once('?')?;
    let mut fields = form_urlencoded::parse(query.as_bytes());
    fields.find(|(key, _)| key == "resourceVersion").and_then(|(_, version)| version.parse().ok())
}

/// A watch request without an answer: where to report it, and its address. `None` for other
/// requests.
type WatchInFlight = Option<(broadcast::Sender<String>, String)>;

impl RequestObserver for WatchLiveness {
    type InFlight = WatchInFlight;

    fn on_request(&self, _: &Method, uri: &Uri) -> WatchInFlight {
        let address = uri.path_and_query().filter(|_| query_has(uri, "watch", &["true", "1"]))?;
        Some((self.0.clone(), address.to_string()))
    }

    fn on_response(in_flight: WatchInFlight, status: StatusCode) {
        if let Some((subscribers, address)) = in_flight.filter(|_| status.is_success()) {
            // It fails when there is no subscriber, which is not an error.
            let _ = subscribers.send(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_of_selected_pods_is_known_by_its_namespace_and_selector() {
        let address =
            "/api/v1/namespaces/sre/pods?watch=true&timeoutSeconds=60&labelSelector=app%3Dswype%2Ctier%3Da";
        for (namespace, selector, want) in [
            ("sre", "app=swype,tier=a", true),
            ("sre", "app=other", false),
            ("prod", "app=swype,tier=a", false),
        ] {
            assert_eq!(
                is_pod_watch(address, Some(namespace), Some(selector)),
                want,
                "{namespace} {selector}"
            );
        }
    }

    #[test]
    fn a_watch_of_all_pods_is_known_by_its_scope_and_has_no_selector() {
        for (address, namespace, want) in [
            ("/api/v1/pods?watch=true&timeoutSeconds=60", None, true),
            ("/api/v1/namespaces/sre/pods?watch=true", Some("sre"), true),
            ("/api/v1/namespaces/sre/pods?watch=true", None, false),
            ("/api/v1/pods?watch=true&labelSelector=app%3Da", None, false),
        ] {
            assert_eq!(is_pod_watch(address, namespace, None), want, "{address} {namespace:?}");
        }
    }
}
