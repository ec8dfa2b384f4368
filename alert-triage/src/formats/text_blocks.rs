//! Alerts of several lines `Key: value`, such as mails.
//!
//! A new block begins at the start of a mail in a mailbox, at a key that the block has already, and
//! at a line of dashes and the like behind a block that is complete.

use serde_json::{Map, Value};

use super::text_rows::normalized;

/// The maximum number of pairs of a block. The rest is not used.
const MAX_PAIRS: usize = 256;

/// The maximum number of characters of a key.
const MAX_KEY_LEN: usize = 40;

/// The maximum number of words of a key.
const MAX_KEY_WORDS: usize = 5;

/// Headers of a mail that may be in it several times.
const MAIL_HEADERS: [&str; 12] = [
    "authentication_results",
    "arc_seal",
    "bcc",
    "cc",
    "date",
    "delivered_to",
    "from",
    "message_id",
    "received",
    "return_path",
    "subject",
    "to",
];

/// The lines of one alert.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    /// Its pairs. Keys are in lower case, with `_` for everything but letters and digits.
    pub(crate) pairs: Map<String, Value>,
    /// All its lines that are not blank, with their numbers from 1.
    lines: Vec<(u64, String)>,
    /// The keys in the order in which they came, each with the number of lines up to its value.
    keys: Vec<(String, usize)>,
    /// The number of keys before the current paragraph.
    paragraph: usize,
    /// The key whose value may be on a later line, and whether a blank line follows it.
    open: Option<(String, bool)>,
    is_mail_head: bool,
    /// The number of keys that are headers of a mail; the body may have them again.
    headers: usize,
}

impl Block {
    /// The number of its first line, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.lines.first().map_or(1, |(number, _)| *number)
    }

    /// The texts of its lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(_, line)| line.as_str())
    }

    fn add(&mut self, number: u64, line: &str) {
        self.lines.push((number, line.to_owned()));
    }

    /// Adds the pair of the last line.
    fn insert(&mut self, key: String, value: &str) {
        if self.pairs.len() == MAX_PAIRS || self.pairs.contains_key(&key) {
            return;
        }
        if self.pairs.is_empty() {
            self.is_mail_head = MAIL_HEADERS.contains(&key.as_str());
        }
        if self.is_mail_head {
            self.headers = self.keys.len() + 1;
        }
        self.open = value.is_empty().then(|| (key.clone(), false));
        self.keys.push((key.clone(), self.lines.len()));
        self.pairs.insert(key, Value::from(value));
    }

    /// Takes away what belongs to the next block, which begins with `key` or before it: the lines
    /// behind the last pair, and the pairs of the current paragraph unless `key` is one of them.
    fn split(&mut self, key: &str) -> Block {
        let is_mail = self.headers > 0 && self.is_first(key);
        let has_key = self.keys.iter().skip(self.paragraph).any(|(other, _)| other == key);
        let kept = if is_mail || has_key { self.keys.len() } else { self.paragraph };
        let end = kept.checked_sub(1).and_then(|last| self.keys.get(last)).map_or(0, |(_, end)| *end);
        let mut next = Block { lines: self.lines.split_off(end), ..Block::default() };
        for (key, behind) in self.keys.split_off(kept) {
            if let Some(value) = self.pairs.remove(&key) {
                next.pairs.insert(key.clone(), value);
                next.keys.push((key, behind - end));
            }
        }
        next
    }

    fn is_header(&self, key: &str) -> bool {
        self.keys.iter().take(self.headers).any(|(header, _)| header == key)
    }

    fn is_first(&self, key: &str) -> bool {
        self.keys.first().is_some_and(|(first, _)| first == key)
    }

    fn blank(&mut self) {
        self.paragraph = self.keys.len();
        self.is_mail_head = false;
        if let Some((_, after_blank)) = &mut self.open {
            *after_blank = true;
        }
    }
}

/// The blocks of a text. `is_alert`: whether a block is complete, so that a line of dashes ends it.
pub(crate) fn blocks(text: &str, is_alert: impl Fn(&Block) -> bool) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    let mut last_is_pair = false;
    for (number, whole) in (1..).zip(text.lines()) {
        let line = whole.trim();
        if line.is_empty() {
            block.blank();
            last_is_pair = false;
            continue;
        }
        if is_mail_start(whole) {
            blocks.push(std::mem::take(&mut block));
            continue;
        }
        if is_separator(line) {
            if is_alert(&block) {
                blocks.push(std::mem::take(&mut block));
            }
            block.blank();
            continue;
        }
        // A header of a mail goes on in the next line if that is indented.
        if block.is_mail_head && last_is_pair && whole.starts_with([' ', '\t']) {
            if let Some(Value::String(value)) =
                block.keys.last().and_then(|(key, _)| block.pairs.get_mut(key))
            {
                value.push(' ');
                value.push_str(line);
            }
            continue;
        }
        // The value of `Additional info:` may be a paragraph below it.
        let below = block.open.take();
        match (pair(line), below) {
            (Some((key, value)), below) if !below.as_ref().is_some_and(|(_, after_blank)| *after_blank) => {
                if !block.is_mail_head && block.is_header(&key) && !block.is_first(&key) {
                    block.pairs.insert(key.clone(), Value::from(value));
                } else if block.pairs.contains_key(&key) && !block.is_mail_head {
                    let next = block.split(&key);
                    blocks.push(std::mem::replace(&mut block, next));
                }
                block.add(number, line);
                block.insert(key, value);
                last_is_pair = true;
            }
            (_, Some((key, _))) => {
                block.add(number, line);
                block.pairs.insert(key, Value::from(line));
                if let Some((_, end)) = block.keys.last_mut() {
                    *end = block.lines.len();
                }
                last_is_pair = false;
            }
            _ => {
                block.add(number, line);
                last_is_pair = false;
            }
        }
    }
    blocks.push(block);
    blocks.retain(|block| !block.pairs.is_empty());
    blocks
}

/// Whether a line begins a mail in a mailbox: `From oncall@mon.example Fri Nov 20 07:00:05 2026`.
fn is_mail_start(line: &str) -> bool {
    line.strip_prefix("From ").is_some_and(|rest| {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let is_year = |word: &&str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        words.len() > 4 && words.iter().rev().take(2).any(is_year)
    })
}

fn is_separator(line: &str) -> bool {
    line.len() > 2 && line.bytes().all(|byte| b"-=*_#~+ ".contains(&byte))
}

/// The key and the value of a line such as `Host: db-1`, also in a list or in bold letters.
fn pair(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start_matches(['-', '*', '_', '>', '•', '+', ' ']);
    let (key, value) = line.split_once(':')?;
    // `Host:* db-1` is in bold letters; `07:00` and `http://x` are not pairs.
    let bold = value.trim_start_matches(['*', '_']);
    if !(bold.is_empty() || bold.starts_with([' ', '\t'])) {
        return None;
    }
    let key = key.trim_end_matches(['*', '_', ' ', '.', '\t']);
    let is_key = key.starts_with(char::is_alphabetic)
        && key.chars().count() <= MAX_KEY_LEN
        && key.split_whitespace().count() <= MAX_KEY_WORDS
        && key.chars().all(|c| c.is_alphanumeric() || " _-/.()#".contains(c));
    let key = is_key.then(|| normalized(key)).filter(|key| !key.is_empty())?;
    Some((key, bold.trim()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Vec<(u64, Value)> {
        let is_alert = |block: &Block| block.pairs.contains_key("state");
        blocks(text, is_alert).into_iter().map(|block| (block.line(), Value::Object(block.pairs))).collect()
    }

    #[test]
    fn lines_are_pairs() {
        for (line, want) in [
            ("Host: db-1", Some(("host", "db-1"))),
            ("  Date/Time:   Fri", Some(("date_time", "Fri"))),
            ("**Host:** db-1", Some(("host", "db-1"))),
            ("*Severity:* high", Some(("severity", "high"))),
            ("• Problem name: x: y", Some(("problem_name", "x: y"))),
            ("Host .....: db-1", Some(("host", "db-1"))),
            ("Additional Info:", Some(("additional_info", ""))),
            ("Problem started at 07:00:00 on 2026.11.20", None),
            ("see https://mon.example/x", None),
            ("12: x", None),
            ("The disk of this host will be full in a day or two, see: x", None),
        ] {
            assert_eq!(pair(line), want.map(|(key, value)| (key.to_owned(), value)), "{line}");
        }
    }

    #[test]
    fn the_value_may_be_below_its_key() {
        let text = "State: CRITICAL\n\nInfo:\n\nCRITICAL - load: 9\n";
        assert_eq!(read(text), [(1, json!({"state": "CRITICAL", "info": "CRITICAL - load: 9"}))]);
        let text = "Address:\nState: UP\n";
        assert_eq!(read(text), [(1, json!({"address": "", "state": "UP"}))]);
    }

    #[test]
    fn headers_of_a_mail_may_be_repeated_and_folded() {
        let text = "Received: a\nReceived: b\nSubject: long\n title\n\nState: UP\n";
        assert_eq!(read(text), [(1, json!({"received": "a", "subject": "long title", "state": "UP"}))]);
    }

    /// However blocks are separated, they are the same.
    #[test]
    fn a_block_ends_where_the_next_begins() {
        let (a, b) = ("Host: a\nState: DOWN\n", "Host: b\nState: UP\n");
        let want = [json!({"host": "a", "state": "DOWN"}), json!({"host": "b", "state": "UP"})];
        for between in
            ["", "\n", "----------\n", "\n=====\n\n", "From x@y.example Fri Nov 20 07:00:05 2026\n"]
        {
            let found = read(&format!("{a}{between}{b}"));
            assert_eq!(found.iter().map(|(_, block)| block.clone()).collect::<Vec<_>>(), want, "{between:?}");
            assert_eq!(found[1].0, 3 + between.lines().count() as u64, "{between:?}");
        }
    }

    /// A field that only some blocks have may be their first.
    #[test]
    fn a_paragraph_stays_whole() {
        let text = "Host: a\nState: DOWN\n\nNote: x\nHost: b\nState: UP\n";
        assert_eq!(
            read(text),
            [
                (1, json!({"host": "a", "state": "DOWN"})),
                (4, json!({"note": "x", "host": "b", "state": "UP"}))
            ]
        );
        let text = "Note: x\nHost: b\nState: UP\n\nHost: a\nState: DOWN\n";
        assert_eq!(read(text).len(), 2);
    }

    /// A line of dashes below a title does not end a block.
    #[test]
    fn a_block_without_its_alert_goes_on() {
        let text = "Subject: x\n\nAlert\n-----\nHost: a\n-----\nState: DOWN\n-----\nHost: b\n";
        assert_eq!(
            read(text),
            [(1, json!({"subject": "x", "host": "a", "state": "DOWN"})), (9, json!({"host": "b"}))]
        );
    }
}
