//! [`Alert`]: a notification in the terms that chats and pagers share.

use breaker_core::record::NotificationKind;
use breaker_core::webhook::{CloudEvent, WebhookError};
use jiff::Timestamp;

use crate::text::one_line;
use crate::webhook::answer::permanent;

/// How bad it is. PagerDuty and Alertmanager share these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertSeverity {
    Critical,
    Warning,
    Info,
}

impl AlertSeverity {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A notification for people.
pub(super) struct Alert<'e> {
    pub(super) kind: NotificationKind,
    pub(super) event: &'e CloudEvent,
}

impl<'e> Alert<'e> {
    /// # Errors
    /// When the event is not a notification.
    pub(super) fn of(event: &'e CloudEvent) -> Result<Self, WebhookError> {
        let what = event.kind.rsplit('.').next().unwrap_or_default();
        let kind = NotificationKind::ALL.into_iter().find(|kind| kind.as_str() == what);
        let kind = kind.ok_or_else(|| permanent(format!("{} is not a notification", event.kind)))?;
        Ok(Self { kind, event })
    }

    /// What happened to which workload, on one line.
    pub(super) fn title(&self) -> String {
        let what = match self.kind {
            NotificationKind::Tripped => "Circuit breaker open, scaled to 0",
            NotificationKind::Held => "Trip held",
            NotificationKind::Contested => "Scaled up by another client",
            NotificationKind::Restored => "Replicas restored",
            NotificationKind::Reset => "Circuit breaker reset",
            NotificationKind::Abandoned => "Trip abandoned",
            NotificationKind::ProbeFailed => "Trial replicas failed",
            _ => "Circuit breaker",
        };
        format!("{what}: {}", self.event.subject)
    }

    /// The message, in at most `max_len` bytes.
    pub(super) fn text(&self, max_len: usize) -> String {
        one_line(&self.event.data.message, max_len)
    }

    /// What is known of it, as names with values of at most `max_len` bytes.
    pub(super) fn facts(&self, max_len: usize) -> Vec<(&'static str, String)> {
        let data = &self.event.data;
        let mut facts = vec![("Time", self.event.time.to_string())];
        if let Some(replicas) = data.replicas {
            facts.push(("Replicas", replicas.to_string()));
        }
        if let Some(because) = &data.because {
            let counts = because.counts;
            facts.push(("Restarts", format!("{} counted, limit {}", counts.counted, counts.threshold)));
            facts.push(("Cause", because.cause.clone()));
            facts.push(("Peer", because.peer.clone().unwrap_or_default()));
            facts.push(("Last words", because.quote.clone()));
        }
        facts.retain(|(_, value)| !value.is_empty());
        facts.iter().map(|(name, value)| (*name, one_line(value, max_len))).collect()
    }

    pub(super) fn severity(&self) -> AlertSeverity {
        match self.kind {
            NotificationKind::Tripped | NotificationKind::ProbeFailed => AlertSeverity::Critical,
            NotificationKind::Held | NotificationKind::Contested => AlertSeverity::Warning,
            _ => AlertSeverity::Info,
        }
    }

    pub(super) fn at(&self) -> Timestamp {
        self.event.time
    }
}

/// A notification about `sre/deployment/swype-app`.
#[cfg(test)]
pub(super) fn test_event(what: &str) -> CloudEvent {
    serde_json::from_value(serde_json::json!({
        "specversion": "1.0", "id": format!("u1.t1.{what}"), "source": "/bigredbutton/sre/deployment/swype-app",
        "type": format!("dev.bigredbutton.{what}"), "subject": "sre/deployment/swype-app",
        "time": "2026-11-26T13:56:41Z", "datacontenttype": "application/json",
        "data": {"namespace": "sre", "kind": "deployment", "name": "swype-app", "uid": "u1", "episode": 1,
            "message": "Scaled to 0 (was 2)", "replicas": 2,
            "because": {"pressed": false, "counted": 4, "threshold": 3, "failing": 1, "need": 1, "pods": 1,
                "window": "1h", "revision": "", "cause": "network:refused", "peer": "swype-gateway:443",
                "quote": "connect: connection refused <!channel> [x](https://evil.example)"}},
    }))
    .expect("an event")
}

/// What `message` makes of a notification, as JSON.
#[cfg(test)]
pub(super) fn posted<M: serde::Serialize>(
    event: &CloudEvent,
    message: impl FnOnce(&Alert<'_>) -> M,
) -> serde_json::Value {
    serde_json::to_value(message(&Alert::of(event).unwrap())).unwrap()
}

/// The event with a message and last words of many long characters.
#[cfg(test)]
pub(super) fn long_event(what: &str) -> CloudEvent {
    let mut event = test_event(what);
    event.data.message = "é<&>".repeat(5_000);
    event.subject = format!("sre/deployment/{}", "a".repeat(250));
    if let Some(because) = &mut event.data.because {
        because.quote = "ö".repeat(20_000);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notification_has_a_title() {
        for kind in NotificationKind::ALL {
            let event = test_event(kind.as_str());
            let alert = Alert::of(&event).unwrap();
            assert_eq!(alert.kind, kind);
            assert!(
                alert.title().ends_with(": sre/deployment/swype-app")
                    && !alert.title().starts_with("Circuit breaker:")
            );
        }
        assert!(Alert::of(&test_event("before_trip")).is_err());
    }

    #[test]
    fn facts_without_a_value_are_left_out() {
        let event = test_event("tripped");
        let names = |event: &CloudEvent| -> Vec<_> {
            Alert::of(event).unwrap().facts(100).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&event), ["Time", "Replicas", "Restarts", "Cause", "Peer", "Last words"]);
        let mut bare = test_event("reset");
        (bare.data.because, bare.data.replicas) = (None, None);
        assert_eq!(names(&bare), ["Time"]);
    }
}
