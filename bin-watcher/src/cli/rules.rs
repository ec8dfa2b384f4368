//! The user's rules file.

use std::path::Path;

use breaker_core::Classifier;

use crate::cli::exit::UsageError;

/// The built-in rules, extended by the file's.
pub(crate) fn load(path: Option<&Path>) -> Result<Classifier, UsageError> {
    let Some(path) = path else { return Ok(Classifier::default()) };
    let yaml = std::fs::read_to_string(path).map_err(|error| {
        UsageError(format!(
            "rules file {} cannot be read: {error}; check the path given to --rules",
            path.display()
        ))
    })?;
    Classifier::with_rules(&yaml)
        .map_err(|error| UsageError(format!("rules file {}: {error}", path.display())))
}
