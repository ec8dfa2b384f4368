//! [`TestServer`]: an API server for tests, which answers from a function.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use breaker_core::Clock;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use crate::client::KubeClient;

/// A request as the server received it.
pub(crate) struct Received {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) body: Value,
}

pub(crate) struct TestServer {
    client: Client,
    requests: Arc<AtomicUsize>,
}

impl TestServer {
    /// A server whose answers, code and body, come from `answer`. Its second argument is the number
    /// of earlier requests.
    pub(crate) fn new(answer: impl Fn(&Received, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let (answer, counter) = (Arc::new(answer), Arc::clone(&requests));
        let service = tower::service_fn(move |request: Request<Body>| {
            let (answer, number) = (Arc::clone(&answer), counter.fetch_add(1, Ordering::SeqCst));
            async move {
                let method = request.method().to_string();
                let path = request.uri().to_string();
                let body = request.into_body().collect_bytes().await.expect("a body");
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (code, text) = answer(&Received { method, path, body }, number);
                let response = Response::builder().status(code).body(Body::from(text.into_bytes()));
                Ok::<_, Infallible>(response.expect("a response"))
            }
        });
        Self { client: Client::new(service, "sre"), requests }
    }

    pub(crate) fn kube(&self) -> KubeClient {
        self.kube_with_clock(Arc::new(StoppedClock))
    }

    pub(crate) fn kube_with_clock(&self, clock: Arc<dyn Clock>) -> KubeClient {
        KubeClient::from_client(self.client.clone(), clock)
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// The body of a Kubernetes `Status` about a failure.
pub(crate) fn status(code: u16, message: &str) -> String {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
           "reason": "Any", "code": code})
    .to_string()
}

/// Both clocks stand still; waits end at once.
pub(crate) struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> SignedDuration {
        SignedDuration::ZERO
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

/// The clock of tokio, which a test may pause: it then runs as fast as the test waits.
pub(crate) struct TokioClock(tokio::time::Instant);

impl TokioClock {
    pub(crate) fn new() -> Self {
        Self(tokio::time::Instant::now())
    }
}

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24) + self.elapsed()
    }

    fn elapsed(&self) -> SignedDuration {
        self.0.elapsed().try_into().expect("a short time")
    }

    async fn sleep_until(&self, until: Timestamp) {
        let wait = until.duration_since(self.now());
        tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
    }
}
