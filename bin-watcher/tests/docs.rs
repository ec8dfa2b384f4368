//! The documents agree with the program and with the repository.

mod binary;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use binary::{text, watcher};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// README, CHANGELOG, the book and the pages of the manifests.
fn documents() -> Vec<PathBuf> {
    let in_directory = |directory: &str| {
        let entries = fs::read_dir(repository().join(directory)).expect("a directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|end| end == "md")).collect::<Vec<_>>()
    };
    [".", "docs", "deploy", "deploy/demo"].into_iter().flat_map(in_directory).collect()
}

/// The Markdown without its code blocks.
fn prose(markdown: &str) -> String {
    let mut in_code = false;
    let mut kept = String::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The anchor that a heading gets on GitHub.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(markdown: &str) -> BTreeSet<String> {
    let prose = prose(markdown);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

#[test]
fn the_picture_of_the_readme_shows_what_the_demo_prints() {
    let picture = read(&repository().join("docs/demo.svg"));
    let lines = picture.lines().filter(|line| line.starts_with("<text "));
    let shown: Vec<String> = lines
        .map(|line| {
            let pieces = line.split('<').filter_map(|piece| piece.split_once('>').map(|(_, words)| words));
            let words: String = pieces.collect();
            words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        })
        .collect();
    let output = text(&watcher(&["demo"]).stdout);
    let printed: Vec<_> = output.lines().collect();
    assert_eq!(shown, printed, "draw it again: docs/make-demo-svg");
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let documents = documents();
    assert!(documents.len() > 10, "{documents:?}");
    for document in documents {
        let markdown = read(&document);
        let prose = prose(&markdown);
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let at = if file.is_empty() { document.clone() } else { document.with_file_name(file) };
            assert!(at.exists(), "{} links to {link}", document.display());
            if !heading.is_empty() {
                assert!(anchors(&read(&at)).contains(heading), "{} links to {link}", document.display());
            }
        }
    }
}

#[test]
fn every_file_that_the_architecture_names_exists() {
    let page = read(&repository().join("docs/architecture.md"));
    let names = page.split('`').skip(1).step_by(2).filter(|name| name.contains('/') && name.contains('.'));
    let paths: Vec<_> = names.filter(|name| !name.contains([' ', '*', '<', ':'])).collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        assert!(repository().join(path).exists(), "docs/architecture.md names {path}");
    }
}

/// The long flags that a command's help lists.
fn flags_of(command: &str) -> BTreeSet<String> {
    let help = text(&watcher(&[command, "--help"]).stdout);
    let flags = help.lines().filter_map(|line| {
        let line = line.trim_start();
        let long = if line.starts_with("--") { line } else { line.strip_prefix('-')?.split_once(", ")?.1 };
        long.split([' ', '[', '=']).next().filter(|flag| flag.starts_with("--")).map(str::to_owned)
    });
    flags.filter(|flag| flag != "--help").collect()
}

/// The words in code style in the first column of the table under a heading.
fn first_column(page: &str, heading: &str) -> Vec<String> {
    let markdown = read(&repository().join("docs").join(page));
    let (_, section) = markdown.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The long flags in the first column of the table under a heading.
fn flags_in(page: &str, heading: &str) -> BTreeSet<String> {
    let column = first_column(page, heading);
    let words = column.iter().flat_map(|code| code.split(' '));
    words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

#[test]
fn the_tables_of_flags_are_complete() {
    assert_eq!(flags_in("breaker.md", "Flags of `run`"), flags_of("run"));
    assert_eq!(flags_in("fleet.md", "Flags of `controller`"), flags_of("controller"));
}

#[test]
fn the_table_of_metrics_is_complete() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/controller/snapshots");
    let entries = fs::read_dir(snapshots).expect("a directory").map(|entry| entry.expect("an entry").path());
    let metrics = entries.map(|path| read(&path)).collect::<String>();
    let types =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE bigredbutton_")?.split(' ').next());
    let column = first_column("fleet.md", "Metrics");
    let names = column.iter().filter_map(|name| name.split('{').next());
    assert_eq!(names.collect::<BTreeSet<_>>(), types.collect());
}

#[test]
fn every_condition_in_the_table_exists() {
    let crd = text(&watcher(&["crd"]).stdout);
    for condition in first_column("fleet.md", "Conditions") {
        assert!(crd.contains(condition.as_str()), "{condition} is not in the CRD");
    }
}
