//! The body of a watch, with a fault in it.

use std::io;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use hyper::body::Bytes;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::fault::Fault;

/// Chunks of a body; an error closes the connection.
pub(crate) type Chunks = BoxStream<'static, Result<Bytes, io::Error>>;

/// How long a watch waits for the event that it is cut in.
const CUT_TIMEOUT: Duration = Duration::from_secs(2);

/// The chunks of a watch with `fault` in them. The silence of a watch ends early once `quiet` is
/// true.
pub(crate) fn with_fault(from: Chunks, fault: Fault, quiet: watch::Receiver<bool>) -> Chunks {
    let (to, mut chunks) = mpsc::channel(16);
    tokio::spawn(async move {
        let gone = to.clone();
        tokio::select! {
            () = pump(from, &to, fault, quiet) => {}
            () = gone.closed() => {}
        }
    });
    futures::stream::poll_fn(move |context| chunks.poll_recv(context)).boxed()
}

type Sender = mpsc::Sender<Result<Bytes, io::Error>>;

async fn pump(mut from: Chunks, to: &Sender, fault: Fault, quiet: watch::Receiver<bool>) {
    let after = match &fault {
        Fault::ExpiredWatch { after }
        | Fault::SilentWatch { after, .. }
        | Fault::CutWatch { after }
        | Fault::LateWatch { after, .. } => *after,
        _ => u32::MAX,
    };
    let mut events = 0;
    while events < after {
        // A chunk that ends in the middle of an event is followed by the rest of the event.
        let Some(chunk) = from.next().await else { return };
        if let Ok(chunk) = &chunk {
            events += u32::try_from(chunk.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(1);
        }
        if to.send(chunk).await.is_err() {
            return;
        }
    }
    match fault {
        Fault::ExpiredWatch { .. } => {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "too old resource version", "reason": "Expired", "code": 410,
            });
            let event = format!("{}\n", json!({"type": "ERROR", "object": status}));
            let _sent = to.send(Ok(event.into())).await;
        }
        Fault::SilentWatch { time, .. } => {
            wait(time, quiet).await;
            let _sent = to.send(Err(closed())).await;
        }
        Fault::CutWatch { .. } => {
            if let Ok(Some(Ok(chunk))) = timeout(CUT_TIMEOUT, from.next()).await {
                let _sent = to.send(Ok(chunk.slice(..chunk.len() / 2))).await;
            }
            let _sent = to.send(Err(closed())).await;
        }
        Fault::LateWatch { time, .. } => {
            let Some(first) = from.next().await else { return };
            wait(time, quiet).await;
            let mut rest = futures::stream::iter([first]).chain(from);
            while let Some(chunk) = rest.next().await {
                if to.send(chunk).await.is_err() {
                    return;
                }
            }
        }
        _ => {}
    }
}

async fn wait(time: Duration, mut quiet: watch::Receiver<bool>) {
    tokio::select! {
        () = sleep(time) => {}
        _ = quiet.wait_for(|quiet| *quiet) => {}
    }
}

/// The error that closes a connection.
pub(crate) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the proxy closes the connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [&str; 3] = ["{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n"];

    /// What a watch of three events looks like with this fault, and whether it was cut.
    async fn watched(fault: Fault) -> (String, bool) {
        let events = futures::stream::iter(EVENTS.map(|event| Ok(Bytes::from(event)))).boxed();
        let (_quiet, is_quiet) = watch::channel(false);
        let mut chunks = with_fault(events, fault, is_quiet);
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => text.push_str(std::str::from_utf8(&chunk).expect("text")),
                Err(_) => return (text, true),
            }
        }
        (text, false)
    }

    #[tokio::test]
    async fn a_watch_ends_in_the_way_of_its_fault() {
        let (text, cut) = watched(Fault::ExpiredWatch { after: 1 }).await;
        assert!(text.starts_with("{\"n\":1}\n{") && text.contains("\"ERROR\"") && !cut, "{text}");
        let (text, cut) = watched(Fault::CutWatch { after: 2 }).await;
        assert_eq!((text.as_str(), cut), ("{\"n\":1}\n{\"n\":2}\n{\"n\"", true));
        let silent = Fault::SilentWatch { after: 1, time: Duration::from_millis(20) };
        assert_eq!(watched(silent).await, ("{\"n\":1}\n".to_owned(), true));
        let late = Fault::LateWatch { after: 1, time: Duration::from_millis(20) };
        assert_eq!(watched(late).await, (EVENTS.concat(), false));
    }
}
