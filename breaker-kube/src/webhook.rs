//! Messages over HTTP: [`WebhookClient`] on the client that kube speaks with.
//!
//! ```text
//! POST <url>
//! Content-Type: application/cloudevents+json
//! Idempotency-Key: <id of the event>
//! X-BigRedButton-Signature: sha256=<hex of HMAC-SHA256 over the body, by the secret>
//! ```
//!
//! 2xx accepts it. To the hook's question the body may be JSON with a `decision`: `proceed` or `hold`, the latter
//! with a `reason`; without one 2xx means proceed, and another word is an error. Redirects are errors: the
//! message is signed for one receiver. Any other status is an error, worth another try unless it is a 3xx or a 4xx
//! that says otherwise. No proxy is used.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::classify::mask;
use breaker_core::webhook::{CloudEvent, Endpoint, HookDecision, WebhookClient, WebhookError};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ring::hmac;
use serde::Deserialize;

/// Header with the signature of the body.
pub const SIGNATURE: &str = "X-BigRedButton-Signature";

/// An answer is read so far.
const MAX_ANSWER_LEN: usize = 64 * 1024;
/// A reason to hold is told so far.
const MAX_REASON_LEN: usize = 200;

/// Where the secrets are that sign messages.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret of that name, read now: it may have been rotated.
    ///
    /// # Errors
    /// Why it cannot be read, on one line, naming it.
    async fn secret(&self, name: &str) -> Result<Vec<u8>, String>;
}

/// Secrets in files, by path; a line feed at the end is not part of one.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecretFiles;

#[async_trait]
impl Secrets for SecretFiles {
    async fn secret(&self, name: &str) -> Result<Vec<u8>, String> {
        read_secret(Path::new(name))
    }
}

/// Reads a secret as [`SecretFiles`] does.
///
/// # Errors
/// Why it cannot be used, naming the file.
pub fn read_secret(path: &Path) -> Result<Vec<u8>, String> {
    let mut secret = std::fs::read(path)
        .map_err(|error| format!("secret file {} cannot be read: {error}", path.display()))?;
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.is_empty() {
        return Err(format!("secret file {} is empty", path.display()));
    }
    Ok(secret)
}

/// [`WebhookClient`] over HTTP and HTTPS.
#[derive(Clone)]
pub struct HttpWebhookClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    secrets: Arc<dyn Secrets>,
}

impl HttpWebhookClient {
    /// Trusts the certificates that the machine trusts; where it has none, HTTPS fails and HTTP works.
    ///
    /// # Errors
    /// When the cryptography cannot be set up.
    pub fn new(secrets: Arc<dyn Secrets>) -> Result<Self, rustls::Error> {
        let provider = rustls::crypto::ring::default_provider();
        let trusting = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider.clone());
        let builder = match trusting {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!("no certificates to trust, https to hooks will fail: {error}");
                let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
                    .with_safe_default_protocol_versions()?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth();
                HttpsConnectorBuilder::new().with_tls_config(config)
            }
        };
        let connector = builder.https_or_http().enable_http1().build();
        // A connection that was kept may be dead by the next outage: each message gets its own.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, secrets })
    }
}

#[async_trait]
impl WebhookClient for HttpWebhookClient {
    async fn post(&self, to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        let body = serde_json::to_vec(event).map_err(|error| refused(error.to_string()))?;
        let mut request = Request::post(&to.url)
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .header(header::USER_AGENT, concat!("bigredbutton/", env!("CARGO_PKG_VERSION")))
            .header("Idempotency-Key", &event.id);
        if let Some(name) = &to.secret {
            let secret = self.secrets.secret(name).await.map_err(not_now)?;
            request = request.header(SIGNATURE, signature(&secret, &body));
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| refused(format!("{} is not a URL that can be asked", to.shown())))?;
        let answer = self.client.request(request).await.map_err(|error| not_now(chain(&error)))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(unaccepted(status));
        }
        if !event.kind.ends_with(".before_trip") {
            // Accepted is accepted, whatever it says then.
            return Ok(HookDecision::Proceed);
        }
        let (said, broke) = read(Limited::new(answer.into_body(), MAX_ANSWER_LEN)).await;
        match (reply(&said), broke) {
            // Some servers end a TLS connection without saying so. What is complete is an answer all the same.
            (Ok(Some(reply)), _) => Ok(reply),
            (Ok(None), None) => Ok(HookDecision::Proceed),
            (Ok(None), Some(why)) => Err(not_now(format!("its answer could not be read: {why}"))),
            (Err(error), _) => Err(error),
        }
    }
}

/// What came, and why it ended before its end if it did.
async fn read(mut body: Limited<hyper::body::Incoming>) -> (Vec<u8>, Option<String>) {
    let mut said = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => said.extend(frame.into_data().unwrap_or_default()),
            Err(error) => return (said, Some(chain(&*error))),
        }
    }
    (said, None)
}

/// `sha256=` and the HMAC in hex, as GitHub signs its webhooks.
fn signature(secret: &[u8], body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[derive(Deserialize)]
struct Answer {
    decision: Option<serde_json::Value>,
    reason: Option<serde_json::Value>,
}

/// The decision, if the body has one.
fn reply(body: &[u8]) -> Result<Option<HookDecision>, WebhookError> {
    let Ok(Answer { decision: Some(decision), reason }) = serde_json::from_slice(body) else {
        return Ok(None);
    };
    match decision.as_str() {
        Some("proceed") => Ok(Some(HookDecision::Proceed)),
        Some("hold") => {
            let reason = reason.as_ref().and_then(|reason| reason.as_str()).unwrap_or_default();
            let reason = if reason.trim().is_empty() { "no reason given".into() } else { one_line(reason) };
            Ok(Some(HookDecision::Hold(reason)))
        }
        _ => Err(refused(format!(
            "it answered with the decision {}; it is proceed or hold",
            one_line(&decision.to_string())
        ))),
    }
}

fn unaccepted(status: StatusCode) -> WebhookError {
    let mut why = format!("it answered {status}");
    if status.is_redirection() {
        why.push_str("; redirects are not followed, give the final URL");
    }
    let for_good =
        status.is_redirection() || (status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429));
    WebhookError { why, retryable: !for_good }
}

fn refused(why: String) -> WebhookError {
    WebhookError { why: one_line(&why), retryable: false }
}

fn not_now(why: String) -> WebhookError {
    WebhookError { why: one_line(&why), retryable: true }
}

/// The innermost cause says what happened, those around it in which step.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = vec![error.to_string()];
    let mut source = error.source();
    while let Some(inner) = source {
        let text = inner.to_string();
        if words.last() != Some(&text) {
            words.push(text);
        }
        source = inner.source();
    }
    words.join(": ")
}

fn one_line(text: &str) -> String {
    let mut text: String = mask(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.len() > MAX_REASON_LEN {
        text.truncate(text.floor_char_boundary(MAX_REASON_LEN - '…'.len_utf8()));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        let secret = [0x0b; 20];
        let want = "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(signature(&secret, b"Hi There"), want);
    }

    #[test]
    fn answers_mean_what_they_say() {
        for (body, want) in [
            ("", Some(None)),
            ("ok", Some(None)),
            ("{}", Some(None)),
            (r#"{"decision":"ho"#, Some(None)),
            (r#"{"decision":"proceed","reason":"x"}"#, Some(Some(HookDecision::Proceed))),
            (
                r#"{"decision":"hold","reason":"two\nlines"}"#,
                Some(Some(HookDecision::Hold("two lines".into()))),
            ),
            (r#"{"decision":"hold"}"#, Some(Some(HookDecision::Hold("no reason given".into())))),
            (r#"{"decision":"wait"}"#, None),
            (r#"{"decision":1}"#, None),
        ] {
            assert_eq!(reply(body.as_bytes()).ok(), want, "{body}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        for (status, retryable) in
            [(500, true), (503, true), (429, true), (408, true), (302, false), (401, false), (404, false)]
        {
            assert_eq!(unaccepted(StatusCode::from_u16(status).unwrap()).retryable, retryable, "{status}");
        }
    }

    #[test]
    fn a_secret_is_read_without_its_line_feed_and_an_unusable_one_is_named() {
        let path = std::env::temp_dir().join(format!("bigredbutton-secret-{}", std::process::id()));
        std::fs::write(&path, "s3cret\r\n").unwrap();
        assert_eq!(read_secret(&path).unwrap(), b"s3cret");
        std::fs::write(&path, "\n").unwrap();
        assert!(read_secret(&path).unwrap_err().contains("is empty"));
        std::fs::remove_file(&path).unwrap();
        let error = read_secret(&path).unwrap_err();
        assert!(error.contains(&*path.to_string_lossy()) && error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn errors_hide_secrets_and_stay_on_one_line() {
        let error = not_now("https://me:hunter2@example.org said\nno".into());
        assert_eq!(error.why.lines().count(), 1);
        assert!(!error.why.contains("hunter2"), "{}", error.why);
    }
}
