//! Reads inputs into an engine, on one thread or several.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread;

use alert_triage::{Engine, Format, Rules};
use anyhow::anyhow;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::blocks::{Block, Blocks, is_small};
use super::input::Input;
use super::progress::Progress;
use crate::args::ReadArgs;
use crate::user_file;

/// Reads all inputs to their ends, with the rules and the format of the command line.
pub(crate) fn read(inputs: &[Input], args: &ReadArgs) -> anyhow::Result<Engine> {
    let rules = user_file::rules(args.rules.as_deref())?;
    let mut engine = Engine::new(rules);
    set_time_zone(&mut engine, args.timezone.as_ref());
    read_into(inputs, add_sources(inputs, engine, args.now()), args.format.0, args.threads)
}

/// Sets the zone of times without one, if it is given.
pub(crate) fn set_time_zone(engine: &mut Engine, zone: Option<&TimeZone>) {
    if let Some(zone) = zone {
        engine.set_time_zone(zone.clone());
    }
}

/// Reads all inputs to their ends. Without `format`, each input's format is detected.
pub(crate) fn read_with(
    inputs: &[Input],
    rules: Rules,
    format: Option<Format>,
    now: Option<Timestamp>,
    threads: NonZeroUsize,
) -> anyhow::Result<Engine> {
    read_into(inputs, add_sources(inputs, Engine::new(rules), now), format, threads)
}

/// Adds the names of the inputs to the engine, as [`read_into`] needs them, and its reference time.
pub(crate) fn add_sources(inputs: &[Input], mut engine: Engine, now: Option<Timestamp>) -> Engine {
    for input in inputs {
        engine.add_source(input.name());
    }
    if let Some(now) = now {
        engine.set_reference(now);
    }
    engine
}

/// Reads all inputs into an engine that has them as its [sources](add_sources).
pub(crate) fn read_into(
    inputs: &[Input],
    engine: Engine,
    format: Option<Format>,
    threads: NonZeroUsize,
) -> anyhow::Result<Engine> {
    let progress = Progress::new(inputs);
    // For an input of one or two blocks, another thread costs more than it saves.
    let threads = if is_small(inputs) { 1 } else { threads.get() };
    let blocks = Mutex::new(Blocks::new(inputs, engine.rules().clone(), format));
    let siblings: Vec<Engine> = (1..threads).map(|_| engine.sibling()).collect();
    let work = |mut engine: Engine| -> anyhow::Result<Engine> {
        let mut block = Block::default();
        loop {
            let more = blocks.lock().map_err(|_| anyhow!("a reading thread failed"))?.next(&mut block);
            if !more.map_err(|(input, error)| inputs[input].read_error(&error))? {
                return Ok(engine);
            }
            engine.read_block(block.source, block.number, block.format, &block.bytes);
            progress.add(block.bytes.len());
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = siblings.into_iter().map(|sibling| scope.spawn(|| work(sibling))).collect();
        let mut merged = work(engine)?;
        for other in others {
            merged.merge(other.join().map_err(|_| anyhow!("a reading thread failed"))??);
        }
        Ok(merged)
    })
}
