//! Decides when a workload that keeps dying should be stopped.

mod classify;
mod client;
mod clock;
mod error;
mod pod;
mod record;
mod termination;
mod verdict;
mod workload;

pub use classify::{Classifier, RuleError, mask};
pub use client::{ClusterClient, LastWords, LastWordsOf, PodNews, Scale, Stored, TargetEvent};
pub use clock::Clock;
pub use error::{BoxError, ClusterError};
pub use pod::{ContainerReport, ContainerState, Death, Owner, PodReport, PodUid};
pub use record::Record;
pub use termination::{ContainerKind, PodEvent, Termination};
pub use verdict::{Cause, Confidence, NetworkKind, Verdict};
pub use workload::{BadTarget, TargetArg, WorkloadRef};
