//! The viewers that mix the logs of several containers and put the container before each line.
//!
//! A log of one container can have lines of such a shape as well: `worker-3 failed to connect`,
//! `thread-1 | ERROR`. The viewer is therefore chosen once for an input, by all lines of its
//! beginning, and names have to be such as the viewer writes.

use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of containers of a workload. Words that vary more are part of the log.
const MAX_CONTAINERS: usize = 8;

/// What wrote the prefixes of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// `kubectl logs --prefix`.
    Kubectl,
    Kail,
    Stern,
    Compose,
}

impl Viewer {
    const ALL: [Self; 4] = [Self::Kubectl, Self::Kail, Self::Stern, Self::Compose];

    /// The viewer of an input that begins with `head`; `None` if it is the log of one container.
    pub(crate) fn of(head: &str) -> Option<Self> {
        // Editors and terminals cut the space behind the prefix of a blank line.
        let lines: Vec<_> =
            head.lines().filter(is_beginning).map(|line| format!("{} ", line.trim_end())).collect();
        Self::ALL.into_iter().find(|viewer| {
            let names: Vec<_> = lines.iter().filter_map(|line| viewer.prefix(line)).collect();
            let (with, all) = (names.len(), lines.len());
            // The first line can be a command, or be cut off.
            let nearly_all = with * 5 >= all * 4 || with > 1 && with + 1 == all;
            with > 0
                && nearly_all
                && (*viewer != Self::Stern || are_pods(names.iter().map(|(name, _)| name.as_str())))
        })
    }

    /// The name of the container before a line, and the length of the prefix in bytes.
    pub(crate) fn prefix(self, line: &str) -> Option<(String, usize)> {
        match self {
            Self::Kubectl => kubectl(line),
            Self::Kail => kail(line),
            Self::Stern => stern(line),
            Self::Compose => compose(line),
        }
    }
}

/// Whether a line is one that a viewer puts a prefix before: neither the continuation of a line,
/// nor what stern says about itself (`+ POD › CONTAINER`).
fn is_beginning(line: &&str) -> bool {
    !line.is_empty() && !line.starts_with([' ', '\t', '\r']) && !line.contains(" › ")
}

/// Whether these pairs of `POD/CONTAINER` are pods. One name must have an ending that Kubernetes
/// generated: `worker-3` alone can be a thread. The pods of a workload have the same few
/// containers.
fn are_pods<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let mut containers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut generated = false;
    for (pod, container) in names.filter_map(|name| name.split_once('/')) {
        let (workload, end) = pod.rsplit_once('-').unwrap_or((pod, ""));
        // `https` has the same letters as a generated ending, a digit too makes it sure.
        let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
        generated |= is_generated(end) && has_digit(end);
        containers.entry(workload).or_default().insert(container);
    }
    generated && containers.values().all(|containers| containers.len() <= MAX_CONTAINERS)
}

/// `[pod/POD/CONTAINER] `.
fn kubectl(line: &str) -> Option<(String, usize)> {
    let (name, _) = line.strip_prefix("[pod/")?.split_once("] ")?;
    let (pod, container) = name.split_once('/')?;
    (is_name(pod) && is_name(container)).then(|| (name.to_owned(), "[pod/".len() + name.len() + "] ".len()))
}

/// `NAMESPACE/POD[CONTAINER]: `.
fn kail(line: &str) -> Option<(String, usize)> {
    let (name, _) = line.split_once("]: ")?;
    let (pod, container) = name.split_once('[')?;
    let (namespace, pod) = pod.split_once('/')?;
    // `postfix/smtpd[1234]: ` is a process.
    let is_process = container.bytes().all(|byte| byte.is_ascii_digit());
    let named = is_name(namespace) && is_name(pod) && is_name(container) && !is_process;
    named.then(|| (format!("{pod}/{container}"), name.len() + "]: ".len()))
}

/// `POD CONTAINER `, both perhaps coloured.
fn stern(line: &str) -> Option<(String, usize)> {
    let at = skip_colours(line, 0);
    let pod = line[at..].split([' ', '\u{1b}']).next()?;
    let end = skip_colours(line, at + pod.len());
    let rest = line[end..].strip_prefix(' ')?;
    let from = skip_colours(line, line.len() - rest.len());
    let container = line[from..].split([' ', '\u{1b}']).next()?;
    let end = skip_colours(line, from + container.len());
    let named = is_pod(pod) && is_name(container) && line[end..].starts_with(' ');
    named.then(|| (format!("{pod}/{container}"), end + 1))
}

/// `SERVICE-1  | `. Compose pads to two spaces more than the longest name has characters.
fn compose(line: &str) -> Option<(String, usize)> {
    let at = skip_colours(line, 0);
    let (padded, rest) = line[at..].split_once("| ")?;
    let name = padded.trim_end_matches(' ');
    let (service, number) = name.rsplit_once(['-', '_'])?;
    let is_padded = padded.len() >= name.len() + 2;
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let named = !service.is_empty() && service.chars().all(|c| c == '_' || is_name_char(c));
    (is_padded && numbered && named).then(|| (name.to_owned(), line.len() - rest.len()))
}

/// The position behind the colours that begin at `at`.
fn skip_colours(line: &str, mut at: usize) -> usize {
    while let Some(rest) = line[at..].strip_prefix("\u{1b}[")
        && let Some(end) = rest.find('m')
        && rest[..end].bytes().all(|byte| byte.is_ascii_digit() || byte == b';')
    {
        at += "\u{1b}[".len() + end + 1;
    }
    at
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.')
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_char)
}

/// Whether a controller names a pod so: it ends in what Kubernetes generated, or in a number.
fn is_pod(text: &str) -> bool {
    let Some((workload, end)) = text.rsplit_once('-') else { return false };
    let number = !end.is_empty() && end.len() <= 4 && end.bytes().all(|byte| byte.is_ascii_digit());
    is_name(workload) && (is_generated(end) || number)
}

/// Five characters of the alphabet that Kubernetes generates names of, without vowels.
fn is_generated(end: &str) -> bool {
    end.len() == 5 && end.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_viewer_is_chosen_by_all_lines_of_the_beginning() {
        let stern = "api-6d4f9c7b5-x2x9q app up\napi-6d4f9c7b5-x2x9q proxy up\nledger-0 db up\n";
        let compose = "Attaching to web-1, db-1\nweb-1  | up\ndb-1   | up\ndb-1   |\nweb-1  | down\n";
        for (head, viewer) in [
            ("[pod/api-1/app] a\n[pod/api-1/app]\n\tat b\n", Some(Viewer::Kubectl)),
            ("sre/api-x2x9q[app]: a\n", Some(Viewer::Kail)),
            (stern, Some(Viewer::Stern)),
            (
                "+ api-x2x9q › app\n+ api-z7x5c › app\n+ api-bb4cz › app\napi-x2x9q app a\n",
                Some(Viewer::Stern),
            ),
            (compose, Some(Viewer::Compose)),
            // Some lines only.
            ("INFO up\nINFO ready\n[pod/api-1/app] a\n", None),
            ("up\nready\napi-6d4f9c7b5-x2x9q app lost\n", None),
            // A thread, a process, a word.
            ("worker-3 failed to connect to db:5432: connection refused\n", None),
            ("postfix/smtpd[1234]: connect from unknown\n", None),
            ("web-https listening on 443\n", None),
            ("thread-1 | ERROR connection refused\nthread-12 | INFO up\n", None),
        ] {
            assert_eq!(Viewer::of(head), viewer, "{head}");
        }
    }

    #[test]
    fn words_that_vary_are_no_containers() {
        let verbs =
            ["started", "took", "read", "parsed", "sent", "retried", "lost", "failed", "ended", "left"];
        let log: String = verbs.iter().map(|verb| format!("job-x2x9q {verb} it\n")).collect();
        assert_eq!(Viewer::of(&log), None);
    }
}
