//! What the containers of the world do.

use jiff::SignedDuration;

use crate::pod::PodEvent;

/// What the pods' containers do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub(super) dies: Option<Dying>,
}

/// How a container ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dying {
    pub(super) after: SignedDuration,
    pub(super) exit_code: i32,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) log: String,
    pub(super) event: Option<PodEvent>,
}

impl Health {
    /// They run.
    pub fn well() -> Self {
        Self { dies: None }
    }

    /// They exit 1 two seconds after each start, with this termination message.
    pub fn dies(last_words: &str) -> Self {
        let dying = Dying {
            after: SignedDuration::from_secs(2),
            exit_code: 1,
            reason: "Error".into(),
            message: last_words.into(),
            log: String::new(),
            event: None,
        };
        Self { dies: Some(dying) }
    }

    /// The message is in the log only, as under the default termination message policy.
    #[must_use]
    pub fn in_log_only(mut self) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.log = std::mem::take(&mut dying.message);
        }
        self
    }

    /// Their log is this text, and their termination message the end of it, as under
    /// `FallbackToLogsOnError`.
    #[must_use]
    pub fn with_log(mut self, log: &str) -> Self {
        if let Some(dying) = &mut self.dies {
            let start = log.ceil_char_boundary(log.len().saturating_sub(2048));
            dying.message = log[start..].into();
            dying.log = log.into();
        }
        self
    }

    /// They end with this exit code and reason.
    #[must_use]
    pub fn with_exit(mut self, exit_code: i32, reason: &str) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.exit_code = exit_code;
            dying.reason = reason.into();
        }
        self
    }

    /// Sets how long they run before they end.
    #[must_use]
    pub fn after(mut self, run: SignedDuration) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.after = run;
        }
        self
    }

    /// The kubelet kills them after failed liveness probes, and says so in an event.
    #[must_use]
    pub fn by_liveness_probe(mut self) -> Self {
        if let Some(dying) = &mut self.dies {
            dying.event = Some(PodEvent {
                reason: "Killing".into(),
                message: "Container app failed liveness probe, will be restarted".into(),
                field_path: "spec.containers{app}".into(),
                at: None,
            });
        }
        self
    }
}
