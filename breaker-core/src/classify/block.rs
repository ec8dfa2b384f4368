//! Lines that belong together: a statement, its stack and its chain of causes.

use super::level::{Level, level};
use super::line;
use super::words::fold;

/// A statement with everything that continues it.
#[derive(Debug)]
pub(super) struct Block<'t> {
    /// How grave it is.
    pub(super) level: Level,
    /// Its words, innermost cause first; frames and source lines are left out.
    pub(super) words: Vec<Words<'t>>,
    /// The folded first line that is not a frame.
    pub(super) head: String,
}

/// One line of a block.
#[derive(Debug)]
pub(super) struct Words<'t> {
    pub(super) line: &'t str,
    pub(super) folded: String,
}

/// Splits cleaned last words into blocks, in order.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut all: Vec<Draft<'_>> = Vec::new();
    for line in text.lines() {
        if line.starts_with("Node.js v") {
            // Node prints its version after an uncaught exception, and only then.
            if let Some(last) = all.last_mut() {
                last.fatal = true;
            }
            continue;
        }
        match all.last_mut() {
            Some(block) if block.continues(line) => block.push(line),
            _ => {
                let mut block = Draft::default();
                block.push(line);
                all.push(block);
            }
        }
    }
    all.into_iter().filter_map(Draft::finish).collect()
}

#[derive(Default)]
struct Draft<'t> {
    /// Chained parts, innermost first; a part is what stands between two of Python's link sentences.
    parts: Vec<Vec<&'t str>>,
    /// The part being read.
    part: Vec<&'t str>,
    /// Python: the link sentence before the part being read names a cause.
    linked: Option<bool>,
    frames: bool,
    python: Python,
    fatal: bool,
    log_record: bool,
    node_source: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Python {
    #[default]
    No,
    /// Inside a traceback: the next line that is not indented is its exception.
    Frames,
    /// The exception was read; only a link sentence or an indented line can follow.
    Said,
    /// A link sentence was read: a new traceback follows.
    Linked,
}

impl<'t> Draft<'t> {
    fn continues(&self, line: &str) -> bool {
        let text = line.trim_start();
        if text.is_empty() || line::python_link(line).is_some() || line::is_link(line) || line::is_frame(line)
        {
            return true;
        }
        match self.python {
            Python::Frames | Python::Linked => return true,
            Python::Said | Python::No => {}
        }
        let indented = text.len() < line.len();
        // A log record's exception stands on a line of its own.
        let attached = self.log_record && !self.frames && is_exception(line);
        // Rust says on the next line what it panicked with.
        let panic = self.parts.is_empty()
            && matches!(self.part[..], [only] if only.contains("panicked at ") && only.ends_with(':'));
        // Node shows the throwing source line before the error.
        indented || line.starts_with(['}', ']']) || attached || panic || self.node_source
    }

    fn push(&mut self, line: &'t str) {
        if let Some(cause) = line::python_link(line) {
            self.close_part();
            self.linked = Some(cause);
            self.python = Python::Linked;
            return;
        }
        let text = line.trim_start();
        let indented = text.len() < line.len();
        if line.starts_with("Traceback (most recent call last)")
            || (text.starts_with("File \"") && line::is_frame(line))
        {
            self.python = Python::Frames;
            self.frames = true;
            self.fatal |= line.starts_with("Traceback");
            return;
        }
        if line::is_frame(line) {
            self.frames = true;
            return;
        }
        if self.python == Python::Frames {
            if indented || text.is_empty() {
                return;
            }
            self.python = Python::Said;
        }
        if self.node_source {
            // The source and its caret say nothing; the error after the blank line does.
            if !indented && !text.is_empty() {
                self.node_source = false;
                self.part.push(line);
            } else if text.contains("Unhandled 'error' event") || text.contains("triggerUncaught") {
                self.fatal = true;
            }
            return;
        }
        if self.part.is_empty() && self.parts.is_empty() && is_node_source(line) {
            self.node_source = true;
            return;
        }
        if !text.is_empty() {
            if self.part.is_empty() && self.parts.is_empty() {
                self.log_record = !matches!(level(line, &fold(line)), Level::Plain);
            }
            self.part.push(line);
        }
    }

    fn close_part(&mut self) {
        let part = std::mem::take(&mut self.part);
        if part.is_empty() {
            return;
        }
        match self.linked {
            // "another exception occurred": it speaks before the one it happened in.
            Some(false) => self.parts.insert(0, part),
            _ => self.parts.push(part),
        }
    }

    fn finish(mut self) -> Option<Block<'t>> {
        self.close_part();
        let first = self.parts.iter().flatten().next().copied()?;
        let head = fold(first);
        let mut grave = level(first, &head);
        if grave == Level::Plain && (self.frames || is_exception(first)) {
            grave = Level::Error;
        }
        if self.fatal && grave >= Level::Plain {
            grave = Level::Fatal;
        }
        let words = self
            .parts
            .iter()
            .flat_map(|part| part.iter().rev())
            .map(|line| Words { line, folded: fold(line) })
            .collect();
        Some(Block { level: grave, words, head })
    }
}

/// `java.net.ConnectException: text`, `MaxRetriesPerRequestError: text`.
fn is_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    (name.ends_with("Exception") || name.ends_with("Error"))
        && !matches!(name, "Exception" | "Error")
        && name.chars().all(|c| c.is_alphanumeric() || "._$".contains(c))
}

/// `/app/index.js:12` or `node:events:502` alone on a line.
fn is_node_source(line: &str) -> bool {
    let Some((path, number)) = line.rsplit_once(':') else { return false };
    let source =
        path.starts_with("node:") || [".js", ".mjs", ".cjs", ".ts"].iter().any(|end| path.ends_with(end));
    source && !path.contains(' ') && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Vec<(Level, Vec<&str>)> {
        blocks(text).into_iter().map(|b| (b.level, b.words.iter().map(|w| w.line.trim()).collect())).collect()
    }

    #[test]
    fn a_java_chain_is_one_block_innermost_first() {
        let text = "INFO up\nException in thread \"main\" a.B: x\n\tat c.D(E.java:1)\nCaused by: f.G: y\n\t... 3 more\n";
        assert_eq!(
            shape(text),
            [
                (Level::Info, vec!["INFO up"]),
                (Level::Fatal, vec!["Caused by: f.G: y", "Exception in thread \"main\" a.B: x"]),
            ]
        );
    }

    #[test]
    fn pythons_direct_cause_speaks_first_and_its_context_last() {
        let chain = |link: &str| {
            format!(
                "Traceback (most recent call last):\n  File \"a\", line 1, in f\n    g()\nA: a\n\n{link}\n\nTraceback (most recent call last):\n  File \"b\", line 2, in h\nB: b\n"
            )
        };
        let direct = chain("The above exception was the direct cause of the following exception:");
        assert_eq!(shape(&direct), [(Level::Fatal, vec!["A: a", "B: b"])]);
        let context = chain("During handling of the above exception, another exception occurred:");
        assert_eq!(shape(&context), [(Level::Fatal, vec!["B: b", "A: a"])]);
    }

    #[test]
    fn node_shows_source_then_error() {
        let text = "node:events:502\n      throw er; // Unhandled 'error' event\n      ^\n\nError: read ECONNRESET\n    at TCP (node:x:1:2) {\n  code: 'ECONNRESET'\n}\n\nNode.js v20.20.2\n";
        assert_eq!(shape(text), [(Level::Fatal, vec!["}", "code: 'ECONNRESET'", "Error: read ECONNRESET"])]);
    }
}
