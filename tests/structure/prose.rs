//! Laws about prose: Markdown, comments and messages hold one width and use plain words.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Columns that a line of Markdown or of a Rust comment may have.
const MAX_WIDTH: usize = 100;

/// Words that this project does not use, each with the plain form.
const DIALECT: &[(&str, &str)] = &[
    (r"\b[Ii]s no \w+", "`is not a ..`"),
    (r"\banew\b", "`again`, `from scratch`"),
    (r"\bso (many|long|often)\b", "the number, or a noun for it"),
];

/// Uses that the patterns find and that are plain English.
const ALLOWED: &[&str] = &["is no longer", "is no more than", "is no less than", "so long as"];

/// Text files that are quotations, so that neither their width nor their words are the project's.
const QUOTED: &[&str] = &["tests/structure/prose.rs", "breaker-core/src/classify/cases.txt", "LICENSE"];

/// A file's path below the repository, and its lines.
struct Text {
    path: String,
    lines: Vec<String>,
}

/// All files below the repository with one of these extensions, sorted by path.
fn texts(extensions: &[&str]) -> Vec<Text> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = Vec::new();
    collect(&root, extensions, &mut paths);
    paths.sort();
    let text = |path: PathBuf| Text {
        path: path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned(),
        lines: fs::read_to_string(&path).expect("readable").lines().map(str::to_owned).collect(),
    };
    paths.into_iter().map(text).filter(|text| !is_below(&text.path, QUOTED)).collect()
}

fn collect(dir: &Path, extensions: &[&str], paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // Symbolic links are left out: what they lead to is checked in its own place.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            collect(&path, extensions, paths);
        } else if kind.is_file()
            && path.extension().is_some_and(|found| extensions.iter().any(|ext| found == *ext))
        {
            paths.push(path);
        }
    }
}

/// Whether `path` is one of `places` or below one of them.
fn is_below(path: &str, places: &[&str]) -> bool {
    places
        .iter()
        .any(|place| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Numbers of the prose lines that are wider than [`MAX_WIDTH`].
///
/// Of a Rust file only lines that are comments count. Fenced code, tables and HTML do not count,
/// and a link may reach over the edge if it is the last thing on its line.
fn too_wide(lines: &[String], is_rust: bool) -> Vec<usize> {
    let mut in_code = false;
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(prose) = (if is_rust { comment(line) } else { Some(line.as_str()) }) else {
            in_code = false;
            continue;
        };
        let prose = prose.trim();
        if prose.starts_with("```") || prose.starts_with("~~~") {
            in_code = !in_code;
        }
        let is_output = is_rust && line.trim_start().starts_with("//   ");
        let is_sample = is_output
            || in_code
            || prose.starts_with('|')
            || prose.starts_with('<')
            || prose.starts_with("![")
            || !is_rust && line.starts_with("    ");
        if !is_sample && line.chars().count() > MAX_WIDTH && !ends_with_a_link(line) {
            found.push(index + 1);
        }
    }
    found
}

/// The text of a line that is wholly a comment.
fn comment(line: &str) -> Option<&str> {
    let text = line.trim_start().strip_prefix("//")?;
    Some(text.strip_prefix(['/', '!']).unwrap_or(text))
}

fn ends_with_a_link(line: &str) -> bool {
    let (before, last) = line.trim_end().rsplit_once(' ').unwrap_or(("", line));
    before.chars().count() <= MAX_WIDTH && (last.contains("://") || last.contains("]("))
}

/// The dialect on a line, each with its plain form.
fn dialect(line: &str, patterns: &[(Regex, &'static str)]) -> Vec<String> {
    let mut found = Vec::new();
    for (pattern, plain) in patterns {
        for word in pattern.find_iter(line) {
            let (before, from) = (line[..word.start()].to_lowercase(), line[word.start()..].to_lowercase());
            // "there is no .." is plain, also where a line ends between the two words.
            let before = before.trim_matches(|c: char| !c.is_alphabetic());
            let is_there =
                word.as_str().contains("s no ") && (before.is_empty() || before.ends_with("there"));
            if !is_there && !ALLOWED.iter().any(|allowed| from.starts_with(allowed)) {
                found.push(format!("`{}`: write {plain}", word.as_str()));
            }
        }
    }
    found
}

fn patterns() -> Vec<(Regex, &'static str)> {
    DIALECT.iter().map(|&(pattern, plain)| (Regex::new(pattern).expect("a pattern"), plain)).collect()
}

/// Fails on all findings.
fn check(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn prose_is_wrapped_at_one_width() {
    let mut found = Vec::new();
    for text in texts(&["md", "rs"]) {
        for line in too_wide(&text.lines, text.path.ends_with(".rs")) {
            found.push(format!("{}:{line}", text.path));
        }
    }
    check(&format!("lines wider than {MAX_WIDTH} columns"), &found);
}

#[test]
fn prose_uses_plain_words() {
    let patterns = patterns();
    let mut found = Vec::new();
    for text in texts(&["md", "rs", "yml", "yaml", "sh", "py"]) {
        for (index, line) in text.lines.iter().enumerate() {
            for finding in dialect(line, &patterns) {
                found.push(format!("{}:{}: {finding}", text.path, index + 1));
            }
        }
    }
    check("words of a private dialect", &found);
}

#[test]
fn tables_code_and_last_links_may_be_wide() {
    let wide = "word ".repeat(25);
    let link = format!("{}https://example.com/{}", "word ".repeat(15), "x".repeat(60));
    let lines = [
        wide.clone(),
        format!("| {wide} |"),
        "```text".to_owned(),
        wide.clone(),
        "```".to_owned(),
        link,
        format!("- {wide}"),
    ];
    assert_eq!(too_wide(&lines, false), [1, 7]);
    let lines = [
        format!("let x = 1; // {wide}"),
        format!("    /// {wide}"),
        "/// ```".to_owned(),
        format!("/// {wide}"),
    ];
    assert_eq!(too_wide(&lines, true), [2]);
}

#[test]
fn dialect_is_found_and_plain_english_is_not() {
    let patterns = patterns();
    let found = |line: &str| dialect(line, &patterns).len();
    assert_eq!(found("it is no JSON, and starts anew"), 2);
    assert_eq!(found("waits so long, so often"), 2);
    assert_eq!(found("It is no longer ready so long as there is no pod"), 0);
    assert_eq!(found("/// is no pod left"), 0);
}
