use std::io::{self, Read};
use std::num::NonZeroUsize;

use alert_triage::{Engine, Format, Rules};

use super::blocks::cut;
use super::*;

/// Hands out a few bytes at a time, as a pipe may.
struct Dribble<'b>(&'b [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let some = self.0.len().min(self.1).min(into.len());
        into[..some].copy_from_slice(&self.0[..some]);
        self.0 = &self.0[some..];
        Ok(some)
    }
}

fn json(engine: &mut Engine) -> String {
    serde_json::to_string(&engine.report(None)).unwrap()
}

/// Lines are read whole, wherever a block ends.
#[test]
fn blocks_of_any_size_give_the_same_lines() {
    let long = "x".repeat(3 << 20);
    let longest = "y".repeat(alert_triage::fault::MAX_LINE_BYTES - 9);
    let mut text = format!("Zone A: X\r\n\n{long}\nZone A: {longest}\r\n{long}\r\n\nZone A: X\n");
    text.push_str(&"Zone A: X and more\n".repeat(200_000));
    text.push_str(&long);
    let mut whole = Engine::new(Rules::builtin());
    whole.read("-", Format::Lines, text.as_bytes());
    let whole = json(&mut whole);
    for step in [1000, 4096, 1 << 20, usize::MAX] {
        let mut engine = Engine::new(Rules::builtin());
        let source = engine.add_source("-");
        let text: &'static [u8] = Box::leak(text.clone().into_bytes().into_boxed_slice());
        let mut blocks = 0;
        cut(Box::new(Dribble(text, step)), None, |block| {
            assert!(block.bytes.len() < 4 << 20, "an endless line must cost no more than a long one");
            engine.read_block(source, block.number, block.format, &block.bytes);
            blocks += 1;
        })
        .unwrap();
        assert!(blocks > 3);
        assert_eq!(json(&mut engine), whole, "{step} bytes at a time");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_report() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let lines: String = (0..200_000)
        .map(|n: u32| match n % 7 {
            0 => format!("2026-11-23T0{}:{:02}:00Z Zone {}: AlertDown\n", n % 10, n % 60, n % 97),
            1 => "nonsense\n".to_owned(),
            2 => "\n".to_owned(),
            _ => format!("Zone {}: Alert{}\n", n % 13, n % 1009),
        })
        .collect();
    std::fs::write(path("a.log"), &lines).unwrap();
    std::fs::write(path("b.jsonl"), "{\"alertname\": \"X\", \"zone\": \"3\"}\n".repeat(100_000)).unwrap();
    std::fs::write(path("c.json"), r#"[{"labels": {"alertname": "Y", "zone": "3"}}, 7]"#).unwrap();
    let inputs: Vec<Input> =
        ["a.log", "b.jsonl", "c.json", "a.log"].map(|name| Input::File(path(name))).into();
    let report = |threads| {
        json(
            &mut read_with(&inputs, Rules::builtin(), None, None, NonZeroUsize::new(threads).unwrap())
                .unwrap(),
        )
    };
    let one = report(1);
    assert!(one.contains("\"AlertDown\"") && one.contains("\"Y\""));
    for threads in [2, 3, 8] {
        assert_eq!(report(threads), one, "{threads} threads");
    }
}

#[test]
fn an_input_that_cannot_be_read_is_named() {
    let inputs = ["/nonexistent/a.log", "/nonexistent/b.log"].map(|path| Input::File(path.into()));
    let error = read_with(&inputs, Rules::builtin(), None, None, NonZeroUsize::new(2).unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("cannot read /nonexistent/a.log: "), "{error}");
}
