//! The flags of the hook and of notifications, and the checked hooks that they become.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, NotifyFormat, OnFailure, WebhookClient};
use breaker_kube::webhook::{HttpWebhookClient, LocalReceivers, SecretFiles, read_secret};
use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use crate::cli::exit::UsageError;
use crate::cli::values;

/// Default of `--hook-timeout`.
const DEFAULT_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// The receivers of notifications.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Hook and notifications")]
pub(crate) struct NotifyArgs {
    /// Receiver of notifications: trips, holds, resets and others; repeatable.
    ///
    /// URL takes CloudEvents. slack=URL, teams=URL, pagerduty=file:PATH and alertmanager=URL take
    /// the messages of these services. file:PATH reads the URL of a chat, or the routing key of
    /// PagerDuty, from a file.
    #[arg(long, value_name = "[FORMAT=]URL", value_parser = values::receiver)]
    notify: Vec<Endpoint>,
    /// File with the secret that signs hook requests and notifications.
    ///
    /// The header X-BigRedButton-Signature holds the HMAC-SHA256 of the body. The file is read for
    /// each request.
    #[arg(long, value_name = "FILE")]
    hook_secret_file: Option<PathBuf>,
}

/// The hook before a trip, and the receivers of notifications.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Hook and notifications")]
pub(crate) struct HookArgs {
    /// Hook to call before the workload is scaled to zero.
    ///
    /// It can roll back queued work while the pods still run, and answer whether the trip proceeds.
    #[arg(long, value_name = "URL", value_parser = values::url)]
    before_trip: Option<String>,
    /// Total time allowed for the hook, with retries (1s-30s) [default: 10s].
    #[arg(long, value_name = "SPAN", value_parser = values::hook_timeout, requires = "before_trip", allow_hyphen_values = true)]
    hook_timeout: Option<SignedDuration>,
    /// What to do when the hook fails [default: proceed].
    #[arg(long, value_enum, requires = "before_trip", value_name = "ACTION")]
    hook_failure: Option<FailureArg>,
    #[command(flatten)]
    notify: NotifyArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailureArg {
    /// Trip.
    Proceed,
    /// Do not trip; `run` calls the hook again later, `trip` exits with 1.
    Hold,
}

/// The checked hooks, and a client for them if there are any.
pub(crate) struct CheckedHooks {
    pub(crate) hooks: Hooks,
    pub(crate) webhooks: Option<Arc<dyn WebhookClient>>,
}

impl HookArgs {
    /// # Errors
    /// [`UsageError`] when the secret cannot be used or has nothing to sign.
    pub(crate) fn check(&self) -> Result<CheckedHooks, UsageError> {
        let Self { before_trip, hook_timeout, hook_failure, notify } = self;
        let secret = notify.secret(before_trip.is_some())?;
        let before_trip = before_trip.as_ref().map(|url| BeforeTrip {
            to: Endpoint { secret: secret.clone(), ..Endpoint::new(url) },
            timeout: hook_timeout.unwrap_or(DEFAULT_TIMEOUT),
            on_failure: match hook_failure {
                Some(FailureArg::Hold) => OnFailure::Hold,
                Some(FailureArg::Proceed) | None => OnFailure::Proceed,
            },
        });
        CheckedHooks::new(Hooks { before_trip, notify: notify.endpoints(secret.as_deref())? })
    }
}

impl HookArgs {
    /// Checks that no flag was given: a CircuitBreaker names its own hooks.
    ///
    /// # Errors
    /// [`UsageError`] when any was given.
    pub(crate) fn must_be_absent(&self) -> Result<(), UsageError> {
        if self.before_trip.is_some() {
            return Err(belongs_to_breaker("--before-trip"));
        }
        self.notify.must_be_absent()
    }
}

fn belongs_to_breaker(flag: &str) -> UsageError {
    UsageError(format!(
        "{flag} cannot be used with a CircuitBreaker; set spec.hooks of the CircuitBreaker instead"
    ))
}

impl NotifyArgs {
    /// Checks that no flag was given: a CircuitBreaker names its own hooks.
    ///
    /// # Errors
    /// [`UsageError`] when any was given.
    pub(crate) fn must_be_absent(&self) -> Result<(), UsageError> {
        match (&self.hook_secret_file, self.notify.is_empty()) {
            (None, true) => Ok(()),
            (Some(_), _) => Err(belongs_to_breaker("--hook-secret-file")),
            (None, false) => Err(belongs_to_breaker("--notify")),
        }
    }

    /// # Errors
    /// As [`HookArgs::check`].
    pub(crate) fn check(&self) -> Result<CheckedHooks, UsageError> {
        let secret = self.secret(false)?;
        CheckedHooks::new(Hooks { before_trip: None, notify: self.endpoints(secret.as_deref())? })
    }

    fn secret(&self, has_hook: bool) -> Result<Option<String>, UsageError> {
        let Some(path) = &self.hook_secret_file else { return Ok(None) };
        let signs = self.notify.iter().any(|to| to.format == NotifyFormat::CloudEvents);
        if !has_hook && !signs {
            return Err(UsageError(
                "--hook-secret-file has nothing to sign; add --before-trip or --notify URL".into(),
            ));
        }
        check_secret(path, "--hook-secret-file")?;
        Ok(Some(path.to_string_lossy().into_owned()))
    }

    /// The receivers, those of CloudEvents with the secret that signs.
    fn endpoints(&self, secret: Option<&str>) -> Result<Vec<Endpoint>, UsageError> {
        let with_secret = |to: &Endpoint| match (to.format, &to.secret) {
            (NotifyFormat::CloudEvents, _) => {
                Ok(Endpoint { secret: secret.map(str::to_owned), ..to.clone() })
            }
            (_, Some(path)) => check_secret(Path::new(path), "--notify").map(|()| to.clone()),
            (_, None) => Ok(to.clone()),
        };
        self.notify.iter().map(with_secret).collect()
    }
}

impl CheckedHooks {
    fn new(hooks: Hooks) -> Result<Self, UsageError> {
        let webhooks: Option<Arc<dyn WebhookClient>> = if hooks == Hooks::default() {
            None
        } else {
            // Whoever gives the URLs starts the program: it may call what that person may.
            let webhooks = HttpWebhookClient::new(Arc::new(SecretFiles), LocalReceivers::Allowed);
            Some(Arc::new(webhooks.map_err(|error| UsageError(format!("TLS cannot be set up: {error}")))?))
        };
        Ok(Self { hooks, webhooks })
    }
}

/// Checks the secret file of a flag at the start. It is read again for each request.
fn check_secret(path: &Path, flag: &str) -> Result<(), UsageError> {
    read_secret(path)
        .map(|_| ())
        .map_err(|error| UsageError(format!("{}; check the path given to {flag}", error.chain())))
}
