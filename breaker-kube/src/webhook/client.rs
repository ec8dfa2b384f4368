//! [`HttpWebhookClient`]: posts events over HTTP and HTTPS, signed.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::webhook::{CloudEvent, Endpoint, HookDecision, WebhookClient, WebhookError};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ring::hmac;

use super::answer::{decision, not_accepted, permanent, transient};
use super::secrets::Secrets;

/// The header with the signature of the body.
pub const SIGNATURE_HEADER: &str = "X-BigRedButton-Signature";

/// Bytes of an answer that are read.
const MAX_ANSWER_LEN: usize = 64 * 1024;

/// [`WebhookClient`] over HTTP and HTTPS. Cheap to clone.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use breaker_kube::webhook::{HttpWebhookClient, SecretFiles};
///
/// let client = HttpWebhookClient::new(Arc::new(SecretFiles))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpWebhookClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    secrets: Arc<dyn Secrets>,
}

impl HttpWebhookClient {
    /// A client that trusts the machine's certificates and signs with these secrets. On a machine
    /// without certificates HTTPS fails and HTTP works.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(secrets: Arc<dyn Secrets>) -> Result<Self, rustls::Error> {
        let provider = rustls::crypto::ring::default_provider();
        let with_roots = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider.clone());
        let builder = match with_roots {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!("the machine trusts no certificates, HTTPS webhooks will fail: {error}");
                let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
                    .with_safe_default_protocol_versions()?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth();
                HttpsConnectorBuilder::new().with_tls_config(config)
            }
        };
        let connector = builder.https_or_http().enable_http1().build();
        // Events are rare and a pooled connection may be broken by the next outage: keep none.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, secrets })
    }
}

#[async_trait]
impl WebhookClient for HttpWebhookClient {
    async fn post(&self, to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        let body = serde_json::to_vec(event).map_err(|error| permanent(error.to_string()))?;
        let mut request = Request::post(&to.url)
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .header(header::USER_AGENT, concat!("bigredbutton/", env!("CARGO_PKG_VERSION")))
            .header("Idempotency-Key", &event.id);
        if let Some(name) = &to.secret {
            let secret = self.secrets.secret(name).await.map_err(|error| transient(error.chain()))?;
            request = request.header(SIGNATURE_HEADER, signature(&secret, &body));
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| permanent(format!("{} is not a valid URL", to.shown())))?;
        let answer = self.client.request(request).await.map_err(|error| transient(chain(&error)))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(not_accepted(status));
        }
        if !event.kind.ends_with(".before_trip") {
            // A notification needs no decision: its body is not read.
            return Ok(HookDecision::Proceed);
        }
        let (body, broken) = read(Limited::new(answer.into_body(), MAX_ANSWER_LEN)).await;
        match (decision(&body), broken) {
            // Some servers end a TLS connection without a notice. A body that is complete still
            // counts.
            (Ok(Some(decision)), _) => Ok(decision),
            (Ok(None), None) => Ok(HookDecision::Proceed),
            (Ok(None), Some(why)) => Err(transient(format!("its answer could not be read: {why}"))),
            (Err(error), _) => Err(error),
        }
    }
}

/// The body, and why it broke off if it did.
async fn read(mut body: Limited<Incoming>) -> (Vec<u8>, Option<String>) {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend(frame.into_data().unwrap_or_default()),
            Err(error) => return (bytes, Some(chain(&*error))),
        }
    }
    (bytes, None)
}

/// `sha256=` and the HMAC in hex, the form of GitHub's webhooks.
fn signature(secret: &[u8], body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// The error and its causes, each text once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        source = cause.source();
    }
    texts.join(": ")
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
}
