use super::*;
use crate::format::Format;
use crate::ledger::Engine;
use crate::rules::Rules;

/// `LINE lint`, and what the message must say.
fn check(yaml: &str) -> Vec<String> {
    let now = "2026-11-23T07:00:00Z".parse().unwrap();
    let rules = Rules::parse(yaml).unwrap();
    rules.check(Some(now), None).iter().map(Finding::to_string).collect()
}

#[test]
fn the_builtin_rules_have_no_fault() {
    let rules = Rules::parse(Rules::builtin_yaml()).unwrap();
    assert_eq!(rules.check(None, None), []);
}

#[test]
fn faults_are_found_and_say_what_mends_them() {
    for (case, yaml, want) in [
        (
            "a wider row above",
            "severities:\n- {id: a, alert: 'X*', severity: error}\n- {id: b, alert: XY, severity: info}",
            "line 3: shadowed: `b` is hidden by `a` above it, which matches the same alerts: move it up",
        ),
        (
            "the same row again",
            "severities:\n- {id: a, alert: XY, severity: info}\n- {id: b, alert: XY, severity: info}",
            "line 3: unreachable: `b` says what `a` already says of the same alerts: remove one",
        ),
        (
            "a narrower row above is as it should be",
            "severities:\n- {id: a, alert: X, labels: {zone: A}, severity: info}\n- {id: b, alert: X, severity: error}",
            "",
        ),
        (
            "two rows that lead to each other",
            "edges:\n- {id: a, cause: X, symptoms: [Y]}\n- {id: b, cause: Y, symptoms: [X]}",
            "line 2: cyclic: `a` leads back to its cause: X -> Y -> X\n\
             line 3: cyclic: `b` leads back to its cause: Y -> X -> Y",
        ),
        (
            "a way back through a built-in row",
            "edges:\n- {id: a, cause: LLMModelStale, symptoms: [EndpointRegistrationFailure]}",
            "line 2: cyclic: `a` leads back to its cause: LLMModelStale -> EndpointRegistrationFailure -> \
             LLMBatchProcessingJobFailures -> LLMModelStale",
        ),
        (
            "its own symptom",
            "edges:\n- {id: a, cause: X, symptoms: [X]}",
            "line 2: cyclic: `a` leads back to its cause: X -> X",
        ),
        (
            "a built-in edge again",
            "edges:\n- {id: a, cause: KubeletDown, symptoms: [TargetDown]}",
            "line 2: unreachable: `a` joins KubeletDown -> TargetDown, as `kubernetes/kubelet` does: remove one",
        ),
        (
            "a symptom twice",
            "edges:\n- {id: a, cause: X, symptoms: [Y, Y]}",
            "line 2: ignored: `a` has the symptom Y twice",
        ),
        (
            "an edge between rungs",
            "edges:\n- {id: a, cause: LLMModelStale, symptoms: [LLMModelVeryStale]}",
            "line 2: ignored: `a` joins two rungs of one ladder, LLMModelStale and LLMModelVeryStale: the ladder \
             does it",
        ),
        (
            "an edge of patterns",
            "edges:\n- {id: a, cause: 'X*', symptoms: [Y]}",
            "line 2: unreachable: `a` has the pattern `X*`: an edge joins exact names, one by one",
        ),
        (
            "an edge from a transient",
            "edges:\n- {id: a, cause: DnsTransientFailure, symptoms: [Y]}",
            "line 2: ignored: `a` begins with the transient DnsTransientFailure (transient/name), which explains \
             nothing until it is judged as DnsFailure: begin with DnsFailure",
        ),
        (
            "an edge that ignores what is not there",
            "edges:\n- {id: a, cause: X, symptoms: [Y], ignore: [replica]}",
            "line 2: ignored: `a` ignores replica, which is dropped from every alert: leave it out",
        ),
        (
            "a rung above itself",
            "ladders:\n- {id: a, rungs: [X, Y, X]}",
            "line 2: cyclic: `a` has X twice, which would be above itself",
        ),
        (
            "a rung of two ladders",
            "ladders:\n- {id: a, rungs: [X, Y]}\n- {id: b, rungs: [Y, Z]}",
            "line 3: shadowed: `b` has Y, which stands on `a` already: join them",
        ),
        (
            "a rung of a built-in ladder",
            "ladders:\n- {id: a, rungs: [LLMModelStale, LLMModelRotten]}",
            "line 2: shadowed: `a` has LLMModelStale, which stands on the built-in `upcommerce/model-freshness` as \
             well: give this one that id, or disable the other",
        ),
        (
            "a ladder of patterns",
            "ladders:\n- {id: a, rungs: [X, 'Very*']}",
            "line 2: unreachable: `a` has the pattern `Very*`: a ladder joins exact names, one by one",
        ),
        (
            "a ladder upside down",
            "ladders:\n- {id: a, rungs: [DiskDown, DiskLate]}",
            "line 2: ignored: `a` has DiskLate (warning) above DiskDown (critical), and what is milder hides \
             nothing: give the upper rung a severity as high, or turn them round",
        ),
        (
            "a transient of itself",
            "transients:\n- {id: a, alert: 'Link*', of: LinkDown}",
            "line 2: cyclic: `a` makes LinkDown the transient form of itself",
        ),
        (
            "a transient of a transient",
            "transients:\n- {id: a, alert: Blip, of: LinkTransientFailure}",
            "line 2: ignored: `a` names the lasting form LinkTransientFailure, which is a transient itself \
             (transient/name): name LinkFailure",
        ),
        (
            "a severity of a transient",
            "severities:\n- {id: a, alert: LinkTransientFailure, severity: critical}",
            "line 2: ignored: `a` says a severity of a transient (transient/name), which is P4 with any, and judged \
             as LinkFailure once it lasts: say it of LinkFailure",
        ),
        (
            "a severity by the label that comes before it",
            "severities:\n- {id: a, alert: X, labels: {severity: page}, severity: critical}",
            "line 2: unreachable: `a` asks for a severity label, and a severity label comes before any row",
        ),
        (
            "a label that is dropped",
            "severities:\n- {id: a, alert: X, labels: {replica: a}, severity: critical}",
            "line 2: unreachable: `a` asks for the label replica, which is dropped from every alert: keep it under \
             identity.keep, or ask for another",
        ),
        (
            "a label that is kept",
            "identity: {keep: [replica]}\nseverities:\n- {id: a, alert: X, labels: {replica: a}, severity: critical}",
            "",
        ),
        (
            "a pod",
            "ttls:\n- {id: a, alert: X, labels: {pod: a-0}, ttl: 1h}",
            "line 2: unreachable: `a` asks for the label pod, in whose place the workload stands: ask for workload, \
             or keep pod under identity.keep",
        ),
        (
            "the name as a label",
            "silences:\n- {id: a, alert: '*', labels: {alertname: X}, until: 2026-11-24T00:00:00Z}",
            "line 2: unreachable: `a` asks for the label alertname, but the name is not a label here: write it under \
             `alert`",
        ),
        (
            "an empty label",
            "severities:\n- {id: a, alert: X, labels: {zone: ''}, severity: info}",
            "line 2: unreachable: `a` asks for an empty zone, and a label that is empty is none: ask for something",
        ),
        (
            "a name as Alertmanager would match it",
            "severities:\n- {id: a, alert: 'Kube.*Down', severity: info}",
            "line 2: unreachable: `a` names `Kube.*Down`, which looks like a regular expression: only * and ? stand \
             for something else",
        ),
        (
            "a label as Alertmanager would match it",
            "severities:\n- {id: a, alert: X, labels: {zone: 'AB|XQ'}, severity: info}",
            "line 2: unreachable: `a` asks for zone `AB|XQ`, which looks like a regular expression: only * and ? \
             stand for something else",
        ),
        (
            "a severity for everything",
            "severities:\n- {id: a, alert: '*', labels: {zone: '*'}, severity: info}",
            "line 2: too broad: `a` gives every alert its severity: name the alerts it is for",
        ),
        (
            "no fault, but a severity",
            "severities:\n- {id: a, alert: X, severity: error}\ninformational:\n- {id: b, alert: X, because: tests}",
            "line 4: shadowed: `b` says there is no fault where `a` says error, which comes before it: remove one",
        ),
        (
            "a runbook on a shelf",
            "runbooks:\n- {id: a, alert: X, url: wiki/X}\n- {id: b, alert: Y, url: 'https://wiki.example/Y'}",
            "line 2: no link: `a` names `wiki/X`, which nobody can open: write https://HOST/PATH",
        ),
        (
            "a silence of everything",
            "silences:\n- {id: a, alert: '*', until: 2026-11-24T00:00:00Z}",
            "line 2: too broad: `a` silences every alert: name the alerts or the labels it is for",
        ),
        (
            "a zone under maintenance",
            "silences:\n- {id: a, alert: '*', labels: {zone: AB}, until: 2026-11-24T00:00:00Z}",
            "",
        ),
        (
            "a silence for ever",
            "silences:\n- {id: a, alert: X}",
            "line 2: too broad: `a` has no end: give it an `until`, or it will hide a fault one day",
        ),
        (
            "a silence that is over",
            "silences:\n- {id: a, alert: X, until: 2026-11-22T00:00:00Z}",
            "line 2: never matched: `a` is over since 2026-11-22T00:00:00Z: remove it",
        ),
        (
            "a slip in the year",
            "silences:\n- {id: a, alert: X, until: 2036-11-24T00:00:00Z}",
            "line 2: too broad: `a` ends on 2036-11-24T00:00:00Z, more than a year from now: is the year right?",
        ),
        (
            "a shape that takes every line",
            "templates:\n- {id: a, line: '{alert}'}",
            "line 2: too broad: `a` takes every line that begins with a word: no line will be malformed any more\n\
             line 2: too broad: `a` takes lines of the built-in `line/zone`, such as `Zone x1: X1`: write that row \
             above it, or begin with a word",
        ),
        (
            "a shape that takes the lines of ours",
            "templates:\n- {id: a, line: '{where}: {alert}'}",
            "line 2: too broad: `a` takes lines of the built-in `line/zone`, such as `Zone x1: X1`: write \
             that row above it, or begin with a word",
        ),
        (
            "a shape behind a wider one",
            "templates:\n- {id: a, line: 'ticket {ticket} {alert}'}\n- {id: b, line: 'ticket {ticket} {alert} ({zone})'}",
            "line 3: shadowed: `b` comes behind `a`, which takes `ticket x1 X1 (x1)` first: move it up",
        ),
        (
            "a shape twice",
            "templates:\n- {id: a, line: 'Node {node}: {alert}'}\n- {id: b, line: 'Node {node}: {alert}'}",
            "line 3: unreachable: `b` is the template `a` again: remove one",
        ),
        (
            "a shape with the time in it",
            "templates:\n- {id: a, line: '{time} at {zone}: {alert}'}",
            "line 2: unreachable: `a` begins with {time}, but a leading time is read before the shape: leave it out",
        ),
        (
            "labels that nothing drops",
            "identity:\n  keep: [team]\n  drop: [a, b]",
            "line 2: ignored: `identity` keeps team, which nothing drops: leave it out",
        ),
        (
            "a label dropped and kept",
            "identity:\n  drop: [team]\n  keep: [team]",
            "line 2: ignored: `identity` drops team and keeps it: it is kept, so remove one",
        ),
        (
            "the scope dropped",
            "identity: {drop: [zone]}",
            "line 1: too broad: `identity` drops zone, which makes the scope: ladders and edges would join nothing \
             by it",
        ),
        (
            "the severity dropped",
            "identity: {drop: [severity]}",
            "line 1: too broad: `identity` drops severity: what alerts say of their own severity would not be heard",
        ),
        (
            "a scope of nothing",
            "scope: {labels: []}",
            "line 1: ignored: `scope` names no label: no alert would have a scope, and ladders and edges would join \
             nothing",
        ),
        (
            "a scope of what is dropped",
            "scope: {labels: [[cluster], [replica, zone]], otherwise: [zone]}",
            "line 1: unreachable: `scope` names replica, which is dropped from every alert: name another, or keep \
             it\n\
             line 1: ignored: `scope` names zone twice: the first is looked at",
        ),
        (
            "limits of what is disabled",
            "limits: {sustained: 2h}\nttls:\n- {id: a, alert: X, ttl: 2h}\nbuiltin: {disable: [sustained, ttl]}",
            "line 1: ignored: `limits` sets sustained, and `sustained` is disabled under builtin\n\
             line 3: ignored: `a` says a TTL, and `ttl` is disabled under builtin",
        ),
        (
            "the id of a heuristic",
            "ttls:\n- {id: ttl, alert: X, ttl: 2h}",
            "line 2: ignored: `ttl` has the id of a built-in heuristic, which no row replaces: choose another id, or \
             disable it under builtin",
        ),
        (
            "the id of another section",
            "ladders:\n- {id: upcommerce/registration, rungs: [X, Y]}",
            "line 2: ignored: `upcommerce/registration` has the id of a built-in row of edges: choose another id, or \
             move it there",
        ),
        (
            "replaced and disabled",
            "severities:\n- {id: upcommerce/batch-jobs, alert: X, severity: info}\nbuiltin: {disable: [upcommerce/batch-jobs]}",
            "line 2: ignored: `upcommerce/batch-jobs` takes the place of a built-in row, and the id is disabled as \
             well: remove one of the two",
        ),
    ] {
        assert_eq!(check(yaml).join("\n"), want, "{case}:\n{yaml}\n");
    }
}

/// The alerts of a night, one line each.
fn history(rules: &Rules, lines: &str) -> LintHistory {
    let mut engine = Engine::new(rules.clone());
    engine.read("night.log", Format::Lines, lines.as_bytes());
    let mut history = LintHistory::from_engine(&engine);
    history.lines(rules, lines.as_bytes().split(|byte| *byte == b'\n'));
    history
}

#[test]
fn rows_that_met_nothing_are_found() {
    let night = "Zone AB: X\nZone AB: QueueFull\n";
    for (yaml, want) in [
        (
            "severities:\n- {id: a, alert: X, severity: error}\n- {id: b, alert: Y, severity: error}\n",
            "line 3: never matched: `b` met nothing in the history: Y does not occur in it",
        ),
        (
            "severities:\n- {id: a, alert: QueueFULL, severity: error}\n",
            "line 2: never matched: `a` met nothing in the history: QueueFULL does not occur in it; did you mean \
             QueueFull?",
        ),
        (
            "ttls:\n- {id: a, alert: X, labels: {zone: XQ}, ttl: 1h}\n",
            "line 2: never matched: `a` met nothing in the history: X does not occur in it with these labels",
        ),
        (
            "edges:\n- {id: a, cause: X, symptoms: [Z]}\n- {id: b, cause: Y, symptoms: [X]}\n",
            "line 2: never matched: `a` met nothing in the history: X does, and none of its symptoms\n\
             line 3: never matched: `b` met nothing in the history: Y does not occur in it",
        ),
        (
            "ladders:\n- {id: a, rungs: [x, y]}\n",
            "line 2: never matched: `a` met nothing in the history: none of x, y occurs in it; did you mean X?",
        ),
        (
            "templates:\n- {id: a, line: 'Node {node}: {alert}'}\n",
            "line 2: never matched: `a` met nothing in the history: no line of it has the shape `Node {node}: {alert}`",
        ),
        ("templates:\n- {id: line/zone, line: 'Zone {zone}: {alert}'}\n", ""),
    ] {
        let rules = Rules::parse(yaml).unwrap();
        let found: Vec<String> =
            rules.check(None, Some(&history(&rules, night))).iter().map(Finding::to_string).collect();
        assert_eq!(found.join("\n"), want, "{yaml}");
    }
}

#[test]
fn a_silence_of_most_of_the_history_is_too_broad() {
    let night: String = (0..20).map(|n| format!("Zone AB: Kube{n}\nZone XQ: Other{n}\n")).collect();
    let check = |silence: &str| {
        let yaml = format!("silences:\n- {{id: a, {silence}, until: 2026-11-24T00:00:00Z}}\n");
        let rules = Rules::parse(&yaml).unwrap();
        rules.check(None, Some(&history(&rules, &night))).iter().map(Finding::to_string).collect::<String>()
    };
    assert_eq!(check("alert: 'Kube*'"), "", "half of it is not most of it");
    assert_eq!(check("alert: '*e*'"), "line 2: too broad: `a` silences 40 of the 40 alerts of the history");
}
