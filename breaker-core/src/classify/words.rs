//! Word classes: what single words and short phrases of a line stand for.
//!
//! The words are data in `rules.yaml`. [`super::compose`] joins the classes of a line to its
//! meaning; [`super::block`] and [`super::decide`] use the classes that say what a line is there
//! for.

use crate::Cause;
use crate::verdict::NetworkKind;

/// What a word stands for; `class` in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum WordClass {
    /// An operation on something remote: connect, fetch. Its kind is the kind of its failure if the
    /// line says no more.
    Operation,
    /// A remote thing: broker, upstream.
    Remote,
    /// Something failed, and the word does not say how: failed, unable.
    Failing,
    /// A failure of the network, of this kind: hung up, timed out.
    Failure,
    /// The same, by itself: the name of an error of a network client.
    NamedFailure,
    /// The same, with an operation or an address only: a connection is lost, and so is an index.
    FailureOfOperation,
    /// Local, although the line may sound remote: pool, lock, socket file. It counts in the clause
    /// of the failure or the operation, and behind it.
    Local,
    /// A setting: the line shows or checks words that sound like a failure.
    Setting,
    /// Local like [`Self::Local`], but in the clause only: worker, task.
    LocalSubject,
    /// What a process is given or uses, with the cause if something is wrong with it: flag, disk.
    Subject,
    /// What can be wrong with a subject: missing, full. Its cause is that of the subject, unless
    /// the word has one itself.
    Fault,
    /// A socket file: a network client that talks to it reaches no other system.
    LocalSocket,
    /// The line is about something local, unless it names an address: a browser, a container
    /// runtime.
    LocalLine,
    /// What is only possible or advised: the words behind it in the clause report nothing.
    Hedge,
    /// Telemetry, clean-up and notification, whose failure does not end a process.
    SideTask,
    /// Composed to a side task with a word of [`Self::SideObject`]: send, release.
    SideAction,
    /// What side tasks work on: metrics, a lock.
    SideObject,
    /// May be a side task: ports and names that other programs have too. It counts only after
    /// another statement that explains the end.
    SideTaskHint,
    /// A stack frame of the code of a side task.
    SideTaskFrame,
    /// The process was starting, so even a side task can end it.
    Startup,
    /// What a wrapper prints after the process it ran has ended; where the line begins with it.
    Footer,
    /// The same, unless a rule explains the line.
    Wrapper,
    /// What a wrapper runs: a process, a worker, a job. Composed to a report of its end with a word
    /// of [`Self::Ended`].
    Child,
    /// How it ended, without a reason: exited, failed.
    Ended,
    /// An orderly end: stopped, drained.
    Shutdown,
    /// The process says that it ends now: exiting, exited with, giving up.
    Exit,
    /// Another attempt is announced: waiting for, connecting to.
    Progress,
    /// The process's own end: a panic, an uncaught exception.
    Fatal,
    /// A level behind the name of a tool: `psql: error: …`.
    ToolError,
    /// The process recovered from the error that the line reports.
    Survived,
    /// The process continued after the line, unless the line has a word of [`Self::DidNot`].
    WentOn,
    /// The process works on: another attempt, or work in the background.
    Attempt,
    /// The negation of a word of [`Self::WentOn`].
    DidNot,
    /// The line announces a retry, so it does not decide.
    Retry,
    /// Hints, help, exit messages. Such a line does not decide, and earlier lines still can.
    Chatter,
    /// The same, where the line begins with it.
    ChatterFirst,
    /// An operation failed. It counts only in the last clause of a line.
    Effect,
    /// The line names an error, whatever its level.
    Trouble,
}

impl WordClass {
    pub(super) const ALL: [Self; 38] = [
        Self::Operation,
        Self::Remote,
        Self::Failing,
        Self::Failure,
        Self::NamedFailure,
        Self::FailureOfOperation,
        Self::Local,
        Self::Setting,
        Self::LocalSubject,
        Self::Subject,
        Self::Fault,
        Self::LocalSocket,
        Self::LocalLine,
        Self::Hedge,
        Self::SideTask,
        Self::SideAction,
        Self::SideObject,
        Self::SideTaskHint,
        Self::SideTaskFrame,
        Self::Startup,
        Self::Footer,
        Self::Wrapper,
        Self::Child,
        Self::Ended,
        Self::Shutdown,
        Self::Exit,
        Self::Progress,
        Self::Fatal,
        Self::ToolError,
        Self::Survived,
        Self::WentOn,
        Self::Attempt,
        Self::DidNot,
        Self::Retry,
        Self::Chatter,
        Self::ChatterFirst,
        Self::Effect,
        Self::Trouble,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Remote => "remote",
            Self::Failing => "failing",
            Self::Failure => "failure",
            Self::NamedFailure => "named-failure",
            Self::FailureOfOperation => "failure-of-operation",
            Self::Local => "local",
            Self::Setting => "setting",
            Self::LocalSubject => "local-subject",
            Self::Subject => "subject",
            Self::Fault => "fault",
            Self::LocalSocket => "local-socket",
            Self::LocalLine => "local-line",
            Self::Hedge => "hedge",
            Self::SideTask => "side-task",
            Self::SideAction => "side-action",
            Self::SideObject => "side-object",
            Self::SideTaskHint => "side-task-hint",
            Self::SideTaskFrame => "side-task-frame",
            Self::Startup => "startup",
            Self::Footer => "footer",
            Self::Wrapper => "wrapper",
            Self::Child => "child",
            Self::Ended => "ended",
            Self::Shutdown => "shutdown",
            Self::Exit => "exit",
            Self::Progress => "progress",
            Self::Fatal => "fatal",
            Self::ToolError => "tool-error",
            Self::Survived => "survived",
            Self::WentOn => "went-on",
            Self::Attempt => "attempt",
            Self::DidNot => "did-not",
            Self::Retry => "retry",
            Self::Chatter => "chatter",
            Self::ChatterFirst => "chatter-first",
            Self::Effect => "effect",
            Self::Trouble => "trouble",
        }
    }

    /// Whether a word counts only at the beginning of a line.
    pub(super) fn begins_a_line(self) -> bool {
        matches!(self, Self::Footer | Self::Wrapper | Self::ChatterFirst)
    }

    /// Whether the places of its words in a line matter, not only that they are there.
    pub(super) fn is_composed(self) -> bool {
        matches!(
            self,
            Self::Operation
                | Self::Remote
                | Self::Failing
                | Self::Failure
                | Self::NamedFailure
                | Self::FailureOfOperation
                | Self::Local
                | Self::Setting
                | Self::LocalSubject
                | Self::Subject
                | Self::Fault
                | Self::Hedge
                | Self::SideAction
                | Self::SideObject
                | Self::Child
                | Self::Ended
        )
    }

    /// The set with only this class.
    pub(super) fn bit(self) -> WordClasses {
        WordClasses(1 << self as u64)
    }
}

/// A set of word classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct WordClasses(u64);

impl WordClasses {
    pub(super) fn has(self, class: WordClass) -> bool {
        self.0 & class.bit().0 != 0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// A word of a class in a folded line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) class: WordClass,
    pub(super) kind: Option<NetworkKind>,
    pub(super) cause: Option<Cause>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Word {
    /// Whether the word is the name or a part of a parameter, a key or an identifier:
    /// `-dial-timeout`, `socket.timeout`, `timeout=5s`, `"timeout":`.
    pub(super) fn is_parameter(&self, line: &str) -> bool {
        // The name of an error is behind its module.
        if self.class == WordClass::NamedFailure || self.class == WordClass::Fault && self.cause.is_some() {
            return false;
        }
        let bytes = line.as_bytes();
        let before = self.start.checked_sub(1).map(|at| bytes[at]);
        let after = bytes.get(self.end).copied();
        let behind = bytes.get(self.end + 1).copied();
        let inside = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        let earlier = self.start.checked_sub(2).map(|at| bytes[at]);
        // `timeout 5s`, `timeout: 5s`
        let value = line[self.end..]
            .trim_start_matches([' ', ':', '=', '"'])
            .starts_with(|c: char| c.is_ascii_digit());
        if value && line[..self.end].ends_with("timeout") {
            return true;
        }
        match (before, after) {
            (Some(b'/'), _) => self.class != WordClass::Fault || !inside(earlier),
            (Some(b'-' | b'.' | b'$' | b'@' | b'\\'), _) => {
                inside(earlier) || matches!(before, Some(b'-' | b'$' | b'@'))
            }
            (_, Some(b'=')) => true,
            (_, Some(b'-' | b'.')) => inside(behind),
            (_, Some(b'/')) => self.class != WordClass::Fault && inside(behind),
            (_, Some(b'"')) => behind == Some(b':'),
            _ => false,
        }
    }
}

/// The words of a line that report something, in their order: not those of parameters, and not
/// those behind a word of [`WordClass::Hedge`] in the same clause.
pub(super) fn spoken(line: &str, words: &[Word]) -> Vec<Word> {
    let is_end = |(_, byte): &(usize, u8)| b":;,.!?(".contains(byte);
    let hedges: Vec<Word> = words.iter().filter(|word| word.class == WordClass::Hedge).copied().collect();
    // Without a hedge, clauses do not matter.
    let clauses = line.bytes().enumerate().filter(|end| !hedges.is_empty() && is_end(end));
    let clauses: Vec<usize> = clauses.map(|(at, _)| at).collect();
    let hedged = |word: &Word| {
        let clause = clauses.partition_point(|at| *at < word.start);
        let start = clause.checked_sub(1).map_or(0, |end| clauses[end]);
        let first = hedges.partition_point(|hedge| hedge.end <= start);
        hedges.get(first).is_some_and(|hedge| hedge.end < word.start)
    };
    let says = |word: &&Word| word.end <= line.len() && !word.is_parameter(line) && !hedged(word);
    words.iter().filter(says).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::Classifier;
    use super::*;

    fn said(line: &str) -> Vec<&str> {
        let read = Classifier::default().table.read(line);
        let said = spoken(line, &read.words(0));
        let failures = said.iter().filter(|word| word.class == WordClass::Failure);
        failures.map(|word| &line[word.start..word.end]).collect()
    }

    #[test]
    fn advice_and_parameters_report_nothing() {
        assert_eq!(said("x refused"), ["refused"]);
        assert_eq!(said("refused: see if x is unreachable"), ["refused"]);
        assert_eq!(said("make sure that x is not unreachable, refused"), ["refused"]);
        assert!(said("-on-refused=exit").is_empty());
    }
}
