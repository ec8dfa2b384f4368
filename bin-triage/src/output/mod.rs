//! Everything that is printed on standard output but the changes of `triage follow`.

pub(crate) mod columns;
pub(crate) mod explanation;
mod html;
mod json;
pub(crate) mod labels;
mod limits;
mod markdown;
pub(crate) mod phrases;
mod report;
#[cfg(test)]
mod report_tests;
mod seen;
mod stdout;
mod table;
mod texts;
mod tree;

pub(crate) use self::report::print_report;
pub(crate) use self::stdout::print;
