//! The cost of an idle fleet.

use std::time::{Duration, Instant};

use bigredbutton_tests::{Cluster, Usage};

use super::plan::Plan;
use super::process::Process;
use super::requests::Requests;

/// The measurements of one fleet size.
pub(crate) struct Idle {
    pods: usize,
    ready_after: Duration,
    time: Duration,
    controller: (Usage, Usage),
    bare: (Usage, Usage),
    /// All requests to the API server during the measurement.
    pub(crate) requests: Requests,
}

impl Idle {
    /// Measures before and after the idle time of the plan.
    pub(crate) async fn measure(
        cluster: &Cluster,
        plan: &Plan,
        pods: usize,
        ready_after: Duration,
        controller: &Process,
        bare: &Process,
    ) -> Self {
        let asked = Requests::now(cluster);
        let (began, before) = (Instant::now(), (controller.usage(), bare.usage()));
        tokio::time::sleep(plan.idle).await;
        let (time, after) = (began.elapsed(), (controller.usage(), bare.usage()));
        Self {
            pods,
            ready_after,
            time,
            controller: (before.0, after.0),
            bare: (before.1, after.1),
            requests: Requests::now(cluster).since(&asked),
        }
    }

    /// Peak memory of the controller since its start, in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        mib(self.controller.1.peak)
    }

    /// CPU of the controller, in percent of a core.
    pub(crate) fn cpu_percent(&self) -> f64 {
        self.share(&self.controller)
    }

    /// Peak memory relative to the baseline's.
    pub(crate) fn ratio(&self) -> f64 {
        self.peak_mib() / mib(self.bare.1.peak)
    }

    fn share(&self, (before, after): &(Usage, Usage)) -> f64 {
        100.0 * (after.cpu - before.cpu).as_secs_f64() / self.time.as_secs_f64()
    }
}

/// Prints all sizes and returns the last one.
pub(crate) fn table(steps: &[Idle]) -> &Idle {
    println!(
        "{:>8}  {:<12}{:>10}{:>12}{:>8}{:>12}",
        "pods", "", "peak MiB", "steady MiB", "CPU %", "ready after"
    );
    for step in steps {
        for (name, usage) in [("controller", &step.controller), ("bare loop", &step.bare)] {
            let (peak, steady, cpu) = (mib(usage.1.peak), mib(usage.1.resident), step.share(usage));
            let ready = match name {
                "controller" => format!("{:.1} s", step.ready_after.as_secs_f64()),
                _ => String::new(),
            };
            println!("{:>8}  {name:<12}{peak:>10.1}{steady:>12.1}{cpu:>8.2}{ready:>12}", step.pods);
        }
    }
    steps.last().expect("a step")
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
