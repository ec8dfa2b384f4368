//! Metrics of the requests to the API server: refusals and listings of pods.
//!
//! They are counted in a layer below every request, so no caller can forget to count.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, StatusCode, Uri};
use parking_lot::Mutex;

use crate::request_layer::{RequestObserver, query_has};

/// The code of a request without a response, as in client-go's `rest_client_requests_total`.
pub const NO_RESPONSE: &str = "<error>";

/// What a client and its clones have counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMetrics {
    /// Requests that failed, by verb (`get`, `watch`, `create`, `update`, `patch` or `delete`; a
    /// list counts as `get`) and by HTTP status, or [`NO_RESPONSE`]. 409 is routine: the object was
    /// changed after it was read.
    pub errors: BTreeMap<(&'static str, String), u64>,
    /// Listings of pods that were started. A listing of several pages counts once.
    pub pod_relists: u64,
}

/// The counter that the clones of a client share.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestCounter(Arc<Mutex<RequestMetrics>>);

impl RequestCounter {
    pub(crate) fn metrics(&self) -> RequestMetrics {
        self.0.lock().clone()
    }
}

/// The RBAC verb of a request, with `get` for lists.
fn verb(method: &Method, is_watch: bool) -> &'static str {
    match *method {
        _ if is_watch => "watch",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    }
}

/// Whether this is the first page of a list of all pods. A list of at most one pod asks for the
/// version of the pods.
fn starts_pod_list(method: &Method, uri: &Uri) -> bool {
    method == Method::GET
        && uri.path().ends_with("/pods")
        && !query_has(uri, "watch", &[])
        && !query_has(uri, "continue", &[])
        && !query_has(uri, "limit", &["1"])
}

impl RequestObserver for RequestCounter {
    type InFlight = InFlight;

    fn on_request(&self, method: &Method, uri: &Uri) -> InFlight {
        if starts_pod_list(method, uri) {
            self.0.lock().pod_relists += 1;
        }
        let verb = verb(method, query_has(uri, "watch", &[]));
        InFlight { counter: self.clone(), verb, outcome: Outcome::NoResponse }
    }

    fn on_response(mut in_flight: InFlight, status: StatusCode) {
        let is_failure = status.is_client_error() || status.is_server_error();
        in_flight.outcome = if is_failure { Outcome::Refused(status) } else { Outcome::Accepted };
    }
}

enum Outcome {
    NoResponse,
    Refused(StatusCode),
    Accepted,
}

/// A request that has not ended. It is counted when it is dropped.
pub(crate) struct InFlight {
    counter: RequestCounter,
    verb: &'static str,
    outcome: Outcome,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let code = match self.outcome {
            Outcome::Accepted => return,
            Outcome::Refused(status) => status.as_str().to_owned(),
            Outcome::NoResponse => NO_RESPONSE.to_owned(),
        };
        *self.counter.0.lock().errors.entry((self.verb, code)).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use tower::{Layer, ServiceExt};

    use super::*;
    use crate::request_layer::ObserveLayer;

    /// Sends one request to a server that answers with `status`, or not at all when it is 0.
    async fn send(counter: &RequestCounter, method: &str, uri: &str, status: u16) {
        let server = tower::service_fn(move |_: Request<()>| async move {
            if status == 0 {
                Err("no answer")
            } else {
                Ok(Response::builder().status(status).body(()).unwrap())
            }
        });
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        let _ = ObserveLayer(counter.clone()).layer(server).oneshot(request).await;
    }

    fn errors(counter: &RequestCounter) -> Vec<(&'static str, String, u64)> {
        counter.metrics().errors.into_iter().map(|((verb, code), n)| (verb, code, n)).collect()
    }

    #[tokio::test]
    async fn refusals_are_counted_by_verb_and_status() {
        let counter = RequestCounter::default();
        for (method, uri, status) in [
            ("PATCH", "/apis/apps/v1/namespaces/sre/deployments/a/scale", 409),
            ("PATCH", "/apis/apps/v1/namespaces/sre/deployments/a/scale", 409),
            ("PATCH", "/apis/apps/v1/namespaces/sre/deployments/a/scale", 200),
            ("GET", "/api/v1/pods?watch=true", 410),
            ("GET", "/api/v1/pods?watch=true", 200),
            ("GET", "/api/v1/namespaces/sre/pods/a/log", 403),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/brb/leases/a", 0),
        ] {
            send(&counter, method, uri, status).await;
        }
        let want = [("get", "403", 1), ("patch", "409", 2), ("update", "<error>", 1), ("watch", "410", 1)];
        assert_eq!(errors(&counter), want.map(|(verb, code, n)| (verb, code.to_owned(), n)));
    }

    #[tokio::test]
    async fn a_request_that_its_caller_gave_up_had_no_response() {
        let counter = RequestCounter::default();
        let silent = tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, &str>>());
        let request = Request::builder().uri("/api/v1/pods").body(()).unwrap();
        let call = ObserveLayer(counter.clone()).layer(silent).oneshot(request);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), call).await.is_err());
        assert_eq!(errors(&counter), [("get", NO_RESPONSE.to_owned(), 1)]);
    }

    #[tokio::test]
    async fn a_listing_of_several_pages_counts_once() {
        let counter = RequestCounter::default();
        for uri in [
            "/api/v1/pods?limit=100",
            "/api/v1/pods?limit=100&continue=abc",
            "/api/v1/pods?watch=true",
            "/api/v1/pods?limit=1",
            "/api/v1/namespaces/sre/pods?labelSelector=app%3Da",
            "/apis/bigredbutton.dev/v1alpha1/circuitbreakers",
        ] {
            send(&counter, "GET", uri, 200).await;
        }
        assert_eq!(counter.metrics().pod_relists, 2);
        assert!(errors(&counter).is_empty());
    }
}
