//! Decides when a workload that keeps dying should be stopped.

mod action;
mod breaker;
mod causes;
mod classify;
mod client;
mod clock;
mod error;
mod evidence;
mod ledger;
mod min_failing;
mod notice;
mod pod;
mod policy;
mod record;
#[cfg(feature = "sim")]
pub mod sim;
mod state;
mod supervisor;
mod tally;
mod termination;
mod verdict;
mod view;
mod window;
mod workload;

pub use action::{Action, Attempt, Command, Failure, Input, Outcome};
pub use breaker::{Breaker, MOST_CONTESTED_TRIPS, TRIP_STAYS_FRESH};
pub use causes::{BadCause, CauseSet};
pub use classify::{Classifier, RuleError, mask};
pub use client::{ClusterClient, LastWords, LastWordsOf, PodNews, Scale, Stored, TargetEvent};
pub use clock::Clock;
pub use error::{BoxError, ClusterError};
pub use evidence::EVIDENCE_WITHIN;
pub use ledger::{
    ContainerKey, ContainerMark, DeathId, EvidenceWanted, InstanceId, Ledger, Restart, RestartMark,
};
pub use min_failing::{BadMinFailing, MinFailing};
pub use notice::{Count, Held, Notice, RestartTold};
pub use pod::{ContainerReport, ContainerState, Death, Owner, PodReport, PodUid};
pub use policy::{Mode, Policy, Recovery, Unobserved};
pub use record::{Contested, MOST_BYTES, Record};
pub use state::{Override, State, TripReason};
pub use supervisor::{End, PODS_LEAVE_WITHIN, Parts, Supervisor, Until};
pub use tally::{ROLL_OUT_GRACE, Tally};
pub use termination::{ContainerKind, PodEvent, Termination};
pub use verdict::{Cause, Confidence, NetworkKind, Verdict};
pub use view::{BACK_OFF_RESET, STALE_AFTER};
pub use window::{BadWindow, Window};
pub use workload::{BadTarget, TargetArg, WorkloadRef};
