//! Settings of a file: identity, scope and limits.

use std::collections::HashSet;

use super::finding::Lint;
use super::linter::Linter;

impl Linter<'_> {
    pub(super) fn whole(&mut self) {
        let written = &self.rules.table().written;
        for (id, line, message) in &written.ids {
            self.find_at(*line, id, Lint::Ignored, message.clone());
        }
        self.identity();
        self.scope();
        for (limit, line) in &written.limits {
            let needs = match *limit {
                "ttl" => "ttl",
                "sustained" => "sustained",
                "recurring" => "recurring",
                "flaps" | "flap_window" | "flap_quiet" => "flapping",
                "group_scopes" => "group",
                _ => continue,
            };
            if !self.rules.is_on(needs) {
                let message = format!("sets {limit}, and `{needs}` is disabled under builtin");
                self.find_at(*line, "limits", Lint::Ignored, message);
            }
        }
    }

    fn identity(&mut self) {
        let table = self.rules.table();
        let written = &table.written;
        let is_scope = |label: &String| {
            table.scope.iter().flatten().chain(&table.scope_otherwise).any(|known| known == label)
        };
        for (label, line) in &written.drop {
            if written.keep.iter().any(|(kept, _)| kept == label) {
                let message = format!("drops {label} and keeps it: it is kept, so remove one");
                self.find_at(*line, "identity", Lint::Ignored, message);
            } else if label == "severity" {
                let message = "drops severity: what alerts say of their own severity would not be heard";
                self.find_at(*line, "identity", Lint::TooBroad, message);
            } else if label == "alertname" {
                let message =
                    "drops alertname, which is not a label here: alerts are always distinguished by name";
                self.find_at(*line, "identity", Lint::Ignored, message);
            } else if is_scope(label) {
                let message = format!(
                    "drops {label}, which makes the scope: ladders and edges would join nothing by it"
                );
                self.find_at(*line, "identity", Lint::TooBroad, message);
            }
        }
        for (label, line) in &written.keep {
            let is_dropped = written.dropped_by_us.contains(label)
                || written.drop.iter().any(|(dropped, _)| dropped == label)
                || matches!(label.as_str(), "pod" | "instance");
            if !is_dropped {
                let message = format!("keeps {label}, which nothing drops: leave it out");
                self.find_at(*line, "identity", Lint::Ignored, message);
            }
        }
    }

    fn scope(&mut self) {
        let written = &self.rules.table().written;
        if let (Some(line), true) = (written.scope_at, written.scope.is_empty()) {
            let message =
                "names no label: no alert would have a scope, and ladders and edges would join nothing";
            self.find_at(line, "scope", Lint::Ignored, message);
        }
        let mut seen = HashSet::new();
        for (label, line) in &written.scope {
            if !seen.insert(label) {
                let message = format!("names {label} twice: the first is looked at");
                self.find_at(*line, "scope", Lint::Ignored, message);
            }
            let by_pod = label == "pod" && self.rules.is_on("identity/pod") && !self.rules.is_kept("pod");
            if by_pod
                || self.rules.table().written.dropped_by_us.contains(label) && self.rules.is_volatile(label)
            {
                let message =
                    format!("names {label}, which is dropped from every alert: name another, or keep it");
                self.find_at(*line, "scope", Lint::Unreachable, message);
            }
        }
    }
}
