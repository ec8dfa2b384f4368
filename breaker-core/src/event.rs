//! What people are told, as data and as one line of text.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::ledger::Restart;
use crate::revision_counts::RevisionCounts;
use crate::state::TripReason;

/// One thing told. As JSON an object with an `event` field; as text one line without a line feed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum BreakerEvent {
    /// Watching has begun.
    Watching {
        /// `namespace/kind/name`.
        target: String,
        /// `spec.replicas`.
        replicas: u32,
        /// Live pods.
        pods: u32,
        /// Where things stand.
        #[serde(flatten)]
        count: Counts,
    },
    /// A restart was counted, or seen and not counted.
    Restart(RestartEvent),
    /// Still there.
    Heartbeat {
        /// Phase of the breaker.
        phase: &'static str,
        /// Live pods.
        pods: u32,
        /// Where things stand.
        #[serde(flatten)]
        count: Counts,
        /// Why it does not act although restarts are many.
        #[serde(skip_serializing_if = "Option::is_none")]
        held: Option<Hold>,
    },
    /// Restarts are many, and yet it does not act.
    Held(Hold),
    /// Dry run: it would trip now.
    WouldTrip(TripReason),
    /// Decided; the Record says so, the scale comes next.
    Tripping {
        /// Replicas that a reset gives back.
        replicas: u32,
        /// Why.
        #[serde(flatten)]
        because: TripReason,
    },
    /// The hook was asked.
    Hook {
        /// Scheme and host.
        to: String,
        /// `proceed`, `hold` or `failed`.
        answer: &'static str,
        /// Why it holds or failed.
        #[serde(skip_serializing_if = "String::is_empty")]
        why: String,
        /// The trip goes on.
        proceeds: bool,
    },
    /// Somebody outside the cluster was told, and acknowledged it.
    Notified {
        /// Scheme and host.
        to: String,
        /// Of what.
        what: String,
    },
    /// The target is at zero.
    Scaled {
        /// Replicas that a reset gives back.
        replicas: u32,
        /// It was at zero already: somebody else got there first.
        already: bool,
        /// Why.
        #[serde(flatten)]
        because: TripReason,
    },
    /// A trip that was begun is not carried out.
    Abandoned {
        /// Why not.
        why: String,
    },
    /// Somebody else scaled the open target up; it is left alone.
    Contested {
        /// Field manager.
        by: String,
        /// Replicas found.
        replicas: u32,
    },
    /// A few replicas are being tried.
    Probing {
        /// How many.
        replicas: u32,
    },
    /// The replicas were given back.
    Restored {
        /// Replicas now.
        replicas: u32,
    },
    /// Counting starts anew.
    Reset,
    /// The breaker is open already.
    AlreadyOpen {
        /// Replicas that a reset gives back.
        replicas: u32,
        /// Why.
        #[serde(flatten)]
        because: TripReason,
    },
    /// Something that an operator should know and that does not stop the watch.
    Warning {
        /// What.
        message: String,
    },
    /// The target is gone.
    Lost {
        /// `namespace/kind/name`.
        target: String,
    },
}

/// Counted restarts against what is tolerated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Counted restarts inside the window.
    pub counted: u32,
    /// Tolerated.
    pub threshold: u32,
    /// All restarts inside the window, by cause.
    pub by_cause: BTreeMap<String, u32>,
    /// Pods failing now, of those with a counted restart.
    pub failing: u32,
    /// Pods that must be.
    pub need: u32,
}

impl From<&RevisionCounts> for Counts {
    fn from(tally: &RevisionCounts) -> Self {
        Self {
            counted: tally.counted,
            threshold: tally.threshold,
            by_cause: tally.by_cause.clone(),
            failing: tally.failing,
            need: tally.need,
        }
    }
}

/// `2/3 (network:refused 2, oom 1)`.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.counted, self.threshold)?;
        if !self.by_cause.is_empty() {
            let causes: Vec<_> = self.by_cause.iter().map(|(label, n)| format!("{label} {n}")).collect();
            write!(f, " ({})", causes.join(", "))?;
        }
        Ok(())
    }
}

/// One restart as told, or several of one container that nobody saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestartEvent {
    /// Counted restarts of the revision so far.
    pub counted: u32,
    /// Tolerated.
    pub threshold: u32,
    /// Whether this one counts.
    pub counts: bool,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// When the instance finished.
    pub finished_at: jiff::Timestamp,
    /// `network`, `oom`, ….
    pub cause: String,
    /// `refused`, … for network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How firmly the evidence speaks.
    pub confidence: crate::verdict::Confidence,
    /// Which rule decided.
    pub rule: String,
    /// Exit code of the one that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The evidence.
    pub quote: String,
    /// How many restarts this line stands for; above 1 for those that nobody saw.
    pub times: u32,
}

impl RestartEvent {
    pub(crate) fn new(restart: &Restart, tally: &RevisionCounts, counts: bool, times: u32) -> Self {
        Self {
            counted: tally.counted,
            threshold: tally.threshold,
            counts,
            pod: restart.pod_name.clone(),
            container: restart.key.container.clone(),
            finished_at: restart.at,
            cause: restart.verdict.cause.to_string(),
            kind: restart.verdict.kind.map(|kind| kind.to_string()),
            confidence: restart.verdict.confidence,
            rule: restart.verdict.rule.clone(),
            exit_code: restart.exit_code,
            quote: restart.verdict.quote.clone(),
            times,
        }
    }
}

impl RestartEvent {
    /// `network:refused`, or just `oom`.
    pub fn label(&self) -> String {
        match &self.kind {
            Some(kind) => format!("{}:{kind}", self.cause),
            None => self.cause.clone(),
        }
    }
}

impl fmt::Display for RestartEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {}", self.counted, self.threshold, self.label())?;
        write!(f, " {}/{}", self.pod, self.container)?;
        match self.exit_code {
            Some(code) => write!(f, " exit {code}")?,
            None => write!(f, " {} unseen", times(self.times, "restart"))?,
        }
        match (self.quote.as_str(), self.cause.as_str()) {
            ("", "unknown") => write!(f, " ({})", missing(&self.rule))?,
            ("", _) => write!(f, " ({})", self.rule)?,
            (quote, _) => write!(f, " \"{quote}\"")?,
        }
        if !self.counts {
            f.write_str(" - not counted")?;
        }
        Ok(())
    }
}

/// Why it does not act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// `causes`, `stale_view`, `contested`, `refused`, `guard`, `one_node` or `hook`.
    pub reason: &'static str,
    /// All restarts inside the window.
    pub total: u32,
    /// Those that count.
    pub counted: u32,
    /// Tolerated.
    pub threshold: u32,
    /// What is missing, in words.
    pub why: String,
    /// The flag that would have it trip, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        match &self.flag {
            Some(flag) => write!(f, "; {flag} would trip"),
            None => Ok(()),
        }
    }
}

/// What a rule id for an unknown cause means to a person.
pub(crate) fn missing(rule: &str) -> &str {
    match rule {
        "no-last-words" => "termination message and log are empty",
        "log-gone" => "the log is gone",
        "log-forbidden" => "no right to read pods/log",
        "evidence-late" => "the log could not be read in time",
        "no-rule" => "no rule knows its last words",
        "killed-by-signal" => "killed by a signal, nothing says why",
        "unobserved" => "nobody saw it end",
        other => other,
    }
}

pub(crate) fn times(n: u32, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

impl fmt::Display for BreakerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watching { target, replicas, pods, count } => write!(
                f,
                "watching {target}: {}, {}, {count} counted restarts",
                times(*replicas, "replica"),
                times(*pods, "pod")
            ),
            Self::Restart(restart) => restart.fmt(f),
            Self::Heartbeat { phase, pods, count, held } => {
                write!(f, "{count} {}, {}", phase.to_lowercase(), times(*pods, "pod"))?;
                match held {
                    Some(held) => write!(f, "; held: {held}"),
                    None => Ok(()),
                }
            }
            Self::Held(held) => write!(f, "held: {held}"),
            Self::WouldTrip(because) => write!(f, "would trip: {because}"),
            Self::Tripping { replicas, because } => write!(f, "tripping, taking {replicas} to 0: {because}"),
            Self::Hook { to, answer: "proceed", .. } => write!(f, "hook {to} answered: proceed"),
            Self::Hook { to, answer: "hold", why, .. } => write!(f, "hook {to} answered: hold, {why}"),
            Self::Hook { to, why, proceeds: true, .. } => write!(f, "hook {to} failed, going on: {why}"),
            Self::Hook { to, why, .. } => write!(f, "hook {to} failed: {why}"),
            Self::Notified { to, what } => write!(f, "notified {to} of: {what}"),
            Self::Scaled { replicas, already: false, because } => {
                write!(f, "scaled to 0, was {replicas}: {because}")
            }
            Self::Scaled { replicas, already: true, .. } => {
                write!(f, "already at 0, a reset gives back {replicas}")
            }
            Self::Abandoned { why } => write!(f, "trip abandoned: {why}"),
            Self::Contested { by, replicas } => {
                write!(f, "contested: {by} scaled it up to {replicas}; left alone, counting anew")
            }
            Self::Probing { replicas } => write!(f, "half open: trying {}", times(*replicas, "replica")),
            Self::Restored { replicas } => write!(f, "closed, {} given back", times(*replicas, "replica")),
            Self::Reset => f.write_str("reset, counting anew"),
            Self::AlreadyOpen { replicas, because } => {
                write!(f, "already open, a reset gives back {replicas}: {because}")
            }
            Self::Warning { message } => write!(f, "warning: {message}"),
            Self::Lost { target } => write!(f, "{target} is gone"),
        }
    }
}
