//! An alert and its place in a document.

use serde_json::Value;
use serde_json_path::{LocatedNode, PathElement};

/// An alert in a document.
#[derive(Debug)]
pub(crate) struct Located<'v> {
    pub(super) alert: &'v Value,
    pub(super) document: &'v Value,
    /// The steps from the document to the alert, each with the value in which it is taken; empty if
    /// the format does not need them.
    steps: Vec<(&'v Value, Option<&'v str>)>,
}

impl<'v> Located<'v> {
    /// An alert of which only the document is known.
    pub(crate) fn new(alert: &'v Value, document: &'v Value) -> Self {
        Self { alert, document, steps: Vec::new() }
    }

    pub(super) fn from_node(node: &LocatedNode<'v>, document: &'v Value) -> Self {
        let mut steps = Vec::new();
        let mut value = document;
        for element in node.location().iter() {
            let (name, inner) = match element {
                PathElement::Name(name) => (Some(*name), value.get(*name)),
                PathElement::Index(index) => (None, value.get(*index)),
            };
            steps.push((value, name));
            let Some(inner) = inner else { break };
            value = inner;
        }
        Self { alert: node.node(), document, steps }
    }

    /// The values around the alert, the nearest first.
    pub(super) fn around(&self) -> impl Iterator<Item = &'v Value> {
        self.steps.iter().rev().map(|(value, _)| *value)
    }

    /// The name of a member on the way to the alert, counted from 1 at the alert. An element of a
    /// list has none.
    pub(super) fn member(&self, level: usize) -> Option<&'v str> {
        let at = self.steps.len().checked_sub(level)?;
        self.steps.get(at)?.1
    }
}
