//! One pod watch for a whole fleet, fanned out by selector.
//!
//! ```text
//! pod watch ──▶ SharedPodWatch ──┬──▶ breaker of app=a
//! (of a scope)                   └──▶ breaker of app=b
//! ```
//!
//! Each breaker receives the events of its own pods, as from a watch of its own. Pods are not kept
//! here: a breaker keeps the facts about its pods, and the shared watch only which subscribers know
//! a pod. Breakers that subscribe before the first listing share that listing. A breaker that
//! subscribes later lists its own pods once.

mod fan_out;
mod namespace_index;
mod watch;

pub(crate) use self::watch::SharedPodWatch;
