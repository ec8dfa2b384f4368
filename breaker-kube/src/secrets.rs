//! Secrets of the cluster, by `namespace/name/key`: what signs the messages of a CircuitBreaker.

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use crate::request::ApiRequest;
use crate::{KubeClient, Secrets};

/// Keys of Secrets, read when they are needed and never kept.
#[derive(Clone)]
pub struct KubeSecrets(KubeClient);

impl KubeSecrets {
    /// Reads as this client may.
    pub fn new(client: KubeClient) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Secrets for KubeSecrets {
    async fn secret(&self, name: &str) -> Result<Vec<u8>, String> {
        let [namespace, secret, key] = name.split('/').collect::<Vec<_>>()[..] else {
            return Err(format!("`{name}` names no key of a Secret; it is namespace/name/key"));
        };
        let object = format!("Secret {namespace}/{secret}");
        let step = ApiRequest {
            doing: format!("reading {object}"),
            verb: "get",
            resource: "secrets".into(),
            namespace: namespace.into(),
            object: object.clone(),
        };
        let api: Api<Secret> = Api::namespaced(self.0.client.clone(), namespace);
        let found = step.attempt(api.get(secret)).await.map_err(|error| error.chain())?;
        match found.data.and_then(|mut data| data.remove(key)).map(|value| value.0) {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) => Err(format!("key {key} of {object} is empty")),
            None => Err(format!("{object} has no key {key}; add it, or correct secretRef.key")),
        }
    }
}
