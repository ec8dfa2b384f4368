//! The controller's pages: `/metrics`, `/healthz`, `/readyz`.

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
const CONNECTIONS: usize = 32;

/// Whoever sends its request slower is no scraper.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);

/// One connection lives so long at most; a client that wants more opens another.
const CONNECTION_WITHIN: Duration = Duration::from_secs(300);

/// When there are too many files open, or the like, accepting is tried again after this.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What the pages say.
pub(crate) trait Site: Send + Sync + 'static {
    /// In Prometheus' text format.
    fn metrics(&self) -> String;

    /// Whether it does its work, and why or why not.
    fn ready(&self) -> Ready;
}

/// An answer to "are you ready?", with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) is: bool,
    pub(crate) why: String,
}

/// Answers for ever.
pub(crate) async fn serve(listener: TcpListener, site: Arc<dyn Site>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let connection = match listener.accept().await {
            Ok((connection, _)) => connection,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                continue;
            }
        };
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|request| {
                let answer = answer(&request, &*site);
                async { Ok::<_, Infallible>(answer) }
            });
            let conversation = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN)
                .serve_connection(TokioIo::new(connection), service);
            if let Ok(Err(error)) = tokio::time::timeout(CONNECTION_WITHIN, conversation).await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, site: &dyn Site) -> Response<Full<Bytes>> {
    let known = matches!(request.uri().path(), "/metrics" | "/healthz" | "/readyz");
    if known && !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".into());
        answer.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    match request.uri().path() {
        "/metrics" => {
            let mut answer = page(StatusCode::OK, site.metrics());
            let format = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            answer.headers_mut().insert(CONTENT_TYPE, format);
            answer
        }
        "/healthz" => page(StatusCode::OK, "ok\n".into()),
        "/readyz" => {
            let Ready { is, why } = site.ready();
            let status = if is { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            page(status, format!("{}: {why}\n", if is { "ready" } else { "not ready" }))
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

    impl Site for Fixed {
        fn metrics(&self) -> String {
            "bigredbutton_leader 1\n".into()
        }

        fn ready(&self) -> Ready {
            Ready { is: self.0, why: "because".into() }
        }
    }

    /// The whole answer to one request, spoken by hand.
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
            (0..CONNECTIONS).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        let probe = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(HEADERS_WITHIN * 2)).unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        });
        assert!(probe.await.unwrap().unwrap().ends_with("ok\n"));
        drop(silent);
    }
}
