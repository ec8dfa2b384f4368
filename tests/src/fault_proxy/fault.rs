//! [`Fault`]: what can happen to one request.

use std::fmt;
use std::time::Duration;

use super::bad_answer::BadAnswer;

/// What happens to one request or to its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request, or its answer, arrives later by this time.
    Delay(Duration),
    /// The connection is closed without an answer.
    Drop,
    /// The connection is closed in the middle of the answer.
    Cut,
    /// Another answer is given.
    Answer(BadAnswer),
    /// The first list of this kind is answered again. Without an earlier list, nothing happens.
    StaleList,
    /// The watch ends with an ERROR event of code 410 after this number of events.
    ExpiredWatch {
        /// Events that are forwarded before.
        after: u32,
    },
    /// The watch forwards no event any more; the connection is closed after `time`.
    SilentWatch {
        /// Events that are forwarded before.
        after: u32,
        /// Time of the silence.
        time: Duration,
    },
    /// The connection is closed in the middle of an event.
    CutWatch {
        /// Events that are forwarded before.
        after: u32,
    },
    /// One event, and with it all later ones, arrives later by `time`.
    LateWatch {
        /// Events that are forwarded before.
        after: u32,
        /// Delay of the event.
        time: Duration,
    },
}

impl Fault {
    /// Name of the kind, as the table of a chaos run shows it.
    pub fn kind(&self) -> String {
        match self {
            Self::Delay(_) => "delay".into(),
            Self::Drop => "drop".into(),
            Self::Cut => "cut answer".into(),
            Self::Answer(answer) => answer.to_string(),
            Self::StaleList => "stale list".into(),
            Self::ExpiredWatch { .. } => "expired watch".into(),
            Self::SilentWatch { .. } => "silent watch".into(),
            Self::CutWatch { .. } => "cut watch".into(),
            Self::LateWatch { .. } => "late watch event".into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind())?;
        match self {
            Self::Delay(time) => write!(f, " of {time:?}"),
            Self::ExpiredWatch { after } | Self::CutWatch { after } => write!(f, " after {after} events"),
            Self::SilentWatch { after, time } => write!(f, " for {time:?} after {after} events"),
            Self::LateWatch { after, time } => write!(f, " by {time:?} after {after} events"),
            Self::Drop | Self::Cut | Self::Answer(_) | Self::StaleList => Ok(()),
        }
    }
}

/// Whether a request has reached the API server when its fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The API server does not see the request. With a delay, it sees the request later.
    BeforeForwarding,
    /// The API server has executed the request.
    AfterForwarding,
}

/// A fault, and its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// What happens.
    pub fault: Fault,
    /// When it happens. Faults of a watch happen after forwarding.
    pub moment: Moment,
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::BeforeForwarding => "before",
            Moment::AfterForwarding => "after",
        };
        write!(f, "{}, {moment} forwarding", self.fault)
    }
}
