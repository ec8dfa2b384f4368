//! Takes part in a leader election and prints each change. SIGINT ends it and releases the Lease.
//!
//! ```text
//! cargo run -p breaker-kube --example leader -- NAMESPACE IDENTITY
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use breaker_core::Clock;
use breaker_core::jiff::{SignedDuration, Timestamp};
use breaker_kube::lease::{Election, Leadership, LeaseParams};
use breaker_kube::{ConnectOptions, KubeClient};
use tokio::sync::watch;

/// Dates the Lease. An election needs no other time.
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
    let (Some(namespace), Some(identity)) = (args.next(), args.next()) else {
        return Err("usage: leader NAMESPACE IDENTITY".into());
    };
    let client =
        KubeClient::connect(ConnectOptions::default(), Arc::new(SystemClock(Instant::now()))).await?;
    let params = LeaseParams::new(namespace, "example", identity);
    let (sender, mut leadership) = watch::channel(Leadership::Following(None));
    let election = Election::new(&client, params).run(&sender, async {
        let _ = tokio::signal::ctrl_c().await;
    });
    let print = async {
        while leadership.changed().await.is_ok() {
            match &*leadership.borrow_and_update() {
                Leadership::Leading => println!("leading"),
                Leadership::Following(Some(holder)) => println!("{holder} leads"),
                Leadership::Following(None) => println!("nobody leads"),
                Leadership::Unknown(why) => println!("unknown: {why}"),
            }
        }
    };
    tokio::select! {
        () = election => {}
        () = print => {}
    }
    Ok(())
}
