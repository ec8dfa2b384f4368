//! Who scaled a Deployment to zero is seen by a third party, so that all are timed alike.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::{Mutex, Notify};

use crate::Space;

/// When each Deployment of a namespace was seen at 0 replicas.
#[derive(Clone, Default)]
pub struct Zeroes {
    seen: Arc<Mutex<HashMap<String, Instant>>>,
    news: Arc<Notify>,
}

impl Zeroes {
    /// Watches from now on.
    pub fn watch(space: &Space) -> Self {
        let zeroes = Self::default();
        let (mine, api) = (zeroes.clone(), space.api::<Deployment>());
        tokio::spawn(async move {
            let mut news =
                watcher(api, watcher::Config::default()).default_backoff().applied_objects().boxed();
            while let Ok(Some(deployment)) = news.try_next().await {
                let at = Instant::now();
                if deployment.spec.as_ref().and_then(|spec| spec.replicas) == Some(0) {
                    let name = deployment.metadata.name.unwrap_or_default();
                    mine.seen.lock().await.entry(name).or_insert(at);
                    mine.news.notify_waiters();
                }
            }
        });
        zeroes
    }

    /// Waits for the named Deployment.
    ///
    /// # Panics
    /// When nothing is scaled to zero for 30 s.
    pub async fn of(&self, name: &str) -> Instant {
        loop {
            let news = self.news.notified();
            if let Some(at) = self.seen.lock().await.get(name) {
                return *at;
            }
            let news = tokio::time::timeout(Duration::from_secs(30), news).await;
            news.unwrap_or_else(|_| panic!("{name} is not scaled to zero within 30 s"));
        }
    }
}
