//! A tower layer that shows each request and the status of its answer to an observer.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Request, Response, StatusCode, Uri};
use tower::{Layer, Service};

/// Sees every request of a client and changes none.
pub(crate) trait RequestObserver: Clone + Send + 'static {
    /// State of one request until its answer. It is dropped without an answer when the request
    /// fails or the caller drops it.
    type InFlight: Send;

    fn on_request(&self, method: &Method, uri: &Uri) -> Self::InFlight;

    fn on_response(in_flight: Self::InFlight, status: StatusCode);
}

/// Puts an observer in front of a service.
pub(crate) struct ObserveLayer<O>(pub(crate) O);

impl<S, O: RequestObserver> Layer<S> for ObserveLayer<O> {
    type Service = ObserveService<S, O>;

    fn layer(&self, inner: S) -> Self::Service {
        ObserveService { inner, observer: self.0.clone() }
    }
}

/// The service that [`ObserveLayer`] makes.
#[derive(Clone)]
pub(crate) struct ObserveService<S, O> {
    inner: S,
    observer: O,
}

impl<S, O, A, B> Service<Request<A>> for ObserveService<S, O>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    O: RequestObserver,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let in_flight = self.observer.on_request(request.method(), request.uri());
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await?;
            O::on_response(in_flight, response.status());
            Ok(response)
        })
    }
}

/// Whether the query has this key. If `values` are given, its value must be one of them.
pub(crate) fn query_has(uri: &Uri, key: &str, values: &[&str]) -> bool {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .any(|(name, value)| name == key && (values.is_empty() || values.contains(&value.as_ref())))
}
