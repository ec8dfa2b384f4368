//! [`Fleet`]: runs every CircuitBreaker of a scope.

use std::sync::Arc;

use breaker_core::ClusterError;
use kube::Api;
use kube::api::ListParams;

use super::breaker_watch::BreakerWatch;
use super::error::FleetError;
use super::observer::FleetObserver;
use super::options::FleetOptions;
use super::partial_breaker::PartialBreaker;
use super::reconciler::Reconciler;
use super::shared::Shared;
use crate::client::KubeClient;
use crate::crd::CRD_NAME;
use crate::request::ApiRequest;
use crate::shared_watch::SharedPodWatch;
use crate::watch_health::WatchHealth;

/// Runs every CircuitBreaker of a scope.
pub struct Fleet {
    kube: KubeClient,
    pods: SharedPodWatch,
    breakers: BreakerWatch,
    options: FleetOptions,
    observer: Arc<dyn FleetObserver>,
}

impl Fleet {
    /// A fleet that sends no request before [`Fleet::run`].
    pub fn new(kube: KubeClient, options: FleetOptions, observer: Arc<dyn FleetObserver>) -> Self {
        let pods = SharedPodWatch::new(kube.clone(), options.namespace.clone());
        let breakers = BreakerWatch::new(kube.clone(), options.namespace.clone());
        Self { kube, pods, breakers, options, observer }
    }

    /// Checks that the API server serves CircuitBreakers and that they may be listed.
    ///
    /// # Errors
    /// [`ClusterError::NotFound`] when the CustomResourceDefinition is not installed,
    /// [`ClusterError::Forbidden`] when the CircuitBreakers may not be listed; else as for every
    /// call.
    pub async fn check(&self) -> Result<(), ClusterError> {
        let namespace = &self.options.namespace;
        let client = self.kube.client.clone();
        let api: Api<PartialBreaker> = match namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        };
        let request = ApiRequest {
            action: "listing CircuitBreakers".into(),
            verb: "list",
            resource: "circuitbreakers.bigredbutton.dev".into(),
            namespace: namespace.clone().unwrap_or_else(|| "(all)".into()),
            object: CRD_NAME.into(),
        };
        let listed = request.send_if_served(api.list(&ListParams::default().limit(1))).await?;
        listed.map(drop).ok_or_else(|| ClusterError::NotFound(CRD_NAME.into()))
    }

    /// The pod watch: when it last had a sign of life, and why it does not work.
    pub fn pod_watch(&self) -> WatchHealth {
        self.pods.health()
    }

    /// The watch of the CircuitBreakers: when it last had a sign of life, and why it does not work.
    pub fn breaker_watch(&self) -> WatchHealth {
        self.breakers.health()
    }

    /// Watches and acts; does not return without an error. It may run again after it ended or was
    /// dropped, but not twice at the same time. Dropped, it stops at once, and the next controller
    /// resumes each trip that had started.
    ///
    /// # Errors
    /// [`FleetError`] for what a later attempt would not cure.
    pub async fn run(&self) -> Result<(), FleetError> {
        self.pods.reset();
        let shared =
            Shared::new(self.kube.clone(), self.pods.clone(), self.options.clone(), self.observer.clone());
        Reconciler::new(Arc::new(shared)).run(&self.breakers).await
    }
}
