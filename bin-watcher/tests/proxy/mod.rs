//! A proxy that opens tunnels, on a loopback port.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(crate) struct ConnectProxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Opens each tunnel to `target`, or to the host that is asked for.
    pub(crate) fn start(target: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (log, target) = (Arc::clone(&log), target.clone());
                std::thread::spawn(move || tunnel(client, &log, target));
            }
        });
        Self { address, asked }
    }

    /// `HOST:PORT` of the proxy.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The head of each request so far, its lines joined by blanks.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, log: &Mutex<Vec<String>>, target: Option<String>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let asked = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    log.lock().unwrap().push(head.join(" "));
    let server = TcpStream::connect(target.unwrap_or(asked))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from, mut to) = (server.try_clone()?, client);
    std::thread::spawn(move || io::copy(&mut from, &mut to));
    io::copy(&mut reader, &mut &server)?;
    Ok(())
}
