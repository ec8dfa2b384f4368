//! [`SecretError`]: why a secret cannot be used.

use std::error::Error;

use breaker_core::cluster::BoxError;

/// A secret cannot be read, or is empty.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct SecretError {
    /// The name of the secret, as it was given.
    pub name: String,
    /// What is wrong, on one line, with the name but without the source.
    pub message: String,
    /// Why it cannot be read, if another error is the reason.
    pub source: Option<BoxError>,
}

impl SecretError {
    /// An error about the secret `name`. `message` is one line and has the name.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), source: None }
    }

    /// This error with another error as its reason.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// The error and its sources on one line. A source that an outer error quotes is left out.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            let more = error.to_string();
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            source = error.source();
        }
        text
    }
}
