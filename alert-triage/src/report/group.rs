//! One alert in several scopes, as a report shows it.

use super::labels::{self, Labels};
use crate::printable;

/// One alert that is firing in several scopes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Group {
    /// The name of the alert.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// The scopes in which it is firing.
    #[serde(serialize_with = "labels::many_labels")]
    pub scopes: Vec<Labels>,
    /// The ids of the incidents that contain it.
    pub incidents: Vec<String>,
    /// The ids of the incidents with this headline, if there are enough for one common row and
    /// notification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folded: Vec<String>,
}
