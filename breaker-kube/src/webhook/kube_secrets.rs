//! [`KubeSecrets`]: keys of Secrets in the cluster, which sign the webhooks of a CircuitBreaker.

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::secret_error::SecretError;
use super::secrets::Secrets;
use crate::client::KubeClient;
use crate::request::ApiRequest;

/// Keys of Secrets, by `namespace/name/key`. Each is read when it is needed and not kept.
#[derive(Clone)]
pub struct KubeSecrets(KubeClient);

impl KubeSecrets {
    /// Secrets that `client` may read.
    pub fn new(client: KubeClient) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Secrets for KubeSecrets {
    async fn secret(&self, name: &str) -> Result<Vec<u8>, SecretError> {
        let unusable = |message: String| SecretError::new(name, message);
        let [namespace, secret, key] = name.split('/').collect::<Vec<_>>()[..] else {
            let fix = "write namespace/name/key";
            return Err(unusable(format!("`{name}` does not name a key of a Secret; {fix}")));
        };
        let object = format!("Secret {namespace}/{secret}");
        let request = ApiRequest {
            action: format!("reading {object}"),
            verb: "get",
            resource: "secrets".into(),
            namespace: namespace.into(),
            object: object.clone(),
        };
        let api: Api<Secret> = Api::namespaced(self.0.client.clone(), namespace);
        let found = request
            .send(api.get(secret))
            .await
            .map_err(|error| unusable(error.to_string()).with_source(error))?;
        match found.data.and_then(|mut data| data.remove(key)).map(|value| value.0) {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) => Err(unusable(format!("key {key} of {object} is empty"))),
            None => Err(unusable(format!("{object} has no key {key}; add it, or correct secretRef.key"))),
        }
    }
}
