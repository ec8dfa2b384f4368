//! Members as a tree: each under what explains it, then what was set aside.

use std::collections::HashMap;

use alert_triage::{Labels, Member, Verdict};

/// One member in its place.
pub(super) struct Kin<'m> {
    pub(super) member: &'m Member,
    /// How it hangs on the lines above; empty for a member that hangs on none.
    pub(super) branch: String,
}

impl Kin<'_> {
    /// How many stand above it, up to the stem.
    pub(super) fn depth(&self) -> usize {
        self.branch.chars().count() / 2
    }
}

/// All members, in an order in which every branch stands under its stem.
pub(super) fn family(members: &[Member]) -> Vec<Kin<'_>> {
    let standing: Vec<&Member> = members.iter().filter(|member| !is_aside(member)).collect();
    let at: HashMap<(&str, &Labels), usize> = (standing.iter().enumerate())
        .map(|(at, member)| ((member.alert.as_str(), &member.labels), at))
        .collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); standing.len()];
    let mut stems = Vec::new();
    for (child, member) in standing.iter().enumerate() {
        let cause = member.cause.as_ref().and_then(|cause| at.get(&(cause.alert.as_str(), &cause.labels)));
        match cause {
            Some(&cause) if cause != child => children[cause].push(child),
            _ => stems.push(child),
        }
    }
    let mut kin = Vec::with_capacity(members.len());
    let mut seen = vec![false; standing.len()];
    // Whoever explain each other in a circle have no stem: any of them will do.
    for stem in stems.into_iter().chain(0..standing.len()) {
        let mut path = vec![(stem, String::new(), String::new())];
        while let Some((at, branch, under)) = path.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            kin.push(Kin { member: standing[at], branch });
            for (number, &child) in children[at].iter().rev().enumerate() {
                let (fork, beside) = if number == 0 { ("└ ", "  ") } else { ("├ ", "│ ") };
                path.push((child, format!("{under}{fork}"), format!("{under}{beside}")));
            }
        }
    }
    let aside = members.iter().filter(|member| is_aside(member));
    kin.extend(aside.map(|member| Kin { member, branch: String::new() }));
    kin
}

/// Stands for nothing now: superseded, over, given up, held back, or not yet there.
pub(super) fn is_aside(member: &Member) -> bool {
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
    fn each_stands_under_what_explains_it() {
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
        let tree: Vec<String> = family(&incident.members)
            .iter()
            .map(|kin| format!("{}{}", kin.branch, kin.member.alert))
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
    fn a_circle_loses_nobody() {
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
        assert_eq!(family(&members).len(), 2);
    }
}
