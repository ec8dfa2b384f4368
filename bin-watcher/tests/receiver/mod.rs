//! Whoever is asked and told, on a loopback port: a real HTTP server that misbehaves as a test wants.

#![allow(dead_code)] // each test file uses its part

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// What becomes of one request.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// Answered at once.
    Says(u16, &'static str),
    /// Answered with 200 after so long.
    Slow(Duration),
    /// The connection ends in the middle of the answer.
    DiesHalfWay,
    /// Sent elsewhere.
    Redirects(String),
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) event: Value,
    /// What the test wanted to know at that moment.
    pub(crate) witness: u32,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    is_secure: bool,
    letters: Arc<Mutex<Vec<Notification>>>,
}

impl Receiver {
    /// The first requests meet `manners`, all later ones 200.
    pub(crate) fn new(manners: Vec<Manner>, witness: impl Fn() -> u32 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver =
            Self { address: listener.local_addr().unwrap(), is_secure: false, letters: Arc::default() };
        let letters = Arc::clone(&receiver.letters);
        std::thread::spawn(move || listen(&listener, None, manners, witness, &letters));
        receiver
    }

    /// Over TLS, with a certificate of its own for `localhost`; answers that as well, in PEM.
    pub(crate) fn secure(witness: impl Fn() -> u32 + Send + Sync + 'static) -> (Self, String) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], own.signing_key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver =
            Self { address: listener.local_addr().unwrap(), is_secure: true, letters: Arc::default() };
        let letters = Arc::clone(&receiver.letters);
        std::thread::spawn(move || listen(&listener, Some(Arc::new(config)), Vec::new(), witness, &letters));
        (receiver, own.cert.pem())
    }

    /// Nobody listens for so long; connections are refused.
    pub(crate) fn later(after: Duration, witness: impl Fn() -> u32 + Send + Sync + 'static) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let receiver = Self { address, is_secure: false, letters: Arc::clone(&letters) };
        std::thread::spawn(move || {
            std::thread::sleep(after);
            let listener = TcpListener::bind(address).unwrap();
            listen(&listener, None, Vec::new(), witness, &letters);
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

    pub(crate) fn letters(&self) -> Vec<Notification> {
        self.letters.lock().unwrap().clone()
    }

    /// The letters once there are so many.
    pub(crate) fn wait_for(&self, many: usize) -> Vec<Notification> {
        let end = Instant::now() + Duration::from_secs(20);
        while self.letters().len() < many {
            assert!(Instant::now() < end, "{} of {many} letters came", self.letters().len());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.letters()
    }
}

/// Plain or in TLS.
trait Line: Read + Write {}

impl<L: Read + Write> Line for L {}

fn listen(
    listener: &TcpListener,
    tls: Option<Arc<ServerConfig>>,
    manners: Vec<Manner>,
    witness: impl Fn() -> u32 + Send + Sync + 'static,
    letters: &Arc<Mutex<Vec<Notification>>>,
) {
    let manners = Arc::new(Mutex::new(VecDeque::from(manners)));
    let witness = Arc::new(witness);
    for connection in listener.incoming().flatten() {
        let (tls, manners) = (tls.clone(), Arc::clone(&manners));
        let (witness, letters) = (Arc::clone(&witness), Arc::clone(letters));
        std::thread::spawn(move || {
            let line: Box<dyn Line> = match tls {
                Some(tls) => Box::new(StreamOwned::new(ServerConnection::new(tls).ok()?, connection)),
                None => Box::new(connection),
            };
            let mut line = BufReader::new(line);
            let letter = read(&mut line, &*witness)?;
            letters.lock().unwrap().push(letter);
            let manner = manners.lock().unwrap().pop_front().unwrap_or(Manner::Says(200, "ok"));
            answer(line.get_mut(), manner)
        });
    }
}

fn read(reader: &mut impl BufRead, witness: &dyn Fn() -> u32) -> Option<Notification> {
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
    Some(Notification { headers, bytes, event, witness: witness() })
}

fn answer(out: &mut dyn Write, manner: Manner) -> Option<()> {
    let (status, more, body) = match manner {
        Manner::Says(status, body) => (status, String::new(), body),
        Manner::Slow(time) => {
            std::thread::sleep(time);
            (200, String::new(), "ok")
        }
        Manner::DiesHalfWay => {
            write!(out, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{{\"deci").ok()?;
            return None;
        }
        Manner::Redirects(to) => (307, format!("location: {to}\r\n"), ""),
    };
    write!(out, "HTTP/1.1 {status} -\r\n{more}content-length: {}\r\n\r\n{body}", body.len()).ok()?;
    out.flush().ok()
}
