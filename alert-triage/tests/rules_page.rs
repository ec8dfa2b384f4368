//! `docs/triage-rules.md` holds what it shows: its files are read, and say what the page says they do.

use std::collections::BTreeMap;

use alert_triage::{Cases, Outcome, Rules};

const PAGE: &str = include_str!("../../docs/triage-rules.md");

/// The fenced blocks of a language, each with its line in the page.
fn blocks(language: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut fence: Option<&str> = None;
    for (at, line) in PAGE.lines().enumerate() {
        match (line.strip_prefix("```"), fence) {
            (Some(opened), None) => {
                fence = Some(opened);
                if opened == language {
                    blocks.push((at + 2, String::new()));
                }
            }
            (Some(_), Some(_)) => fence = None,
            (None, Some(open)) if open == language => {
                let (_, block) = blocks.last_mut().expect("pushed when the fence opened");
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert_eq!(fence, None, "a block is not closed");
    blocks
}

/// The block whose first line is this comment or command.
fn block(language: &str, first: &str) -> String {
    let found = blocks(language).into_iter().find(|(_, block)| block.lines().next() == Some(first));
    found.unwrap_or_else(|| panic!("no block begins with `{first}`")).1
}

#[test]
fn every_file_of_the_page_can_be_used() {
    let files = blocks("yaml");
    for section in [
        "templates",
        "identity",
        "scope",
        "severities",
        "ladders",
        "edges",
        "transients",
        "informational",
        "silences",
        "ttls",
        "runbooks",
        "limits",
        "builtin",
    ] {
        let begins = |(_, block): &(usize, String)| block.starts_with(&format!("{section}:\n"));
        assert!(files.iter().any(begins), "the page shows {section}");
    }
    for (line, block) in files {
        if block.starts_with("# cases.yaml\n") {
            Cases::parse(&block).unwrap_or_else(|error| panic!("cases of line {line}: {error}"));
            continue;
        }
        let rules = Rules::parse(&block).unwrap_or_else(|error| panic!("rules of line {line}: {error}"));
        let found = rules.check(None, None);
        assert_eq!(!found.is_empty(), block.starts_with("# faulty\n"), "rules of line {line}: {found:?}");
    }
}

#[test]
fn check_finds_what_the_page_shows() {
    let rules = Rules::parse(&block("yaml", "# faulty")).unwrap();
    let found = rules.check(Some("2026-11-23T06:00:00Z".parse().unwrap()), None);
    let command = "$ triage check faulty.yaml --now 2026-11-23T06:00:00Z";
    let mut told = format!("{command}\n");
    for finding in &found {
        told += &format!(
            "faulty.yaml:{}: {}: `{}` {}\n",
            finding.line, finding.lint, finding.id, finding.message
        );
    }
    told += &format!("{} faults, {} rows\n", found.len(), rules.rows());
    assert_eq!(told, block("text", command));
}

#[test]
fn test_says_what_the_page_shows() {
    let rules = Rules::parse(&block("yaml", "# shop.yaml")).unwrap();
    let cases = block("yaml", "# cases.yaml");
    let run = |yaml: &str| -> Vec<Outcome> { Cases::parse(yaml).unwrap().run(&rules, &BTreeMap::new()) };
    assert_eq!(run(&cases)[0].failures, []);

    let wrong = cases.replace("verdict: superseded", "verdict: active");
    let failures = &run(&wrong)[0].failures;
    assert_eq!(failures.len(), 1);
    let failure = &failures[0];
    let told = format!("cases.yaml:{}: at {}: {}", failure.line, failure.at, failure.message);
    assert!(blocks("text").iter().any(|(_, block)| block.contains(&told)), "the page does not show {told}");
}
