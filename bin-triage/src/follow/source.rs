//! What happens to the input, as events; read on a thread of its own, for reading waits.

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
use crate::input::Input;

/// Between two looks at a file that does not grow.
const LOOK: Duration = Duration::from_millis(200);

/// Bytes read from a stream at once.
const PIECE: usize = 64 << 10;

/// Events not taken yet; a writer that is faster than we are waits.
const WAITING: usize = 16;

#[derive(Debug)]
pub(super) enum Event {
    Bytes(Vec<u8>),
    /// What was there at the start has been handed over.
    CaughtUp,
    Missing,
    Rotated,
    Truncated,
    /// The file cannot be read now; it is tried again.
    Trouble(io::Error),
    /// It cannot be read at all.
    Failed(io::Error),
    /// A stream ended.
    End,
    /// Somebody wants us to stop; [`Stop`] says which signal it was.
    Stop,
}

/// The signal that asked us to stop; 0 is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicI32>);

impl Stop {
    pub(super) fn signal(&self) -> Option<i32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }
}

/// Begins to read, and to listen for signals.
pub(super) fn start(input: Input) -> anyhow::Result<(Receiver<Event>, Stop)> {
    let (sender, events) = sync_channel(WAITING);
    let stop = listen(sender.clone()).context("cannot listen for signals")?;
    thread::spawn(move || {
        // Nobody listens any more: so be it.
        let _ = match &input {
            Input::Stdin => stream(io::stdin().lock(), &sender),
            Input::File(path) if is_stream(path) => match fs::File::open(path) {
                Ok(file) => stream(file, &sender),
                Err(error) => sender.send(Event::Failed(error)).is_ok(),
            },
            Input::File(path) => file(Tail::new(path.clone()), &sender),
        };
    });
    Ok((events, stop))
}

/// The first signal lets us sum up; who asks again does not want to wait for that.
fn listen(sender: SyncSender<Event>) -> io::Result<Stop> {
    let stop = Stop::default();
    let told = stop.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if told.0.swap(signal, Ordering::Relaxed) != 0 {
                std::process::exit(128 + signal);
            }
            // If there is no room, then there are events, and after each of them we look.
            let _ = sender.try_send(Event::Stop);
        }
    });
    Ok(stop)
}

/// A pipe or a device: it has no place to go back to.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo() || about.file_type().is_char_device())
}

/// False once nobody listens.
fn stream(mut from: impl Read, to: &SyncSender<Event>) -> bool {
    if to.send(Event::CaughtUp).is_err() {
        return false;
    }
    loop {
        let mut bytes = vec![0; PIECE];
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

fn file(mut tail: Tail, to: &SyncSender<Event>) -> bool {
    let mut was_caught_up = false;
    let mut trouble = None;
    loop {
        let (event, is_idle) = match tail.step() {
            Ok(Step::Bytes(bytes)) => (Some(Event::Bytes(bytes)), false),
            Ok(Step::Idle) => (None, true),
            Ok(Step::Missing) => (Some(Event::Missing), true),
            Ok(Step::Rotated) => (Some(Event::Rotated), false),
            Ok(Step::Truncated) => (Some(Event::Truncated), false),
            Err(error) if !was_caught_up => return to.send(Event::Failed(error)).is_ok(),
            // Said once as long as it stays the same.
            Err(error) if trouble == Some(error.kind()) => (None, true),
            Err(error) => {
                trouble = Some(error.kind());
                (Some(Event::Trouble(error)), true)
            }
        };
        if matches!(event, Some(Event::Bytes(_))) {
            trouble = None;
        }
        let caught_up = (!was_caught_up && tail.is_caught_up()).then_some(Event::CaughtUp);
        was_caught_up |= caught_up.is_some();
        for event in event.into_iter().chain(caught_up) {
            if to.send(event).is_err() {
                return false;
            }
        }
        if is_idle {
            thread::sleep(LOOK);
        }
    }
}
