//! [`Secrets`]: where the secrets are that sign the body of a webhook.

use async_trait::async_trait;

/// Secrets by name. What a name is, the implementation defines: a path, or a key of a Secret.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Reads the secret at the moment of the call: it may have been rotated.
    ///
    /// # Errors
    /// Why it cannot be read, on one line, with its name.
    async fn secret(&self, name: &str) -> Result<Vec<u8>, String>;
}
