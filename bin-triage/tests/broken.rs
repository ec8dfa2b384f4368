//! Damaged files of every format: a warning names the line, the rest is read, and the exit code is
//! 0, or 1 with `--strict`.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A format: its name for `--format`, a function that writes an alert with a name and a text, and a
/// function that makes a file of several, one per line.
struct Written {
    format: &'static str,
    alert: fn(&str, &str) -> String,
    before: &'static str,
    between: &'static str,
    behind: &'static str,
    /// Whether the longest line is 64 KiB.
    is_plain: bool,
}

impl Written {
    fn file(&self, alerts: [String; 3]) -> Vec<u8> {
        // ü is replaced by a byte that is not valid UTF-8.
        let text = format!("{}{}{}", self.before, alerts.join(self.between), self.behind);
        let mut bytes = Vec::with_capacity(text.len());
        for part in text.split_inclusive('ü') {
            match part.strip_suffix('ü') {
                Some(part) => bytes.extend(part.bytes().chain([0xfc])),
                None => bytes.extend(part.bytes()),
            }
        }
        bytes
    }

    fn with(&self, odd: &str) -> Vec<u8> {
        self.file([(self.alert)("X", ""), (self.alert)("Z", odd), (self.alert)("Y", "")])
    }

    /// The line of the second alert.
    fn line(&self) -> u64 {
        self.before.matches('\n').count() as u64 + 2
    }
}

fn prometheus(name: &str, odd: &str) -> String {
    format!(
        r#"{{"labels":{{"alertname":"{name}","zone":"A"}},"state":"firing","activeAt":"2026-11-23T06:00:00Z","annotations":{{"a":"{odd}"}}}}"#
    )
}

fn alertmanager(name: &str, odd: &str) -> String {
    format!(
        r#"{{"status":"firing","labels":{{"alertname":"{name}","zone":"A"}},"startsAt":"2026-11-23T06:00:00Z","annotations":{{"a":"{odd}"}}}}"#
    )
}

fn pagerduty(name: &str, odd: &str) -> String {
    format!(
        r#"{{"routing_key":"r","event_action":"trigger","dedup_key":"{name}","payload":{{"summary":"Zone A: {name}","severity":"error","source":"s","custom_details":{{"a":"{odd}"}}}}}}"#
    )
}

fn cloudevents(name: &str, odd: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{name}","source":"/s","type":"firing","time":"2026-11-23T06:00:00Z","data":{{"alertname":"{name}","a":"{odd}"}}}}"#
    )
}

const ALL: [Written; 9] = [
    Written {
        format: "lines",
        alert: |name, odd| format!("Zone A: {name} {odd}"),
        before: "",
        between: "\n",
        behind: "\n",
        is_plain: true,
    },
    Written {
        format: "syslog",
        alert: |name, odd| format!("<11>1 2026-11-23T06:00:00Z h a 1 - - Zone A: {name} {odd}"),
        before: "",
        between: "\n",
        behind: "\n",
        is_plain: true,
    },
    Written {
        format: "jsonl",
        alert: |name, odd| format!(r#"{{"alertname":"{name}","zone":"A","a":"{odd}"}}"#),
        before: "",
        between: "\n",
        behind: "\n",
        is_plain: false,
    },
    Written {
        format: "alertmanager",
        alert: alertmanager,
        before: "{\"version\":\"4\",\"alerts\":[\n",
        between: ",\n",
        behind: "\n]}\n",
        is_plain: false,
    },
    Written {
        format: "alertmanager",
        alert: alertmanager,
        before: "[\n",
        between: ",\n",
        behind: "\n]\n",
        is_plain: false,
    },
    Written {
        format: "grafana",
        alert: alertmanager,
        before: "{\"orgId\":1,\"alerts\":[\n",
        between: ",\n",
        behind: "\n]}\n",
        is_plain: false,
    },
    Written {
        format: "prometheus",
        alert: prometheus,
        before: "{\"status\":\"success\",\"data\":{\"alerts\":[\n",
        between: ",\n",
        behind: "\n]}}\n",
        is_plain: false,
    },
    Written {
        format: "pagerduty",
        alert: pagerduty,
        before: "[\n",
        between: ",\n",
        behind: "\n]\n",
        is_plain: false,
    },
    Written {
        format: "cloudevents",
        alert: cloudevents,
        before: "[\n",
        between: ",\n",
        behind: "\n]\n",
        is_plain: false,
    },
];

fn triage(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("triage starts");
    child.stdin.take().expect("piped").write_all(input).expect("all is read");
    child.wait_with_output().expect("triage ends")
}

/// `line` is the line of the only error, if there is one; `alerts` are the alerts that are read.
fn check(case: &str, written: &Written, input: &[u8], line: Option<u64>, alerts: &str) {
    for how in [["-o", "json", "--format", "auto"], ["-o", "json", "--format", written.format]] {
        let case = format!("{case}, {} as {}", written.format, how[3]);
        let output = triage(&[&how[..], &["-"]].concat(), input);
        let warning = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(0), "{case}: {warning}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let lines: Vec<_> = list(&report["malformed"]).iter().map(|fault| fault["line"].clone()).collect();
        assert_eq!(lines, line.into_iter().collect::<Vec<_>>(), "{case}");
        let mut names: Vec<String> = (list(&report["incidents"]).iter())
            .flat_map(|incident| list(&incident["members"]))
            .map(|member| member["alert"].as_str().expect("a name").to_owned())
            .collect();
        names.sort();
        assert_eq!(names.join(","), alerts, "{case}");
        match line {
            None => assert_eq!(warning, "", "{case}"),
            Some(line) => {
                let told = warning.starts_with(&format!("triage: warning: 1 malformed, line {line} "));
                assert!(told, "{case}: {warning}");
            }
        }
        let strict = triage(&[&how[..], &["--strict", "-"]].concat(), input);
        assert_eq!(strict.status.code(), Some(i32::from(line.is_some())), "{case}");
        assert_eq!(strict.stdout, output.stdout, "{case}: a strict report says the same");
    }
}

#[test]
fn a_broken_alert_is_told_by_its_line_and_the_others_are_read() {
    let long = "x".repeat(1 << 20);
    for written in &ALL {
        let line = Some(written.line());
        check("no UTF-8", written, &written.with("Zürich"), line, "X,Y");
        check("a NUL", written, &written.with("\0"), line, "X,Y");
        match written.is_plain {
            true => check("1 MB", written, &written.with(&long), line, "X,Y"),
            false => check("1 MB", written, &written.with(&long), None, "X,Y,Z"),
        }
    }
}

#[test]
fn what_is_cut_is_told_by_its_line_and_what_stands_before_is_read() {
    for written in ALL.iter().filter(|written| !written.is_plain) {
        let whole = written.with("CUT");
        let at = whole.windows(3).position(|word| word == b"CUT").expect("it is there");
        check("cut", written, &whole[..at], Some(written.line()), "X");
    }
}

#[test]
fn dressed_up_it_is_the_same() {
    for written in &ALL {
        let plain = String::from_utf8(written.with("")).expect("UTF-8");
        check("CR LF", written, plain.replace('\n', "\r\n").as_bytes(), None, "X,Y,Z");
        check("a byte order mark", written, format!("\u{feff}{plain}").as_bytes(), None, "X,Y,Z");
        let blank = format!("\n \r\n{}", plain.replace('\n', "\n\t\n\n"));
        check("blank lines", written, blank.as_bytes(), None, "X,Y,Z");
        check("no last line end", written, plain.trim_end().as_bytes(), None, "X,Y,Z");
    }
}
