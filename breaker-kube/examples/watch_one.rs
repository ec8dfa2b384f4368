//! Watches one Deployment and prints what the breaker sees. It scales nothing.
//!
//! ```text
//! cargo run -p breaker-kube --example watch_one -- NAMESPACE DEPLOYMENT
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use breaker_core::jiff::{SignedDuration, Timestamp};
use breaker_core::policy::Mode;
use breaker_core::supervisor::{Dependencies, RunUntil, SupervisorOptions};
use breaker_core::{BreakerEvent, Classifier, Clock, Policy, Supervisor, WorkloadRef};
use breaker_kube::{ConnectOptions, KubeClient};
use futures::StreamExt;

struct SystemClock(Instant);

#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> SignedDuration {
        self.0.elapsed().try_into().unwrap_or(SignedDuration::MAX)
    }

    async fn sleep_until(&self, until: Timestamp) {
        let wait = until.duration_since(Timestamp::now());
        tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(namespace), Some(name)) = (args.next(), args.next()) else {
        return Err("usage: watch_one NAMESPACE DEPLOYMENT".into());
    };
    let clock = Arc::new(SystemClock(Instant::now()));
    let client = KubeClient::connect(ConnectOptions::default(), Arc::clone(&clock) as _).await?;
    let dependencies = Dependencies {
        client: Arc::new(client),
        clock,
        classifier: Arc::new(Classifier::default()),
        webhooks: None,
    };
    let policy = Policy { mode: Mode::Observe, ..Policy::default() };
    let options = SupervisorOptions {
        dry_run: true,
        heartbeat: Some(SignedDuration::from_secs(60)),
        ..SupervisorOptions::default()
    };
    let target = WorkloadRef::deployment(&namespace, &name);
    let mut supervisor = Supervisor::start(dependencies, policy, target, options).await?;
    let no_commands = futures::stream::pending().boxed();
    let mut print = |at: Timestamp, event: &BreakerEvent| println!("{at} {event}");
    supervisor.run(no_commands, RunUntil::Forever, &mut print).await?;
    Ok(())
}
