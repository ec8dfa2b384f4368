//! One alert in several scopes, as a report shows it.

use super::labels::{self, Labels};
use crate::printable;

/// The same alert standing in several scopes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Group {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Where it stands.
    #[serde(serialize_with = "labels::many_labels")]
    pub scopes: Vec<Labels>,
    /// Ids of the incidents it is in.
    pub incidents: Vec<String>,
    /// Ids of those that it heads, if they are so many that they take one row and one notification.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folded: Vec<String>,
}
