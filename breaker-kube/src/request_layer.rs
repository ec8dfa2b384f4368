//! A layer that shows requests and their answers, as they go by, to whoever wants to know.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Request, Response, StatusCode, Uri};
use tower::{Layer, Service};

/// Sees every request of a client, and changes none.
pub(crate) trait RequestObserver: Clone + Send + 'static {
    /// What is kept of a request until its answer. Dropped when there is none, also when the caller gives up.
    type Kept: Send;

    fn asked(&self, method: &Method, uri: &Uri) -> Self::Kept;

    fn answered(kept: Self::Kept, status: StatusCode);
}

/// Puts a witness on the way.
pub(crate) struct ObserveLayer<W>(pub(crate) W);

impl<S, W: RequestObserver> Layer<S> for ObserveLayer<W> {
    type Service = ObserveService<S, W>;

    fn layer(&self, inner: S) -> Self::Service {
        ObserveService { inner, witness: self.0.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct ObserveService<S, W> {
    inner: S,
    witness: W,
}

impl<S, W, A, B> Service<Request<A>> for ObserveService<S, W>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    W: RequestObserver,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let kept = self.witness.asked(request.method(), request.uri());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            W::answered(kept, answer.status());
            Ok(answer)
        })
    }
}

/// Whether the query has this key, with one of these values if any are given.
pub(crate) fn has(uri: &Uri, key: &str, values: &[&str]) -> bool {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .any(|(known, value)| known == key && (values.is_empty() || values.contains(&value.as_ref())))
}
