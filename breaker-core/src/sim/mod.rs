//! An in-memory cluster with a scripted clock; the demo and the tests run on it.
//!
//! ```text
//! Sim::run(future)     polls the future; when it waits, time jumps to what happens next
//!   world              one workload, its pods, a small kubelet with the real back-off
//!   client             ClusterClient and Clock on the world, with faults
//! ```
//!
//! ```
//! use breaker_core::sim::{Health, Sim};
//! use breaker_core::{ClusterClient, WorkloadRef};
//!
//! let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
//! sim.after_secs(60, |world| world.set_health(Health::dies("connect: connection refused")));
//! let scale = sim.run(async { sim.read_scale(sim.target()).await }).unwrap().unwrap();
//! assert_eq!(scale.replicas, 1);
//! ```

mod client;
mod executor;
mod faults;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};

pub use self::faults::{Call, Fault};
pub use self::world::{Health, World};
use crate::WorkloadRef;

/// A handle on the in-memory cluster; clones share it.
#[derive(Clone)]
pub struct Sim {
    world: Arc<Mutex<World>>,
    target: WorkloadRef,
}

impl Sim {
    /// A cluster with one healthy workload of `replicas` pods, at an arbitrary fixed instant.
    pub fn new(target: WorkloadRef, replicas: u32) -> Self {
        let world = World::new(target.clone(), replicas);
        Self { world: Arc::new(Mutex::new(world)), target }
    }

    /// The workload.
    pub fn target(&self) -> &WorkloadRef {
        &self.target
    }

    /// The scripted clock.
    pub fn now(&self) -> Timestamp {
        self.world().now()
    }

    /// Calls `look` with the world, to read or to change it now.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world())
    }

    /// Calls `happens` with the world after `secs` seconds.
    pub fn after_secs(&self, secs: i64, happens: impl FnOnce(&mut World) + Send + 'static) {
        let at = self.now() + SignedDuration::from_secs(secs);
        self.world().at(at, happens);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
