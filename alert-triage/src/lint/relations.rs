//! What joins alerts with each other: ladders, edges, transients.

use std::collections::{HashMap, HashSet};

use super::finding::Lint;
use super::linter::Linter;
use super::rows::looks_like_regex;
use crate::severity::Severity;

impl Linter<'_> {
    pub(super) fn ladders(&mut self) {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for (id, rungs) in &self.rules.table().ladders {
            let mut own = HashSet::new();
            for rung in rungs {
                self.exact(id, rung, "a ladder");
                if !own.insert(rung.as_str()) {
                    self.find(id, Lint::Cyclic, format!("has {rung} twice, which would be above itself"));
                    continue;
                }
                match seen.insert(rung, id) {
                    Some(other) if other != id && self.is_mine(id) => {
                        let message = format!("has {rung}, which stands on `{other}` already: join them");
                        self.find(id, Lint::Shadowed, message);
                    }
                    Some(other) if other != id => {
                        let message = format!(
                            "has {rung}, which stands on the built-in `{id}` as well: give this one that id, or disable \
                             the other"
                        );
                        self.find(other, Lint::Shadowed, message);
                    }
                    _ => {}
                }
            }
            for pair in rungs.windows(2) {
                let (low, high) = (self.severity_of(&pair[0]), self.severity_of(&pair[1]));
                if high.class() > low.class() {
                    let message = format!(
                        "has {} ({high}) above {} ({low}), and what is milder hides nothing: give the upper rung a \
                         severity as high, or turn them round",
                        pair[1], pair[0]
                    );
                    self.find(id, Lint::Ignored, message);
                }
            }
        }
    }

    /// The severity of an alert without labels.
    fn severity_of(&self, alert: &str) -> Severity {
        self.rules.severity(alert, |_| None).0
    }

    /// Reports a pattern where a relation needs an exact name.
    fn exact(&mut self, id: &str, name: &str, what: &str) {
        if name.contains(['*', '?']) || looks_like_regex(name) {
            let message = format!("has the pattern `{name}`: {what} joins exact names, one by one");
            self.find(id, Lint::Unreachable, message);
        }
    }

    pub(super) fn edges(&mut self) {
        let edges = &self.rules.table().edges;
        let mut pairs: HashMap<(&str, &str), &str> = HashMap::new();
        let mut next: HashMap<&str, Vec<&str>> = HashMap::new();
        for edge in edges {
            self.exact(&edge.id, &edge.cause, "an edge");
            if let Some((lasting, by)) = self.rules.lasting_form(&edge.cause) {
                let message = format!(
                    "begins with the transient {} ({by}), which explains nothing until it is judged as {lasting}: \
                     begin with {lasting}",
                    edge.cause
                );
                self.find(&edge.id, Lint::Ignored, message);
            }
            for label in edge.ignore.iter().filter(|label| self.rules.is_volatile(label)) {
                let message = format!("ignores {label}, which is dropped from every alert: leave it out");
                self.find(&edge.id, Lint::Ignored, message);
            }
            for symptom in &edge.symptoms {
                self.exact(&edge.id, symptom, "an edge");
                next.entry(&edge.cause).or_default().push(symptom);
                match pairs.insert((&edge.cause, symptom), &edge.id) {
                    Some(other) if other == edge.id => {
                        self.find(&edge.id, Lint::Ignored, format!("has the symptom {symptom} twice"));
                    }
                    // The user's rows come first, and only they can be changed.
                    Some(other) => {
                        for (id, twin) in [(&*edge.id, other), (other, &*edge.id)] {
                            let message =
                                format!("joins {} -> {symptom}, as `{twin}` does: remove one", edge.cause);
                            if id == edge.id || !self.is_mine(twin) {
                                self.find(id, Lint::Unreachable, message);
                            }
                        }
                    }
                    None => {}
                }
                let ladder = |name: &str| self.rules.ladder(name).map(|(ladder, _)| ladder);
                if edge.cause != *symptom
                    && ladder(&edge.cause).is_some()
                    && ladder(&edge.cause) == ladder(symptom)
                {
                    let message = format!(
                        "joins two rungs of one ladder, {} and {symptom}: the ladder does it",
                        edge.cause
                    );
                    self.find(&edge.id, Lint::Ignored, message);
                }
            }
        }
        for edge in edges {
            for symptom in &edge.symptoms {
                if let Some(path) = path(&next, symptom, &edge.cause) {
                    let message = format!("leads back to its cause: {} -> {path}", edge.cause);
                    self.find(&edge.id, Lint::Cyclic, message);
                }
            }
        }
    }

    pub(super) fn transients(&mut self) {
        for row in &self.rules.table().transients {
            self.exact(&row.id, &row.value, "a transient");
            if row.matches.is_name_match(&row.value) {
                let message = format!("makes {} the transient form of itself", row.value);
                self.find(&row.id, Lint::Cyclic, message);
            } else if let Some((lasting, by)) = self.rules.lasting_form(&row.value) {
                let message = format!(
                    "names the lasting form {}, which is a transient itself ({by}): name {lasting}",
                    row.value
                );
                self.find(&row.id, Lint::Ignored, message);
            }
        }
    }
}

/// The path from one name to another, as text.
fn path(next: &HashMap<&str, Vec<&str>>, from: &str, to: &str) -> Option<String> {
    let mut trail: Vec<(&str, Option<usize>)> = vec![(from, None)];
    let mut seen = HashSet::from([from]);
    let mut at = 0;
    while let Some(&(name, _)) = trail.get(at) {
        if name == to {
            let mut names = vec![name];
            let mut step = trail[at].1;
            while let Some(back) = step {
                names.push(trail[back].0);
                step = trail[back].1;
            }
            names.reverse();
            return Some(names.join(" -> "));
        }
        for symptom in next.get(name).into_iter().flatten() {
            // The names live as long as the rules.
            if seen.insert(symptom) {
                trail.push((symptom, Some(at)));
            }
        }
        at += 1;
    }
    None
}
