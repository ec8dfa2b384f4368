//! The receiver of hooks and notifications: a real HTTP server on a loopback port that can
//! misbehave.

#![allow(dead_code)] // each test file uses its part

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// How the receiver treats one request.
#[derive(Debug, Clone)]
pub(crate) enum Behavior {
    /// Responds at once with this status and body.
    Responds(u16, &'static str),
    /// Responds with 200 after this time.
    RespondsAfter(Duration),
    /// Closes the connection in the middle of the response.
    DropsConnection,
    /// Redirects to this URL.
    RedirectsTo(String),
}

/// One request as received.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedRequest {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) event: Value,
    pub(crate) arrived: SystemTime,
    /// The replicas of the target when the request arrived.
    pub(crate) replicas: u32,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    is_secure: bool,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl Receiver {
    /// Treats the first requests by `behaviors`, and responds to all later ones with 200.
    pub(crate) fn new(
        behaviors: Vec<Behavior>,
        read_replicas: impl Fn() -> u32 + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver =
            Self { address: listener.local_addr().unwrap(), is_secure: false, requests: Arc::default() };
        let requests = Arc::clone(&receiver.requests);
        std::thread::spawn(move || listen(&listener, None, behaviors, read_replicas, &requests));
        receiver
    }

    /// Serves TLS with a self-signed certificate for `localhost`, which is returned in PEM.
    pub(crate) fn secure(read_replicas: impl Fn() -> u32 + Send + Sync + 'static) -> (Self, String) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], own.signing_key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver =
            Self { address: listener.local_addr().unwrap(), is_secure: true, requests: Arc::default() };
        let requests = Arc::clone(&receiver.requests);
        std::thread::spawn(move || {
            listen(&listener, Some(Arc::new(config)), Vec::new(), read_replicas, &requests)
        });
        (receiver, own.cert.pem())
    }

    /// Listens after this time; until then connections are refused.
    pub(crate) fn later(after: Duration, read_replicas: impl Fn() -> u32 + Send + Sync + 'static) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let receiver = Self { address, is_secure: false, requests: Arc::clone(&requests) };
        std::thread::spawn(move || {
            std::thread::sleep(after);
            let listener = TcpListener::bind(address).unwrap();
            listen(&listener, None, Vec::new(), read_replicas, &requests);
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        let path = "services/T0/s3cretpath";
        match self.is_secure {
            true => format!("https://localhost:{}/{path}", self.address.port()),
            false => format!("http://{}/{path}", self.address),
        }
    }

    pub(crate) fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until `count` requests have arrived.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<ReceivedRequest> {
        let end = Instant::now() + Duration::from_secs(20);
        while self.requests().len() < count {
            assert!(Instant::now() < end, "{} of {count} requests came", self.requests().len());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.requests()
    }
}

/// A connection, plain or over TLS.
trait Connection: Read + Write {}

impl<L: Read + Write> Connection for L {}

fn listen(
    listener: &TcpListener,
    tls: Option<Arc<ServerConfig>>,
    behaviors: Vec<Behavior>,
    read_replicas: impl Fn() -> u32 + Send + Sync + 'static,
    requests: &Arc<Mutex<Vec<ReceivedRequest>>>,
) {
    let behaviors = Arc::new(Mutex::new(VecDeque::from(behaviors)));
    let read_replicas = Arc::new(read_replicas);
    for connection in listener.incoming().flatten() {
        let (tls, behaviors) = (tls.clone(), Arc::clone(&behaviors));
        let (read_replicas, requests) = (Arc::clone(&read_replicas), Arc::clone(requests));
        std::thread::spawn(move || {
            let line: Box<dyn Connection> = match tls {
                Some(tls) => Box::new(StreamOwned::new(ServerConnection::new(tls).ok()?, connection)),
                None => Box::new(connection),
            };
            let mut line = BufReader::new(line);
            let request = read(&mut line, &*read_replicas)?;
            requests.lock().unwrap().push(request);
            let behavior = behaviors.lock().unwrap().pop_front().unwrap_or(Behavior::Responds(200, "ok"));
            answer(line.get_mut(), behavior)
        });
    }
}

fn read(reader: &mut impl BufRead, read_replicas: &dyn Fn() -> u32) -> Option<ReceivedRequest> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = BTreeMap::from([("request".to_owned(), line.trim().to_owned())]);
    line.clear();
    while reader.read_line(&mut line).is_ok() && !line.trim().is_empty() {
        let (name, value) = line.split_once(':')?;
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        line.clear();
    }
    let mut bytes = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut bytes).ok()?;
    let event = serde_json::from_slice(&bytes).ok()?;
    Some(ReceivedRequest { headers, bytes, event, arrived: SystemTime::now(), replicas: read_replicas() })
}

fn answer(out: &mut dyn Write, behavior: Behavior) -> Option<()> {
    let (status, more, body) = match behavior {
        Behavior::Responds(status, body) => (status, String::new(), body),
        Behavior::RespondsAfter(time) => {
            std::thread::sleep(time);
            (200, String::new(), "ok")
        }
        Behavior::DropsConnection => {
            write!(out, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{{\"deci").ok()?;
            return None;
        }
        Behavior::RedirectsTo(to) => (307, format!("location: {to}\r\n"), ""),
    };
    write!(out, "HTTP/1.1 {status} -\r\n{more}content-length: {}\r\n\r\n{body}", body.len()).ok()?;
    out.flush().ok()
}
