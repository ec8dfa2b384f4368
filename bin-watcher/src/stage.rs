//! A stage for the tests: the in-memory cluster, its clock, and what was told.

use std::io::Write;
use std::sync::{Arc, Mutex};

use breaker_core::sim::Sim;
use breaker_core::supervisor::Dependencies;
use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, OnFailure};
use breaker_core::{Classifier, WorkloadRef};
use jiff::SignedDuration;

use crate::args::ClusterArgs;
use crate::narrator::Narrator;
use crate::output::{Format, Teller};

pub(crate) struct Stage {
    pub(crate) sim: Sim,
    told: Told,
    hooks: Hooks,
    /// Signals are listened to on it; time is the cluster's own.
    runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Stage {
    pub(crate) fn new(replicas: u32) -> Self {
        let target = WorkloadRef::deployment("sre", "swype-app");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { sim: Sim::new(target, replicas), told: Told::default(), hooks: Hooks::default(), runtime }
    }

    pub(crate) fn target(&self) -> WorkloadRef {
        self.sim.target().clone()
    }

    pub(crate) fn parts(&self) -> Dependencies {
        Dependencies {
            client: Arc::new(self.sim.clone()),
            clock: Arc::new(self.sim.clone()),
            classifier: Arc::new(Classifier::default()),
            messenger: Some(Arc::new(self.sim.clone())),
            heartbeat: Some(SignedDuration::from_mins(1)),
        }
    }

    pub(crate) fn hooks(&self) -> Hooks {
        self.hooks.clone()
    }

    pub(crate) fn with_hook(mut self) -> Self {
        self.hooks.before_trip = Some(BeforeTrip {
            to: Endpoint::new("https://rollback.example.org"),
            timeout: SignedDuration::from_secs(10),
            on_failure: OnFailure::Proceed,
        });
        self
    }

    pub(crate) fn narrator(&self) -> Narrator {
        let teller = Teller::new(Format::Text, Box::new(self.told.clone()) as Box<dyn Write + Send>);
        Narrator::to(teller, Arc::new(self.sim.clone()), &ClusterArgs::default(), &self.target())
    }

    pub(crate) fn told(&self) -> String {
        String::from_utf8(self.told.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn play<T>(&self, scene: impl Future<Output = T>) -> T {
        let _entered = self.runtime.enter();
        self.sim.run(scene).expect("the scene has an end")
    }
}
