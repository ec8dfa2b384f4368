//! A log, or the logs of several containers that a [`Viewer`] has mixed.
//!
//! ```text
//! bytes --the first 64 KiB--> Viewer
//!       --line by line------> its prefix --> the container's Tail
//! ```

use super::tail::Tail;
use super::viewer::Viewer;

/// The length of the beginning by which the viewer is chosen, in bytes.
const HEAD_LEN: usize = 64 * 1024;

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
    /// The beginning, until the viewer is chosen.
    head: Vec<u8>,
    chosen: bool,
    /// `None` if the input is the log of one container.
    viewer: Option<Viewer>,
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
        if self.chosen {
            return self.route(chunk);
        }
        self.head.extend_from_slice(chunk);
        if self.head.len() >= HEAD_LEN {
            self.choose_viewer();
        }
    }

    /// The streams, and how many were dropped.
    pub(crate) fn finish(mut self) -> (Vec<LogStream>, usize) {
        if !self.chosen {
            self.choose_viewer();
        }
        if !self.start.is_empty() {
            self.begin_line();
        }
        (self.streams, self.dropped)
    }

    fn choose_viewer(&mut self) {
        let head = std::mem::take(&mut self.head);
        self.viewer = Viewer::of(&String::from_utf8_lossy(&head[..head.len().min(HEAD_LEN)]));
        self.chosen = true;
        self.route(&head);
    }

    fn route(&mut self, chunk: &[u8]) {
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

    /// Routes the line that begins in `start`.
    fn begin_line(&mut self) {
        let start = std::mem::take(&mut self.start);
        let text = String::from_utf8_lossy(&start);
        self.lines += 1;
        match self.viewer.and_then(|viewer| viewer.prefix(&text)) {
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
            "worker-3 failed to connect to db:5432: connection refused\n",
            "worker-3 started\nworker-4 started\nworker-3 failed to connect to db:5432\n",
            "thread-1 | ERROR connection refused\nthread-2 | INFO retried\n",
            "",
        ] {
            for (name, text) in streams(log, 3) {
                assert_eq!((name, text.as_str()), (None, log));
            }
        }
    }

    /// Each thread of a log that names it first would be a stream, of which the oldest are dropped.
    #[test]
    fn no_line_of_a_log_of_many_threads_is_dropped() {
        for line in ["worker-N failed to connect to db:5432: connection refused\n", "thread-N | ERROR lost\n"]
        {
            let log: String = (0..9000).map(|n| line.replace('N', &n.to_string())).collect();
            let [(None, text)] = &streams(&log, 8192)[..] else { panic!("several streams: {line}") };
            assert!(log.ends_with(text.as_str()) && text.lines().count() > 4000, "{line}");
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
