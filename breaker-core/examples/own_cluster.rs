//! A cluster of one's own: the breaker over a [`ClusterClient`] that keeps everything in memory.
//!
//! `cargo run --example own_cluster` starts a breaker on a target without pods and resets it.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use breaker_core::action::Command;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
use breaker_core::jiff::{SignedDuration, Timestamp};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::supervisor::{Dependencies, RunUntil, SupervisorOptions};
use breaker_core::{
    BreakerEvent, Classifier, Clock, ClusterClient, ClusterError, Policy, Record, Supervisor, WorkloadRef,
};
use futures::stream::{BoxStream, StreamExt};

struct EmptyCluster;

fn scale(replicas: u32) -> Scale {
    Scale { uid: "u1".into(), resource_version: "1".into(), replicas, selector: "app=shop".into() }
}

#[async_trait]
impl ClusterClient for EmptyCluster {
    fn watch_pods(&self, _namespace: &str, _selector: &str) -> BoxStream<'static, PodWatchEvent> {
        let listed = PodWatchEvent::Listed { pods: Vec::new(), asked_at: Timestamp::UNIX_EPOCH };
        futures::stream::iter([listed]).chain(futures::stream::pending()).boxed()
    }

    async fn list_pods(&self, _namespace: &str, _selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        Ok(Vec::new())
    }

    async fn read_scale(&self, _target: &WorkloadRef) -> Result<Scale, ClusterError> {
        Ok(scale(2))
    }

    async fn write_scale(
        &self,
        _: &WorkloadRef,
        _seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        Ok(scale(replicas))
    }

    async fn scaled_by(&self, _target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        Ok(None)
    }

    async fn log_tail(&self, _request: &LogTailRequest) -> Result<LogTail, ClusterError> {
        Ok(LogTail::Gone)
    }

    async fn pod_events(&self, _namespace: &str, _pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        Ok(Vec::new())
    }

    async fn load_record(&self, _target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        Ok(None)
    }

    async fn save_record(
        &self,
        _target: &WorkloadRef,
        _record: &Record,
        _over: Option<String>,
    ) -> Result<String, ClusterError> {
        Ok("1".into())
    }

    async fn publish(&self, _target: &WorkloadRef, _event: &KubernetesEvent) -> Result<(), ClusterError> {
        Ok(())
    }
}

/// The system's clock, without a runtime: nothing here waits for a later time.
struct SystemClock(std::time::Instant);

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanosecond(
            std::time::UNIX_EPOCH
                .elapsed()
                .map_or(0, |passed| i128::try_from(passed.as_nanos()).unwrap_or(0)),
        )
        .unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> SignedDuration {
        self.0.elapsed().try_into().unwrap_or(SignedDuration::MAX)
    }

    async fn sleep_until(&self, _until: Timestamp) {
        futures::future::pending().await
    }
}

fn main() -> Result<(), ClusterError> {
    let dependencies = Dependencies {
        client: Arc::new(EmptyCluster),
        clock: Arc::new(SystemClock(std::time::Instant::now())),
        classifier: Arc::new(Classifier::default()),
        webhooks: None,
    };
    let target = WorkloadRef::deployment("default", "shop");
    let mut print = |at: Timestamp, event: &BreakerEvent| println!("{at:.0} {event}");
    let mut run = std::pin::pin!(async {
        let options = SupervisorOptions::default();
        let mut supervisor = Supervisor::start(dependencies, Policy::default(), target, options).await?;
        let reset = futures::stream::iter([Command::Reset]).chain(futures::stream::pending()).boxed();
        let end = supervisor.run(reset, RunUntil::Settled, &mut print).await?;
        println!("{end:?}");
        Ok(())
    });
    // A program has a runtime; nothing here waits.
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = run.as_mut().poll(&mut context) {
            return done;
        }
    }
}
