//! The loop that judges and prints, and the output's end.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use alert_triage::printable;
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::printer::Printer;
use super::schedule::JudgeSchedule;
use super::source::{self, Event, StopSignal};
use super::stream::Stream;
use crate::args::{FollowArgs, UNREAD};
use crate::read::Input;
use crate::user_file;

pub(crate) fn run(args: &FollowArgs) -> anyhow::Result<ExitCode> {
    let input = Input::from(args.file.clone());
    let rules = user_file::rules(args.rules.as_deref())?;
    let mut stream = Stream::new(&input.name(), rules, args.format.0, now())?;
    if let Some(zone) = &args.timezone {
        stream.set_time_zone(zone.clone());
    }
    let (events, stop) = source::spawn(input.clone())?;
    let printer = Printer::new(args.output, io::BufWriter::new(io::stdout().lock()));
    let mut event_loop =
        EventLoop { input, stream, printer, schedule: JudgeSchedule::default(), started: Instant::now() };
    match event_loop.run(&events, &stop) {
        Ok(code) => Ok(code),
        // The reader of the output, such as `head`, closed it.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

struct EventLoop<W> {
    input: Input,
    stream: Stream,
    printer: Printer<W>,
    schedule: JudgeSchedule,
    started: Instant,
}

impl<W: io::Write> EventLoop<W> {
    fn run(&mut self, events: &Receiver<Event>, stop: &StopSignal) -> anyhow::Result<ExitCode> {
        let mut is_caught_up = false;
        loop {
            // The input that exists at the start is read as a whole before it is judged.
            let wait = match is_caught_up {
                true => self.schedule.next().saturating_sub(self.started.elapsed()),
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
            if is_caught_up && self.started.elapsed() >= self.schedule.next() {
                self.judge()?;
            }
            self.warn();
        }
    }

    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Bytes(bytes) => self.stream.read(bytes, now())?,
            Event::Missing => {
                warn(&format!("{} does not exist yet: waiting for it", printable(self.input.name())));
            }
            Event::Rotated => self.stream.rotated(now())?,
            Event::Truncated => self.stream.truncated(now()),
            Event::ReadFailed(error) => {
                let what = format!("{:#}", self.input.read_error(&error));
                warn(&format!("{}; retrying", printable(what)));
            }
            Event::Failed(error) => return Err(self.input.read_error(&error)),
            Event::CaughtUp | Event::End | Event::Stop => return Ok(()),
        }
        self.schedule.read(self.started.elapsed());
        Ok(())
    }

    fn snapshot(&mut self) -> anyhow::Result<()> {
        let from = self.started.elapsed();
        let summary = self.stream.caught_up(now())?;
        self.schedule.judged(from, self.started.elapsed());
        self.printer.snapshot(&summary).context(STDOUT_ERROR)
    }

    fn judge(&mut self) -> anyhow::Result<()> {
        let from = self.started.elapsed();
        let notices = self.stream.judge(now());
        self.schedule.judged(from, self.started.elapsed());
        if notices.is_empty() && !is_output_read() {
            return Err(io::Error::from(ErrorKind::BrokenPipe).into());
        }
        self.printer.changes(&notices, self.stream.now()).context(STDOUT_ERROR)
    }

    fn end(&mut self) -> anyhow::Result<ExitCode> {
        let notices = self.stream.end(now())?;
        self.printer.changes(&notices, self.stream.now()).context(STDOUT_ERROR)?;
        let is_unread = self.summarize("input")?;
        Ok(if is_unread { ExitCode::from(UNREAD) } else { ExitCode::SUCCESS })
    }

    /// Stops on a signal. A last line without a line end is not read: it may be incomplete.
    fn stop(&mut self, signal: i32) -> anyhow::Result<ExitCode> {
        self.judge()?;
        let held = self.stream.held();
        self.printer.changes(&held, self.stream.now()).context(STDOUT_ERROR)?;
        self.summarize(signal_hook::low_level::signal_name(signal).unwrap_or("a signal"))?;
        Ok(u8::try_from(128 + signal).map_or(ExitCode::FAILURE, ExitCode::from))
    }

    /// Prints the summary. Returns whether nothing in the input could be read.
    fn summarize(&mut self, ended: &str) -> anyhow::Result<bool> {
        let summary = self.stream.summary();
        self.warn();
        self.printer.summary(&summary, ended).context(STDOUT_ERROR)?;
        Ok(!summary.unread.is_empty())
    }

    fn warn(&mut self) {
        for warning in self.stream.warnings() {
            warn(&warning);
        }
    }
}

/// The current time, in whole milliseconds.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Whether the reader of standard output still has it open. Without output to write, only this
/// check finds out that it has not.
fn is_output_read() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let polled_count = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    polled_count.is_err() || !polled[0].revents().contains(PollFlags::ERR)
}

/// The context of errors on standard output.
const STDOUT_ERROR: &str = "cannot write to standard output";

/// Writes a warning. `text` is printable.
fn warn(text: &str) {
    // A closed standard error does not stop the command.
    let _ = writeln!(io::stderr(), "triage: warning: {text}");
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
