//! Where alerts come from, and how several threads read them.

mod blocks;
mod progress;

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use alert_triage::{Engine, Format, Rules, printable};
use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;

pub(crate) use self::blocks::HEAD;
pub(crate) use self::blocks::JSON_LINE;
use self::blocks::{Block, Blocks};
use self::progress::Progress;
use crate::args::Reading;

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        if path == Path::new("-") { Input::Stdin } else { Input::File(path) }
    }
}

impl Input {
    /// As the report names it.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::Stdin => "-".to_owned(),
            Input::File(path) => path.display().to_string(),
        }
    }

    pub(crate) fn cannot_read(&self, error: &io::Error) -> anyhow::Error {
        match self {
            Input::Stdin => anyhow!("cannot read standard input: {error}; name a FILE, or pipe alerts in"),
            Input::File(path) => {
                let name = path.display();
                anyhow!(
                    "cannot read {name}: {error}; check the path and its permissions, or give `-` for standard input"
                )
            }
        }
    }
}

/// The rules of a file over the built-in ones.
pub(crate) fn rules(file: Option<&Path>) -> anyhow::Result<Rules> {
    let Some(path) = file else { return Ok(Rules::builtin()) };
    let yaml = text(path)?;
    let name = path.display().to_string();
    Ok(Rules::parse(&yaml).map_err(|error| Unusable(error.shown(&name, &yaml)))?)
}

/// A file of ours that cannot be used. The text has lines of its own, and is printable.
#[derive(Debug)]
pub(crate) struct Unusable(pub(crate) String);

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// Refuses what can be read only once: standard input, and pipes that have a name.
pub(crate) fn only_files(inputs: &[Input], why: &str) -> anyhow::Result<()> {
    for input in inputs {
        match input {
            Input::Stdin => {
                bail!("standard input cannot be used here, for {why}: save it to a file and name that");
            }
            Input::File(path) => {
                let is_pipe = fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir());
                if is_pipe {
                    bail!("{} is no file, and {why}: save it to a file and name that", path.display());
                }
            }
        }
    }
    Ok(())
}

/// A file of ours: YAML.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let bytes =
        fs::read(path).with_context(|| format!("cannot read {name}: check the path and its permissions"))?;
    String::from_utf8(bytes).map_err(|error| {
        let (before, rest) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let before = String::from_utf8_lossy(before);
        let (line, column) =
            (before.split('\n').count(), before.rsplit('\n').next().unwrap_or("").chars().count() + 1);
        let byte = rest.first().map(|byte| format!("\\x{byte:02x}")).unwrap_or_default();
        let text = format!(
            "{}:{line}:{column}: `{byte}` is no UTF-8: save the file as UTF-8",
            printable(name.to_string())
        );
        Unusable(text).into()
    })
}

/// Reads all inputs to their ends.
pub(crate) fn read(inputs: &[Input], reading: &Reading) -> anyhow::Result<Engine> {
    read_with(inputs, rules(reading.rules.as_deref())?, reading.format.0, reading.now, reading.threads)
}

/// The same with rules that are already there.
pub(crate) fn read_with(
    inputs: &[Input],
    rules: Rules,
    format: Option<Format>,
    now: Option<Timestamp>,
    threads: NonZeroUsize,
) -> anyhow::Result<Engine> {
    read_into(inputs, named(inputs, Engine::new(rules), now), format, threads)
}

/// The engine, knowing the inputs by name.
pub(crate) fn named(inputs: &[Input], mut engine: Engine, now: Option<Timestamp>) -> Engine {
    for input in inputs {
        engine.source(input.name());
    }
    if let Some(now) = now {
        engine.set_reference(now);
    }
    engine
}

/// The same into an engine that knows the inputs by name.
pub(crate) fn read_into(
    inputs: &[Input],
    engine: Engine,
    format: Option<Format>,
    threads: NonZeroUsize,
) -> anyhow::Result<Engine> {
    let progress = Progress::of(inputs);
    // Another thread costs more than it saves on what fits into a block or two.
    let threads = if blocks::is_small(inputs) { 1 } else { threads.get() };
    let blocks = Mutex::new(Blocks::new(inputs, format));
    let siblings: Vec<Engine> = (1..threads).map(|_| engine.sibling()).collect();
    let work = |mut engine: Engine| -> anyhow::Result<Engine> {
        let mut block = Block::default();
        loop {
            // A thread that panicked has nothing to say about the input.
            let more = blocks.lock().map_err(|_| anyhow!("a reading thread failed"))?.next(&mut block);
            if !more.map_err(|(input, error)| inputs[input].cannot_read(&error))? {
                return Ok(engine);
            }
            engine.read_block(block.source, block.number, block.format, &block.bytes);
            progress.add(block.bytes.len());
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = siblings.into_iter().map(|sibling| scope.spawn(|| work(sibling))).collect();
        let mut whole = work(engine)?;
        for other in others {
            whole.merge(other.join().map_err(|_| anyhow!("a reading thread failed"))??);
        }
        Ok(whole)
    })
}

#[cfg(test)]
mod tests;
