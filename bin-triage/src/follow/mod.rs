//! `triage follow`: says what changed while the input is written.
//!
//! ```text
//! source --events--> mod --bytes, now--> live --notices--> print
//!   tail               pace: when           whole, warnings
//! ```
//!
//! One thread reads and waits; this one judges and prints. [`live`] and [`pace`] are told what time it is, so that hours
//! pass in their tests without anybody waiting. A look at a file every 200 ms costs nothing and works on every file
//! system, which notifications of the kernel do not.

mod live;
mod pace;
mod print;
mod source;
mod tail;
mod warnings;
mod whole;

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use alert_triage::printable;
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::live::Live;
use self::pace::Pace;
use self::print::Printer;
use self::source::{Event, Stop};
use crate::args::FollowArgs;
use crate::input::{self, Input};

pub(crate) fn follow(args: &FollowArgs) -> anyhow::Result<ExitCode> {
    let input = Input::from(args.file.clone());
    let rules = input::rules(args.rules.as_deref())?;
    let live = Live::new(&input.name(), rules, args.format.0, now())?;
    let (events, stop) = source::start(input.clone())?;
    let printer = Printer::new(args.output, io::BufWriter::new(io::stdout().lock()));
    let mut follow = Follow { input, live, printer, pace: Pace::default(), started: Instant::now() };
    match follow.run(&events, &stop) {
        Ok(code) => Ok(code),
        // Whoever reads the changes, `head` for one, has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

struct Follow<W> {
    input: Input,
    live: Live,
    printer: Printer<W>,
    pace: Pace,
    started: Instant,
}

impl<W: io::Write> Follow<W> {
    fn run(&mut self, events: &Receiver<Event>, stop: &Stop) -> anyhow::Result<ExitCode> {
        let mut is_caught_up = false;
        loop {
            // What was there at the start is news to nobody: it is read before anything is judged.
            let wait = match is_caught_up {
                true => self.pace.next().saturating_sub(self.started.elapsed()),
                false => Duration::from_secs(1),
            };
            let event = events.recv_timeout(wait);
            if let Some(signal) = stop.signal() {
                if !is_caught_up {
                    self.snapshot()?;
                }
                return self.stop(signal);
            }
            match event {
                Ok(Event::CaughtUp) => {
                    is_caught_up = true;
                    self.snapshot()?;
                }
                Ok(Event::End) => return self.end(),
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("the thread that reads {} failed", self.input.name())
                }
            }
            if is_caught_up && self.started.elapsed() >= self.pace.next() {
                self.judge()?;
            }
            self.warn();
        }
    }

    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Bytes(bytes) => self.live.read(bytes, now())?,
            Event::Missing => {
                warn(&format!("{} does not exist yet: waiting for it", printable(self.input.name())));
            }
            Event::Rotated => self.live.rotated(now())?,
            Event::Truncated => self.live.truncated(now()),
            Event::Trouble(error) => {
                let what = format!("{:#}", self.input.cannot_read(&error));
                warn(&format!("{}; trying again until it can be read", printable(what)));
            }
            Event::Failed(error) => return Err(self.input.cannot_read(&error)),
            Event::CaughtUp | Event::End | Event::Stop => return Ok(()),
        }
        self.pace.read(self.started.elapsed());
        Ok(())
    }

    fn snapshot(&mut self) -> anyhow::Result<()> {
        let from = self.started.elapsed();
        let sum = self.live.caught_up(now())?;
        self.pace.judged(from, self.started.elapsed());
        self.printer.snapshot(&sum).context(STDOUT)
    }

    fn judge(&mut self) -> anyhow::Result<()> {
        let from = self.started.elapsed();
        let notices = self.live.judge(now());
        self.pace.judged(from, self.started.elapsed());
        if notices.is_empty() && !is_anybody_reading() {
            return Err(io::Error::from(ErrorKind::BrokenPipe).into());
        }
        self.printer.changes(&notices, self.live.now()).context(STDOUT)
    }

    fn end(&mut self) -> anyhow::Result<ExitCode> {
        let notices = self.live.end(now())?;
        self.printer.changes(&notices, self.live.now()).context(STDOUT)?;
        self.sum("input")?;
        Ok(ExitCode::SUCCESS)
    }

    /// A line that has no end yet may still be written, and is left.
    fn stop(&mut self, signal: i32) -> anyhow::Result<ExitCode> {
        self.judge()?;
        self.sum(signal_hook::low_level::signal_name(signal).unwrap_or("a signal"))?;
        Ok(u8::try_from(128 + signal).map_or(ExitCode::FAILURE, ExitCode::from))
    }

    fn sum(&mut self, ended: &str) -> anyhow::Result<()> {
        let sum = self.live.sum();
        self.warn();
        self.printer.summary(&sum, ended).context(STDOUT)
    }

    fn warn(&mut self) {
        for warning in self.live.warnings() {
            warn(&warning);
        }
    }
}

/// By the clock on the wall; fractions of a millisecond are noise.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Whoever read our output may be gone while there is nothing to write, and writing would be the first to notice.
fn is_anybody_reading() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let seen = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    seen.is_err() || !polled[0].revents().contains(PollFlags::ERR)
}

const STDOUT: &str = "cannot write to standard output";

/// `text` is printable.
fn warn(text: &str) {
    // If nobody can be warned, the work goes on.
    let _ = writeln!(io::stderr(), "triage: warning: {text}");
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
