//! What the answer of a webhook means: a decision, or an error that may be retried.

use breaker_core::classify::mask;
use breaker_core::printable;
use breaker_core::webhook::{HookDecision, WebhookError};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::text::truncate;

/// Bytes of a reason or an error that are kept.
const MAX_REASON_LEN: usize = 200;

/// The answer of a hook in JSON; both fields may be missing.
#[derive(Deserialize, Default)]
pub(super) struct HookAnswer {
    decision: Option<Value>,
    reason: Option<Value>,
}

impl HookAnswer {
    /// The answer in a body. A body that is not such JSON has no decision.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The decision; `None` when there is none.
    pub(super) fn decision(&self) -> Result<Option<HookDecision>, WebhookError> {
        match self.decision.as_ref().map(Value::as_str) {
            None => Ok(None),
            Some(Some("proceed")) => Ok(Some(HookDecision::Proceed)),
            Some(Some("hold")) => Ok(Some(HookDecision::Hold)),
            Some(_) => Err(permanent("its decision must be proceed or hold".into())),
        }
    }

    /// What the log shows of an answer other than proceed. It goes nowhere else, since the receiver
    /// chose the words.
    pub(super) fn said(&self) -> Option<String> {
        let decision = self.decision.as_ref().filter(|decision| *decision != "proceed")?;
        let reason = match self.reason.as_ref().and_then(Value::as_str) {
            Some(reason) if !reason.trim().is_empty() => reason,
            _ => "no reason given",
        };
        Some(one_line(&format!("{decision}: {reason}")))
    }
}

/// The error of a status other than 2xx.
pub(super) fn not_accepted(status: StatusCode) -> WebhookError {
    let mut why = format!("it answered {status}");
    if status.is_redirection() {
        why.push_str("; redirects are not followed, give the final URL");
    }
    let is_permanent =
        status.is_redirection() || (status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429));
    WebhookError { why, retryable: !is_permanent }
}

/// An error that another attempt would meet again.
pub(super) fn permanent(why: String) -> WebhookError {
    WebhookError { why: one_line(&why), retryable: false }
}

/// An error that may be gone at the next attempt.
pub(super) fn transient(why: String) -> WebhookError {
    WebhookError { why: one_line(&why), retryable: true }
}

/// The text with its secrets masked, on one line, and cut to [`MAX_REASON_LEN`].
pub(super) fn one_line(text: &str) -> String {
    truncate(&printable::one_line(&mask(text)), MAX_REASON_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_carry_a_decision() {
        for (body, want) in [
            ("", Some(None)),
            ("ok", Some(None)),
            ("{}", Some(None)),
            (r#"{"decision":"ho"#, Some(None)),
            (r#"{"decision":"proceed","reason":"x"}"#, Some(Some(HookDecision::Proceed))),
            (r#"{"decision":"hold","reason":"two\nlines\u202e"}"#, Some(Some(HookDecision::Hold))),
            (r#"{"decision":"hold"}"#, Some(Some(HookDecision::Hold))),
            (r#"{"decision":"wait"}"#, None),
            (r#"{"decision":1}"#, None),
        ] {
            assert_eq!(HookAnswer::read(body.as_bytes()).decision().ok(), want, "{body}");
        }
    }

    #[test]
    fn what_a_receiver_says_is_for_the_log_only() {
        for (body, want) in [
            (r#"{"decision":"proceed","reason":"x"}"#, None),
            (r#"{"decision":"hold","reason":"two\nlines\u202e"}"#, Some("\"hold\": two lines")),
            (r#"{"decision":"hold","reason":" "}"#, Some("\"hold\": no reason given")),
            (r#"{"decision":"key=hunter2 wait"}"#, Some("\"key=hunter2 wait\": no reason given")),
        ] {
            let answer = HookAnswer::read(body.as_bytes());
            assert_eq!(answer.said().as_deref(), want, "{body}");
            let error = answer.decision().err();
            assert!(!error.is_some_and(|error| error.why.contains("wait")), "{body}");
        }
    }

    #[test]
    fn a_transient_status_is_retried_and_a_permanent_one_is_not() {
        for (status, retryable) in
            [(500, true), (503, true), (429, true), (408, true), (302, false), (401, false), (404, false)]
        {
            assert_eq!(not_accepted(StatusCode::from_u16(status).unwrap()).retryable, retryable, "{status}");
        }
    }

    #[test]
    fn errors_hide_secrets_and_stay_on_one_line() {
        let error = transient("https://me:hunter2@example.org said\nno".into());
        assert_eq!(error.why.lines().count(), 1);
        assert!(!error.why.contains("hunter2"), "{}", error.why);
    }
}
