//! [`HttpWebhookClient`]: posts events over HTTP and HTTPS, signed.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::webhook::{CloudEvent, Endpoint, HookDecision, NotifyFormat, WebhookClient, WebhookError};
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;

use super::answer::{HookAnswer, not_accepted, one_line, permanent, transient};
use super::connector::Connector;
use super::dial::{LocalAddress, LocalReceivers};
use super::format::{Outgoing, refusal_of_teams};
use super::secrets::Secrets;
use super::signature::sign;
use crate::proxies::Proxies;

/// Bytes of an answer that are read.
const MAX_ANSWER_LEN: usize = 64 * 1024;

/// [`WebhookClient`] over HTTP and HTTPS. Cheap to clone.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use breaker_kube::webhook::{HttpWebhookClient, LocalReceivers, SecretFiles};
///
/// let client = HttpWebhookClient::new(Arc::new(SecretFiles), LocalReceivers::Refused)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpWebhookClient {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    local: LocalReceivers,
    secrets: Arc<dyn Secrets>,
}

impl HttpWebhookClient {
    /// A client that trusts the machine's certificates, signs with these secrets, reaches the
    /// `local` addresses or not, and connects through the proxies of the environment. On a machine
    /// without certificates HTTPS fails and HTTP works.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(secrets: Arc<dyn Secrets>, local: LocalReceivers) -> Result<Self, rustls::Error> {
        Self::with_proxies(secrets, local, Proxies::from_env())
    }

    /// As [`HttpWebhookClient::new`], through these proxies.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn with_proxies(
        secrets: Arc<dyn Secrets>,
        local: LocalReceivers,
        proxies: Proxies,
    ) -> Result<Self, rustls::Error> {
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
        let connector = builder.https_or_http().enable_http1().wrap_connector(Connector::new(local, proxies));
        // Events are rare and a pooled connection may be broken by the next outage: keep none.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, local, secrets })
    }
}

#[async_trait]
impl WebhookClient for HttpWebhookClient {
    async fn post(&self, to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        let secret = match &to.secret {
            Some(name) => Some(self.secrets.secret(name).await.map_err(|error| transient(error.chain()))?),
            None => None,
        };
        let Outgoing { url, content_type, body, signed } = Outgoing::new(to, event, secret.as_deref())?;
        // The URL may be a secret.
        let invalid = || permanent(format!("{} is not a valid URL", to.shown()));
        let url: Uri = url.parse().map_err(|_| invalid())?;
        if url.host().is_none_or(str::is_empty) || !matches!(url.scheme_str(), Some("http" | "https")) {
            return Err(invalid());
        }
        self.local.check(&url).map_err(|error| permanent(error.to_string()))?;
        let mut request = Request::post(url)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::USER_AGENT, concat!("bigredbutton/", env!("CARGO_PKG_VERSION")))
            .header("Idempotency-Key", &event.id);
        if let Some(secret) = secret.filter(|_| signed) {
            let signed = sign(&secret, &event.id, Timestamp::now().as_second(), &body);
            let signed = signed.map_err(|why| permanent(format!("it cannot be signed: {why}")))?;
            if let Some(headers) = request.headers_mut() {
                headers.extend(signed);
            }
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| invalid())?;
        let answer = self.client.request(request).await.map_err(|error| {
            tracing::warn!("webhook {}: {}", to.shown(), one_line(&chain(&error)));
            not_reached(&error)
        })?;
        let status = answer.status();
        if !status.is_success() {
            return Err(not_accepted(status));
        }
        if to.format == NotifyFormat::Teams {
            let (body, _) = read(Limited::new(answer.into_body(), MAX_ANSWER_LEN)).await;
            return match refusal_of_teams(&body) {
                Some(why) => Err(transient(why.into())),
                None => Ok(HookDecision::Proceed),
            };
        }
        if !event.kind.ends_with(".before_trip") {
            // A notification needs no decision: its body is not read.
            return Ok(HookDecision::Proceed);
        }
        let (body, broken) = read(Limited::new(answer.into_body(), MAX_ANSWER_LEN)).await;
        let answer = HookAnswer::read(&body);
        if let Some(said) = answer.said() {
            tracing::warn!("webhook {} answered {said}", to.shown());
        }
        match (answer.decision()?, broken) {
            // Some servers end a TLS connection without a notice. A body that is complete still
            // counts.
            (Some(decision), _) => Ok(decision),
            (None, None) => Ok(HookDecision::Proceed),
            (None, Some(why)) => {
                tracing::warn!("webhook {}: its answer could not be read: {}", to.shown(), one_line(&why));
                Err(transient("its answer broke off".into()))
            }
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

/// Why a receiver was not reached, in fixed words. Who may write a CircuitBreaker reads them, and
/// would learn from more of them what answers where.
fn not_reached(error: &legacy::Error) -> WebhookError {
    let mut next = error.source();
    while let Some(cause) = next {
        next = cause.source();
        let cause = innermost(cause);
        if let Some(refused) = cause.downcast_ref::<LocalAddress>() {
            return permanent(refused.to_string());
        }
        if let Some(rustls::Error::InvalidCertificate(_)) = cause.downcast_ref() {
            return transient("its certificate is not trusted".into());
        }
    }
    transient(if error.is_connect() { "it cannot be reached" } else { "the connection broke off" }.into())
}

/// What an IO error contains. Its source is already the source of that.
fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => innermost(inner),
        None => error,
    }
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
    use serde_json::json;

    use super::*;
    use crate::webhook::{SecretError, SecretFiles};

    fn event() -> CloudEvent {
        serde_json::from_value(json!({
            "specversion": "1.0", "id": "u1.t1", "source": "/bigredbutton/sre/deployment/swype-app",
            "type": "dev.bigredbutton.before_trip", "subject": "sre/deployment/swype-app",
            "time": "2026-01-02T03:04:05Z", "datacontenttype": "application/json",
            "data": {"namespace": "sre", "kind": "deployment", "name": "swype-app", "uid": "u1", "episode": 1,
                "message": "about to scale", "replicas": 1, "because": null},
        }))
        .unwrap()
    }

    /// A proxy resolves names by itself: what this machine resolves to a local address is refused
    /// before the proxy is asked.
    #[tokio::test]
    async fn a_local_name_is_refused_through_a_proxy_too() {
        let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        let proxies = Proxies::from_variables(|name| (name == "ALL_PROXY").then(|| address.clone()));
        let secrets = Arc::new(SecretFiles);
        let client = HttpWebhookClient::with_proxies(secrets, LocalReceivers::Refused, proxies).unwrap();
        for host in ["localhost", "2130706433", "0x7f.1", "127.1", "127.0.0.1", "[::1]"] {
            let url = format!("http://{host}:8080/x");
            let error = client.post(&Endpoint::new(url), &event()).await.unwrap_err();
            assert_eq!((error.why, error.retryable), (LocalAddress.to_string(), false), "{host}");
        }
        proxy.set_nonblocking(true).unwrap();
        assert!(proxy.accept().is_err(), "nothing connected");
    }

    /// The port is open, so that only the refusal keeps the message from arriving.
    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_for_good_and_in_fixed_words() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client =
            HttpWebhookClient::with_proxies(Arc::new(SecretFiles), LocalReceivers::Refused, Proxies::none())
                .unwrap();
        for url in [format!("http://localhost:{port}/x"), format!("http://127.0.0.1:{port}/x")] {
            let error = client.post(&Endpoint::new(url), &event()).await.unwrap_err();
            assert_eq!((error.why, error.retryable), (LocalAddress.to_string(), false));
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nothing connected");
    }

    struct RoutingKey;

    #[async_trait]
    impl Secrets for RoutingKey {
        async fn secret(&self, name: &str) -> Result<Vec<u8>, SecretError> {
            assert_eq!(name, "sre/pager/key");
            Ok(b"R0UTING".to_vec())
        }
    }

    /// A stand-in for PagerDuty, which takes what it answers 202 to and refuses with 400.
    #[tokio::test]
    async fn pagerduty_takes_an_event_with_the_routing_key_of_the_secret() {
        for (answer, delivered) in [("202 Accepted", true), ("400 Bad Request", false)] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/v2/enqueue", listener.local_addr().unwrap());
            let server = std::thread::spawn(move || answer_once(&listener, answer));
            let proxies = Proxies::none();
            let client =
                HttpWebhookClient::with_proxies(Arc::new(RoutingKey), LocalReceivers::Allowed, proxies)
                    .unwrap();
            let secret = Some("sre/pager/key".into());
            let to = Endpoint { format: NotifyFormat::PagerDuty, secret, ..Endpoint::new(url) };
            let mut event = event();
            event.kind = "dev.bigredbutton.tripped".into();
            let posted = client.post(&to, &event).await;
            assert_eq!(posted.is_ok(), delivered);
            assert!(!format!("{posted:?} {to:?}").contains("R0UTING"), "{posted:?}");
            let received: serde_json::Value = serde_json::from_slice(&server.join().unwrap()).unwrap();
            assert_eq!((&received["routing_key"], &received["dedup_key"]), (&json!("R0UTING"), &json!("u1")));
        }
    }

    /// The body of one request, which gets this answer.
    fn answer_once(listener: &std::net::TcpListener, answer: &str) -> Vec<u8> {
        use std::io::{BufRead, BufReader, Read, Write};
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let mut len = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                len = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; len];
        reader.read_exact(&mut body).unwrap();
        write!(&stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        body
    }
}
