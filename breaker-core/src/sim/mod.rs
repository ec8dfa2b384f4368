//! An in-memory cluster with a scripted clock; the demo and the tests run on it.
//!
//! ```text
//! Sim::run(future)     polls the future; when it waits, time jumps to what happens next
//!   world              the script, and the state of everything
//!     workload         its scale and its Record, which is stored beside it
//!     kubelet          its pods, with the real back-off
//!     news             what the watches show of the pods, and when
//!   client, clock      ClusterClient, WebhookClient and Clock on the world
//!   faults             what goes wrong with a call
//!   journal            what really happened, for an auditor
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
mod clock;
mod executor;
mod faults;
mod health;
mod journal;
mod kubelet;
mod news;
mod pod;
mod storage;
mod watches;
mod workload;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};

pub use self::faults::{Call, Fault};
pub use self::health::Health;
pub use self::journal::{Change, ChangeKind};
pub use self::pod::Oddity;
pub use self::storage::Backup;
pub use self::world::World;
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

    /// The scripted clock, which is the clock of the cluster.
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
