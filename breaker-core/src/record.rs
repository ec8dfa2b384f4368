//! What survives the watcher's own restart.

use serde::{Deserialize, Serialize};

/// What survives the watcher's own restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {}
