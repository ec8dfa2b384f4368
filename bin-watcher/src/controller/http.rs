//! The controller's HTTP endpoints: `/metrics`, `/healthz`, `/readyz`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// A scraper and two probes need three.
const MAX_CONNECTIONS: usize = 32;

/// Timeout for the headers of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest life of one connection; a client can open another.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);

/// Delay after a failed accept, for example with too many open files.
const ACCEPT_RETRY_AFTER: Duration = Duration::from_millis(200);

/// The contents of the endpoints.
pub(crate) trait Endpoints: Send + Sync + 'static {
    /// The metrics in Prometheus' text format 0.0.4.
    fn metrics(&self) -> String;

    /// Whether the controller does its work.
    fn readiness(&self) -> Readiness;
}

/// Whether the controller is ready, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    pub(crate) reason: String,
}

/// Serves the endpoints; never returns.
pub(crate) async fn serve(listener: TcpListener, endpoints: Arc<dyn Endpoints>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let connection = match listener.accept().await {
            Ok((connection, _)) => connection,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_RETRY_AFTER).await;
                continue;
            }
        };
        let endpoints = Arc::clone(&endpoints);
        tokio::spawn(async move {
            let _permit = permit;
            let service = service_fn(|request| {
                let answer = answer(&request, &*endpoints);
                async { Ok::<_, Infallible>(answer) }
            });
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(connection), service);
            if let Ok(Err(error)) = tokio::time::timeout(CONNECTION_TIMEOUT, serving).await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, endpoints: &dyn Endpoints) -> Response<Full<Bytes>> {
    let known = matches!(request.uri().path(), "/metrics" | "/healthz" | "/readyz");
    if known && !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".into());
        answer.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    match request.uri().path() {
        "/metrics" => {
            let mut answer = page(StatusCode::OK, endpoints.metrics());
            let format = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            answer.headers_mut().insert(CONTENT_TYPE, format);
            answer
        }
        "/healthz" => page(StatusCode::OK, "ok\n".into()),
        "/readyz" => {
            let Readiness { ready, reason } = endpoints.readiness();
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            page(status, format!("{}: {reason}\n", if ready { "ready" } else { "not ready" }))
        }
        _ => page(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".into()),
    }
}

fn page(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let format = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, format);
    answer
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    struct Fixed(bool);

    impl Endpoints for Fixed {
        fn metrics(&self) -> String {
            "bigredbutton_leader 1\n".into()
        }

        fn readiness(&self) -> Readiness {
            Readiness { ready: self.0, reason: "because".into() }
        }
    }

    /// The response to one request, with its status line and headers.
    async fn ask(ready: bool, head: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(serve(listener, Arc::new(Fixed(ready))));
        let request = format!("{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let answer = answer.await.unwrap();
        served.abort();
        answer
    }

    #[tokio::test]
    async fn each_page_answers_as_it_should() {
        for (ready, head, status, words) in [
            (true, "GET /healthz", "200 OK", "\r\n\r\nok\n"),
            (true, "GET /readyz", "200 OK", "\r\n\r\nready: because\n"),
            (false, "GET /readyz?verbose", "503 Service Unavailable", "\r\n\r\nnot ready: because\n"),
            (false, "GET /healthz", "200 OK", "\r\n\r\nok\n"),
            (true, "GET /metrics", "200 OK", "content-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
            (true, "GET /metrics", "200 OK", "\r\n\r\nbigredbutton_leader 1\n"),
            (true, "HEAD /metrics", "200 OK", "\r\ncontent-length: 22\r\n"),
            (true, "POST /metrics", "405 Method Not Allowed", "\r\nallow: GET, HEAD\r\n"),
            (true, "GET /", "404 Not Found", "/readyz"),
        ] {
            let answer = ask(ready, head).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}: {answer}");
            assert!(answer.contains(words), "{head}: {answer}");
        }
    }

    #[tokio::test]
    async fn silent_connections_do_not_keep_a_probe_out_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Arc::new(Fixed(true))));
        let silent: Vec<_> =
            (0..MAX_CONNECTIONS).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        let probe = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(HEADER_TIMEOUT * 2)).unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        });
        assert!(probe.await.unwrap().unwrap().ends_with("ok\n"));
        drop(silent);
    }
}
