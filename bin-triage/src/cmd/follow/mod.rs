//! `triage follow`: prints what changes while the input is written.
//!
//! ```text
//! source --Event--> event_loop --bytes, now--> stream --notices--> printer
//!   tail              schedule                   line_buffer, warnings
//! ```
//!
//! A thread of [`source`] reads and waits. The main thread judges and prints. [`stream`] and
//! [`schedule`] get the time as an argument, so that their tests cover hours without waiting. A
//! file is polled every 200 ms, which costs little and works on every file system. Notifications of
//! the kernel do not.

mod event_loop;
mod held_changes;
mod line_buffer;
mod printer;
mod schedule;
mod source;
mod stream;
#[cfg(test)]
mod stream_tests;
mod tail;
mod warnings;

pub(crate) use self::event_loop::run;
