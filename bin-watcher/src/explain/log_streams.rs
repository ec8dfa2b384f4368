//! A log, or the logs of several containers that a viewer has mixed: `kubectl logs --prefix`,
//! stern, kail and Compose put the container before each line.
//!
//! ```text
//! bytes --line by line--> prefix --> the container's Tail
//! ```

use super::tail::Tail;

/// The number of containers whose logs are kept apart. Of further ones, those that were silent for
/// the longest time are dropped.
const MAX_STREAMS: usize = 48;

/// The longest prefix, in bytes.
const MAX_PREFIX_LEN: usize = 512;

/// The end of the log of one container.
#[derive(Debug)]
pub(crate) struct LogStream {
    /// `POD/CONTAINER`; `None` if no viewer named it.
    pub(crate) name: Option<String>,
    pub(crate) tail: Tail,
    /// When it was written last, in lines of all streams.
    written_at: u64,
}

/// The ends of the logs of all containers, in the order in which they appeared.
#[derive(Debug, Default)]
pub(crate) struct LogStreams {
    streams: Vec<LogStream>,
    current: usize,
    lines: u64,
    dropped: usize,
    /// The beginning of a line whose prefix is not known yet.
    start: Vec<u8>,
    in_line: bool,
}

impl LogStreams {
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            if self.in_line {
                self.streams[self.current].tail.push(piece);
            } else {
                let room = MAX_PREFIX_LEN.saturating_sub(self.start.len()).min(piece.len());
                self.start.extend_from_slice(&piece[..room]);
                if ends || self.start.len() >= MAX_PREFIX_LEN {
                    self.begin_line();
                    self.streams[self.current].tail.push(&piece[room..]);
                }
            }
            if ends {
                self.in_line = false;
            }
        }
    }

    /// The streams, and how many were dropped.
    pub(crate) fn finish(mut self) -> (Vec<LogStream>, usize) {
        if !self.start.is_empty() {
            self.begin_line();
        }
        (self.streams, self.dropped)
    }

    /// Routes the line that begins in `start`.
    fn begin_line(&mut self) {
        let start = std::mem::take(&mut self.start);
        let text = String::from_utf8_lossy(&start);
        self.lines += 1;
        match prefix(&text) {
            Some((name, len)) => {
                self.current = self.stream(Some(&name));
                self.streams[self.current].tail.push(&start[len..]);
            }
            // A line that a viewer did not mark continues the one before it.
            None => {
                if self.streams.is_empty() {
                    self.current = self.stream(None);
                }
                self.streams[self.current].tail.push(&start);
            }
        }
        self.streams[self.current].written_at = self.lines;
        self.in_line = true;
    }

    /// The index of the stream of this name; a new one if there is none.
    fn stream(&mut self, name: Option<&str>) -> usize {
        if let Some(known) = self.streams.iter().position(|stream| stream.name.as_deref() == name) {
            return known;
        }
        if self.streams.len() == MAX_STREAMS
            && let Some(oldest) = (0..MAX_STREAMS).min_by_key(|n| self.streams[*n].written_at)
        {
            self.streams.remove(oldest);
            self.dropped += 1;
        }
        let name = name.map(str::to_owned);
        self.streams.push(LogStream { name, tail: Tail::default(), written_at: self.lines });
        self.streams.len() - 1
    }
}

/// The name of the container before a line, and the length of the prefix in bytes.
fn prefix(line: &str) -> Option<(String, usize)> {
    kubectl(line).or_else(|| kail(line)).or_else(|| stern(line)).or_else(|| compose(line))
}

/// `[pod/POD/CONTAINER] `, of `kubectl logs --prefix`.
fn kubectl(line: &str) -> Option<(String, usize)> {
    let (name, _) = line.strip_prefix("[pod/")?.split_once("] ")?;
    let (pod, container) = name.split_once('/')?;
    (is_name(pod) && is_name(container)).then(|| (name.to_owned(), "[pod/".len() + name.len() + "] ".len()))
}

/// `NAMESPACE/POD[CONTAINER]: `, of kail.
fn kail(line: &str) -> Option<(String, usize)> {
    let (name, _) = line.split_once("]: ")?;
    let (pod, container) = name.split_once('[')?;
    let (namespace, pod) = pod.split_once('/')?;
    let named = is_name(namespace) && is_name(pod) && is_name(container);
    named.then(|| (format!("{pod}/{container}"), name.len() + "]: ".len()))
}

/// `POD CONTAINER `, of stern, which colours both.
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

/// `SERVICE-1  | `, of Compose.
fn compose(line: &str) -> Option<(String, usize)> {
    let at = skip_colours(line, 0);
    let (name, rest) = line[at..].split_once("| ")?;
    let name = name.trim_end();
    let (service, number) = name.rsplit_once(['-', '_'])?;
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let named = numbered && !service.is_empty() && service.chars().all(|c| c == '_' || is_name_char(c));
    named.then(|| (name.to_owned(), line.len() - rest.len()))
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

/// Whether this is the name of a pod, which a controller has made: it ends with five characters of
/// its alphabet, without vowels, or with a number.
fn is_pod(text: &str) -> bool {
    let Some((workload, end)) = text.rsplit_once('-') else { return false };
    let random = end.len() == 5 && end.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let number = !end.is_empty() && end.len() <= 4 && end.bytes().all(|byte| byte.is_ascii_digit());
    is_name(workload) && (random || number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(log: &str, chunk: usize) -> Vec<(Option<String>, String)> {
        let mut streams = LogStreams::default();
        log.as_bytes().chunks(chunk).for_each(|chunk| streams.push(chunk));
        let (streams, _) = streams.finish();
        streams.into_iter().map(|stream| (stream.name, stream.tail.into_text().0)).collect()
    }

    #[test]
    fn lines_of_several_containers_are_kept_apart() {
        let api = "swype-app-6d4f9c7b5-x2x9q/swype";
        let db = "ledger-0/db";
        let colour = "\u{1b}[38;5;1mledger-0\u{1b}[0m \u{1b}[38;5;2mdb\u{1b}[0m c\n";
        for log in [
            "[pod/swype-app-6d4f9c7b5-x2x9q/swype] a\n[pod/ledger-0/db] c\n\tat d\n[pod/swype-app-6d4f9c7b5-x2x9q/swype] b\n",
            "sre/swype-app-6d4f9c7b5-x2x9q[swype]: a\nsre/ledger-0[db]: c\n\tat d\nsre/swype-app-6d4f9c7b5-x2x9q[swype]: b\n",
            &format!("swype-app-6d4f9c7b5-x2x9q swype a\n{colour}\tat d\nswype-app-6d4f9c7b5-x2x9q swype b"),
        ] {
            for chunk in [1, 7, 10_000] {
                let got = streams(log, chunk);
                let ends: Vec<_> =
                    got.iter().map(|(name, text)| (name.as_deref(), text.trim_end())).collect();
                assert_eq!(ends, [(Some(api), "a\nb"), (Some(db), "c\n\tat d")], "{log}");
            }
        }
        let compose = "swype-app-1  | a\nledger-2     | c\nswype-app-1  | b\n";
        let got = streams(compose, 5);
        assert_eq!(got[0], (Some("swype-app-1".into()), "a\nb\n".into()));
        assert_eq!(got[1], (Some("ledger-2".into()), "c\n".into()));
    }

    #[test]
    fn a_log_of_one_container_is_one_stream() {
        for log in [
            "INFO | charging\nERROR | failed\n",
            "2026-11-29T08:24:03Z stderr F connection refused\n",
            "[main] INFO started\n[pod] b\n",
            "one two three\n",
            "web-service listening on 80\n",
            "",
        ] {
            for (name, text) in streams(log, 3) {
                assert_eq!((name, text.as_str()), (None, log));
            }
        }
    }

    #[test]
    fn the_number_of_streams_and_the_length_of_a_line_are_bounded() {
        let mut streams = LogStreams::default();
        for n in 0..1000 {
            streams.push(format!("[pod/app-{n}/c] line\n").as_bytes());
        }
        for _ in 0..100 {
            streams.push(&[b'x'; 100_000]);
        }
        let (streams, dropped) = streams.finish();
        assert_eq!((streams.len(), dropped), (MAX_STREAMS, 1000 - MAX_STREAMS));
        assert_eq!(streams.last().and_then(|stream| stream.name.as_deref()), Some("app-999/c"));
    }
}
