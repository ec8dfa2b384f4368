//! The pulse of a watch: kube's watcher re-establishes a watch silently, and that is a sign of life.
//!
//! The server ends each watch after its `timeoutSeconds`, at least once a minute here; kube opens the next
//! one without an event. This witness sees the answer to each watch request go by and tells its address.

use http::{Method, StatusCode, Uri};
use tokio::sync::broadcast;

use crate::request_layer::{RequestObserver, has};

/// Listeners that fall further behind miss pulses, and the next one is at most a minute away.
const BACKLOG: usize = 64;

/// Addresses (path and query) of watch requests that were just answered.
#[derive(Debug, Clone)]
pub(crate) struct WatchLiveness(broadcast::Sender<String>);

impl Default for WatchLiveness {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl WatchLiveness {
    pub(crate) fn listen(&self) -> broadcast::Receiver<String> {
        self.0.subscribe()
    }
}

/// Whether this address is a watch of the pods that `selector` matches in `namespace`.
pub(crate) fn watches_pods(address: &str, namespace: &str, selector: &str) -> bool {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    path.ends_with(&format!("/api/v1/namespaces/{namespace}/pods"))
        && form_urlencoded::parse(query.as_bytes())
            .any(|(key, value)| key == "labelSelector" && value == selector)
}

/// Where a successful answer is told, and the address of the watch.
type Kept = Option<(broadcast::Sender<String>, String)>;

impl RequestObserver for WatchLiveness {
    type Kept = Kept;

    fn asked(&self, _: &Method, uri: &Uri) -> Kept {
        let address = uri.path_and_query().filter(|_| has(uri, "watch", &["true", "1"]))?;
        Some((self.0.clone(), address.to_string()))
    }

    fn answered(kept: Kept, status: StatusCode) {
        if let Some((listeners, address)) = kept.filter(|_| status.is_success()) {
            // Nobody listening is no fault.
            let _ = listeners.send(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_known_by_its_namespace_and_selector() {
        let address =
            "/api/v1/namespaces/sre/pods?watch=true&timeoutSeconds=60&labelSelector=app%3Dswype%2Ctier%3Da";
        for (namespace, selector, ours) in [
            ("sre", "app=swype,tier=a", true),
            ("sre", "app=other", false),
            ("prod", "app=swype,tier=a", false),
        ] {
            assert_eq!(watches_pods(address, namespace, selector), ours, "{namespace} {selector}");
        }
    }
}
