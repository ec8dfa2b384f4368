//! Instances: firing alerts of one name in one scope are one incident.

use super::Union;
use crate::hashing::hash;
use crate::judge::evaluation::Evaluation;
use crate::judge::flags::Flags;
use crate::judge::index::{AlertIx, indices};

/// Labels in which instances must agree, in the order of their names, as the labels of an identity
/// are.
const SHARED_LABELS: [&str; 8] =
    ["daemonset", "deployment", "job", "job_name", "namespace", "service", "statefulset", "workload"];

/// Joins the firing alerts of one name and scope that agree on their namespace, service, job and
/// workload, and on their text but for the number in the name of a host.
pub(in crate::judge) fn instances(evaluation: &Evaluation<'_>, union: &mut Union) {
    if !evaluation.engine.rules().is_on("instances") {
        return;
    }
    let mut key = Vec::new();
    let mut found: Vec<(u64, AlertIx)> = Vec::new();
    for at in indices::<AlertIx>(evaluation.alerts.len()) {
        if may_join(evaluation, at) {
            write_key(evaluation, at, &mut key);
            found.push((hash(&key), at));
        }
    }
    found.sort_unstable();
    for same in found.chunk_by(|one, other| one.0 == other.0).filter(|same| same.len() > 1) {
        // Different keys rarely have equal hashes; then only those of the first are joined.
        let first = key_of(evaluation, same[0].1);
        for (_, at) in &same[1..] {
            write_key(evaluation, *at, &mut key);
            if key == first {
                union.join(same[0].1, *at);
            }
        }
    }
}

/// Are they instances of one alert?
pub(crate) fn is_instance(evaluation: &Evaluation<'_>, one: AlertIx, other: AlertIx) -> bool {
    evaluation.engine.rules().is_on("instances")
        && may_join(evaluation, one)
        && may_join(evaluation, other)
        && key_of(evaluation, one) == key_of(evaluation, other)
}

fn key_of(evaluation: &Evaluation<'_>, at: AlertIx) -> Vec<u8> {
    let mut key = Vec::new();
    write_key(evaluation, at, &mut key);
    key
}

/// Transients form patterns instead, over all scopes. An alert that another one explains belongs to
/// that one, and joins it with no other fault.
fn may_join(evaluation: &Evaluation<'_>, at: AlertIx) -> bool {
    let alert = &evaluation.alerts[at];
    alert.sets_priority()
        && alert.cause.is_none()
        && !alert.is_transient()
        && !alert.flags.contains(Flags::INFORMATIONAL)
        && !evaluation.engine.rules().is_separate(evaluation.name(at))
}

/// The text without the number of an instance: `node-1` and `node-2` are instances, `node-1 slow`
/// and `node-2 gone` are two faults.
fn write_text(text: &str, key: &mut Vec<u8>) {
    let is_host = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !is_host {
        return key.extend_from_slice(text.as_bytes());
    }
    let mut is_number = false;
    for byte in text.bytes() {
        match byte.is_ascii_digit() {
            true if is_number => {}
            true => key.push(b'#'),
            false => key.push(byte),
        }
        is_number = byte.is_ascii_digit();
    }
}

fn write_key(evaluation: &Evaluation<'_>, at: AlertIx, key: &mut Vec<u8>) {
    let identity = evaluation.entry(at).identity();
    key.clear();
    key.extend_from_slice(&evaluation.alerts[at].scope.bytes());
    key.extend_from_slice(identity.alert.as_bytes());
    key.push(0xff);
    write_text(identity.text, key);
    let mut shared = SHARED_LABELS.iter().enumerate().peekable();
    for (name, value) in identity.labels() {
        while shared.next_if(|(_, known)| **known < name).is_some() {}
        if let Some((number, _)) = shared.next_if(|(_, known)| **known == name) {
            key.extend_from_slice(&[0xff, number as u8]);
            key.extend_from_slice(value.as_bytes());
        }
    }
}
