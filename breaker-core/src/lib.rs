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
//!       counts or a person             write acknowledged
//!   Closed ─────────────────▶ Tripping ────────────────▶ Open ◀────────┐
//!     ▲                                                   │ │          │ counted restart
//!     ├──────────────── reset: restore ◀──────────────────┘ │ cooldown │
//!     └──── survived: restore ◀──────────────────────── HalfOpen ──────┘
//! ```
//!
//! - A [`Termination`] describes one ended container instance. The [`Classifier`] turns it into a
//!   [`Verdict`], which names the cause and quotes the evidence. The rules are data.
//! - The [`ledger`] counts each restart once, also if it is reported repeatedly,
//!   late or out of order.
//! - A [`Policy`] sets which restarts count and how many are tolerated.
//! - The [`Breaker`] is the state machine: an equal breaker, input and instant give equal
//!   [`Action`](action::Action)s. Its [`Record`] survives a crash and is stored before each change
//!   of the cluster.
//! - [`Hooks`](webhook::Hooks) name the webhook that is called before a trip and the receivers of
//!   notifications. A [`WebhookClient`](webhook::WebhookClient) calls them.
//! - A [`Guard`](guard::Guard) watches a whole fleet and holds its trips while most of it fails.
//! - The [`Supervisor`] drives one breaker over any [`ClusterClient`].
//! - The feature `sim` adds an in-memory cluster with a scripted clock and faults.
//!
//! This crate opens no connection, reads no clock, does not sleep and needs no runtime. Time comes
//! from the [`Clock`] that is passed in, and every effect leaves as an [`Action`](action::Action).
//! `breaker-kube` has the connections, kubeconfigs and RBAC; `watcher` has the terminal output and
//! the exit codes.
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
//! let dependencies = Dependencies {
//!     client: Arc::new(sim.clone()),
//!     clock: Arc::new(sim.clone()),
//!     classifier: Arc::new(Classifier::default()),
//!     webhooks: None,
//! };
//! let end = sim.run(async {
//!     let target = sim.target().clone();
//!     let options = SupervisorOptions::default();
//!     let mut supervisor = Supervisor::start(dependencies, Policy::default(), target, options).await?;
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
mod clock_steps;
pub mod cluster;
mod counts;
pub mod event;
pub mod evidence;
pub mod guard;
pub mod ledger;
mod notification;
mod observer;
pub mod pod;
mod pod_cache;
pub mod policy;
pub mod printable;
pub mod record;
mod restart_event;
#[cfg(feature = "sim")]
pub mod sim;
pub mod snapshot;
pub mod state;
pub mod supervisor;
mod termination;
pub mod text;
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
