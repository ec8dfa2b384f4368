//! The flags of the hook and of notices, and what they become.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, OnFailure, WebhookClient};
use breaker_kube::{HttpWebhookClient, SecretFiles, read_secret};
use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use crate::cli::exit::UsageError;
use crate::cli::values;

/// What the hook gets when nothing is said.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// Whom to tell.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Hook and notices")]
pub(crate) struct NotifyArgs {
    /// Told of trips, holds, resets and the like, as CloudEvents; give it once for each address.
    #[arg(long, value_name = "URL", value_parser = values::url)]
    notify: Vec<String>,
    /// File with the secret that signs what is sent: X-BigRedButton-Signature, HMAC-SHA256 of the body.
    #[arg(long, value_name = "FILE")]
    hook_secret_file: Option<PathBuf>,
}

/// Whom to ask before a trip, and whom to tell.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Hook and notices")]
pub(crate) struct HookArgs {
    /// Asked before the workload is scaled to zero, so that queued work can be rolled back.
    #[arg(long, value_name = "URL", value_parser = values::url)]
    before_trip: Option<String>,
    /// How long the hook has for an answer, from 1s to 30s, attempts that failed included [default: 10s].
    #[arg(long, value_name = "SPAN", value_parser = values::hook_timeout, requires = "before_trip", allow_hyphen_values = true)]
    hook_timeout: Option<SignedDuration>,
    /// What follows when the hook fails: trip all the same, or hold and ask again [default: proceed].
    #[arg(long, value_enum, requires = "before_trip")]
    hook_failure: Option<FailureArg>,
    #[command(flatten)]
    notices: NotifyArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailureArg {
    Proceed,
    Hold,
}

/// The checked hooks, and a client for them if there are any.
pub(crate) struct CheckedHooks {
    pub(crate) hooks: Hooks,
    pub(crate) messenger: Option<Arc<dyn WebhookClient>>,
}

impl HookArgs {
    /// # Errors
    /// [`UsageError`] when the secret cannot be used or has nothing to sign.
    pub(crate) fn check(&self) -> Result<CheckedHooks, UsageError> {
        let Self { before_trip, hook_timeout, hook_failure, notices } = self;
        let secret = notices.secret(before_trip.is_some())?;
        let before_trip = before_trip.as_ref().map(|url| BeforeTrip {
            to: Endpoint { url: url.clone(), secret: secret.clone() },
            timeout: hook_timeout.unwrap_or(TIMEOUT),
            on_failure: match hook_failure {
                Some(FailureArg::Hold) => OnFailure::Hold,
                Some(FailureArg::Proceed) | None => OnFailure::Proceed,
            },
        });
        CheckedHooks::new(Hooks { before_trip, notify: notices.addresses(secret.as_deref()) })
    }
}

impl HookArgs {
    /// For a CircuitBreaker, which has its own.
    ///
    /// # Errors
    /// [`UsageError`] when any was given.
    pub(crate) fn must_be_absent(&self) -> Result<(), UsageError> {
        if self.before_trip.is_some() {
            return Err(of_the_breaker("--before-trip"));
        }
        self.notices.must_be_absent()
    }
}

fn of_the_breaker(flag: &str) -> UsageError {
    UsageError(format!("{flag} is of no use here: a CircuitBreaker names its own in spec.hooks"))
}

impl NotifyArgs {
    /// As [`HookArgs::must_be_absent`].
    ///
    /// # Errors
    /// [`UsageError`] when any was given.
    pub(crate) fn must_be_absent(&self) -> Result<(), UsageError> {
        match (&self.hook_secret_file, self.notify.is_empty()) {
            (None, true) => Ok(()),
            (Some(_), _) => Err(of_the_breaker("--hook-secret-file")),
            (None, false) => Err(of_the_breaker("--notify")),
        }
    }

    /// # Errors
    /// As [`HookArgs::check`].
    pub(crate) fn check(&self) -> Result<CheckedHooks, UsageError> {
        let secret = self.secret(false)?;
        CheckedHooks::new(Hooks { before_trip: None, notify: self.addresses(secret.as_deref()) })
    }

    fn secret(&self, asks: bool) -> Result<Option<String>, UsageError> {
        let Some(path) = &self.hook_secret_file else { return Ok(None) };
        if !asks && self.notify.is_empty() {
            return Err(UsageError(
                "--hook-secret-file has nothing to sign; give --before-trip or --notify too".into(),
            ));
        }
        readable(path)?;
        Ok(Some(path.to_string_lossy().into_owned()))
    }

    fn addresses(&self, secret: Option<&str>) -> Vec<Endpoint> {
        let with_secret = |url: &String| Endpoint { url: url.clone(), secret: secret.map(str::to_owned) };
        self.notify.iter().map(with_secret).collect()
    }
}

impl CheckedHooks {
    fn new(hooks: Hooks) -> Result<Self, UsageError> {
        let messenger: Option<Arc<dyn WebhookClient>> = if hooks == Hooks::default() {
            None
        } else {
            let messenger = HttpWebhookClient::new(Arc::new(SecretFiles));
            Some(Arc::new(messenger.map_err(|error| UsageError(format!("TLS cannot be used: {error}")))?))
        };
        Ok(Self { hooks, messenger })
    }
}

/// Read again with each message; a path that is wrong from the start is told at the start.
fn readable(path: &Path) -> Result<(), UsageError> {
    read_secret(path)
        .map(|_| ())
        .map_err(|why| UsageError(format!("{why}; check the path given to --hook-secret-file")))
}
