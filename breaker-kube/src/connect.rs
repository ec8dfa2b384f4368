//! From kubectl's own flags to a client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use breaker_core::Clock;
use breaker_core::cluster::BoxError;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::KubeClient;
use crate::request_layer::ObserveLayer;
use crate::request_metrics::RequestCounter;
use crate::watch::SERVER_TIMEOUT;
use crate::watch_liveness::WatchLiveness;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection on which an answer is awaited and nothing comes for so long has lost its other end, and a request that
/// waits on it would wait for ever. The longest silence of a live one is that of a watch.
const READ_TIMEOUT: Duration = Duration::from_secs(SERVER_TIMEOUT as u64 + 10);

/// Which cluster, as kubectl's flags say it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--kubeconfig`; else `KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`; else the current one.
    pub context: Option<String>,
}

/// There is no way to a cluster. Nothing has been asked of the API server yet.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// `--kubeconfig` names a file that cannot be read, or that is no kubeconfig.
    #[error("kubeconfig {path} cannot be used; check --kubeconfig and KUBECONFIG")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// The kubeconfig does not have this context, or lacks its cluster or user.
    #[error("context {context} cannot be used; `kubectl config get-contexts` lists those there are")]
    Context {
        /// The context, `(current)` when none was given.
        context: String,
        /// What is missing.
        #[source]
        source: BoxError,
    },
    /// Neither a kubeconfig nor a service account was found.
    #[error("no cluster is configured; give --kubeconfig, set KUBECONFIG, or run in a pod")]
    Nothing(#[source] BoxError),
    /// Certificates or credentials of the configuration cannot be used.
    #[error("the cluster's certificates or credentials cannot be used")]
    Credentials(#[source] BoxError),
}

impl KubeClient {
    /// A client for the cluster that the options name. Sends nothing yet.
    ///
    /// # Errors
    /// [`ConnectError`] says what is wrong with the configuration.
    pub async fn connect(options: Options, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        let mut config = configuration(&options).await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        config.reset_reader_on_write = true;
        // Whether and when to try again is the breaker's to decide.
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        let (pulses, tally) = (WatchLiveness::default(), RequestCounter::default());
        let builder =
            ClientBuilder::try_from(config).map_err(|error| ConnectError::Credentials(error.into()))?;
        let builder =
            builder.with_layer(&ObserveLayer(tally.clone())).with_layer(&ObserveLayer(pulses.clone()));
        let client: Client = builder.build();
        Ok(Self::new(client, namespace, clock, pulses, tally))
    }
}

async fn configuration(options: &Options) -> Result<Config, ConnectError> {
    let chosen = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let context = || options.context.clone().unwrap_or_else(|| "(current)".into());
    if let Some(path) = &options.kubeconfig {
        let read = Kubeconfig::read_from(path)
            .map_err(|source| ConnectError::Kubeconfig { path: path.clone(), source: source.into() })?;
        return Config::from_custom_kubeconfig(read, &chosen)
            .await
            .map_err(|source| ConnectError::Context { context: context(), source: source.into() });
    }
    match Config::from_kubeconfig(&chosen).await {
        Ok(config) => Ok(config),
        Err(KubeconfigError::ReadConfig(source, path)) if std::env::var_os("KUBECONFIG").is_some() => {
            Err(ConnectError::Kubeconfig { path, source: source.into() })
        }
        // No file at all: perhaps this is a pod.
        Err(KubeconfigError::FindPath | KubeconfigError::ReadConfig(..)) if options.context.is_none() => {
            Config::incluster().map_err(|error| ConnectError::Nothing(error.into()))
        }
        Err(source) => Err(ConnectError::Context { context: context(), source: source.into() }),
    }
}
