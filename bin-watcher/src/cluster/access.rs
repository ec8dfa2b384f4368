//! The permissions that a command needs, checked before it starts.

use breaker_core::supervisor::RecordStorage;
use breaker_core::{ClusterError, WorkloadRef};
use breaker_kube::KubeClient;
use breaker_kube::access::{MissingPermissions, Permission, Purpose, Subject};
use breaker_kube::crd::BreakerName;

/// Stands for the user's name where the API server does not say it.
const UNKNOWN_USER: &str = "YOUR-USER";

/// Permissions are missing without which a command cannot do its work.
#[derive(Debug, thiserror::Error)]
#[error("not allowed to {}", list(.0))]
pub(crate) struct MissingRights(MissingPermissions, Subject);

impl MissingRights {
    /// What to paste, so that none is missing.
    pub(crate) fn paste(&self) -> String {
        paste(&self.0, &self.1)
    }
}

/// Returns the missing permissions that a watch can do without, and prints them on stderr; empty
/// when all are granted.
///
/// # Errors
/// [`MissingRights`] with all missing permissions when one is required, and that of the reviews.
pub(crate) async fn check(kube: &KubeClient, purpose: Purpose<'_>) -> anyhow::Result<Vec<ClusterError>> {
    let missing = check_required(kube, purpose).await?;
    if let Some((missing, subject)) = &missing {
        eprint!("{}", paste(missing, subject));
    }
    Ok(missing.iter().flat_map(|(missing, _)| &missing.optional).map(Permission::error).collect())
}

/// Returns the missing permissions that `purpose` can do without.
async fn check_required(
    kube: &KubeClient,
    purpose: Purpose<'_>,
) -> anyhow::Result<Option<(MissingPermissions, Subject)>> {
    let missing = kube.missing_permissions(purpose).await?;
    if missing.all().next().is_none() {
        return Ok(None);
    }
    let subject = kube.subject().await.unwrap_or_else(|_| Subject::User(UNKNOWN_USER.into()));
    if !missing.required.is_empty() {
        return Err(MissingRights(missing, subject).into());
    }
    Ok(Some((missing, subject)))
}

/// As [`check`] for a trip or reset of `target` by this process. Where a review is not answered,
/// the command goes on: its own calls are what counts.
///
/// # Errors
/// [`MissingRights`] with all missing permissions when one is required.
pub(crate) async fn check_action(
    kube: &KubeClient,
    target: &WorkloadRef,
    needs_record: bool,
) -> anyhow::Result<()> {
    only_missing_rights(check(kube, Purpose::Act { target, needs_record }).await)
}

/// As [`check_action`] for a trip or reset that the controller is asked for.
///
/// # Errors
/// [`MissingRights`] with all missing permissions when one is required.
pub(crate) async fn check_request(kube: &KubeClient, breaker: &BreakerName) -> anyhow::Result<()> {
    only_missing_rights(check(kube, Purpose::Ask { breaker }).await)
}

/// As [`check_action`] for a controller. Returns what to paste for the permissions that it can do
/// without, if any is missing.
///
/// # Errors
/// [`MissingRights`] with all missing permissions when one is required.
pub(crate) async fn check_controller(
    kube: &KubeClient,
    namespace: Option<&str>,
    lease: Option<(&str, &str)>,
) -> anyhow::Result<Option<String>> {
    match check_required(kube, Purpose::Control { namespace, lease }).await {
        Ok(missing) => Ok(missing.map(|(missing, subject)| paste(&missing, &subject))),
        Err(error) => only_missing_rights(Err::<(), _>(error)).map(|()| None),
    }
}

fn only_missing_rights<T>(checked: anyhow::Result<T>) -> anyhow::Result<()> {
    match checked {
        Err(error) if error.is::<MissingRights>() => Err(error),
        _ => Ok(()),
    }
}

/// Where `watcher run` keeps its Record with these permissions missing.
pub(crate) fn record_storage(missing: &[ClusterError]) -> RecordStorage {
    let of_record = |error: &ClusterError| matches!(error, ClusterError::Forbidden { resource, .. } if resource == "configmaps");
    if missing.iter().any(of_record) { RecordStorage::Memory } else { RecordStorage::Preferred }
}

/// `get pods and list pods in namespace sre`, of the required rights.
fn list(missing: &MissingPermissions) -> String {
    let rights: Vec<String> = missing.required.iter().map(ToString::to_string).collect();
    let rights = match &rights[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        rights => rights.concat(),
    };
    let namespace = missing.required.first().and_then(|right| right.namespace.as_deref());
    let place = namespace.map_or("in all namespaces".into(), |name| format!("in namespace {name}"));
    format!("{rights} {place}")
}

/// All missing rights as a manifest, behind comments that say what it is.
fn paste(missing: &MissingPermissions, subject: &Subject) -> String {
    let optional = match missing.optional.iter().map(ToString::to_string).collect::<Vec<_>>() {
        optional if optional.is_empty() => String::new(),
        optional => format!("# It works without these, but less well: {}.\n", optional.join(", ")),
    };
    let role = missing.role(subject);
    format!("# All missing rights, to be applied with `kubectl apply -f -`.\n{optional}{role}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rights_to_configmaps_the_record_is_in_memory() {
        let right = |resource: &str| ClusterError::Forbidden {
            verb: "get",
            resource: resource.into(),
            namespace: "sre".into(),
            message: String::new(),
        };
        assert_eq!(record_storage(&[right("pods/log")]), RecordStorage::Preferred);
        assert_eq!(record_storage(&[right("pods/log"), right("configmaps")]), RecordStorage::Memory);
    }
}
