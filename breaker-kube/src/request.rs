//! From kube's errors to the door's.

use std::time::Duration;

use breaker_core::ClusterError;

/// Any one call takes at most so long; the watch has its own limits.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// What was attempted: the words and the right that an error needs.
#[derive(Debug, Clone)]
pub(crate) struct ApiRequest {
    /// `reading the scale of sre/deployment/swype-app`.
    pub(crate) doing: String,
    pub(crate) verb: &'static str,
    /// `deployments/scale.apps`.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    /// What a 404 means is missing.
    pub(crate) object: String,
}

impl ApiRequest {
    /// One attempt, within a bounded time.
    pub(crate) async fn attempt<T>(
        &self,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ClusterError> {
        match tokio::time::timeout(REQUEST_TIMEOUT, call).await {
            Ok(answer) => answer.map_err(|error| self.error(error)),
            Err(_) => Err(ClusterError::Unreachable {
                step: self.doing.clone(),
                source: format!("no answer within {} s", REQUEST_TIMEOUT.as_secs()).into(),
            }),
        }
    }

    pub(crate) fn error(&self, error: kube::Error) -> ClusterError {
        let step = self.doing.clone();
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
            error => ClusterError::Unreachable { step, source: innermost(error).into() },
        }
    }
}

/// The transport wraps "Connection refused" three times; the innermost says it.
fn innermost(error: kube::Error) -> String {
    let mut last: &dyn std::error::Error = &error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
