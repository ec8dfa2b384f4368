//! How a [`KubeClient`] is made: from kubectl's flags, from a configuration, or from a service.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use breaker_core::Clock;
use breaker_core::cluster::BoxError;
use kube::client::AuthError;
use kube::client::ClientBuilder;
use kube::config::{ExecConfig, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::client::KubeClient;
use crate::proxies::{Proxies, UnusableProxy, proxy_url};
use crate::request_layer::ObserveLayer;
use crate::request_metrics::RequestCounter;
use crate::watch::SERVER_TIMEOUT;
use crate::watch_liveness::WatchLiveness;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may be silent before it counts as broken. A watch is silent for up to
/// [`SERVER_TIMEOUT`]; every other answer comes sooner.
const READ_TIMEOUT: Duration = Duration::from_secs(SERVER_TIMEOUT as u64 + 10);

/// Which cluster to connect to, as kubectl's flags select it.
///
/// ```
/// use breaker_kube::ConnectOptions;
///
/// let mut options = ConnectOptions::default();
/// options.context = Some("staging".into());
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The kubeconfig file. Default: `KUBECONFIG`, else `~/.kube/config`, else the service account
    /// of the pod.
    pub kubeconfig: Option<PathBuf>,
    /// The context. Default: the current one of the kubeconfig.
    pub context: Option<String>,
    /// The proxies of a cluster without `proxy-url` in its kubeconfig. Default: those of the
    /// environment.
    pub proxies: Proxies,
}

impl ConnectOptions {
    /// Options with this kubeconfig file and context, each with its default when `None`.
    pub fn new(kubeconfig: Option<PathBuf>, context: Option<String>) -> Self {
        Self { kubeconfig, context, proxies: Proxies::from_env() }
    }
}

/// The configuration of a cluster cannot be used. No request was sent to an API server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The kubeconfig file cannot be read or is not valid.
    #[error("kubeconfig {path} cannot be used; check its path and KUBECONFIG")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// The kubeconfig does not have this context, or lacks the cluster or user of the context.
    #[error("context {context} cannot be used; `kubectl config get-contexts` lists the contexts")]
    Context {
        /// The context, `(current)` when none was given.
        context: String,
        /// What is missing.
        #[source]
        source: BoxError,
    },
    /// Neither a kubeconfig nor a service account was found.
    #[error("no cluster is configured; give a kubeconfig file, set KUBECONFIG, or run in a pod")]
    NotConfigured(#[source] BoxError),
    /// The proxy of the cluster cannot be used.
    #[error(transparent)]
    Proxy(#[from] UnusableProxy),
    /// The program that gets the credentials cannot be run.
    #[error("the credential plugin {command} of the kubeconfig cannot be run; {hint}")]
    CredentialPlugin {
        /// The program.
        command: String,
        /// How to install it.
        hint: String,
        /// Why it cannot be run.
        #[source]
        source: BoxError,
    },
    /// The certificates or credentials of the configuration cannot be used.
    #[error("the cluster's certificates or credentials cannot be used")]
    Credentials(#[source] BoxError),
}

impl KubeClient {
    /// A client for the cluster that `options` select. Sends no request. `clock` dates the Events
    /// that the client publishes.
    ///
    /// # Errors
    /// [`ConnectError`] when the configuration cannot be used.
    pub async fn connect(options: ConnectOptions, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        Self::from_config(load_config(&options).await?, clock)
    }

    /// A client for the cluster of `config`. Sends no request. Overwrites the configuration's
    /// timeouts and its retries: watches need these timeouts, and [`breaker_core`] decides about
    /// retries.
    ///
    /// # Errors
    /// [`ConnectError::Credentials`] when certificates or credentials cannot be used.
    pub fn from_config(mut config: Config, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        config.reset_reader_on_write = true;
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        let plugin = config.auth_info.exec.clone();
        // In a pod kube takes the name of the Service; some clouds give pods another one.
        let named = std::env::var("KUBERNETES_SERVICE_HOST").ok().filter(|host| !host.is_empty());
        let api_server_hosts =
            config.cluster_url.host().map(str::to_owned).into_iter().chain(named).collect();
        let (watch_liveness, requests) = (WatchLiveness::default(), RequestCounter::default());
        let client = ClientBuilder::try_from(config)
            .map_err(|error| not_built(error, plugin))?
            .with_layer(&ObserveLayer(requests.clone()))
            .with_layer(&ObserveLayer(watch_liveness.clone()))
            .build();
        Ok(Self {
            client,
            clock,
            watch_liveness,
            kinds: Arc::default(),
            peers: Arc::default(),
            requests,
            namespace,
            api_server_hosts,
        })
    }

    /// A client on an existing [`kube::Client`], for example on a test's service.
    ///
    /// [`request_metrics`](Self::request_metrics) stay empty, and a watch without events reports no
    /// sign of life: both need layers that only [`from_config`](Self::from_config) adds.
    pub fn from_client(client: Client, clock: Arc<dyn Clock>) -> Self {
        let namespace = client.default_namespace().to_owned();
        Self {
            client,
            clock,
            watch_liveness: WatchLiveness::default(),
            kinds: Arc::default(),
            peers: Arc::default(),
            requests: RequestCounter::default(),
            namespace,
            api_server_hosts: Vec::new(),
        }
    }
}

/// Why no client can be built of a configuration with this credential plugin.
fn not_built(error: kube::Error, plugin: Option<ExecConfig>) -> ConnectError {
    match (error, plugin) {
        (kube::Error::Auth(AuthError::AuthExecStart(source)), Some(plugin)) => {
            let hint = plugin.install_hint.filter(|hint| !hint.trim().is_empty());
            ConnectError::CredentialPlugin {
                command: plugin.command.unwrap_or_default(),
                hint: hint.unwrap_or_else(|| "install it, or add its directory to PATH".into()),
                source: source.into(),
            }
        }
        (error, _) => ConnectError::Credentials(error.into()),
    }
}

async fn load_config(options: &ConnectOptions) -> Result<Config, ConnectError> {
    let selected = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let unusable = |source: KubeconfigError| ConnectError::Context {
        context: options.context.clone().unwrap_or_else(|| "(current)".into()),
        source: source.into(),
    };
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Some(
            Kubeconfig::read_from(path)
                .map_err(|source| ConnectError::Kubeconfig { path: path.clone(), source: source.into() })?,
        ),
        None => match Kubeconfig::read() {
            Ok(kubeconfig) => Some(kubeconfig),
            Err(KubeconfigError::ReadConfig(source, path)) if std::env::var_os("KUBECONFIG").is_some() => {
                return Err(ConnectError::Kubeconfig { path, source: source.into() });
            }
            // Without a file this may be a pod.
            Err(KubeconfigError::FindPath | KubeconfigError::ReadConfig(..)) if options.context.is_none() => {
                None
            }
            Err(source) => return Err(unusable(source)),
        },
    };
    let (mut config, proxy) = match kubeconfig {
        Some(mut kubeconfig) => {
            let proxy = take_proxy_url(&mut kubeconfig, options.context.as_deref());
            (Config::from_custom_kubeconfig(kubeconfig, &selected).await.map_err(unusable)?, proxy)
        }
        None => (Config::incluster().map_err(|error| ConnectError::NotConfigured(error.into()))?, None),
    };
    // kube compares NO_PROXY with the host of the proxy, and kubectl with that of the server.
    config.proxy_url = match proxy {
        Some(proxy) => Some(proxy_url(&proxy)?),
        None => options.proxies.url_for(&config.cluster_url)?,
    };
    Ok(config)
}

/// Takes `proxy-url` of the selected cluster out of the kubeconfig.
fn take_proxy_url(kubeconfig: &mut Kubeconfig, context: Option<&str>) -> Option<String> {
    let name = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|context| context.name == name)?;
    let cluster = &context.context.as_ref()?.cluster;
    let cluster = kubeconfig.clusters.iter_mut().find(|known| known.name == *cluster)?;
    cluster.cluster.as_mut()?.proxy_url.take().filter(|url| !url.trim().is_empty())
}
