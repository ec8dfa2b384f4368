//! The members of an incident as a tree: each under the alert that explains it, then those set
//! aside.

use std::collections::HashMap;

use alert_triage::Verdict;
use alert_triage::report::{Labels, Member};

/// One member, with its branches in the tree.
pub(super) struct TreeRow<'m> {
    pub(super) member: &'m Member,
    /// Box-drawing characters that connect the row to those above; empty for a root.
    pub(super) branch: String,
}

impl TreeRow<'_> {
    /// Number of ancestors.
    pub(super) fn depth(&self) -> usize {
        self.branch.chars().count() / 2
    }
}

/// All members, each after its parent; those that are set aside come last.
pub(super) fn member_tree(members: &[Member]) -> Vec<TreeRow<'_>> {
    let active: Vec<&Member> = members.iter().filter(|member| !is_set_aside(member)).collect();
    let at: HashMap<(&str, &Labels), usize> = (active.iter().enumerate())
        .map(|(at, member)| ((member.alert.as_str(), &member.labels), at))
        .collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); active.len()];
    let mut roots = Vec::new();
    for (child, member) in active.iter().enumerate() {
        let cause = member.cause.as_ref().and_then(|cause| at.get(&(cause.alert.as_str(), &cause.labels)));
        match cause {
            Some(&cause) if cause != child => children[cause].push(child),
            _ => roots.push(child),
        }
    }
    let mut rows = Vec::with_capacity(members.len());
    let mut seen = vec![false; active.len()];
    // Members that explain each other in a circle have no root: each of them is tried as one.
    for root in roots.into_iter().chain(0..active.len()) {
        let mut path = vec![(root, String::new(), String::new())];
        while let Some((at, branch, under)) = path.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            rows.push(TreeRow { member: active[at], branch });
            for (number, &child) in children[at].iter().rev().enumerate() {
                let (fork, beside) = if number == 0 { ("└ ", "  ") } else { ("├ ", "│ ") };
                path.push((child, format!("{under}{fork}"), format!("{under}{beside}")));
            }
        }
    }
    let set_aside = members.iter().filter(|member| is_set_aside(member));
    rows.extend(set_aside.map(|member| TreeRow { member, branch: String::new() }));
    rows
}

/// Whether the member does not count for its incident: it is superseded, resolved, obsolete,
/// silenced, inhibited or pending.
pub(super) fn is_set_aside(member: &Member) -> bool {
    match member.verdict {
        Verdict::Silenced
        | Verdict::Inhibited
        | Verdict::Resolved
        | Verdict::Obsolete
        | Verdict::Pending
        | Verdict::Superseded => true,
        Verdict::Flapping
        | Verdict::Sustained
        | Verdict::Transient
        | Verdict::Informational
        | Verdict::Active => false,
    }
}

#[cfg(test)]
mod tests {
    use alert_triage::{Engine, Format, Rules};

    use super::*;

    #[test]
    fn each_member_is_under_the_one_that_explains_it() {
        let mut engine = Engine::new(Rules::builtin());
        let lines = [
            "Zone AB: LLMModelStale",
            "Zone AB: LLMModelVeryStale",
            "Zone AB: TooFewEndpointsRegistered",
            "Zone AB: LLMBatchProcessingJobFailures",
            "Zone AB: EndpointRegistrationFailure",
        ];
        engine.read("-", Format::Lines, lines.join("\n").as_bytes());
        let incident = engine.report(None).incidents().next().unwrap();
        let tree: Vec<String> = member_tree(&incident.members)
            .iter()
            .map(|row| format!("{}{}", row.branch, row.member.alert))
            .collect();
        assert_eq!(
            tree,
            [
                "EndpointRegistrationFailure",
                "├ TooFewEndpointsRegistered",
                "└ LLMBatchProcessingJobFailures",
                "  └ LLMModelVeryStale",
                "LLMModelStale",
            ]
        );
    }

    #[test]
    fn a_circle_loses_no_member() {
        let mut engine = Engine::new(Rules::builtin());
        engine.read(
            "-",
            Format::Lines,
            b"Zone AB: EndpointRegistrationFailure\nZone AB: TooFewEndpointsRegistered\n",
        );
        let mut members = engine.report(None).incidents().next().unwrap().members;
        let mut cause = members[1].cause.clone().unwrap();
        cause.alert = members[1].alert.clone();
        members[0].cause = Some(cause);
        assert_eq!(member_tree(&members).len(), 2);
    }
}
