//! The identity of an alert: name, stable labels and masked text.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::mask;
use crate::record::Record;
use crate::rules::Rules;

/// An identity as bytes, so that a lookup copies nothing and comparison is exact.
///
/// The parts are the name, the text, then name and value of each label, sorted by name. Each part
/// ends in 0xFF, which UTF-8 text never contains.
#[derive(Debug, Default, Clone)]
pub(crate) struct Key(pub(crate) Vec<u8>);

const END: u8 = 0xff;

impl Key {
    pub(crate) fn part(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(END);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// An identity parsed from its key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'k> {
    pub(crate) alert: &'k str,
    pub(crate) text: &'k str,
    labels: &'k [u8],
}

impl<'k> Identity<'k> {
    pub(crate) fn from_key(key: &'k [u8]) -> Self {
        let (alert, rest) = split(key);
        let (text, labels) = split(rest);
        Self { alert, text, labels }
    }

    /// Sorted by name.
    pub(crate) fn labels(self) -> impl Iterator<Item = (&'k str, &'k str)> {
        let mut rest = self.labels;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (name, after) = split(rest);
            let (value, after) = split(after);
            rest = after;
            Some((name, value))
        })
    }

    pub(crate) fn label(self, name: &str) -> Option<&'k str> {
        let mut rest = self.labels;
        while !rest.is_empty() {
            let (known, after) = split_bytes(rest);
            let (value, after) = split_bytes(after);
            // Only the value that is wanted is read as text, and later names are greater.
            match known.cmp(name.as_bytes()) {
                Ordering::Less => rest = after,
                Ordering::Equal => return Some(std::str::from_utf8(value).unwrap_or_default()),
                Ordering::Greater => return None,
            }
        }
        None
    }

    /// The first of these labels that is present.
    pub(crate) fn label_of(self, names: &[String]) -> Option<(&'k str, &'k str)> {
        names.iter().find_map(|name| self.labels().find(|(known, _)| known == name))
    }
}

fn split(bytes: &[u8]) -> (&str, &[u8]) {
    let (text, after) = split_bytes(bytes);
    // Keys are made from text only, so this never fails.
    (std::str::from_utf8(text).unwrap_or_default(), after)
}

fn split_bytes(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(END, bytes).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// Marks the source's own key in the key of a label set. No label has this name.
const SOURCE_KEY: &str = "\u{1}key";

/// Separates an integration's key from the key of the event. The integration's key may be a secret,
/// so it is never shown.
const INTEGRATION: char = '\u{2}';

/// An event key that is unique only within its integration.
pub(crate) fn integration_key(integration: &str, key: &str) -> String {
    format!("{integration}{INTEGRATION}{key}")
}

/// The event key without the integration's key.
pub(crate) fn visible_key(key: &str) -> &str {
    key.split_once(INTEGRATION).map_or(key, |(_, key)| key)
}

/// The key by which the source joins the events of this label set, if there is one.
pub(crate) fn source_key(set: &[u8]) -> Option<&str> {
    let (name, rest) = split(set);
    (name == SOURCE_KEY).then(|| split(rest).0)
}

/// The parts of a record: its identity, its label set within that identity, and dropped values.
#[derive(Debug, Default)]
pub(crate) struct IdentityParts {
    /// The identity.
    pub(crate) key: Key,
    /// The labels that are not part of the identity.
    pub(crate) label_set: Key,
    /// Values that are not part of the identity.
    pub(crate) dropped: Vec<String>,
}

impl IdentityParts {
    /// Fills itself from `record`.
    pub(crate) fn fill(&mut self, record: &Record<'_>, rules: &Rules) {
        self.key.clear();
        self.label_set.clear();
        self.dropped.clear();
        self.key.part(&record.alert);
        if record.text.is_empty() {
            self.key.part("");
        } else {
            let (text, dropped) = mask::mask(&record.text, |id| rules.is_on(id));
            if rules.is_volatile("text") {
                self.key.part("");
                self.dropped.push(record.text.to_string());
            } else {
                self.key.part(&text);
                self.dropped.extend(dropped);
            }
        }
        if let Some(key) = &record.key {
            self.label_set.part(SOURCE_KEY);
            self.label_set.part(key);
        }
        if record.labels.is_empty() {
            return;
        }
        let mut labels: Vec<(&str, Cow<'_, str>)> = record
            .labels
            .iter()
            .map(|(name, value)| (name.as_ref(), Cow::Borrowed(value.as_ref())))
            .collect();
        // The sort is stable, so that of two equal names the later one wins.
        if !labels.is_sorted_by(|a, b| a.0 < b.0) {
            labels.sort_by(|a, b| a.0.cmp(b.0));
            labels.reverse();
            labels.dedup_by(|later, kept| later.0 == kept.0);
            labels.reverse();
        }
        let pod = labels.iter().find(|(name, _)| *name == "pod").map(|(_, pod)| pod.to_string());
        let pod = pod.filter(|pod| !pod.is_empty() && rules.is_on("identity/pod"));
        let is_exporter = rules.is_on("identity/exporter")
            && pod.as_deref().is_some_and(|pod| is_of_exporter(pod, &labels));
        if let Some(pod) = pod.as_ref().filter(|_| !is_exporter) {
            let workload = workload(pod);
            if !labels.iter().any(|(name, _)| *name == "workload") {
                let at = labels.partition_point(|(name, _)| *name < "workload");
                labels.insert(at, ("workload", Cow::Owned(workload.to_owned())));
            }
        }
        for (name, value) in &labels {
            // To Prometheus an empty value means that the label is absent.
            if value.is_empty() {
                continue;
            }
            let of_pod = pod.is_some() && matches!(*name, "pod" | "instance") && !rules.is_kept(name);
            let of_exporter = is_exporter && matches!(*name, "container" | "job") && !rules.is_kept(name);
            let volatile = rules.is_volatile(name) || of_pod || of_exporter;
            if volatile {
                self.label_set.part(name);
                self.label_set.part(value);
                self.dropped.push(value.to_string());
            } else {
                self.key.part(name);
                self.key.part(value);
            }
        }
    }
}

/// Labels that name a workload, beside the pod.
pub(crate) const WORKLOAD_LABELS: [&str; 4] = ["deployment", "statefulset", "daemonset", "job_name"];

/// Whether the pod is that of an exporter, such as kube-state-metrics, and not of the workload that
/// another label names.
fn is_of_exporter(pod: &str, labels: &[(&str, Cow<'_, str>)]) -> bool {
    let mut named = labels.iter().filter(|(name, value)| WORKLOAD_LABELS.contains(name) && !value.is_empty());
    let mut other = named.clone();
    other.next().is_some() && named.all(|(_, named)| *named != workload(pod) && *named != pod)
}

/// The workload of a pod, by the pod's name: without the hash of the ReplicaSet or Job, the random
/// suffix or the ordinal.
pub(crate) fn workload(pod: &str) -> &str {
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let has_digit = |part: &str| part.bytes().any(|b| b.is_ascii_digit());
    // Kubernetes generates names without vowels and without digits that resemble them.
    let is_random = |part: &str| part.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b));
    let Some((front, suffix)) = pod.rsplit_once('-') else { return pod };
    if front.is_empty() {
        return pod;
    }
    if suffix.len() == 5 && is_word(suffix) {
        if let Some((name, hash)) = front.rsplit_once('-')
            && !name.is_empty()
            && (6..=10).contains(&hash.len())
            && is_word(hash)
            && (has_digit(hash) || is_random(hash))
        {
            return name;
        }
        if has_digit(suffix) || is_random(suffix) {
            return front;
        }
    }
    if !suffix.is_empty() && suffix.len() <= 4 && suffix.bytes().all(|b| b.is_ascii_digit()) {
        return front;
    }
    pod
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(record: Record<'_>) -> (String, Vec<(String, String)>) {
        let mut parts = IdentityParts::default();
        parts.fill(&record, &Rules::builtin());
        let identity = Identity::from_key(&parts.key.0);
        (
            [identity.alert, identity.text].join("|"),
            identity.labels().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        )
    }

    fn labels(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_label_is_found_by_its_name_alone() {
        let names = ["a", "ab", "b", "job", "job_name", "zone"];
        let mut key = Key::default();
        ["X", ""]
            .into_iter()
            .chain(names.into_iter().flat_map(|name| [name, "ab"]))
            .for_each(|part| key.part(part));
        let identity = Identity::from_key(&key.0);
        for name in names {
            assert_eq!(identity.label(name), Some("ab"), "{name}");
        }
        for name in ["", "aa", "abc", "jo", "job_", "zone1"] {
            assert_eq!(identity.label(name), None, "{name}");
        }
    }

    #[test]
    fn volatile_labels_are_no_identity() {
        let record =
            Record::firing("X").label("zone", "AB").label("replica", "1").label("prometheus", "p/k8s");
        assert_eq!(split(record), ("X|".into(), labels(&[("zone", "AB")])));
        let record =
            Record::firing("X").label("pod", "swype-app-6d4f9c7b5-x2x9q").label("instance", "10.0.0.1:80");
        assert_eq!(split(record), ("X|".into(), labels(&[("workload", "swype-app")])));
        let record = Record::firing("X").label("instance", "10.0.0.1:80");
        assert_eq!(split(record), ("X|".into(), labels(&[("instance", "10.0.0.1:80")])));
    }

    #[test]
    fn the_pod_of_an_exporter_is_no_identity() {
        for name in ["archive", "zebra"] {
            let record = Record::firing("KubeDeploymentReplicasMismatch")
                .label("namespace", "billing")
                .label("deployment", name)
                .label("pod", "ksm-kube-state-metrics-6c8d7f9b54-h2k7q")
                .label("container", "kube-state-metrics")
                .label("instance", "10.0.0.7:8080")
                .label("job", "kube-state-metrics");
            let want = labels(&[("deployment", name), ("namespace", "billing")]);
            assert_eq!(split(record).1, want);
        }
        let own = Record::firing("PodSlow")
            .label("deployment", "api")
            .label("pod", "api-7d9f8b6c5d-abcde")
            .label("container", "app");
        assert_eq!(split(own).1, labels(&[("container", "app"), ("deployment", "api"), ("workload", "api")]));
    }

    #[test]
    fn labels_have_no_order_and_the_later_of_two_wins() {
        let record = Record::firing("X").label("b", "1").label("a", "2").label("b", "3").label("c", "");
        assert_eq!(split(record), ("X|".into(), labels(&[("a", "2"), ("b", "3")])));
    }

    #[test]
    fn names_and_scopes_are_never_masked() {
        let mut record = Record::firing("deadbeef01").label("zone", "10.0.0.1:80");
        record.text = "took 12ms".into();
        assert_eq!(split(record), ("deadbeef01|took <n>".into(), labels(&[("zone", "10.0.0.1:80")])));
    }

    #[test]
    fn pods_name_their_workload() {
        for (pod, want) in [
            ("swype-app-6d4f9c7b5-x2x9q", "swype-app"),
            ("api-7d9f8b6c5d-abcde", "api"),
            ("postgres-0", "postgres"),
            ("node-exporter-x7k2p", "node-exporter"),
            ("backup-28374650-kx2zw", "backup"),
            ("payments", "payments"),
            ("payments-queue", "payments-queue"),
            ("shop-north-1", "shop-north"),
            ("-", "-"),
        ] {
            assert_eq!(workload(pod), want, "{pod}");
        }
    }
}
