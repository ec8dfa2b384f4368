//! `watcher controller` on a real API server, with simulated kubelets.
#![allow(missing_docs)]

mod autoscalers;
mod controllers;
mod fixture;
mod hooks;
mod outages;
#[path = "../../../bin-watcher/tests/receiver/mod.rs"]
mod receiver;
mod targets;
mod trips;
