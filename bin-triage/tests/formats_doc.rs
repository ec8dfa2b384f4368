//! docs/triage-formats.md lists the built-in described formats.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use alert_triage::Rules;

const HEAD: &str = "\
# Input formats that are described by data

`triage` has readers in code for the core formats: lines, JSONL, Alertmanager, Prometheus alerts,
PagerDuty Events v2, CloudEvents, Grafana and syslog, and for YAML instead of JSON
([FORMATS.md](../alert-triage/FORMATS.md)). All other formats are rows of
[formats.yaml](../alert-triage/src/formats/formats.yaml). `triage formats` lists them, and
`triage formats --try FILE` shows which format a file has and what became of each record.

This page is generated: `UPDATE_DOCS=1 cargo test -p bin-triage --test formats_doc` writes it.

";

const FOOT: &str = "
## A format of your own

Add rows under `formats:` of your rules file. They are tried before all others, and a row with the
id of a built-in one replaces it. `triage check` runs the examples.

```yaml
formats:
- id: silo/hook
  what: webhook of our silo controller
  detect: [$.silo, {path: $.kind, is: alarm}]    # all must hold
  each: $.alarms[*]                              # the alerts of a document; without it, the document
  name: [$.title, $.code]                        # the first that is present
  labels: {silo: $.id, plant: north, \"*\": $.tags}
  severity: {from: $.level, map: {\"1\": critical, \"2\": warning}}
  status: {from: $.state, map: {raised: firing, cleared: resolved}}
  starts_at: {from: $.since, time: \"%d.%m.%Y %H:%M\"}
  updated_at: {document: $.sent}
  examples:
  - input: '{\"silo\": 1, \"kind\": \"alarm\", \"sent\": 1795158000, \"alarms\": [{\"id\": \"s1\", \"title\": \"Full\", \"level\": 1,
      \"state\": \"raised\", \"since\": \"20.11.2026 06:00\"}]}'
    alerts: [{name: Full, labels: {silo: s1, plant: north, severity: critical}, status: firing}]
```

| field | meaning |
|---|---|
| `reads` | `json` (default; YAML is read as JSON), `lines`, `logfmt`, `table` or `blocks` |
| `detect` | paths that must select a value, or `{path, is}` and `{path, matches}`; not needed for `lines` |
| `lines` | regular expressions with named groups; the groups are the fields, as in `$.name`; with `reads: blocks` each line is tried, and the groups are fields beside the pairs |
| `each` | the alerts of a document, a path |
| `name` | the alert's name; a state in brackets before it is its state |
| `message` | a text that may hold JSON of any format, or a line that fits a template; else it is the text after the name |
| `labels` | labels by name; `\"*\"` takes all members of an object, a list of `{name, value}` or texts such as `key:value` |
| `drop` | members that `\"*\"` leaves out |
| `severity`, `status` | words of the source; `status` is firing, resolved, pending, event, or a word such as open or closed |
| `severity_changes` | `true` if the severity changes while the alert stays the same, such as a check that warns first: that of the newest record counts, and it is not part of the identity |
| `starts_at`, `ends_at`, `updated_at` | times: RFC 3339, since 1970, or by the formats of `time` |
| `key` | what the source joins its events by; a resolve without a severity ends the alerts with its key |
| `summary`, `url`, `runbook`, `acknowledged` | texts for people, and whether somebody acknowledged the alert |
| `snapshot` | `true` if a document lists what stands at present |

A field is a path, a constant, a list of them of which the first that is present applies, or
`{from, around, member, document, join, capture, map, time}`: `from` has paths within the alert,
`around` within the values around it, of which the nearest that has one applies, and `document`
within the whole document. `member: 1` is the name of the member that the alert is, `member: 2` the
name of the value around it, and so on; an element of a list has no name. `join` joins all values
with a text instead of taking the first, `capture` is a regular expression whose first group is the
value, and `map` gives the words of the source their meaning (`\"*\"`: any other word). Paths are
JSONPath (RFC 9535). The columns of a table are in lower case, with `_` for blanks; a table may be
CSV, TSV, `a|b`, Markdown or aligned with blanks.

Alerts that are members of an object and not of a list are `each: $.points[*]`. Of a row that is a
list, a cell is `$[1]`. A time such as `20.11.2026 07:00` needs its format: `{from: $.since,
time: \"%d.%m.%Y %H:%M\"}`.

```yaml
formats:
- id: silo/map                          # {\"silos\": {\"s1\": {\"site\": \"north\", \"alarms\": {\"Full\": {\"level\": 1}}}}}
  detect: [$.silos]
  each: $.silos[*].alarms[*]
  name: {member: 1}                     # Full
  labels: {silo: {member: 3}, site: {around: $.site}}
  severity: {from: $.level, map: {\"1\": critical, \"2\": warning}}
  status: firing
  examples:
  - input: '{\"silos\": {\"s1\": {\"site\": \"north\", \"alarms\": {\"Full\": {\"level\": 1}}}}}'
    alerts: [{name: Full, labels: {silo: s1, site: north, severity: critical}, status: firing}]
```

### Alerts of several lines

`reads: blocks` reads texts of lines `Key: value`, such as mails. The fields have the names of the
keys in lower case, with `_` for everything but letters and digits. List marks and bold marks are
ignored. The value of `Additional info:` may be the paragraph below it.

A new alert begins at a key that the current alert has already, with the paragraph that the key is
in; at a line of dashes or the like behind an alert that is complete; and at the `From ` line of a
mailbox. Headers of a mail belong to the alert in its body, and a key of the body replaces a header
of the same name. A block that no format has is malformed. Encoded mails (base64,
quoted-printable) and HTML are not decoded: save the text of the mail.

```yaml
formats:
- id: silo/mail
  reads: blocks
  detect: [$.silo, $.alarm]
  lines: '^State changed to (?<state>\\w+) at (?<time>\\S+)$'
  name: $.alarm
  labels: {silo: $.silo}
  status: {from: $.state, map: {raised: firing, cleared: resolved}}
  starts_at: $.time
  examples:
  - input: |
      Subject: a silo is full

      State changed to raised at 2026-11-20T07:00:00Z
      Alarm: Full
      Silo: s1
    alerts: [{name: Full, labels: {silo: s1}, status: firing, starts_at: \"2026-11-20T07:00:00Z\"}]
```
";

#[test]
fn the_page_lists_the_builtin_formats() {
    let mut page = HEAD.to_owned();
    page.push_str("| id | reads | what |\n|---|---|---|\n");
    for format in Rules::builtin().listed_formats() {
        let what = format.what.replace('|', "\\|");
        writeln!(page, "| [`{}`]({}) | {} | {what} |", format.id, format.see, format.reads).unwrap();
    }
    page.push_str(FOOT);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/triage-formats.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/triage-formats.md is not current: run UPDATE_DOCS=1 cargo test -p bin-triage --test formats_doc"
    );
}

/// The format in the page reads its example.
#[test]
fn the_format_in_the_page_holds() {
    let yaml = FOOT.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rules = Rules::parse(yaml).unwrap();
    assert_eq!(rules.run_examples(), (1, vec![]));
}

/// A format of the circuit breaker names a page of this directory.
#[test]
fn the_pages_that_formats_name_exist() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = fs::read_to_string(docs.join("triage-formats.md")).unwrap();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let pages: Vec<_> = links.filter(|link| link.ends_with(".md") && !link.contains("://")).collect();
    assert!(pages.contains(&"hooks.md"), "{pages:?}");
    let missing: Vec<_> = pages.iter().filter(|page| !docs.join(page).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
