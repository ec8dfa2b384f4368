//! Decides when a workload that keeps dying should be stopped, and why it died.
//!
//! ```text
//!  pods ──▶ Ledger ──▶ deaths ──▶ evidence ──▶ Classifier ──▶ Verdict ─┐
//!             ▲                                                        │
//!             └────────────────────────────────────────────────────────┘
//!  Input ──▶ Breaker::step(input, now) ──▶ Vec<Action> ──▶ Supervisor ──▶ ClusterClient
//!              ▲                                              │
//!              └────────────── outcome of each action ────────┘
//!
//!            trips / pressed          write acknowledged
//!   Closed ─────────────────▶ Tripping ────────────────▶ Open ◀────────┐
//!     ▲                                                   │ │          │ counted restart
//!     ├──────────────── reset: restore ◀──────────────────┘ │ cooldown │
//!     └──── survived: restore ◀──────────────────────── HalfOpen ──────┘
//! ```
//!
//! - A [`Termination`] is what is known of one ended container instance; a [`Verdict`] says why it ended and
//!   quotes the words that say so. The [`Classifier`] goes from the one to the other by rules that are data.
//! - The [`Ledger`] counts each restart once, however often, late or out of order it is reported.
//! - A [`Policy`] says which restarts count and how many are too many.
//! - The [`Breaker`] is the state machine: an equal breaker, input and instant give equal [`Action`]s. What must
//!   survive a crash is its [`Record`], stored before each act.
//! - [`Hooks`] say who is asked before a trip and who is told; a [`WebhookClient`] is the way to them. A [`Guard`]
//!   watches a whole fleet and holds its trips while most of it fails.
//! - The [`Supervisor`] drives one breaker over any [`ClusterClient`]; it is the only caller of that door.
//! - `sim` (feature) is an in-memory cluster with a scripted clock and faults.
//!
//! Nothing here talks to a cluster, reads a clock, sleeps or needs a runtime: time is the [`Clock`] that is
//! passed in, and every wish leaves as an [`Action`]. Sockets, kubeconfigs and RBAC live in `breaker-kube`,
//! words on a terminal and exit codes in `watcher`.
//!
//! ```
//! # #[cfg(feature = "sim")] {
//! use std::sync::Arc;
//!
//! use breaker_core::sim::{Health, Sim};
//! use breaker_core::{Classifier, StopReason, Dependencies, Policy, Supervisor, RunUntil, WorkloadRef};
//! use futures::StreamExt;
//!
//! let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 2);
//! sim.after_secs(60, |world| world.set_health(Health::dies("connect: connection refused")));
//! let parts = Dependencies {
//!     client: Arc::new(sim.clone()),
//!     clock: Arc::new(sim.clone()),
//!     classifier: Arc::new(Classifier::default()),
//!     messenger: None,
//!     heartbeat: None,
//! };
//! let end = sim.run(async {
//!     let mut supervisor = Supervisor::start(parts, Policy::default(), sim.target().clone(), false).await?;
//!     let no_commands = futures::stream::pending().boxed();
//!     supervisor.run(no_commands, RunUntil::Tripped, &mut |at, notice| println!("{at} {notice}")).await
//! });
//! assert!(matches!(end, Some(Ok(StopReason::Tripped { .. }))));
//! assert_eq!(sim.with(|world| world.replicas()), 0);
//! # }
//! ```

mod action;
mod breaker;
mod breaker_event;
mod causes;
mod classify;
mod client;
mod clock;
mod delivery;
mod error;
mod evidence;
mod explanation;
mod guard;
mod hooks;
mod ledger;
mod min_failing;
mod pod;
mod pod_cache;
mod policy;
mod record;
mod revision_counts;
#[cfg(feature = "sim")]
pub mod sim;
mod state;
mod supervisor;
mod termination;
mod verdict;
mod webhook;
mod window;
mod workload;

pub use action::{Action, Attempt, Command, Failure, Input, Outcome};
pub use breaker::{Breaker, MAX_CONTESTED_TRIPS, Notification, TRIP_STAYS_FRESH};
pub use breaker_event::{BreakerEvent, Counts, Hold, RestartEvent};
pub use causes::{BadCause, CauseSet};
pub use classify::{Classifier, RuleError, mask};
pub use client::{ClusterClient, KubernetesEvent, LogTail, LogTailRequest, PodNews, Scale, Stored};
pub use clock::Clock;
pub use error::{BoxError, ClusterError};
pub use evidence::EVIDENCE_WITHIN;
pub use explanation::{EvidenceSource, ExplainedTermination, Explanation, explain_pod};
pub use guard::{GUARD_NAMES_TRIPS_OF, GUARD_WINDOW, Guard};
pub use hooks::{BeforeTrip, Endpoint, Hooks, OnFailure};
pub use ledger::{
    ContainerKey, ContainerRecord, EvidenceRequest, InstanceId, Ledger, Restart, RestartRecord, TerminationId,
};
pub use min_failing::{BadMinFailing, MinFailing};
pub use pod::{ContainerReport, ContainerState, Owner, PodReport, PodUid, Terminated};
pub use pod_cache::{BACK_OFF_RESET, STALE_AFTER};
pub use policy::{Mode, Policy, Recovery, Unobserved};
pub use record::{Contested, MOST_BYTES, Record};
pub use revision_counts::{ROLL_OUT_GRACE, RevisionCounts};
pub use state::{Override, State, TripReason};
pub use supervisor::{Dependencies, NOTICES_WITHIN, PODS_LEAVE_WITHIN, RunUntil, StopReason, Supervisor};
pub use termination::{ContainerKind, PodEvent, Termination};
pub use verdict::{Cause, Confidence, NetworkKind, Verdict};
pub use webhook::{CloudEvent, HookDecision, WebhookClient, WebhookError};
pub use window::{BadWindow, Window};
pub use workload::{BadTarget, TargetArg, WorkloadRef};
