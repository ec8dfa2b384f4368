//! One request to the API server: its timeout, and kube's errors as [`ClusterError`].

use std::time::Duration;

use breaker_core::ClusterError;
use kube::api::{PatchParams, PostParams};

/// Field manager of every write except what a person asks for.
pub const FIELD_MANAGER: &str = "bigredbutton";

/// How long one request may take. Watches have limits of their own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

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

    fn error(&self, error: kube::Error) -> ClusterError {
        let step = self.action.clone();
        match error {
            kube::Error::Api(status) => match status.code {
                403 => ClusterError::Forbidden {
                    verb: self.verb,
                    resource: self.resource.clone(),
                    namespace: self.namespace.clone(),
                },
                404 => ClusterError::NotFound(self.object.clone()),
                409 => ClusterError::Conflict(self.object.clone()),
                429 | 500 | 503 | 504 => ClusterError::Unreachable { step, source: status.message.into() },
                code => ClusterError::Refused { step, source: format!("{code} {}", status.message).into() },
            },
            error @ (kube::Error::SerdeError(_)
            | kube::Error::BuildRequest(_)
            | kube::Error::HttpError(_)) => ClusterError::Refused { step, source: error.into() },
            error => ClusterError::Unreachable { step, source: innermost(&error).to_string().into() },
        }
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
