//! [`SecretFiles`]: secrets in files.

use std::path::Path;

use async_trait::async_trait;

use super::secrets::Secrets;

/// Secrets in files, by path. Line feeds at the end of a file are not part of the secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecretFiles;

#[async_trait]
impl Secrets for SecretFiles {
    async fn secret(&self, name: &str) -> Result<Vec<u8>, String> {
        read_secret(Path::new(name))
    }
}

/// Reads a secret as [`SecretFiles`] does.
///
/// # Errors
/// Why it cannot be used, with the name of the file.
pub fn read_secret(path: &Path) -> Result<Vec<u8>, String> {
    let mut secret = std::fs::read(path)
        .map_err(|error| format!("secret file {} cannot be read: {error}", path.display()))?;
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.is_empty() {
        return Err(format!("secret file {} is empty", path.display()));
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
        assert!(read_secret(&path).unwrap_err().contains("is empty"));
        std::fs::remove_file(&path).unwrap();
        let error = read_secret(&path).unwrap_err();
        assert!(error.contains(&*path.to_string_lossy()) && error.contains("cannot be read"), "{error}");
    }
}
