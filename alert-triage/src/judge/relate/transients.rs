//! Transients: the lasting form, if it is firing, supersedes the transient one.

use super::Union;
use super::alerts_by_name::AlertsByName;
use super::family::family;
use crate::hashing::HashMap;
use crate::judge::alert_phase::AlertPhase;
use crate::judge::alert_verdict::SupersededBy;
use crate::judge::evaluation::Evaluation;
use crate::judge::flags::Flags;
use crate::judge::index::{AlertIx, ScopeIx, indices};

/// Lets a firing XFailure supersede XTransientFailure in its scope. The XFailure with the same
/// labels is preferred if there are several.
pub(super) fn transients(evaluation: &mut Evaluation<'_>, union: &mut Union) {
    let (names, transient) = transients_by_lasting_name(evaluation);
    if transient.is_empty() {
        return;
    }
    let lasting = lasting_forms(evaluation, &names, &transient);
    for (scope, name, lasting) in lasting.iter() {
        supersede(evaluation, union, scope, transient.get(scope, name), lasting);
    }
}

/// The transients by the name of their lasting form, and the numbers of these names.
fn transients_by_lasting_name(evaluation: &Evaluation<'_>) -> (HashMap<String, u32>, AlertsByName) {
    let rules = evaluation.engine.rules();
    let mut names: HashMap<String, u32> = HashMap::default();
    let mut transient = Vec::new();
    for (at, alert) in evaluation.alerts.enumerate() {
        if !alert.flags.contains(Flags::TRANSIENT) {
            continue;
        }
        if let Some((lasting, _)) = rules.lasting_form(evaluation.name(at)) {
            let new = names.len() as u32;
            transient.push((alert.scope, *names.entry(lasting).or_insert(new), at));
        }
    }
    (names, AlertsByName::new(transient))
}

/// The firing lasting forms. Flags the transients whose lasting form is open but suppressed.
fn lasting_forms(
    evaluation: &mut Evaluation<'_>,
    names: &HashMap<String, u32>,
    transient: &AlertsByName,
) -> AlertsByName {
    let mut lasting = Vec::new();
    for at in indices::<AlertIx>(evaluation.alerts.len()) {
        let alert = &evaluation.alerts[at];
        if alert.phase != AlertPhase::Open {
            continue;
        }
        let (scope, is_firing) = (alert.scope, alert.is_firing());
        let is_silenced = alert.flags.contains(Flags::SILENCED);
        let Some(&name) = names.get(evaluation.name(at)) else { continue };
        match transient.get(scope, name) {
            [] => {}
            _ if is_firing => lasting.push((scope, name, at)),
            below => {
                let flag = if is_silenced { Flags::LASTING_SILENCED } else { Flags::LASTING_INHIBITED };
                for &below in below {
                    evaluation.alerts[below].flags |= flag;
                }
            }
        }
    }
    AlertsByName::new(lasting)
}

fn supersede(
    evaluation: &mut Evaluation<'_>,
    union: &mut Union,
    scope: ScopeIx,
    transient: &[AlertIx],
    lasting: &[AlertIx],
) {
    let mut lasting = lasting.to_vec();
    lasting.sort_unstable_by(|a, b| {
        let rank = |at: AlertIx| (evaluation.alerts[at].priority, &evaluation.entry(at).key);
        rank(*a).cmp(&rank(*b))
    });
    // All have the name of the first, as it is or as their lasting form.
    let base = evaluation.name(lasting[0]).to_owned();
    let family_key = |evaluation: &Evaluation<'_>, at: AlertIx| {
        let mut key = Vec::new();
        let severity = evaluation.alerts[at].severity_by.label();
        family(evaluation.entry(at).identity(), scope, &base, severity, &mut key);
        key
    };
    let mut by_family: HashMap<Vec<u8>, AlertIx> = HashMap::default();
    for &at in &lasting {
        by_family.entry(family_key(evaluation, at)).or_insert(at);
    }
    for &at in transient {
        let is_milder = |top: AlertIx| evaluation.alerts[top].priority > evaluation.alerts[at].priority;
        let same = by_family.get(&family_key(evaluation, at)).copied().filter(|same| !is_milder(*same));
        let top = same.unwrap_or(lasting[0]);
        let is_milder = is_milder(top);
        let alert = &mut evaluation.alerts[at];
        if alert.phase == AlertPhase::Open && is_milder {
            alert.flags |= Flags::MILDER_RUNG_ABOVE | Flags::LASTING_MILDER;
            continue;
        }
        if alert.superior.is_none() {
            (alert.superior, alert.superseded_by) = (Some(top), Some(SupersededBy::Transient));
        }
        if alert.phase == AlertPhase::Open {
            alert.flags |= Flags::SUPERSEDED;
        }
        // A sustained transient and its lasting form are one fault, which began with the transient.
        if alert.flags.contains(Flags::SUSTAINED) && alert.is_firing() && same.is_some() {
            let since = alert.since;
            let lasting = &mut evaluation.alerts[top];
            lasting.since = lasting.since.min(since);
        }
        union.join(at, top);
    }
}
