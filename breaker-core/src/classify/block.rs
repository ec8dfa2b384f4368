//! Blocks of lines that belong together: a statement, its stack and its chain of causes.

use super::echo::Echo;
use super::level::{Level, level};
use super::line::{self, Shape};
use super::rule::Strength;
use super::table::Read;
use super::words::{WordClass, WordClasses};

/// A statement with the lines that continue it.
#[derive(Debug)]
pub(super) struct Block {
    /// The severity of the statement.
    pub(super) level: Level,
    /// Its lines, innermost cause first; frames and source lines are left out.
    pub(super) lines: Vec<usize>,
    /// The first line that is not a frame.
    pub(super) head: usize,
    /// The bits of the rows whose stack frames the block contains.
    pub(super) framed: u64,
    /// The word classes of its lines.
    pub(super) classes: WordClasses,
    /// The word classes of its stack frames.
    pub(super) frame_classes: WordClasses,
    /// Whether the block above reports that a side task failed, and leaves the reason to this one.
    pub(super) is_reason_of_side_task: bool,
}

const TRACEBACK: &str = "Traceback (most recent call last)";

/// The number of lines of a message that may stand between an exception and its stack frames.
const MAX_MESSAGE_LINES: usize = 3;

/// Groups the lines of the text into blocks, in order.
pub(super) fn blocks(read: &Read<'_>) -> Vec<Block> {
    let mut all = Vec::new();
    let mut open: Option<Draft<'_, '_>> = None;
    let mut echo = Echo::default();
    for line in 0..read.text.len() {
        let written = read.text.written(line);
        if echo.contains(written) || read.seen[line].classes.has(WordClass::Footer) {
            continue;
        }
        if written.starts_with("Node.js v") {
            // Node prints its version after an uncaught exception, and only then.
            if let Some(draft) = &mut open {
                draft.fatal = true;
            }
            continue;
        }
        let next = |ahead: usize| match line + ahead {
            line if line < read.text.len() => read.text.written(line),
            _ => "",
        };
        let shape = match line::shape(written) {
            Shape::Words if line::is_go_name(written) && line::is_go_place(next(1)) => Shape::Frame,
            shape => shape,
        };
        // Go's `%+v` of a wrapped error: its reason, then each wrapping with its stack.
        // In a record, the stack belongs to the record.
        let joined = |line: usize| line < read.text.len() && read.text.is_joined(line);
        let wraps = shape == Shape::Words
            && line::is_go_name(next(1))
            && line::is_go_place(next(2))
            && !joined(line + 1);
        // The message of an exception may have paragraphs.
        let message = || (1..=MAX_MESSAGE_LINES).any(|ahead| line::shape(next(ahead)) == Shape::Frame);
        match &mut open {
            Some(draft)
                if read.text.is_joined(line)
                    || wraps
                    || draft.continues(line, shape)
                    || draft.may_have_more(line) && message() =>
            {
                draft.push(line, shape);
            }
            _ => {
                all.extend(open.take().and_then(Draft::finish));
                open.insert(Draft::new(read)).push(line, shape);
            }
        }
    }
    all.extend(open.and_then(Draft::finish));
    all
}

struct Draft<'r, 't> {
    read: &'r Read<'t>,
    /// Chained parts, innermost first. Python's link sentences separate the parts.
    parts: Vec<Vec<usize>>,
    /// The part being read.
    part: Vec<usize>,
    /// Python: the link sentence before the part being read names a cause.
    linked: Option<bool>,
    frames: bool,
    python: Python,
    fatal: bool,
    /// The level of the log record that begins the block; `Plain` when no record does.
    record: Level,
    node_source: bool,
    framed: u64,
    classes: WordClasses,
    frame_classes: WordClasses,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Python {
    No,
    /// Inside a traceback: the next line that is not indented is its exception.
    Frames,
    /// The exception was read. Only a link sentence or an indented line can follow.
    Exception,
    /// A link sentence was read: a new traceback follows.
    Linked,
}

impl<'r, 't> Draft<'r, 't> {
    fn new(read: &'r Read<'t>) -> Self {
        Self {
            read,
            parts: Vec::new(),
            part: Vec::new(),
            linked: None,
            frames: false,
            python: Python::No,
            fatal: false,
            record: Level::Plain,
            node_source: false,
            framed: 0,
            classes: WordClasses::default(),
            frame_classes: WordClasses::default(),
        }
    }

    fn continues(&self, number: usize, shape: Shape) -> bool {
        let line = self.read.text.written(number);
        if shape != Shape::Words || matches!(self.python, Python::Frames | Python::Linked) {
            return true;
        }
        let side_task = self.read.seen[number].classes.has(WordClass::SideTask);
        // Some loggers of exporters indent their records.
        let begins =
            || ["ERROR ", "WARN ", "INFO ", "FATAL "].iter().any(|name| line.trim_start().starts_with(name));
        let other_record = side_task && !self.is_side_task() && self.level(number) != Level::Plain
            || !self.frames && line.starts_with(' ') && begins();
        let indented = line.starts_with([' ', '\t']) && !other_record;
        // The exception of a log record is on a line of its own.
        let attached = !self.frames && (!side_task || self.is_side_task()) && self.attaches(line);
        // What a program says below the command line that the shell has shown.
        let shown = self.is_side_task()
            && line.split_once(": ").is_some_and(|(program, _)| self.is_command_line_of(program));
        // Rust prints the panic message on the next line.
        let panic = || match self.part[..] {
            [only] if self.parts.is_empty() => {
                let panicked = self.read.text.written(only);
                panicked.ends_with(':') && panicked.contains("panicked at ")
            }
            _ => false,
        };
        // Node prints the source line before the error.
        // The address that a client was asked for, below its error.
        let aside = line.starts_with("(http") && line.ends_with(')');
        indented || aside || line.starts_with(['}', ']']) || attached || shown || self.node_source || panic()
    }

    /// Whether the block begins with a command line of `program`, as `set -x` shows it.
    fn is_command_line_of(&self, program: &str) -> bool {
        let Some(command) =
            self.part.first().and_then(|line| self.read.text.written(*line).strip_prefix("+ "))
        else {
            return false;
        };
        command.split(' ').next() == Some(program)
    }

    /// Whether this line may be the exception of the log record that begins the block.
    fn attaches(&self, line: &str) -> bool {
        let traceback = line.starts_with("Traceback (most recent");
        let exception = is_exception(line);
        if !self.is_side_task() {
            return match self.record {
                Level::Error | Level::Fatal => traceback || exception,
                Level::Warn => exception,
                Level::Plain | Level::Info => false,
            };
        }
        // That an exporter was started explains no traceback. Neither does a failure that the
        // record describes by itself, for Python ends with a traceback of the same form.
        let reports = self.classes.has(WordClass::Trouble) || self.classes.has(WordClass::Failing);
        let by_rule = |line: &usize| self.read.seen[*line].first_hit(Strength::Cause).is_some();
        let describes = [WordClass::Failure, WordClass::NamedFailure, WordClass::Retry]
            .iter()
            .any(|class| self.classes.has(*class))
            || self.part.iter().any(by_rule);
        let object = || line.starts_with("Error: ");
        match self.record {
            Level::Error | Level::Fatal => exception || traceback && !describes,
            // Python's logger without a format prints the message, then the traceback.
            Level::Warn | Level::Plain => {
                exception && (reports || self.record == Level::Warn)
                    || reports && (object() || traceback && !describes)
            }
            Level::Info => false,
        }
    }

    /// Whether this line may belong to the message of the exception that the block consists of.
    fn may_have_more(&self, number: usize) -> bool {
        let line = self.read.text.written(number);
        let exception = |line: &usize| is_exception(self.read.text.written(*line));
        !self.frames
            && self.python == Python::No
            && self.part.first().is_some_and(exception)
            && !is_exception(line)
            && self.level(number) == Level::Plain
    }

    fn push(&mut self, line: usize, shape: Shape) {
        let written = self.read.text.written(line);
        let seen = &self.read.seen[line];
        self.framed |= seen.framed;
        match shape {
            Shape::Frame | Shape::PythonFrame => self.frame_classes.add(seen.classes),
            _ => self.classes.add(seen.classes),
        }
        if let Shape::PythonLink { cause } = shape {
            self.close_part();
            self.linked = Some(cause);
            self.python = Python::Linked;
            return;
        }
        // A word of the class `fatal`.
        let traceback = seen.classes.has(WordClass::Fatal).then(|| written.find(TRACEBACK)).flatten();
        if traceback.is_some() || shape == Shape::PythonFrame {
            self.python = Python::Frames;
            self.frames = true;
            self.fatal |= traceback == Some(0) && self.record == Level::Plain && !self.is_side_task();
            if traceback.is_some_and(|at| at > 0) && self.part.is_empty() {
                // The header of a log record precedes the traceback.
                self.record = self.level(line);
                self.part.push(line);
            }
            return;
        }
        if shape == Shape::Frame {
            self.frames = true;
            return;
        }
        let blank = shape == Shape::Blank;
        let indented = blank || written.starts_with([' ', '\t']);
        if self.python == Python::Frames {
            // A copied traceback may be indented as a whole.
            if indented && !is_exception(written.trim_start()) {
                return;
            }
            self.python = Python::Exception;
        }
        if self.node_source {
            // The source and its caret hold no message; the error after the blank line does. A copy
            // may be indented as a whole.
            let error = written.trim_start();
            if !indented || error.starts_with("Error: ") || is_exception(error) {
                self.node_source = false;
                self.part.push(line);
            } else if written.contains("Unhandled 'error' event") || written.contains("triggerUncaught") {
                self.fatal = true;
            }
            return;
        }
        let first = self.part.is_empty() && self.parts.is_empty();
        if first && is_node_source(written) {
            self.node_source = true;
            return;
        }
        if !blank {
            if first {
                self.record = self.level(line);
            }
            self.part.push(line);
        }
    }

    fn is_side_task(&self) -> bool {
        self.classes.has(WordClass::SideTask)
    }

    fn level(&self, line: usize) -> Level {
        let Read { text, seen, .. } = self.read;
        level(text.written(line), text.folded(line), seen[line].classes)
    }

    fn close_part(&mut self) {
        let part = std::mem::take(&mut self.part);
        if part.is_empty() {
            return;
        }
        match self.linked {
            // "another exception occurred": the later exception takes precedence.
            Some(false) => self.parts.insert(0, part),
            _ => self.parts.push(part),
        }
    }

    fn finish(mut self) -> Option<Block> {
        self.close_part();
        let head = *self.parts.first()?.first()?;
        let mut level = self.level(head);
        if level == Level::Plain && (self.frames || is_exception(self.read.text.written(head))) {
            level = Level::Error;
        }
        let uncaught = self.fatal || line::is_ruby_uncaught(self.read.text.written(head));
        if uncaught && level >= Level::Plain {
            level = Level::Fatal;
        }
        for part in &mut self.parts {
            part.reverse();
        }
        let lines = match self.parts.len() {
            1 => self.parts.pop()?,
            _ => self.parts.concat(),
        };
        let Self { framed, classes, frame_classes, .. } = self;
        let is_reason_of_side_task = false;
        Some(Block { level, lines, head, framed, classes, frame_classes, is_reason_of_side_task })
    }
}

/// `java.net.ConnectException: text`, `MaxRetriesPerRequestError: text`.
pub(super) fn is_exception(line: &str) -> bool {
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
    use super::super::Classifier;
    use super::*;

    fn shape(text: &str) -> Vec<(Level, Vec<&str>)> {
        let classifier = Classifier::default();
        let read = classifier.table.read(text);
        let words =
            |b: Block| (b.level, b.lines.iter().map(|line| read.text.written(*line).trim()).collect());
        blocks(&read).into_iter().map(words).collect()
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
    fn pythons_direct_cause_comes_first_and_its_context_last() {
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
    fn a_stack_in_a_record_does_not_join_the_record_to_the_one_above() {
        let text = "INFO up\nERROR x\n\u{1f}main.init\n\u{1f}\t/app/main.go:7\n";
        assert_eq!(shape(text), [(Level::Info, vec!["INFO up"]), (Level::Error, vec!["ERROR x"])]);
    }

    #[test]
    fn the_error_below_an_indented_source_is_read() {
        let text = "events.js:491\n throw er; // Unhandled 'error' event\n ^\n Error: read ECONNRESET\n   at TCP.onStreamRead (node:a:1:2)\n";
        assert_eq!(shape(text), [(Level::Fatal, vec!["Error: read ECONNRESET"])]);
    }

    #[test]
    fn node_shows_source_then_error() {
        let text = "node:events:502\n      throw er; // Unhandled 'error' event\n      ^\n\nError: read ECONNRESET\n    at TCP (node:x:1:2) {\n  code: 'ECONNRESET'\n}\n\nNode.js v20.20.2\n";
        assert_eq!(shape(text), [(Level::Fatal, vec!["}", "code: 'ECONNRESET'", "Error: read ECONNRESET"])]);
    }
}
