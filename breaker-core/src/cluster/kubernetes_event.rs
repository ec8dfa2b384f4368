//! Events that are published on the target.

use serde::{Deserialize, Serialize};

/// A Kubernetes Event about the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesEvent {
    /// Unique for what happened, so that publishing it twice makes one Event:
    /// `<uid>.<episode id>.<reason>`.
    pub key: String,
    /// UID of the target.
    pub uid: String,
    /// `Warning` rather than `Normal`.
    pub warning: bool,
    /// Machine-readable reason in CamelCase, for example `Tripped`.
    pub reason: String,
    /// What was done, in CamelCase, for example `ScaleToZero`.
    pub action: String,
    /// For people; at most 1,024 bytes.
    pub note: String,
}
