//! The reason for the verdict on an alert.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::member::Silent;
use super::view::Report;
use super::wording::{counted, span};
use crate::judge::alert_state::AlertState;
use crate::judge::{AlertIx, Flags, SupersededBy};
use crate::ledger::SuppressedBy;
use crate::printable::printable;
use crate::rules::SeveritySource;
use crate::verdict::Verdict;

/// The name of the suppressing alert if the source does not give one.
const UNNAMED: &str = "the source";

/// The reason for a verdict.
pub(super) struct Reason {
    /// The id of the rule or the heuristic.
    pub(super) rule: String,
    pub(super) why: String,
    /// The end of the silence, if there is one.
    pub(super) until: Option<Timestamp>,
}

/// The reason for the verdict on an alert.
pub(super) fn reason(report: &Report<'_>, at: AlertIx, state: &AlertState) -> Reason {
    let evaluation = &report.evaluation;
    let rules = evaluation.engine.rules();
    let limits = rules.limits();
    let alert = report.alert(at);
    let identity = evaluation.entry(at).identity();
    let label = |name: &str| identity.label(name);
    let of_source = |why: String| ("source".to_owned(), why);
    let mut until = None;
    let (rule, mut why) = match alert.verdict {
        Verdict::Silenced => {
            match (rules.silence(identity.alert, label, evaluation.now), &state.suppressed_by) {
                (Some(silence), _) => {
                    until = silence.until;
                    let because = match silence.because.as_str() {
                        "" => String::new(),
                        because => format!(": {}", printable(because)),
                    };
                    let span = match (silence.from, silence.until) {
                        (Some(from), Some(until)) => format!(" from {from} until {until}"),
                        (Some(from), None) => format!(" since {from}, without an end"),
                        (None, Some(until)) => format!(" until {until}"),
                        (None, None) => String::new(),
                    };
                    (silence.id.clone(), format!("silenced by us{span}{because}"))
                }
                (None, Some(SuppressedBy::Silenced(by) | SuppressedBy::Inhibited(by))) => {
                    of_source(format!("suppressed at its source by the silence {}", printable(by.as_bytes())))
                }
                (None, None) => of_source("suppressed at its source".to_owned()),
            }
        }
        Verdict::Inhibited => match &state.suppressed_by {
            // Alertmanager reports mute times like this.
            Some(SuppressedBy::Inhibited(by)) if &**by == UNNAMED => of_source(
                "suppressed at its source without a silence or an inhibiting alert: probably a mute time"
                    .to_owned(),
            ),
            Some(SuppressedBy::Silenced(by) | SuppressedBy::Inhibited(by)) => {
                of_source(format!("inhibited at its source by {}", printable(by.as_bytes())))
            }
            None => of_source("inhibited at its source".to_owned()),
        },
        Verdict::Flapping => {
            let open =
                if alert.is_firing() { "it is firing again now" } else { "the last episode is resolved" };
            let (cycles, quiet) = (state.cycles, limits.flap_quiet);
            (
                "flapping".to_owned(),
                format!("fired and resolved {cycles} times without {quiet:#} of quiet; {open}"),
            )
        }
        // An end without a time is taken to be the start, which no record says.
        Verdict::Resolved => of_source(match state.ended {
            Some(ended) if state.latest.is_none_or(|began| began < ended) => {
                format!("its source reports the end at {ended}")
            }
            _ => "its source reports the end".to_owned(),
        }),
        Verdict::Obsolete if state.is_gone => (
            "gone-from-source".to_owned(),
            "a newer snapshot of its source no longer contains it; no record reports its end".to_owned(),
        ),
        Verdict::Obsolete => match (state.timed_out, state.seen) {
            (Some(at), _) => of_source(format!("its source stopped reporting it at {at} without an end")),
            (None, seen) => {
                let (id, ttl) = rules.ttl_with_id(identity.alert, label);
                let seen = match seen {
                    // Without arrivals, more is not known: a source may repeat an old alert.
                    Some(seen) if report.evaluation.engine.arrivals_since.is_none() => {
                        format!("no record of it is later than {seen}, over {ttl:#} ago")
                    }
                    Some(seen) => format!("not seen since {seen}, for longer than {ttl:#}"),
                    None => format!("not seen for longer than {ttl:#}"),
                };
                (id.to_owned(), format!("{seen}; no record reports its end"))
            }
        },
        Verdict::Pending => of_source("pending at its source, not yet firing".to_owned()),
        Verdict::Superseded => {
            let by = alert.superior.map(|at| report.name(at)).unwrap_or_default();
            match alert.superseded_by {
                Some(SupersededBy::Row(row)) => {
                    (rules.ladder_id(row as usize).to_owned(), format!("{by}, a higher rung, is firing"))
                }
                Some(SupersededBy::Severity) => {
                    let severity = alert.superior.map_or(alert.severity, |at| report.alert(at).severity);
                    ("ladder/severity".to_owned(), format!("{by} is firing as {severity}"))
                }
                Some(SupersededBy::Transient) => {
                    let id = rules.lasting_form(identity.alert).map_or("transient/name", |(_, id)| id);
                    (id.to_owned(), format!("its lasting form {by} is firing"))
                }
                Some(SupersededBy::Name) | None => {
                    ("ladder/name".to_owned(), format!("{by}, a higher rung, is firing"))
                }
            }
        }
        Verdict::Sustained => {
            let lasting =
                rules.lasting_form(identity.alert).map(|(lasting, _)| printable(lasting)).unwrap_or_default();
            let lasted = span(i64::from(alert.lasted));
            (
                "sustained".to_owned(),
                format!("open for {lasted}: treated as {lasting}, {}", report.severity(at)),
            )
        }
        Verdict::Transient => {
            let (lasting, id) = rules.lasting_form(identity.alert).unwrap_or_default();
            let does = match alert.flags {
                f if f.contains(Flags::LASTING_MILDER) => "is firing here and is milder",
                f if f.contains(Flags::LASTING_SILENCED) => "is silenced here",
                f if f.contains(Flags::LASTING_INHIBITED) => "is inhibited here",
                _ => "is not firing here",
            };
            let mut why = format!("the transient form of {}, which {does}", printable(lasting));
            if alert.flags.contains(Flags::RECURRING) {
                let _ = write!(why, "; recurring, {}", counted(evaluation.count(at), "time"));
            }
            (id.to_owned(), why)
        }
        Verdict::Informational => match rules.informational(identity.alert, label) {
            Some((id, because))
                if matches!(alert.severity_by, SeveritySource::Default | SeveritySource::Name) =>
            {
                (id.to_owned(), printable(because))
            }
            _ => (rules.severity_id(alert.severity_by).to_owned(), report.severity(at)),
        },
        Verdict::Active => (rules.severity_id(alert.severity_by).to_owned(), report.severity(at)),
    };
    if let Some(cause) = alert.cause {
        let edge = &rules.edges()[cause.edge as usize].id;
        let _ = write!(why, "; explained by {} ({edge})", report.name(cause.alert));
    }
    if alert.flags.contains(Flags::FIRED_AGAIN) {
        why.push_str("; then it was reported as firing again, with the same start");
    }
    if let Some(silence) = evaluation.silence(state) {
        let _ = write!(why, "; {}", Silent::from(silence));
    }
    if alert.flags.contains(Flags::RESOLVE_ONLY) {
        why.push_str("; the input contains only its end");
    }
    Reason { rule, why, until }
}
