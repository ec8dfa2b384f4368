//! Checks of a rule: its examples and counter-examples, decided by the whole table.

use serde_saphyr::Spanned;

use super::decide::decide;
use super::rule::{Rule, RuleError};
use super::table::Table;
use super::text::{clean, tail};

/// The examples and counter-examples of one rule.
pub(super) struct Check {
    pub(super) id: String,
    pub(super) examples: Vec<Spanned<String>>,
    pub(super) not: Vec<Spanned<String>>,
}

impl Check {
    pub(super) fn from_rule(rule: &Rule) -> Self {
        Self { id: rule.id.clone(), examples: rule.examples.clone(), not: rule.not.clone() }
    }

    pub(super) fn run(&self, table: &Table) -> Result<(), RuleError> {
        let decided_by = |text: &str| {
            let text = clean(tail(text));
            decide(table, &text).map(|d| table.row(d.row).id.to_string())
        };
        for example in &self.examples {
            let by = decided_by(&example.value);
            if by.as_deref() != Some(self.id.as_str()) {
                let by = by.map_or("no row".to_owned(), |id| format!("row `{id}`"));
                let message =
                    format!("this example of `{}` is decided by {by}; mend phrases or example", self.id);
                return Err(RuleError::new(example.referenced, message));
            }
        }
        for counter in &self.not {
            if decided_by(&counter.value).as_deref() == Some(self.id.as_str()) {
                let message = format!(
                    "this counter-example is decided by its own row `{}`; narrow its phrases",
                    self.id
                );
                return Err(RuleError::new(counter.referenced, message));
            }
        }
        Ok(())
    }
}
