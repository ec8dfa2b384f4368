//! Removes what a runtime or a viewer put before every line: CRI, Docker's json-file, journald,
//! `kubectl logs --timestamps` and `--prefix`, stern, Compose, syslog.
//!
//! A prefix is removed when it stands before nearly every line. The first line may lack it, because
//! the beginning of a log tail may be cut off; so may the last lines, which a wrapper wrote.

use super::stamp::{rfc3339, syslog};

/// How many prefixes may stand before each other: stern shows what a runtime stamped.
const MAX_NESTED: usize = 3;

/// `text` without the prefix of its lines; `None` if its lines have none.
pub(super) fn strip(text: &str) -> Option<String> {
    let mut stripped = None;
    for _ in 0..MAX_NESTED {
        let current = stripped.as_deref().unwrap_or(text);
        match strip_one(current) {
            Some(next) => stripped = Some(next),
            None => break,
        }
    }
    stripped
}

/// A line behind its prefix; `None` if the line does not have this prefix.
type Prefix = fn(&str) -> Option<usize>;

fn strip_one(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let filled = || lines.iter().filter(|line| !line.trim().is_empty());
    if nearly_all(filled(), |line| json_file(line).is_some()) {
        return Some(rebuild(&lines, |line| json_file(line).unwrap_or_else(|| line.to_owned())));
    }
    let known: [Prefix; 11] = [
        cri,
        kubectl,
        kail,
        journald,
        compose,
        syslog_record,
        stamped,
        cloud_foundry,
        buildkit,
        tagged_stream,
        clock,
    ];
    if nearly_all(filled(), |line| cri(line).is_some()) && lines.iter().any(|line| is_partial(line)) {
        return Some(join_partial(&lines));
    }
    for prefix in known {
        if nearly_all(filled(), |line| prefix(line).is_some()) {
            return Some(rebuild(&lines, |line| line[prefix(line).unwrap_or(0)..].to_owned()));
        }
    }
    let same = |prefix: &str| {
        nearly_all(filled(), |line| has_prefix(line, prefix))
            .then(|| rebuild(&lines, |line| line[behind(line, prefix).unwrap_or(0)..].to_owned()))
    };
    let last = || filled().rev().take(MAX_FOOTER_LINES);
    let task = || last().find_map(|line| task_runner(line)).filter(|_| filled().count() > 2).and_then(same);
    // In a short text, words like `worker-3 failed` look like it.
    let few = filled().count() < 3;
    let pod = last().find_map(|line| stern(line));
    pod.filter(|prefix| !few || is_hashed(prefix)).and_then(same).or_else(task)
}

/// The number of last lines among which a prefix with a name is looked for.
const MAX_FOOTER_LINES: usize = 12;

/// The least number of lines with a prefix before lines without it, which a wrapper wrote.
const MIN_LINES_BEFORE_FOOTER: usize = 3;

/// Whether at least four of five lines have the prefix, or all but the first. Lines behind the last
/// one that has it do not count, if they are fewer than those with it.
fn nearly_all<'l>(lines: impl Iterator<Item = &'l &'l str> + Clone, has_it: impl Fn(&str) -> bool) -> bool {
    let (mut with, mut gaps, mut footer) = (0, 0, 0);
    for line in lines {
        if has_it(line) {
            with += 1;
            gaps += std::mem::take(&mut footer);
        } else {
            footer += 1;
        }
        // Most logs have no prefix, and then their first lines show it.
        let all = with + gaps + footer;
        if all > 4 && (gaps > 1 + all / 4 || footer > 1 + with.max(all / 4)) {
            return false;
        }
    }
    let enough = |all: usize| with * 5 >= all * 4 || with + 1 == all && with > 1;
    let has_footer = with >= MIN_LINES_BEFORE_FOOTER && footer <= with;
    with > 0 && (enough(with + gaps + footer) || has_footer && enough(with + gaps))
}

fn rebuild(lines: &[&str], line: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    for written in lines {
        out.push_str(&line(written));
        out.push('\n');
    }
    out
}

/// The end of a prefix that ends at `end`, with the one space that separates it from the line.
fn with_space(line: &str, end: usize) -> Option<usize> {
    match line.as_bytes().get(end) {
        Some(b' ') => Some(end + 1),
        None => Some(end),
        Some(_) => None,
    }
}

/// `2026-06-03T11:20:44.5Z stderr F text`, as containerd and CRI-O store it.
fn cri(line: &str) -> Option<usize> {
    let stamp = rfc3339(line)?;
    let rest = &line[stamp..];
    [" stdout F", " stdout P", " stderr F", " stderr P"]
        .iter()
        .find(|tag| rest.starts_with(**tag))
        .and_then(|tag| with_space(line, stamp + tag.len()))
}

/// Whether containerd or CRI-O cut the line: the next line continues it.
fn is_partial(line: &str) -> bool {
    rfc3339(line)
        .is_some_and(|stamp| [" stdout P ", " stderr P "].iter().any(|tag| line[stamp..].starts_with(tag)))
}

/// The lines without their prefix, partial ones joined. Empty lines keep the numbers of the others.
fn join_partial(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut joined = 0;
    for line in lines {
        out.push_str(&line[cri(line).unwrap_or(0)..]);
        if is_partial(line) {
            joined += 1;
        } else {
            out.extend(std::iter::repeat_n('\n', joined + 1));
            joined = 0;
        }
    }
    out.push('\n');
    out
}

/// `[pod/NAME/CONTAINER] text`, as `kubectl logs --prefix` shows it; also `[NAME CONTAINER] text`.
fn kubectl(line: &str) -> Option<usize> {
    let (name, _) = line.strip_prefix('[')?.split_once(']')?;
    let parts = || name.split(['/', ' ']);
    let plain = |part: &str| !part.is_empty() && part.bytes().all(is_name_byte);
    let pod =
        name.starts_with("pod/") || (name.contains('-') && name.bytes().any(|b| b.is_ascii_lowercase()));
    (pod && (2..=3).contains(&parts().count()) && parts().all(plain))
        .then(|| with_space(line, name.len() + 2))
        .flatten()
}

/// `NAMESPACE/POD[CONTAINER]: text`; also `app[web.1]: text`, as Heroku shows it.
fn kail(line: &str) -> Option<usize> {
    let (name, _) = line.split_once("]: ")?;
    let (pod, container) = name.split_once('[')?;
    let plain = |part: &str| !part.is_empty() && part.bytes().all(is_name_byte);
    (pod.split('/').count() <= 2 && pod.split('/').all(plain) && plain(container)).then_some(name.len() + 3)
}

/// `Jun  3 11:20:44 HOST UNIT[PID]: text`, or with an RFC 3339 time.
fn journald(line: &str) -> Option<usize> {
    let start = syslog(line).or_else(|| rfc3339(line))?;
    let mut words = line.get(start..)?.strip_prefix(' ')?.splitn(3, ' ');
    let (host, unit) = (words.next()?, words.next()?);
    let name = unit.strip_suffix(':')?;
    let program = name.split('[').next()?;
    let plain = |part: &str| !part.is_empty() && part.bytes().all(is_name_byte);
    // A level with a colon is not a unit.
    let unit_like = program.bytes().any(|b| b.is_ascii_lowercase());
    let numbered = name.ends_with(']') && name.contains('[') || syslog(line).is_some();
    (plain(host) && plain(program) && unit_like && numbered)
        .then(|| with_space(line, start + 1 + host.len() + 1 + unit.len()))
        .flatten()
}

/// `<14>1 2026-06-03T11:20:44Z HOST APP PID ID - text`.
fn syslog_record(line: &str) -> Option<usize> {
    let (priority, _) = line.strip_prefix('<')?.split_once('>')?;
    if priority.is_empty() || priority.len() > 3 || !priority.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let rest = &line[priority.len() + 2..];
    let Some(fields) = rest.strip_prefix("1 ") else { return Some(priority.len() + 2) };
    let header: usize = fields.splitn(7, ' ').take(6).map(|field| field.len() + 1).sum();
    (fields.splitn(7, ' ').count() == 7).then_some(priority.len() + 2 + 2 + header)
}

/// `SERVICE-1  | text`, as Compose and Swarm show it, and `jvm 1    | text` of the Java Service
/// Wrapper.
fn compose(line: &str) -> Option<usize> {
    let bar = line.find('|')?;
    let name = line[..bar].trim_end();
    let name = name.strip_prefix("jvm ").unwrap_or(name);
    let plain = !name.is_empty() && name.bytes().all(|b| is_name_byte(b) || b == b'@');
    // `a|b` is a table or a pipe.
    (plain && name.len() < bar).then(|| with_space(line, bar + 1)).flatten()
}

/// `2026-06-03T11:20:44.5Z text`, as `--timestamps` shows it, and `[2026-06-03T11:20:44.5Z] text`,
/// as Jenkins does.
fn stamped(line: &str) -> Option<usize> {
    match line.strip_prefix('[') {
        Some(inner) => {
            let end = 1 + rfc3339(inner)?;
            with_space(line, line[end..].starts_with(']').then_some(end + 1)?)
        }
        None => with_space(line, rfc3339(line)?),
    }
}

/// `11:20:44 text` and `[11:20:44] text`, as CI servers stamp the output of a tool.
///
/// A logger's own time stays: a level follows it.
fn clock(line: &str) -> Option<usize> {
    let inner = line.strip_prefix('[').unwrap_or(line);
    let time = inner.get(..8)?;
    let shaped =
        time.bytes().zip(*b"00:00:00").all(|(b, p)| if p == b'0' { b.is_ascii_digit() } else { b == p });
    let end = 8 + 2 * (line.len() - inner.len());
    let closed = end == 8 || line.as_bytes().get(9) == Some(&b']');
    (shaped && closed).then(|| with_space(line, end)).flatten()
}

/// `[APP/0]      OUT text`, behind the time that Cloud Foundry shows.
fn cloud_foundry(line: &str) -> Option<usize> {
    let (source, rest) = line.strip_prefix('[')?.split_once(']')?;
    let plain = source.contains('/')
        && source.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'/');
    let words = rest.trim_start();
    let tag = ["OUT", "ERR"].iter().find(|tag| words.starts_with(**tag))?;
    plain.then(|| with_space(line, line.len() - words.len() + tag.len())).flatten()
}

/// `#12 3.355 text` and `3.355 text`, as BuildKit shows it.
fn buildkit(line: &str) -> Option<usize> {
    let rest = match line.strip_prefix('#') {
        Some(step) => step.split_once(' ').filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()))?.1,
        None => line,
    };
    let (whole, fraction) = rest.split(' ').next()?.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let stamp = line.len() - rest.len() + whole.len() + 1 + fraction.len();
    (digits(whole) && digits(fraction) && fraction.len() <= 3).then(|| with_space(line, stamp)).flatten()
}

/// The first two words of a line of stern: `app-6d5c9b7f84-k2m9x app`.
fn stern(line: &str) -> Option<&str> {
    let line = line.strip_prefix("+ ").unwrap_or(line);
    let (pod, rest) = line.split_once(' ')?;
    let rest = rest.strip_prefix("› ").unwrap_or(rest);
    let container = rest.split(' ').next()?;
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| is_name_byte(b) && !b.is_ascii_uppercase());
    let ending = pod.rsplit('-').next()?;
    let numbered = ending.bytes().all(|b| b.is_ascii_digit());
    let pod_like = pod.contains('-') && (numbered || ending.len() == 5);
    (plain(pod) && plain(container) && pod_like).then(|| &line[..line.len() - rest.len() + container.len()])
}

/// Whether the name of the pod ends like one of a ReplicaSet.
fn is_hashed(prefix: &str) -> bool {
    let pod = prefix.trim_start_matches("+ ").split(' ').next().unwrap_or_default();
    let ending = pod.rsplit('-').next().unwrap_or_default();
    let has = |is: fn(&u8) -> bool| ending.bytes().any(|b| is(&b));
    ending.len() == 5 && has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase)
}

/// The first word of a line of Turborepo: `@acme/web:start:`.
fn task_runner(line: &str) -> Option<&str> {
    let name = line.split(' ').next()?;
    let inner = name.strip_suffix(':')?;
    let plain = inner.bytes().all(|b| is_name_byte(b) || matches!(b, b'@' | b'/' | b':'));
    (plain && inner.contains(':') && inner.bytes().any(|b| b.is_ascii_lowercase())).then_some(name)
}

/// `2026/06/03 11:20:44 | stdout | text`.
fn tagged_stream(line: &str) -> Option<usize> {
    let (stamp, rest) = line.split_once(" | ")?;
    let plain = stamp.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'/' | b'-' | b':' | b'.' | b' '));
    let tag = ["stdout |", "stderr |"].iter().find(|tag| rest.starts_with(**tag))?;
    plain.then(|| with_space(line, stamp.len() + 3 + tag.len())).flatten()
}

fn has_prefix(line: &str, prefix: &str) -> bool {
    behind(line, prefix).is_some()
}

fn behind(line: &str, prefix: &str) -> Option<usize> {
    let marked = if line.starts_with("+ ") { 2 } else { 0 };
    line[marked..].starts_with(prefix).then(|| with_space(line, marked + prefix.len())).flatten()
}

/// The line in a record of Docker's json-file driver.
fn json_file(line: &str) -> Option<String> {
    if !line.starts_with("{\"log\":\"") {
        return None;
    }
    let record: serde_json::Value = serde_json::from_str(line).ok()?;
    record.get("stream")?;
    Some(record.get("log")?.as_str()?.trim_end_matches('\n').to_owned())
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 4] = ["INFO up", "Error: a", "\tat b", ""];

    /// Adds a prefix to the line with this number.
    type AddPrefix = fn(usize, &str) -> String;

    fn plain() -> String {
        LINES.iter().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn every_prefix_is_removed() {
        let prefixes: [(&str, AddPrefix); 18] = [
            ("CRI", |n, line| format!("2026-06-03T11:20:4{n}.123456789Z stderr F {line}")),
            ("timestamps", |n, line| format!("2026-06-03T11:20:4{n}.123456789Z {line}")),
            ("kubectl", |_, line| format!("[pod/app-6d5c9b7f84-k2m9x/app] {line}")),
            ("kubetail", |_, line| format!("[app-6d5c9b7f84-k2m9x app] {line}")),
            ("kail", |_, line| format!("pay/app-0[app]: {line}")),
            ("stern", |_, line| format!("app-6d5c9b7f84-k2m9x app {line}")),
            ("compose", |_, line| format!("app-1  | {line}")),
            ("journald", |n, line| format!("Jun 03 11:20:4{n} node-1 k3s[812]: {line}")),
            ("syslog", |n, line| format!("<14>1 2026-06-03T11:20:4{n}Z node-1 app 1 - - {line}")),
            ("Cloud Foundry", |n, line| format!("2026-06-03T11:20:4{n}.92+0530 [STG/0]      OUT {line}")),
            ("BuildKit", |n, line| format!("#12 {n}.355 {line}")),
            ("Heroku", |n, line| format!("2026-06-03T11:20:4{n}.092+00:00 app[web.1]: {line}")),
            ("syslog without a number", |n, line| format!("Aug  5 05:38:0{n} localhost settle: {line}")),
            ("Turborepo", |_, line| format!("@acme/web:start: {line}")),
            ("tagged", |n, line| format!("2026/06/03 11:20:4{n} | stdout | {line}")),
            ("clock", |n, line| format!("11:20:4{n} {line}")),
            ("clock in brackets", |n, line| format!("[11:20:4{n}] {line}")),
            ("stern on timestamps", |n, line| {
                format!("app-6d5c9b7f84-k2m9x app 2026-06-03T11:20:4{n}Z {line}")
            }),
        ];
        for (case, prefix) in prefixes {
            let prefixed: String = LINES.iter().enumerate().map(|(n, line)| prefix(n, line) + "\n").collect();
            assert_eq!(strip(&prefixed), Some(plain()), "{case}");
        }
        let stored: String = LINES
            .iter()
            .map(|line| {
                serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": "x"}).to_string()
                    + "\n"
            })
            .collect();
        assert_eq!(strip(&stored), Some(plain()), "json-file");
    }

    #[test]
    fn the_first_line_may_be_cut() {
        assert_eq!(
            strip("rr F Error: a\n2026-06-03T11:20:44Z stderr F Error: b\n2026-06-03T11:20:44Z stderr F c\n"),
            Some("rr F Error: a\nError: b\nc\n".into())
        );
    }

    #[test]
    fn partial_lines_are_joined() {
        let line = |tag: &str, text: &str| format!("2026-06-03T11:20:44.5Z stderr {tag} {text}\n");
        let text =
            [line("F", "up"), line("P", "dial tcp: connection "), line("F", "refused"), line("F", "x")];
        assert_eq!(strip(&text.concat()), Some("up\ndial tcp: connection refused\n\nx\n\n".into()));
    }

    #[test]
    fn a_log_without_prefix_is_left_alone() {
        for text in [
            "2026/06/03 11:20:44 settle: x\n2026/06/03 11:20:44 settle: y\n",
            "[error] x\n[warn] y\n",
            "[main] x\n[main] y\n",
            "E0603 11:20:39.118022       1 a.go:332] x\n",
            "a | b\nc\nd\ne\nf\n",
            "time=2026-06-03T11:20:44.101Z level=ERROR msg=\"run\"\n",
            "psql: error: x\n",
            "worker-3 failed\n",
            "",
        ] {
            assert_eq!(strip(text), None, "{text}");
        }
    }
}
