//! Changes that take a member out: a silence, or its end.

use super::counterfactual::Counterfactual;
use super::simulation::Simulation;
use crate::explain::naming::identity_key;
use crate::identity::Identity;
use crate::judge::AlertIx;
use crate::verdict::{Notify, Priority};

/// Silences a member, or ends it.
pub(super) fn silence_or_end(simulation: &mut Simulation<'_>, headline: AlertIx, members: &[AlertIx]) {
    let open: Vec<AlertIx> =
        members.iter().copied().filter(|at| simulation.report.alert(*at).sets_priority()).collect();
    // The headline comes first: it is the most likely alert to silence.
    let order = open.iter().copied().filter(|at| *at == headline);
    for at in order.chain(open.iter().copied().filter(|at| *at != headline)).collect::<Vec<_>>() {
        let key = identity_key(simulation.report, at).to_vec();
        let ended = simulation.part.subset(|entry| *entry.key != *key);
        let ended = simulation.counterfactuals(&ended, simulation.now);
        let identity = Identity::from_key(&key);
        let is_plain = |text: &str| !text.contains(['*', '?']);
        let can_silence = is_plain(identity.alert) && identity.labels().all(|(_, value)| is_plain(value));
        let silenced = can_silence.then(|| {
            let part = simulation.with_rules(|table| table.silence(identity.alert, identity.labels()));
            simulation.counterfactuals(&part, simulation.now)
        });
        let name = simulation.label(at);
        let ended = if ended.is_empty() { nothing_open(identity.alert) } else { ended };
        match silenced {
            Some(silenced) if silenced == ended => {
                let change = format!("a silence on {name}, or its end");
                if !simulation.add_if_changed(change.clone(), silenced.clone()) && at == headline {
                    simulation.add(change, silenced);
                }
            }
            silenced => {
                if let Some(silenced) = silenced {
                    simulation.add_if_changed(format!("a silence on {name}"), silenced);
                }
                simulation.add_if_changed(format!("the end of {name}"), ended);
            }
        }
    }
}

/// The result for an incident whose only member ends: it notifies nobody.
fn nothing_open(headline: &str) -> Vec<Counterfactual> {
    vec![Counterfactual { priority: Priority::P5, notify: Notify::None, headline: headline.to_owned() }]
}
