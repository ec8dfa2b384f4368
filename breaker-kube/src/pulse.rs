//! The pulse of a watch: kube's watcher re-establishes a watch silently, and that is a sign of life.
//!
//! The server ends each watch after its `timeoutSeconds`, at least once a minute here; kube opens the next
//! one without an event. This layer sees the answer to each watch request go by and tells its address.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::sync::broadcast;
use tower::{Layer, Service};

/// Listeners that fall further behind miss pulses, and the next one is at most a minute away.
const BACKLOG: usize = 64;

/// Addresses (path and query) of watch requests that were just answered.
#[derive(Debug, Clone)]
pub(crate) struct Pulses(broadcast::Sender<String>);

impl Default for Pulses {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Pulses {
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

pub(crate) struct PulseLayer(Pulses);

impl PulseLayer {
    pub(crate) fn new(pulses: &Pulses) -> Self {
        Self(pulses.clone())
    }
}

impl<S> Layer<S> for PulseLayer {
    type Service = Pulse<S>;

    fn layer(&self, inner: S) -> Pulse<S> {
        Pulse { inner, pulses: self.0.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Pulse<S> {
    inner: S,
    pulses: Pulses,
}

impl<S, A, B> Service<Request<A>> for Pulse<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let query = request.uri().query().unwrap_or_default();
        let watched = form_urlencoded::parse(query.as_bytes())
            .any(|(key, value)| key == "watch" && matches!(&*value, "true" | "1"))
            .then(|| request.uri().path_and_query().map(ToString::to_string))
            .flatten();
        let answer = self.inner.call(request);
        let pulses = self.pulses.clone();
        Box::pin(async move {
            let answer = answer.await?;
            if let Some(address) = watched.filter(|_| answer.status().is_success()) {
                // Nobody listening is no fault.
                let _ = pulses.0.send(address);
            }
            Ok(answer)
        })
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
