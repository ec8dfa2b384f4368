//! Flags of a line that depend on no rule: the line is fatal, reports a recovery, or is chatter.
//!
//! The words behind the flags are searched in the same pass as the phrases of the rules, anywhere
//! in a folded line.

/// A set of flags of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LineFlags(u16);

impl LineFlags {
    /// The process's own end: a panic, an uncaught exception.
    pub(super) const FATAL: Self = Self(1);
    /// A level behind the name of a tool: `psql: error: …`.
    pub(super) const ERROR: Self = Self(2);
    /// The process recovered from the error that the line reports.
    pub(super) const SURVIVED: Self = Self(4);
    /// The process continued after the line, unless [`Self::DID_NOT`] is set.
    pub(super) const WENT_ON: Self = Self(8);
    /// The negation of a word of [`Self::WENT_ON`].
    pub(super) const DID_NOT: Self = Self(16);
    /// The line announces a retry, so it does not decide.
    pub(super) const RETRY: Self = Self(32);
    /// Hints, help, exit messages. Such a line does not decide, and earlier lines still can.
    pub(super) const CHATTER: Self = Self(64);
    /// The same, where the line begins with it.
    pub(super) const CHATTER_FIRST: Self = Self(128);
    /// An operation failed. It counts only in the last clause of a line.
    pub(super) const EFFECT: Self = Self(256);
    /// The line names an error, whatever its level.
    pub(super) const TROUBLE: Self = Self(512);

    pub(super) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(super) fn add(&mut self, flag: Self) {
        self.0 |= flag.0;
    }
}

/// Every word with its flag.
pub(super) fn words() -> impl Iterator<Item = (&'static str, LineFlags)> {
    FLAGGED_WORDS.iter().flat_map(|(flag, words)| words.iter().map(|word| (*word, *flag)))
}

const FLAGGED_WORDS: &[(LineFlags, &[&str])] = &[
    (
        LineFlags::FATAL,
        &[
            "exception in thread",
            "unhandled exception",
            "unhandled rejection",
            "unhandledpromiserejection",
            "uncaught exception",
            "uncaught error",
            "unhandled 'error' event",
            "uncaughtexception",
            "triggeruncaughtexception",
            "panicked at",
            "fatal error",
            "terminate called",
            "traceback (most recent call last)",
            "segmentation fault",
            "fatal exception",
        ],
    ),
    (LineFlags::ERROR, &[" error: ", " fatal: "]),
    (
        LineFlags::SURVIVED,
        &[
            "using cache",
            "using the cache",
            "cached",
            "using local",
            "using stale",
            "using default",
            "continuing",
            "fallback",
            "falling back",
            "ignor",
            "skipping",
            "buffering",
            "degraded",
            "best effort",
            "non-fatal",
            "delivery resumed",
            "recovered",
        ],
    ),
    (
        LineFlags::WENT_ON,
        &[
            "retry",
            "reconnect",
            "resumed",
            "succeeded",
            "success",
            "refreshed",
            " ok",
            "connected",
            "restored",
            "established",
            "healthy",
            "ready",
            "finished",
            "will try",
            "trying again",
            "backing off",
            "scheduling",
            "in background",
            "delivered",
            "accepted",
            "next attempt",
        ],
    ),
    (
        LineFlags::DID_NOT,
        &[
            "not ready",
            "not be established",
            "not established",
            "retries exceeded",
            "retries exhausted",
            "disconnected",
            "unsuccess",
            "not connected",
            "unhealthy",
        ],
    ),
    (
        LineFlags::RETRY,
        &[
            "retrying",
            "will retry",
            "reconnecting",
            "trying again",
            "will try",
            "next attempt",
            "scheduling re",
            "retry in",
        ],
    ),
    (
        LineFlags::CHATTER_FIRST,
        &[
            "note:",
            "hint:",
            "help:",
            "usage:",
            "see ",
            "try ",
            "for more",
            "(background on this error",
            "stack backtrace",
            "stack trace:",
            "node.js v",
            "exiting",
            "exit ",
            "bye",
            "goodbye",
            "shutdown",
            "shutting down",
            "stopping",
            "stopped",
            "aborting",
            "aborted",
            "terminated",
            "make: ***",
            "npm error a complete log",
            "npm err! a complete log",
            "npm error network",
            "a complete log",
            "in most cases",
            "if you are behind",
            "command terminated",
            "process exited",
            "done.",
            "info: shutting",
            "run '",
            "is the server running",
            "to display the",
            "caught signal",
            "unclosed ",
            "producer: <",
            "consumer: <",
            "client_session: <",
            "connector: <",
            "exception ignored in",
            "sys:1: resourcewarning",
            "task exception was never retrieved",
            "connect:errno=",
            "backtrace omitted",
            "run with ",
            "location:",
            "original stack trace",
            "connect:errno=",
            "cleanup",
            "cleaning up",
        ],
    ),
    (
        LineFlags::CHATTER,
        &[
            "unclosed ",
            "context canceled",
            "context cancelled",
            "supervisor: {",
            "errorcontext:",
            "offender:",
            "initial call:",
            "ancestors:",
            "worker failed to boot",
            "shutting down",
            "shutdown",
            "exiting",
            "giving up",
            "stopping",
            "for more details",
            "cleaning up",
            "closing",
            "exit status",
            "exited with",
            "terminating",
            "goodbye",
            "rerun with",
            "going away",
            "aborting",
            "bailing out",
            "dumped core",
            "core dumped",
            "full thread dump",
            "to display the",
        ],
    ),
    (
        LineFlags::EFFECT,
        &[
            "fail",
            "unable",
            "cannot",
            "can't",
            "could not",
            "couldn't",
            "unavailable",
            "unreachable",
            "not reachable",
            "giving up",
            "gave up",
            "lost",
            "did not answer",
            "no answer",
            "not responding",
            "not available",
            "retries",
            "exhausted",
            "attempts",
            "did not start",
            "not started",
            "not loaded",
            "not be loaded",
            "encountered during",
            "error while",
            "error during",
            "error getting",
            "error occurred",
            "not usable",
            "unusable",
            "not initialised",
            "not initialized",
            "not established",
        ],
    ),
    (LineFlags::TROUBLE, &["fail", "error", "exception", "fatal"]),
];
