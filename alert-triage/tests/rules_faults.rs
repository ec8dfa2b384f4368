//! Errors of rules files: file, line, column, the fix, and the line itself with a caret.

use alert_triage::Rules;

#[test]
fn every_fault_has_its_place_and_its_fix() {
    for (case, yaml, want) in [
        (
            "a section of another name",
            "severity:\n- {id: a, alert: X, severity: error}\n",
            "r.yml:1:1: unknown field `severity`, expected one of templates, identity, scope, severities, ladders, \
             edges, separate, transients, informational, silences, ttls, runbooks, formats, limits, builtin\n\
             1 | severity:\n\
             \u{20}   ^",
        ),
        (
            "a field of another name",
            "severities:\n- {id: a, alrt: X, severity: error}\n",
            "r.yml:2:11: unknown field `alrt`, expected one of id, alert, labels, severity\n\
             2 | - {id: a, alrt: X, severity: error}\n\
             \u{20}             ^",
        ),
        (
            "a field that is missing",
            "severities:\n- {id: a, severity: error}\n",
            "r.yml:2:11: missing field `alert`: write it\n\
             2 | - {id: a, severity: error}\n\
             \u{20}             ^",
        ),
        (
            "a row where rows belong",
            "ladders: {id: a}\n",
            "r.yml:1:10: a list belongs here: write `- …` lines, or [a, b]\n\
             1 | ladders: {id: a}\n\
             \u{20}            ^",
        ),
        (
            "a list of rules",
            "- id: a\n",
            "r.yml:1:1: fields belong here: write `name: value` lines, or {name: value}\n\
             1 | - id: a\n\
             \u{20}   ^",
        ),
        (
            "a list for a name",
            "ttls:\n- id: a\n  alert: [X, Y]\n  ttl: 1h\n",
            "r.yml:3:10: a text belongs here\n\
             3 |   alert: [X, Y]\n\
             \u{20}            ^",
        ),
        (
            "nothing for a name",
            "ttls:\n- id: a\n  alert:\n  ttl: 1h\n",
            "r.yml:3:8: a text belongs here, and nothing is written\n\
             3 |   alert:\n\
             \u{20}          ^",
        ),
        (
            "a field twice",
            "ttls:\n- id: a\n  id: b\n",
            "r.yml:3:3: `id` is given twice: remove one\n\
             3 |   id: b\n\
             \u{20}     ^",
        ),
        (
            "a tab",
            "ttls:\n- id: a\n\talert: X\n",
            "r.yml:2:7: while scanning a plain scalar, found a tab: indent with blanks\n\
             2 | - id: a\n\
             \u{20}         ^",
        ),
        (
            "two documents",
            "ttls: []\n---\nttls: []\n",
            "r.yml:3:1: a second document begins before this line: put everything into one\n\
             3 | ttls: []\n\
             \u{20}   ^",
        ),
        (
            "an id twice, over sections",
            "severities:\n- {id: a, alert: X, severity: error}\nladders:\n- {id: a, rungs: [X, Y]}\n",
            "r.yml:4:8: id `a` is given twice, first in line 2\n\
             4 | - {id: a, rungs: [X, Y]}\n\
             \u{20}          ^",
        ),
        (
            "no id",
            "ladders:\n- {id: '', rungs: [X, Y]}\n",
            "r.yml:2:8: an id is empty: give the row a name that the output can show\n\
             2 | - {id: '', rungs: [X, Y]}\n\
             \u{20}          ^",
        ),
        (
            "templates: no alert",
            "templates:\n- {id: a, line: 'Zone {zone}'}\n",
            "r.yml:2:17: template `Zone {zone}` has no {alert}\n\
             2 | - {id: a, line: 'Zone {zone}'}\n\
             \u{20}                   ^",
        ),
        (
            "severities: a word of no meaning",
            "severities:\n- {id: a, alert: X, severity: mauve}\n",
            "r.yml:2:31: `mauve` is not a severity: write critical, error, warning, unknown, info or none\n\
             2 | - {id: a, alert: X, severity: mauve}\n\
             \u{20}                                 ^",
        ),
        (
            "severities: no name",
            "severities:\n- {id: a, alert: ' ', severity: error}\n",
            "r.yml:2:18: an alert's name is empty: name the alert, or write `*` for any\n\
             2 | - {id: a, alert: ' ', severity: error}\n\
             \u{20}                    ^",
        ),
        (
            "ladders: one rung",
            "ladders:\n- {id: a, rungs: [X]}\n",
            "r.yml:2:8: ladder `a` has fewer than two rungs\n\
             2 | - {id: a, rungs: [X]}\n\
             \u{20}          ^",
        ),
        (
            "edges: no symptom",
            "edges:\n- {id: a, cause: X, symptoms: []}\n",
            "r.yml:2:8: edge `a` has no symptoms\n\
             2 | - {id: a, cause: X, symptoms: []}\n\
             \u{20}          ^",
        ),
        (
            "silences: a day is not an instant",
            "silences:\n- {id: a, alert: X, until: 2026-11-23}\n",
            "r.yml:2:28: `2026-11-23` is not a time: write 2026-11-23T06:51:59Z\n\
             2 | - {id: a, alert: X, until: 2026-11-23}\n\
             \u{20}                              ^",
        ),
        (
            "silences: ends before it begins",
            "silences:\n- {id: a, alert: X, from: 2026-11-24T00:00:00Z, until: 2026-11-23T00:00:00Z}\n",
            "r.yml:2:56: silence `a` ends before it begins\n\
             2 | - {id: a, alert: X, from: 2026-11-24T00:00:00Z, until: 2026-11-23T00:00:00Z}\n\
             \u{20}                                                          ^",
        ),
        (
            "ttls: a span of words",
            "ttls:\n- {id: a, alert: X, ttl: soon}\n",
            "r.yml:2:26: `soon` is not a span longer than zero: write 90s, 15m, 24h\n\
             2 | - {id: a, alert: X, ttl: soon}\n\
             \u{20}                            ^",
        ),
        (
            "ttls: longer than there are times",
            "ttls:\n- {id: a, alert: X, ttl: 99999999999d}\n",
            "r.yml:2:26: `99999999999d` is too long: write 90s, 15m, 24h\n\
             2 | - {id: a, alert: X, ttl: 99999999999d}\n\
             \u{20}                            ^",
        ),
        (
            "limits: no span",
            "limits:\n  ttl: 0s\n",
            "r.yml:2:8: `0s` is not a span longer than zero: write 90s, 15m, 24h\n\
             2 |   ttl: 0s\n\
             \u{20}          ^",
        ),
        (
            "limits: no number",
            "limits: {recurring: -1}\n",
            "r.yml:1:21: a whole number belongs here, zero or more\n\
             1 | limits: {recurring: -1}\n\
             \u{20}                       ^",
        ),
        (
            "limits: nothing at all",
            "limits: {identities: 0}\n",
            "r.yml:1:22: identities must be at least 1\n\
             1 | limits: {identities: 0}\n\
             \u{20}                        ^",
        ),
        (
            "builtin: an id that nothing has",
            "builtin: {disable: [severity/nam]}\n",
            "r.yml:1:21: nothing built in has the id `severity/nam`: `triage rules` lists the ids\n\
             1 | builtin: {disable: [severity/nam]}\n\
             \u{20}                       ^",
        ),
        (
            "builtin: one id and no list",
            "builtin: {disable: severity/name}\n",
            "r.yml:1:20: a list belongs here: write `- …` lines, or [a, b]\n\
             1 | builtin: {disable: severity/name}\n\
             \u{20}                      ^",
        ),
    ] {
        let error = Rules::parse(yaml).expect_err(case);
        assert_eq!(error.shown("r.yml", yaml), want, "{case}:\n{yaml}\n");
    }
}

#[test]
fn a_section_without_rows_is_an_empty_one() {
    for yaml in [
        "severities:\n",
        "limits:\nedges:\n# - {id: a}\nscope:\n",
        "builtin: {disable: }\n",
        "\u{feff}# x\n---\n",
    ] {
        let rules = Rules::parse(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
        assert_eq!((rules.rows(), rules.check(None, None)), (0, Vec::new()), "{yaml}");
    }
}
