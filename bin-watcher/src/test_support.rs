//! A fixture for the tests: the in-memory cluster, its clock, and the output.

use std::io::Write;
use std::sync::{Arc, Mutex};

use breaker_core::sim::Sim;
use breaker_core::supervisor::Dependencies;
use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, OnFailure};
use breaker_core::{Classifier, WorkloadRef};
use jiff::SignedDuration;

use crate::cli::cluster_args::ClusterArgs;
use crate::cli::format::LineFormat;
use crate::output::event::EventWriter;
use crate::workload::narrator::Narrator;

pub(crate) struct Fixture {
    pub(crate) sim: Sim,
    output: SharedBuffer,
    hooks: Hooks,
    /// Signals need it. Time is the cluster's own.
    runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Fixture {
    pub(crate) fn new(replicas: u32) -> Self {
        let target = WorkloadRef::deployment("sre", "swype-app");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            sim: Sim::new(target, replicas),
            output: SharedBuffer::default(),
            hooks: Hooks::default(),
            runtime,
        }
    }

    pub(crate) fn target(&self) -> WorkloadRef {
        self.sim.target().clone()
    }

    pub(crate) fn parts(&self) -> Dependencies {
        Dependencies {
            client: Arc::new(self.sim.clone()),
            clock: Arc::new(self.sim.clone()),
            classifier: Arc::new(Classifier::default()),
            webhooks: Some(Arc::new(self.sim.clone())),
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
        let writer =
            EventWriter::new(LineFormat::Text, Box::new(self.output.clone()) as Box<dyn Write + Send>);
        Narrator::with_writer(writer, Arc::new(self.sim.clone()), &ClusterArgs::default(), &self.target())
    }

    pub(crate) fn output(&self) -> String {
        String::from_utf8(self.output.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let _entered = self.runtime.enter();
        self.sim.run(future).expect("the future ends")
    }
}
