//! What lines say about themselves, beside any rule: that they are fatal, that things went on, that
//! they are chatter.
//!
//! These words are found in the same pass as the phrases of the rules, anywhere in a folded line.

/// A set of things a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks(u16);

impl Marks {
    /// The process's own end: a panic, an uncaught exception.
    pub(super) const FATAL: Self = Self(1);
    /// A level behind the name of a tool: `psql: error: …`.
    pub(super) const ERROR: Self = Self(2);
    /// Its own trouble was got over.
    pub(super) const SURVIVED: Self = Self(4);
    /// Things went on after it, unless [`Self::DID_NOT`].
    pub(super) const WENT_ON: Self = Self(8);
    /// The opposite of a word of [`Self::WENT_ON`] that holds it.
    pub(super) const DID_NOT: Self = Self(16);
    /// Another try is promised, so this is not the last word.
    pub(super) const RETRY: Self = Self(32);
    /// Hints, help, goodbyes: decides nothing and hides nothing.
    pub(super) const CHATTER: Self = Self(64);
    /// The same, where the line begins with it.
    pub(super) const CHATTER_FIRST: Self = Self(128);
    /// Something did not succeed; counts in a line's last clause only.
    pub(super) const EFFECT: Self = Self(256);
    /// Some trouble is named, whatever level the line claims.
    pub(super) const TROUBLE: Self = Self(512);

    pub(super) fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    pub(super) fn add(&mut self, mark: Self) {
        self.0 |= mark.0;
    }
}

/// Every word with its mark.
pub(super) fn words() -> impl Iterator<Item = (&'static str, Marks)> {
    WORDS.iter().flat_map(|(mark, words)| words.iter().map(|word| (*word, *mark)))
}

const WORDS: &[(Marks, &[&str])] = &[
    (
        Marks::FATAL,
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
    (Marks::ERROR, &[" error: ", " fatal: "]),
    (
        Marks::SURVIVED,
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
        Marks::WENT_ON,
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
        Marks::DID_NOT,
        &[
            "not ready",
            "retries exceeded",
            "retries exhausted",
            "disconnected",
            "unsuccess",
            "not connected",
            "unhealthy",
        ],
    ),
    (
        Marks::RETRY,
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
        Marks::CHATTER_FIRST,
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
        Marks::CHATTER,
        &[
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
        Marks::EFFECT,
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
            "not initialised",
            "not initialized",
            "not established",
        ],
    ),
    (Marks::TROUBLE, &["fail", "error", "exception", "fatal"]),
];
