//! Texts and links for people: summary, runbook, graph and dashboard.

use std::borrow::Cow;

use alert_triage::report::{Incident, Member};
use alert_triage::{is_link, printable};

/// Annotations that say in words what is wrong; the first that is present is shown.
const SUMMARIES: [&str; 4] = ["summary", "description", "message", "title"];

/// The first line of what the source says is wrong, printable.
pub(super) fn summary(member: &Member) -> Option<String> {
    let text = SUMMARIES.iter().find_map(|name| member.annotations.get(*name))?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(printable(line))
}

/// The member that gives the incident its headline.
pub(super) fn headline(incident: &Incident) -> Option<&Member> {
    let members = &incident.members;
    members.iter().find(|member| member.alert == incident.headline).or(members.first())
}

/// The runbooks of the members, each once.
pub(super) fn runbooks(incident: &Incident) -> Vec<&str> {
    let mut runbooks: Vec<&str> = Vec::new();
    for runbook in incident.members.iter().filter_map(|member| member.runbook.as_deref()) {
        if !runbooks.contains(&runbook) {
            runbooks.push(runbook);
        }
    }
    runbooks
}

/// The links of a member by name, without its runbook.
pub(super) fn links(member: &Member) -> impl Iterator<Item = (&str, &str)> {
    let links = member.annotations.iter().filter(|(_, url)| is_link(url));
    links
        .filter(|(_, url)| member.runbook.as_ref() != Some(url))
        .map(|(name, url)| (link_name(name), url.as_str()))
}

/// What a link leads to, in the words of a reader.
fn link_name(name: &str) -> &str {
    match name {
        "generatorURL" => "graph",
        "dashboardURL" | "dashboard_url" => "dashboard",
        "panelURL" => "panel",
        "url" | "client_url" => "source",
        name => name,
    }
}

/// A text without a limit if it is a link, since a part of a link leads nowhere.
pub(super) fn whole_link(text: &str) -> Cow<'_, str> {
    if is_link(text) { Cow::Borrowed(text) } else { Cow::Owned(printable(text)) }
}

#[cfg(test)]
mod tests {
    use alert_triage::{Engine, Format, Rules};

    use super::*;

    #[test]
    fn only_whole_web_addresses_are_links() {
        for (text, want) in [
            ("https://runbooks.example/kiln", true),
            ("http://10.0.0.1:9090/graph?g0.expr=up%3D%3D0#x", true),
            ("javascript:alert(1)", false),
            ("https://", false),
            ("https://user:word@host.example/", false),
            ("https://host.example/ and more", false),
            ("https://host.example/\"onclick", false),
            ("https://host.example/\u{202e}", false),
        ] {
            assert_eq!(is_link(text), want, "{text}");
        }
    }

    #[test]
    fn the_newest_texts_are_shown_in_few_words() {
        let mut engine = Engine::new(Rules::builtin());
        engine.read(
            "alerts",
            Format::Jsonl,
            br#"{"alertname":"TankFull","startsAt":"2026-11-20T07:00:00Z","annotations":{"summary":"95 %"},"generatorURL":"https://p.example/1"}
                {"alertname":"TankFull","startsAt":"2026-11-20T07:00:00Z","annotations":{"summary":"\n 97 %\nmore","runbook_url":"https://r.example"}}
                {"alertname":"PumpSlow","annotations":{"description":"slow"},"dashboardURL":"https://d.example"}"#,
        );
        let report = engine.report(None);
        let incidents: Vec<Incident> = report.incidents().collect();
        let said = |alert: &str| {
            let member = incidents
                .iter()
                .flat_map(|incident| &incident.members)
                .find(|member| member.alert == alert)
                .unwrap();
            let links: Vec<_> = links(member).map(|(name, url)| format!("{name} {url}")).collect();
            (summary(member), member.runbook.clone(), links)
        };
        assert_eq!(said("TankFull"), (Some("97 %".to_owned()), Some("https://r.example".to_owned()), vec![]));
        assert_eq!(
            said("PumpSlow"),
            (Some("slow".to_owned()), None, vec!["dashboard https://d.example".to_owned()])
        );
    }
}
