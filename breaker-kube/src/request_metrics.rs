//! What passes between this client and the API server, counted: refusals, and listings of pods.
//!
//! Counted at the one place that every request goes through, so that no caller can forget to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode, Uri};

use crate::request_layer::{RequestObserver, has};

/// Requests so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMetrics {
    /// Requests that were refused or got no answer, by verb (`get`, `watch`, `create`, `update`, `patch`, `delete`)
    /// and by HTTP status; status 0 is no answer. 409 is routine: an object was changed since it was read.
    pub errors: BTreeMap<(&'static str, u16), u64>,
    /// Listings of pods that were begun.
    pub pod_lists: u64,
}

/// The count that a client's clones share.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestCounter(Arc<Mutex<RequestMetrics>>);

impl RequestCounter {
    pub(crate) fn so_far(&self) -> RequestMetrics {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, RequestMetrics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, verb: &'static str, status: u16) {
        *self.locked().errors.entry((verb, status)).or_default() += 1;
    }
}

/// As RBAC names them, though a list counts as `get`.
fn verb(method: &Method, watches: bool) -> &'static str {
    match *method {
        _ if watches => "watch",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    }
}

/// The first page of a list of pods; a watch is none, and the pages after the first belong to it.
fn lists_pods(method: &Method, uri: &Uri) -> bool {
    method == Method::GET
        && uri.path().ends_with("/pods")
        && !has(uri, "watch", &[])
        && !has(uri, "continue", &[])
}

impl RequestObserver for RequestCounter {
    type Kept = Open;

    fn asked(&self, method: &Method, uri: &Uri) -> Open {
        if lists_pods(method, uri) {
            self.locked().pod_lists += 1;
        }
        Open { tally: self.clone(), verb: verb(method, has(uri, "watch", &[])), failure: Some(0) }
    }

    fn answered(mut open: Open, status: StatusCode) {
        let is_failure = status.is_client_error() || status.is_server_error();
        open.failure = is_failure.then_some(status.as_u16());
    }
}

/// A request under way: without an answer until there is one, and counted when it ends.
pub(crate) struct Open {
    tally: RequestCounter,
    verb: &'static str,
    failure: Option<u16>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(status) = self.failure {
            self.tally.failed(self.verb, status);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use tower::{Layer, ServiceExt};

    use super::*;
    use crate::request_layer::ObserveLayer;

    async fn send(tally: &RequestCounter, method: &str, uri: &str, status: u16) {
        let answering = tower::service_fn(move |_: Request<()>| async move {
            if status == 0 {
                Err("no answer")
            } else {
                Ok(Response::builder().status(status).body(()).unwrap())
            }
        });
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        let _ = ObserveLayer(tally.clone()).layer(answering).oneshot(request).await;
    }

    #[tokio::test]
    async fn refusals_are_counted_by_verb_and_status() {
        let tally = RequestCounter::default();
        for (method, uri, status) in [
            ("PATCH", "/apis/apps/v1/namespaces/sre/deployments/a/scale", 409),
            ("PATCH", "/apis/apps/v1/namespaces/sre/deployments/a/scale", 409),
            ("PATCH", "/apis/apps/v1/namespaces/sre/deployments/a/scale", 200),
            ("GET", "/api/v1/pods?watch=true", 410),
            ("GET", "/api/v1/pods?watch=true", 200),
            ("GET", "/api/v1/namespaces/sre/pods/a/log", 403),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/brb/leases/a", 0),
        ] {
            send(&tally, method, uri, status).await;
        }
        let want = [(("get", 403), 1), (("patch", 409), 2), (("update", 0), 1), (("watch", 410), 1)];
        assert_eq!(tally.so_far().errors, want.into());
    }

    #[tokio::test]
    async fn an_attempt_that_was_given_up_got_no_answer() {
        let tally = RequestCounter::default();
        let silent = tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, &str>>());
        let request = Request::builder().uri("/api/v1/pods").body(()).unwrap();
        let call = ObserveLayer(tally.clone()).layer(silent).oneshot(request);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), call).await.is_err());
        assert_eq!(tally.so_far().errors, [(("get", 0), 1)].into());
    }

    #[tokio::test]
    async fn a_listing_of_many_pages_is_one() {
        let tally = RequestCounter::default();
        for uri in [
            "/api/v1/pods?limit=100",
            "/api/v1/pods?limit=100&continue=abc",
            "/api/v1/pods?watch=true",
            "/api/v1/namespaces/sre/pods?labelSelector=app%3Da",
            "/apis/bigredbutton.dev/v1alpha1/circuitbreakers",
        ] {
            send(&tally, "GET", uri, 200).await;
        }
        assert_eq!(tally.so_far().pod_lists, 2);
        assert!(tally.so_far().errors.is_empty());
    }
}
