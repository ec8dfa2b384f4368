//! Just enough HTTP for the loopback interface: a client, and a server that keeps what it was sent.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use crate::WAIT_TIMEOUT;

/// The body of `GET http://ADDRESS/PATH`.
///
/// # Panics
/// When the status is not 200.
pub(crate) fn get(address: &str, path: &str) -> Vec<u8> {
    ask(address, "GET", path, b"").unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

/// Posts JSON and returns the body of the response.
///
/// # Panics
/// When the status is not 200.
pub(crate) fn post(address: &str, path: &str, body: &[u8]) -> Vec<u8> {
    ask(address, "POST", path, body).unwrap_or_else(|error| panic!("POST {path}: {error}"))
}

/// Sends `DELETE http://ADDRESS/PATH`.
///
/// # Panics
/// When the status is not 200.
pub(crate) fn delete(address: &str, path: &str) {
    ask(address, "DELETE", path, b"").unwrap_or_else(|error| panic!("DELETE {path}: {error}"));
}

/// Whether `GET http://ADDRESS/PATH` has the status 200.
pub(crate) fn answers(address: &str, path: &str) -> bool {
    ask(address, "GET", path, b"").is_ok()
}

/// Sends one request over HTTP/1.0, whose response ends with the connection.
fn ask(address: &str, method: &str, path: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WAIT_TIMEOUT))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| io::Error::other("the head is cut"))?;
    let (head, body) = (String::from_utf8_lossy(&answer[..end]), &answer[end + 4..]);
    if head.split_whitespace().nth(1) != Some("200") {
        return Err(io::Error::other(format!("{head}\n{}", String::from_utf8_lossy(body))));
    }
    Ok(body.to_vec())
}

/// One request to a [`Receiver`].
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The path; for a proxy the whole URL, or host and port.
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
}

/// The response to a request: media type and body, or `None` for 404.
type Answer = dyn Fn(&Request) -> Option<(&'static str, Vec<u8>)> + Send + Sync;

#[derive(Default)]
struct Received {
    requests: Mutex<Vec<Request>>,
    more: Condvar,
}

/// A server on a free port, which lives as long as the test's process.
pub(crate) struct Receiver {
    address: SocketAddr,
    received: Arc<Received>,
}

impl Receiver {
    /// Starts a server that responds to everything with an empty body.
    pub(crate) fn start() -> Self {
        Self::responding(|_| Some(("text/plain", Vec::new())))
    }

    /// Starts a server that responds by `answer`.
    pub(crate) fn responding(
        answer: impl Fn(&Request) -> Option<(&'static str, Vec<u8>)> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::new(Received::default());
        let (mine, answer): (_, Arc<Answer>) = (received.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (received, answer) = (mine.clone(), answer.clone());
                // An error means that the peer has closed the connection.
                thread::spawn(move || serve(stream, &received, &*answer));
            }
        });
        Self { address, received }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.received.requests.lock().expect("no panic in it").clone()
    }

    /// The bodies of all requests so far.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.requests().into_iter().map(|request| request.body).collect()
    }

    /// Waits until `is_enough` accepts the requests and returns their bodies.
    ///
    /// # Panics
    /// When it does not accept them in time.
    pub(crate) fn wait_until(
        &self,
        what: &str,
        mut is_enough: impl FnMut(&[Request]) -> bool,
    ) -> Vec<Vec<u8>> {
        let end = Instant::now() + WAIT_TIMEOUT;
        let mut requests = self.received.requests.lock().expect("no panic in it");
        while !is_enough(&requests) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let got: Vec<_> =
                    requests.iter().map(|request| String::from_utf8_lossy(&request.body)).collect();
                panic!("not within {WAIT_TIMEOUT:?}: {what}; got {got:#?}");
            }
            requests = self.received.more.wait_timeout(requests, left).expect("no panic in it").0;
        }
        requests.iter().map(|request| request.body.clone()).collect()
    }
}

fn serve(stream: TcpStream, received: &Received, answer: &Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(WAIT_TIMEOUT))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let Some(target) = line.split_whitespace().nth(1).map(str::to_owned) else { return Ok(()) };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = Request { target, body };
    let answer = answer(&request);
    received.requests.lock().expect("no panic in it").push(request);
    received.more.notify_all();
    let stream = reader.get_mut();
    let (status, kind, body) = match &answer {
        Some((kind, body)) => ("200 OK", *kind, body.as_slice()),
        None => ("404 Not Found", "text/plain", b"".as_slice()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)
}
