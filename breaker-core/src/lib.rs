//! Decides when a workload that keeps dying should be stopped, and why it died.
//!
//! ```text
//!  pods ──▶ Ledger ──▶ terminations ──▶ evidence ──▶ Classifier ──▶ Verdict ─┐
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
//! - The [`Ledger`](ledger::Ledger) counts each restart once, however often, late or out of order it is reported.
//! - A [`Policy`] says which restarts count and how many are too many.
//! - The [`Breaker`] is the state machine: an equal breaker, input and instant give equal [`Action`](action::Action)s. What must
//!   survive a crash is its [`Record`], stored before each act.
//! - [`Hooks`](webhook::Hooks) say who is asked before a trip and who is told; a [`WebhookClient`](webhook::WebhookClient) is the way to them. A [`Guard`](guard::Guard)
//!   watches a whole fleet and holds its trips while most of it fails.
//! - The [`Supervisor`] drives one breaker over any [`ClusterClient`]; it is the only caller of that door.
//! - `sim` (feature) is an in-memory cluster with a scripted clock and faults.
//!
//! Nothing here talks to a cluster, reads a clock, sleeps or needs a runtime: time is the [`Clock`] that is
//! passed in, and every wish leaves as an [`Action`](action::Action). Sockets, kubeconfigs and RBAC live in `breaker-kube`,
//! words on a terminal and exit codes in `watcher`.
//!
//! ```
//! # #[cfg(feature = "sim")] {
//! use std::sync::Arc;
//!
//! use breaker_core::sim::{Health, Sim};
//! use breaker_core::supervisor::{Dependencies, RunUntil, StopReason, SupervisorOptions};
//! use breaker_core::{BreakerEvent, Classifier, Policy, Supervisor, WorkloadRef};
//! use breaker_core::jiff::Timestamp;
//! use futures::StreamExt;
//!
//! let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 2);
//! sim.after_secs(60, |world| world.set_health(Health::dies("connect: connection refused")));
//! let parts = Dependencies {
//!     client: Arc::new(sim.clone()),
//!     clock: Arc::new(sim.clone()),
//!     classifier: Arc::new(Classifier::default()),
//!     webhooks: None,
//! };
//! let end = sim.run(async {
//!     let mut supervisor = Supervisor::start(parts, Policy::default(), sim.target().clone(), SupervisorOptions::default()).await?;
//!     let mut print = |at: Timestamp, event: &BreakerEvent| println!("{at} {event}");
//!     let no_commands = futures::stream::pending().boxed();
//!     supervisor.run(no_commands, RunUntil::Tripped, &mut print).await
//! });
//! assert!(matches!(end, Some(Ok(StopReason::Tripped { .. }))));
//! assert_eq!(sim.with(|world| world.replicas()), 0);
//! # }
//! ```

pub mod action;
pub mod backoff;
pub mod breaker;
pub mod classify;
mod clock;
pub mod cluster;
pub mod event;
pub mod evidence;
pub mod guard;
pub mod ledger;
mod notification;
mod observer;
pub mod pod;
mod pod_cache;
pub mod policy;
pub mod record;
mod restart_event;
#[cfg(feature = "sim")]
pub mod sim;
pub mod snapshot;
pub mod state;
pub mod supervisor;
mod termination;
mod text;
pub mod verdict;
pub mod webhook;
pub mod workload;

pub use jiff;

pub use self::breaker::Breaker;
pub use self::classify::Classifier;
pub use self::clock::Clock;
pub use self::cluster::{ClusterClient, ClusterError};
pub use self::event::BreakerEvent;
pub use self::policy::Policy;
pub use self::record::Record;
pub use self::snapshot::Snapshot;
pub use self::supervisor::Supervisor;
pub use self::termination::Termination;
pub use self::verdict::{Cause, Verdict};
pub use self::workload::WorkloadRef;
