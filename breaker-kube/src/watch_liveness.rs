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

/// Whether `address` is the watch of the objects at `path` that `selector` matches; `None` is a
/// watch without a selector. The address of an API server may have a path of its own before `path`.
pub(crate) fn is_watch_of(address: &str, path: &str, selector: Option<&str>) -> bool {
    let (watched, query) = address.split_once('?').unwrap_or((address, ""));
    let mut selectors = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, value)| key == "labelSelector" && !value.is_empty());
    watched.ends_with(path)
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
    fn a_watch_is_known_by_its_path_and_selector() {
        let (all, sre) = ("/api/v1/pods", "/api/v1/namespaces/sre/pods");
        let selected = format!("{sre}?watch=true&timeoutSeconds=60&labelSelector=app%3Dswype%2Ctier%3Da");
        let (whole, one) = (format!("{all}?watch=true&timeoutSeconds=60"), format!("{sre}?watch=true"));
        let proxied = format!("/k8s/clusters/c-1{all}?watch=true");
        for (address, path, selector, want) in [
            (&selected, sre, Some("app=swype,tier=a"), true),
            (&selected, sre, Some("app=other"), false),
            (&selected, "/api/v1/namespaces/prod/pods", Some("app=swype,tier=a"), false),
            (&selected, sre, None, false),
            (&whole, all, None, true),
            (&proxied, all, None, true),
            (&one, sre, None, true),
            (&one, all, None, false),
            (&whole, "/apis/bigredbutton.dev/v1alpha1/circuitbreakers", None, false),
        ] {
            assert_eq!(is_watch_of(address, path, selector), want, "{address} {path} {selector:?}");
        }
    }
}
