//! [`SecretFiles`]: secrets in files.

use std::path::Path;

use async_trait::async_trait;

use super::secret_error::SecretError;
use super::secrets::Secrets;

/// Secrets in files, by path. Line feeds at the end of a file are not part of the secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecretFiles;

#[async_trait]
impl Secrets for SecretFiles {
    async fn secret(&self, name: &str) -> Result<Vec<u8>, SecretError> {
        read_secret(Path::new(name))
    }
}

/// Reads a secret as [`SecretFiles`] does.
///
/// # Errors
/// [`SecretError`] when the file cannot be read or is empty.
pub fn read_secret(path: &Path) -> Result<Vec<u8>, SecretError> {
    let unusable = |what: &str| {
        let name = path.display().to_string();
        let message = format!("secret file {name} {what}");
        SecretError::new(name, message)
    };
    let mut secret = std::fs::read(path).map_err(|error| unusable("cannot be read").with_source(error))?;
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.is_empty() {
        return Err(unusable("is empty"));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_its_line_feed_and_an_error_names_the_file() {
        let path = std::env::temp_dir().join(format!("bigredbutton-secret-{}", std::process::id()));
        std::fs::write(&path, "s3cret\r\n").unwrap();
        assert_eq!(read_secret(&path).unwrap(), b"s3cret");
        std::fs::write(&path, "\n").unwrap();
        assert!(read_secret(&path).unwrap_err().chain().ends_with("is empty"));
        std::fs::remove_file(&path).unwrap();
        let error = read_secret(&path).unwrap_err();
        assert_eq!(error.name, path.to_string_lossy());
        let text = error.chain();
        assert!(text.starts_with(&format!("secret file {} cannot be read: ", error.name)), "{text}");
    }
}
