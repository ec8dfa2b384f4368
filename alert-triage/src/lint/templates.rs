//! Templates that match no line, or too many.

use super::finding::Lint;
use super::linter::Linter;
use crate::rules::{Template, TemplateMatch};

impl Linter<'_> {
    pub(super) fn templates(&mut self) {
        let templates = &self.rules.table().templates;
        for (at, (id, template)) in templates.iter().enumerate() {
            let sample = template.sample();
            let takes = |earlier: &&(String, Template)| {
                earlier.1.match_line(&sample, &mut TemplateMatch::default()).is_ok()
            };
            let earlier = templates[..at].iter().find(takes);
            if let Some((earlier, other)) = earlier {
                let (lint, message) = if other.as_str() == template.as_str() {
                    (Lint::Unreachable, format!("is the template `{earlier}` again: remove one"))
                } else {
                    (
                        Lint::Shadowed,
                        format!("comes behind `{earlier}`, which takes `{sample}` first: move it up"),
                    )
                };
                self.find(id, lint, message);
                if !self.rules.table().lines.contains_key(id) && other.as_str() != template.as_str() {
                    // Built-in rows come last, so only the user's row can be changed.
                    let message = format!(
                        "takes lines of the built-in `{id}`, such as `{sample}`: \
                         write that row above it, or begin with a word"
                    );
                    self.find(earlier, Lint::TooBroad, message);
                }
            }
            let counters: Vec<&str> = template
                .capture_names()
                .filter(|name| names_a_counter(name) && !self.rules.is_volatile(name))
                .collect();
            if self.rules.table().lines.contains_key(id) && !counters.is_empty() {
                let message = format!(
                    "captures {}, which probably differs on every line, so that each line is an alert of its own: \
                     write {{_}} instead, or list it under `identity.drop`",
                    counters.join(" and ")
                );
                self.find(id, Lint::TooBroad, message);
            }
            if template.is_catch_all() {
                let message = "takes every line that begins with a word: no line will be malformed any more";
                self.find(id, Lint::TooBroad, message);
            }
            if template.begins_with("time") {
                let message = "begins with {time}, but a leading time is read before the shape: leave it out";
                self.find(id, Lint::Unreachable, message);
            }
        }
    }
}

/// Whether a capture is named like a number that counts lines, such as `job_no` or `attempt`.
fn names_a_counter(name: &str) -> bool {
    const WORDS: [&str; 15] = [
        "no", "nr", "num", "number", "attempt", "attempts", "retry", "retries", "seq", "sequence", "pid",
        "count", "duration", "elapsed", "took",
    ];
    let last = name.rsplit('_').next().unwrap_or(name);
    WORDS.iter().any(|word| last.eq_ignore_ascii_case(word))
}
