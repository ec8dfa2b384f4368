//! Checks of a row: its examples and counter-examples, decided by the whole table.

use serde_saphyr::Spanned;

use super::decide::decide;
use super::rule::{Rule, RuleError, RuleSet, WordRow};
use super::table::Table;
use super::text::tail;
use super::unwrap::unwrap;
use super::words::WordClass;
use crate::Cause;
use crate::verdict::NetworkKind;

/// The examples and counter-examples of one row.
pub(super) struct Check {
    expects: Expected,
    examples: Vec<Spanned<String>>,
    not: Vec<Spanned<String>>,
}

/// How the examples of a row are decided; its counter-examples are decided otherwise.
enum Expected {
    /// By the rule of this ID.
    Rule(String),
    /// As a failure of the network, of this kind if there is one.
    Network(WordClass, Option<NetworkKind>),
    /// Not as a failure of the network.
    NotNetwork(WordClass),
    /// By a subject and a fault, with this cause if there is one.
    Composed(WordClass, Option<Cause>),
}

impl Check {
    /// The checks of all rows that are not disabled.
    pub(super) fn of(set: &RuleSet) -> Vec<Self> {
        let rules = set.rules.iter().filter(|rule| !rule.disabled).map(Self::from_rule);
        rules.chain(set.words.iter().map(Self::from_words)).collect()
    }

    fn from_rule(rule: &Rule) -> Self {
        let expects = Expected::Rule(rule.id.clone());
        Self { expects, examples: rule.examples.clone(), not: rule.not.clone() }
    }

    fn from_words(row: &WordRow) -> Self {
        let expects = match row.class {
            WordClass::Local
            | WordClass::LocalSubject
            | WordClass::Setting
            | WordClass::SideTask
            | WordClass::SideAction
            | WordClass::SideObject
            | WordClass::SideTaskHint
            | WordClass::SideTaskFrame
            | WordClass::LocalSocket
            | WordClass::LocalLine
            | WordClass::Hedge
            | WordClass::Survived
            | WordClass::WentOn => Expected::NotNetwork(row.class),
            WordClass::Subject | WordClass::Fault => Expected::Composed(row.class, row.cause),
            class => Expected::Network(class, row.kind),
        };
        Self { expects, examples: row.examples.clone(), not: row.not.clone() }
    }

    /// The first example that is not decided as the row expects.
    pub(super) fn run(&self, table: &Table) -> Result<(), RuleError> {
        self.failures(table).into_iter().next().map_or(Ok(()), Err)
    }

    /// Every example and counter-example that is not decided as the row expects.
    pub(super) fn failures(&self, table: &Table) -> Vec<RuleError> {
        let examples = self.examples.iter().filter_map(|example| {
            let (by, is_expected) = self.decide(table, &example.value);
            let message = || {
                format!("this example of {} is decided by {by}; mend the words or the example", self.expects)
            };
            (!is_expected).then(|| RuleError::new(example.referenced, message()))
        });
        let counters = self.not.iter().filter_map(|counter| {
            let message = || format!("this counter-example is decided as {}; narrow its words", self.expects);
            self.decide(table, &counter.value).1.then(|| RuleError::new(counter.referenced, message()))
        });
        examples.chain(counters).collect()
    }

    /// What decides `text`, and whether that is what the row expects.
    fn decide(&self, table: &Table, text: &str) -> (String, bool) {
        let text = unwrap(tail(text));
        let decision = decide(table, &text);
        let row = decision.map(|decision| table.row(decision.row));
        let by = row.map_or("no row".to_owned(), |row| format!("row `{}`", row.id));
        let network = row.is_some_and(|row| row.cause == Cause::Network);
        let is_expected = match &self.expects {
            Expected::Rule(id) => row.is_some_and(|row| *row.id == **id),
            Expected::Network(_, None) => network,
            Expected::Network(_, kind) => network && row.is_some_and(|row| row.kind == *kind),
            Expected::NotNetwork(_) => !network,
            Expected::Composed(_, cause) => row.is_some_and(|row| {
                row.id.starts_with("composed-") && !network && cause.is_none_or(|cause| row.cause == cause)
            }),
        };
        (by, is_expected)
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule(id) => write!(f, "rule `{id}`"),
            Self::Network(class, _) | Self::NotNetwork(class) | Self::Composed(class, _) => {
                write!(f, "class `{}`", class.as_str())
            }
        }
    }
}
