//! One candidate for a Lease: prints its leadership at each change, one line each, until SIGTERM.
//!
//! Usage: `candidate NAMESPACE IDENTITY`, with `KUBECONFIG`.

use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::Clock;
use breaker_kube::lease::{Election, Leadership, LeaseParams};
use breaker_kube::{ConnectOptions, KubeClient};
use jiff::{SignedDuration, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A clock that is slow by one hour for each letter of the identity: a candidate must not rely on
/// the clocks of others.
struct WrongClock {
    slow_by: SignedDuration,
}

#[async_trait]
impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() - self.slow_by
    }

    fn elapsed(&self) -> SignedDuration {
        SignedDuration::ZERO
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1);
    let (namespace, identity) = (args.next().expect("a namespace"), args.next().expect("an identity"));
    let hours = i64::try_from(identity.len()).unwrap_or_default();
    let clock = Arc::new(WrongClock { slow_by: SignedDuration::from_hours(hours) });
    let client = KubeClient::connect(ConnectOptions::default(), clock).await.expect("a client");
    let (tell, mut standing) = watch::channel(Leadership::Following(None));
    let mut asked_to_go = signal(SignalKind::terminate()).expect("a handler");
    let election = Election::new(&client, LeaseParams::new(&namespace, "controller", &identity));
    let run = election.run(&tell, async {
        asked_to_go.recv().await;
    });
    let print = async {
        while standing.changed().await.is_ok() {
            match &*standing.borrow_and_update() {
                Leadership::Leading => println!("leading"),
                Leadership::Following(holder) => {
                    println!("following {}", holder.as_deref().unwrap_or("nobody"))
                }
                Leadership::Unknown(why) => println!("unknown {why}"),
            }
        }
    };
    tokio::select! {
        () = run => {}
        () = print => {}
    }
}
