//! A watch that times every scale to zero in the same way, whoever wrote it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::{Mutex, Notify};

use crate::TestNamespace;

/// The time at which each Deployment of a namespace was first observed at 0 replicas.
#[derive(Clone, Default)]
pub struct ScaledToZero {
    seen: Arc<Mutex<HashMap<String, Instant>>>,
    news: Arc<Notify>,
}

impl ScaledToZero {
    /// Starts the watch.
    pub fn watch(ns: &TestNamespace) -> Self {
        let scaled_to_zero = Self::default();
        let (mine, api) = (scaled_to_zero.clone(), ns.api::<Deployment>());
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
        scaled_to_zero
    }

    /// Waits until the named Deployment is at 0 replicas and returns the time it was observed.
    ///
    /// # Panics
    /// When no Deployment is scaled to zero for 30 s.
    pub async fn wait_for(&self, name: &str) -> Instant {
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
