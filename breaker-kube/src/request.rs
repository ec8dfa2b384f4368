//! One request to the API server: its timeout, and kube's errors as [`ClusterError`].

use std::time::Duration;

use breaker_core::ClusterError;
use kube::api::{PatchParams, PostParams};
use kube::core::Status;

use crate::text::one_line;

/// Field manager of every write except what a person asks for.
pub const FIELD_MANAGER: &str = "bigredbutton";

/// How long one request may take. Watches have limits of their own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer without a `Status` an error quotes, in bytes.
const MAX_QUOTE_LEN: usize = 100;

/// How much of a `Status` an error quotes, in bytes.
const MAX_SENTENCE_LEN: usize = 500;

/// What the API server says, with code 500, of a server-side apply with a field that the schema of
/// the CustomResourceDefinition does not have.
const NOT_IN_SCHEMA: &str = "field not declared in schema";

/// The reason that kube gives a `Status` which it makes of another body.
const UNDECODED: &str = "Failed to parse error data";

/// A request, described by what its errors must name.
#[derive(Debug, Clone)]
pub(crate) struct ApiRequest {
    /// For a message: `reading the scale of sre/deployment/swype-app`.
    pub(crate) action: String,
    /// RBAC verb.
    pub(crate) verb: &'static str,
    /// Resource as in an RBAC rule: `deployments/scale.apps`.
    pub(crate) resource: String,
    /// Namespace that the right is missing in when the answer is 403.
    pub(crate) namespace: String,
    /// The object that is missing when the answer is 404.
    pub(crate) object: String,
}

impl ApiRequest {
    /// Makes one attempt, which takes at most [`REQUEST_TIMEOUT`].
    pub(crate) async fn send<T>(
        &self,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ClusterError> {
        match tokio::time::timeout(REQUEST_TIMEOUT, call).await {
            Ok(answer) => answer.map_err(|error| self.error(error)),
            Err(_) => Err(ClusterError::Unreachable {
                step: self.action.clone(),
                source: format!("no answer within {} s", REQUEST_TIMEOUT.as_secs()).into(),
            }),
        }
    }

    /// As [`ApiRequest::send`]; `None` when the API server does not serve the kind.
    pub(crate) async fn send_if_served<T>(
        &self,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<Option<T>, ClusterError> {
        let call = async {
            match call.await {
                Err(kube::Error::Api(status)) if is_not_served(&status) => Ok(None),
                answer => answer.map(Some),
            }
        };
        self.send(call).await
    }

    /// An answer that was decoded and lacks a field that every object has.
    pub(crate) fn unclear(&self, why: &str) -> ClusterError {
        ClusterError::Unclear { step: self.action.clone(), source: why.into() }
    }

    /// Only 403, 404 and 422 with a `Status` are final, and a field that the schema does not have.
    /// Another answer may come from a proxy, or from an API server that has carried out the call.
    fn error(&self, error: kube::Error) -> ClusterError {
        let step = self.action.clone();
        match error {
            kube::Error::Api(status) if is_status(&status) => match status.code {
                403 => ClusterError::Forbidden {
                    verb: self.verb,
                    resource: self.resource.clone(),
                    namespace: self.namespace.clone(),
                    message: sentence(&status),
                },
                404 => ClusterError::NotFound(self.object.clone()),
                409 => ClusterError::Conflict(self.object.clone()),
                422 => ClusterError::Refused { step, source: sentence(&status).into() },
                429 => ClusterError::Unreachable { step, source: sentence(&status).into() },
                500 if status.message.contains(NOT_IN_SCHEMA) => {
                    ClusterError::OldDefinition { step, message: sentence(&status) }
                }
                code => {
                    let source = one_line(&format!("{code} {}", status.message), MAX_SENTENCE_LEN);
                    ClusterError::Unclear { step, source: source.into() }
                }
            },
            kube::Error::Api(status) => {
                let code = if status.code == 0 { "an error".into() } else { status.code.to_string() };
                let source = match one_line(&status.message, MAX_QUOTE_LEN) {
                    quote if quote.is_empty() => format!("{code} without a Kubernetes Status"),
                    quote => format!("{code} without a Kubernetes Status: {quote}"),
                };
                ClusterError::Unclear { step, source: source.into() }
            }
            kube::Error::SerdeError(error) => ClusterError::Unclear {
                step,
                source: format!("the body is not the expected JSON: {error}").into(),
            },
            kube::Error::FromUtf8(_) => {
                ClusterError::Unclear { step, source: "the body is not valid UTF-8".into() }
            }
            error @ (kube::Error::BuildRequest(_) | kube::Error::HttpError(_)) => {
                ClusterError::Refused { step, source: error.into() }
            }
            error => ClusterError::Unreachable { step, source: innermost(&error).to_string().into() },
        }
    }
}

/// Whether the body was a Kubernetes `Status` about a failure. kube decodes any JSON object as one,
/// and makes one of a body that is not.
pub(crate) fn is_status(status: &Status) -> bool {
    status.is_failure() && status.code != 0 && status.reason != UNDECODED
}

/// Whether the path of the request is unknown to the API server, which then answers in plain text.
fn is_not_served(status: &Status) -> bool {
    status.code == 404 && status.reason == UNDECODED && status.message == "404 page not found"
}

/// The API server's own sentence.
fn sentence(status: &Status) -> String {
    match one_line(&status.message, MAX_SENTENCE_LEN) {
        empty if empty.is_empty() => format!("{} {}", status.code, status.reason),
        sentence => sentence,
    }
}

/// The first cause: the transport wraps "Connection refused" in three errors of its own.
pub(crate) fn innermost<'e>(error: &'e (dyn std::error::Error + 'static)) -> &'e dyn std::error::Error {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}

pub(crate) fn post_params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() }
}

pub(crate) fn patch_params() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use breaker_core::cluster::Scale;
    use breaker_core::{Record, WorkloadRef};
    use parking_lot::Mutex;
    use serde_json::json;

    use super::*;
    use crate::client::KubeClient;
    use crate::test_server::{TestServer, status};
    use crate::{record, scale};

    /// A server that gives the same answer to every request, and the answer.
    fn one_answer() -> (TestServer, Arc<Mutex<(u16, String)>>) {
        let answer = Arc::new(Mutex::new((200, String::new())));
        let given = Arc::clone(&answer);
        (TestServer::new(move |_, _| given.lock().clone()), answer)
    }

    fn target() -> WorkloadRef {
        WorkloadRef::deployment("sre", "swype-app")
    }

    fn seen() -> Scale {
        Scale { uid: "u".into(), resource_version: "7".into(), replicas: 3, selector: "app=swype-app".into() }
    }

    /// The errors of the reads and writes of a trip.
    async fn errors(client: &KubeClient) -> Vec<(&'static str, Option<ClusterError>)> {
        let (target, new) = (target(), Record::default());
        vec![
            ("read scale", scale::read(client, &target).await.err()),
            ("write scale", scale::write(client, &target, &seen(), 0).await.err()),
            ("load record", record::load(client, &target).await.err()),
            ("create record", record::save(client, &target, &new, None).await.err()),
            ("replace record", record::save(client, &target, &new, Some("7")).await.err()),
        ]
    }

    #[tokio::test]
    async fn only_403_404_and_422_with_a_kubernetes_status_are_final() {
        let (server, answer) = one_answer();
        let client = server.kube();
        for code in 200..=599 {
            let bodies = [
                ("a Status", status(code, "no")),
                ("a cut Status", status(code, "no")[..40].to_owned()),
                ("HTML", "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned()),
                ("text", "404 page not found".to_owned()),
                ("nothing", String::new()),
                ("other JSON", json!({"code": code, "message": "no", "error": "no"}).to_string()),
                ("an empty object", "{}".to_owned()),
                ("a list", "[]".to_owned()),
                (
                    "a scale without fields",
                    json!({"kind": "Scale", "apiVersion": "autoscaling/v1"}).to_string(),
                ),
                ("a map without fields", json!({"kind": "ConfigMap", "apiVersion": "v1"}).to_string()),
            ];
            for (body, content) in bodies {
                *answer.lock() = (code, content);
                for (call, error) in errors(&client).await {
                    let case = format!("{call}: {code} with {body}: {error:?}");
                    let is_final = body == "a Status" && matches!(code, 403 | 404 | 422);
                    match error {
                        // The ConfigMap that another process deleted is created again.
                        None if call == "load record" => assert!(is_final && code == 404, "{case}"),
                        Some(ClusterError::Conflict(_)) if call == "replace record" && code == 404 => {
                            assert!(is_final, "{case}");
                        }
                        Some(error) => assert_eq!(error.is_retryable(), !is_final, "{case}"),
                        None => panic!("{case}"),
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn an_error_quotes_the_start_of_an_answer_and_the_sentence_of_a_status() {
        let (server, answer) = one_answer();
        let client = server.kube();
        let policy = "ValidatingAdmissionPolicy 'never-zero' denied request: never scale to zero,\n ask the platform team";
        for (code, body, want) in [
            (
                502,
                format!("<html>\r\n<h1>502 Bad\u{1b}[31m Gateway</h1>{}</html>", "x".repeat(9000)),
                "writing the scale of sre/deployment/swype-app: the answer is not understood: 502 without a \
                 Kubernetes Status: <html> <h1>502 Bad [31m Gateway</h1>xxxx",
            ),
            (401, status(401, "Unauthorized"), "the answer is not understood: 401 Unauthorized"),
            (
                500,
                status(
                    500,
                    &format!("{} the end is what helps", "the start is about the request,".repeat(5)),
                ),
                "the start is about the request, the end is what helps",
            ),
            (
                403,
                status(403, policy),
                "not allowed to patch deployments/scale.apps in namespace sre: ValidatingAdmissionPolicy 'never-zero' \
                 denied request: never scale to zero, ask the platform team",
            ),
            (
                302,
                "<html>Log in</html>".into(),
                "the body is not the expected JSON: expected value at line 1 column 1",
            ),
        ] {
            *answer.lock() = (code, body);
            let error = scale::write(&client, &target(), &seen(), 0).await.expect_err("an error");
            let text = error.with_fix();
            assert!(text.contains(want) && text.len() < 400, "{code}: {text}");
            assert!(!text.contains("missing rule") && !text.contains(char::is_control), "{code}: {text}");
        }
    }
}
