//! Reads the input on a thread of its own and sends it as events.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::tail::{Step, Tail};
use crate::read::Input;

/// How often a file that does not grow is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Bytes read from a stream at once.
const READ_LEN: usize = 64 << 10;

/// Events that are sent but not received; the reading thread waits when there are more.
const MAX_QUEUED: usize = 16;

/// What happened to the input.
#[derive(Debug)]
pub(super) enum Event {
    Bytes(Vec<u8>),
    /// The content that existed at the start has been sent.
    CaughtUp,
    /// The file does not exist yet.
    Missing,
    /// Another file has the name now, and is read from its start.
    Rotated,
    /// The file was emptied or rewritten, and is read from its start.
    Truncated,
    /// Reading failed and is retried.
    ReadFailed(io::Error),
    /// Reading failed and is not retried.
    Failed(io::Error),
    /// The stream ended.
    End,
    /// A signal arrived; [`StopSignal`] has its number.
    Stop,
}

/// The number of the signal that stops the command; 0 before it arrives.
#[derive(Debug, Clone, Default)]
pub(super) struct StopSignal(Arc<AtomicI32>);

impl StopSignal {
    /// The signal, once it has arrived.
    pub(super) fn signal(&self) -> Option<i32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }
}

/// Starts the threads that read the input and listen for signals.
pub(super) fn spawn(input: Input) -> anyhow::Result<(Receiver<Event>, StopSignal)> {
    let (sender, events) = sync_channel(MAX_QUEUED);
    let stop = listen(sender.clone()).context("cannot listen for signals")?;
    thread::spawn(move || {
        // The result is whether the receiver still listens. The thread ends either way.
        let _ = match &input {
            Input::Stdin => read_stream(io::stdin().lock(), &sender),
            Input::File(path) if is_stream(path) => match fs::File::open(path) {
                Ok(file) => read_stream(file, &sender),
                Err(error) => sender.send(Event::Failed(error)).is_ok(),
            },
            Input::File(path) => read_file(Tail::new(path.clone()), &sender),
        };
    });
    Ok((events, stop))
}

/// Listens for SIGINT and SIGTERM. The first one stops the command after its summary, the second at
/// once.
fn listen(sender: SyncSender<Event>) -> io::Result<StopSignal> {
    let stop = StopSignal::default();
    let arrived = stop.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if arrived.0.swap(signal, Ordering::Relaxed) != 0 {
                std::process::exit(128 + signal);
            }
            // If the queue is full, the main thread checks for the signal after the next event.
            let _ = sender.try_send(Event::Stop);
        }
    });
    Ok(stop)
}

/// Whether the path is a pipe or a character device, which cannot be read from its start again.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo() || meta.file_type().is_char_device())
}

/// Sends the bytes of a stream to its end; false if the receiver is gone.
fn read_stream(mut from: impl Read, to: &SyncSender<Event>) -> bool {
    if to.send(Event::CaughtUp).is_err() {
        return false;
    }
    loop {
        let mut bytes = vec![0; READ_LEN];
        let event = match from.read(&mut bytes) {
            Ok(0) => return to.send(Event::End).is_ok(),
            Ok(read) => {
                bytes.truncate(read);
                Event::Bytes(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return to.send(Event::Failed(error)).is_ok(),
        };
        if to.send(event).is_err() {
            return false;
        }
    }
}

/// Sends the bytes of a file until the receiver is gone or the file cannot be read at the start.
fn read_file(mut tail: Tail, to: &SyncSender<Event>) -> bool {
    let mut was_caught_up = false;
    let mut reported = None;
    loop {
        let (event, is_idle) = match tail.step() {
            Ok(Step::Bytes(bytes)) => (Some(Event::Bytes(bytes)), false),
            Ok(Step::Idle) => (None, true),
            Ok(Step::Missing) => (Some(Event::Missing), true),
            Ok(Step::Rotated) => (Some(Event::Rotated), false),
            Ok(Step::Truncated) => (Some(Event::Truncated), false),
            Err(error) if !was_caught_up => return to.send(Event::Failed(error)).is_ok(),
            // The same error is reported once.
            Err(error) if reported == Some(error.kind()) => (None, true),
            Err(error) => {
                reported = Some(error.kind());
                (Some(Event::ReadFailed(error)), true)
            }
        };
        if matches!(event, Some(Event::Bytes(_))) {
            reported = None;
        }
        let caught_up = (!was_caught_up && tail.is_caught_up()).then_some(Event::CaughtUp);
        was_caught_up |= caught_up.is_some();
        for event in event.into_iter().chain(caught_up) {
            if to.send(event).is_err() {
                return false;
            }
        }
        if is_idle {
            thread::sleep(POLL_INTERVAL);
        }
    }
}
