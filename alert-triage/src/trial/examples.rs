//! The examples of formats, which are their tests.

use super::reading::{Reading, described};
use crate::formats::MappedFormat;
use crate::rules::Rules;

/// An example of a format that does not give its alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExampleFailure {
    /// The id of the format.
    pub id: String,
    /// The line of the example in the file.
    pub line: u64,
    /// What differs.
    pub message: String,
}

impl Rules {
    /// Runs the examples of the formats in the rules file. Returns how many there are, and those
    /// that fail.
    pub fn run_examples(&self) -> (usize, Vec<ExampleFailure>) {
        let formats: Vec<&MappedFormat> = self.own_formats().map(|(_, format)| format).collect();
        let count = formats.iter().map(|format| format.examples.len()).sum();
        (count, formats.iter().flat_map(|format| failures(self, format)).collect())
    }
}

fn failures(rules: &Rules, format: &MappedFormat) -> Vec<ExampleFailure> {
    let failure = |line: u64, message: String| ExampleFailure { id: format.id.clone(), line, message };
    let mut failures = Vec::new();
    for example in &format.examples {
        let line = example.input.referenced.line();
        let reading = Reading::new(rules, example.input.value.as_bytes());
        if reading.format != format.id {
            failures.push(failure(line, format!("the example is read as {}", reading.format)));
            continue;
        }
        if let Some(malformed) = reading.malformed.first() {
            failures
                .push(failure(line, format!("line {} of the example {}", malformed.line, malformed.error)));
        }
        if reading.records.len() != example.alerts.len() {
            let (found, wanted) = (reading.records.len(), example.alerts.len());
            failures.push(failure(line, format!("the example gives {found} alerts, not {wanted}")));
        }
        for ((number, wanted), (_, record)) in (1..).zip(&example.alerts).zip(&reading.records) {
            let found = described(record);
            for (field, wanted) in wanted {
                match found.get(field.as_str()) {
                    None => failures.push(failure(
                        line,
                        format!(
                            "alert {number}: `{field}` is not a field: write one of {}",
                            found.keys().copied().collect::<Vec<_>>().join(", ")
                        ),
                    )),
                    Some(found) if found != wanted => {
                        failures
                            .push(failure(line, format!("alert {number}: {field} is {found}, not {wanted}")));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each built-in format reads its examples, which have the shape of its documentation.
    #[test]
    fn the_builtin_formats_read_their_examples() {
        let rules = Rules::builtin();
        let mut wrong = Vec::new();
        for (_, format) in rules.builtin_formats() {
            assert!(!format.examples.is_empty(), "{} has no example", format.id);
            // That the pages exist is tested beside them, since they are not a part of this crate.
            let is_documented = format.see.starts_with("https://") || format.see.ends_with(".md");
            assert!(is_documented, "{} names no documentation", format.id);
            wrong.extend(
                failures(&rules, format).into_iter().map(|one| format!("{}: {}", one.id, one.message)),
            );
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_formats_of_a_file_are_tested_by_their_examples() {
        let file = |name: &str| {
            format!(
                "formats:\n- id: mine\n  detect: [$.subject]\n  name: $.subject\n  labels: {{'*': $}}\n  examples:\n  - input: '{{\"subject\": \"X\", \
                 \"silo\": \"s1\"}}'\n    alerts: [{{name: {name}, labels: {{silo: s1}}}}]\n"
            )
        };
        let run = |name: &str| Rules::parse(&file(name)).unwrap().run_examples();
        assert_eq!(run("X"), (1, vec![]));
        let (_, failures) = run("Z");
        assert_eq!(
            (failures[0].line, failures[0].message.as_str()),
            (7, "alert 1: name is \"X\", not \"Z\"")
        );
    }
}
