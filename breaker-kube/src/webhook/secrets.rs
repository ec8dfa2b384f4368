//! [`Secrets`]: where the secrets are that sign the body of a webhook.

use async_trait::async_trait;

use super::secret_error::SecretError;

/// Secrets by name. What a name is, the implementation defines: a path, or a key of a Secret.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Reads the secret at the moment of the call: it may have been rotated.
    ///
    /// # Errors
    /// [`SecretError`] when it cannot be read or is empty.
    async fn secret(&self, name: &str) -> Result<Vec<u8>, SecretError>;
}
