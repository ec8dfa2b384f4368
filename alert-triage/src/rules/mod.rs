//! Knowledge about alerts, as data: a built-in YAML file, extended by a user's file.

mod alert_matcher;
mod formats;
mod heuristics;
mod limits;
mod listed_rule;
mod modified;
mod rows;
mod rule_set;
mod rules_file;
mod table;
mod table_builder;
mod template;

pub(crate) use self::alert_matcher::AlertMatcher;
pub(crate) use self::limits::Limits;
pub use self::listed_rule::ListedRule;
pub(crate) use self::rows::{Edge, RuleRow, SeveritySource};
pub use self::rule_set::Rules;
pub(crate) use self::table::RuleTable;
pub(crate) use self::template::{Template, TemplateMatch};
pub use crate::yaml::FileError;
