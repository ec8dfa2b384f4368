//! Carries out one action of a breaker: one attempt, whose outcome is the next input.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::options::Dependencies;
use crate::action::{Action, Attempt, Failure, Input, Outcome};
use crate::cluster::StoredRecord;
use crate::webhook::delivery;
use crate::{ClusterError, WorkloadRef, evidence};

/// What an action is carried out with.
pub(super) struct Context<'a> {
    pub(super) dependencies: &'a Dependencies,
    pub(super) target: &'a WorkloadRef,
    /// The selector of the target's pods.
    pub(super) selector: &'a str,
    /// Version of the stored Record.
    pub(super) version: &'a Option<String>,
    /// Whether logs and Events of terminated containers may be read.
    pub(super) gather_evidence: bool,
}

/// The result of an action.
pub(super) struct Completion {
    pub(super) input: Input,
    pub(super) version: StoredVersion,
    pub(super) warn: Vec<ClusterError>,
    /// A write that the API server refused.
    pub(super) refused: Option<ClusterError>,
    /// The selector of the pods that were listed.
    pub(super) listed: Option<String>,
}

/// The version of the stored Record after an action.
pub(super) enum StoredVersion {
    Unchanged,
    Now(Option<String>),
}

impl From<Input> for Completion {
    fn from(input: Input) -> Self {
        Self { input, version: StoredVersion::Unchanged, warn: Vec::new(), refused: None, listed: None }
    }
}

/// One attempt at one action; its outcome is the next input.
pub(super) fn carry_out(action: Action, context: &Context<'_>) -> BoxFuture<'static, Completion> {
    let Dependencies { client, clock, classifier, webhooks } = context.dependencies.clone();
    let target = context.target.clone();
    match action {
        Action::GatherEvidence(request) if !context.gather_evidence => {
            let verdict = evidence::from_status(&classifier, &request.termination);
            futures::future::ready(Input::Verdict(request.id, verdict).into()).boxed()
        }
        Action::GatherEvidence(wanted) => async move {
            let id = wanted.id.clone();
            let evidence = evidence::take(&*client, &*clock, &classifier, &target.namespace, *wanted).await;
            Completion { warn: evidence.forbidden, ..Input::Verdict(id, evidence.explanation.verdict).into() }
        }
        .boxed(),
        Action::ReadScale => async move {
            match client.read_scale(&target).await {
                Ok(scale) => Input::Done(Outcome::ScaleRead(Some(scale))).into(),
                Err(ClusterError::NotFound(_)) => Input::Done(Outcome::ScaleRead(None)).into(),
                Err(error) => failed(Attempt::ReadScale, error),
            }
        }
        .boxed(),
        Action::ListPods => {
            let (selector, asked) = (context.selector.to_owned(), clock.elapsed());
            async move {
                let done = match client.list_pods(&target.namespace, &selector).await {
                    Ok(pods) => Input::PodsListed { pods, asked_at: clock.wall_time(asked) }.into(),
                    Err(error) => failed(Attempt::ListPods, error),
                };
                Completion { listed: Some(selector), ..done }
            }
            .boxed()
        }
        Action::LoadRecord => {
            async move { found(client.load_record(&target).await, Attempt::LoadRecord) }.boxed()
        }
        Action::SaveRecord(record) => {
            let over = context.version.clone();
            async move {
                match client.save_record(&target, &record, over).await {
                    Ok(version) => Completion {
                        version: StoredVersion::Now(Some(version)),
                        ..Input::Done(Outcome::RecordSaved).into()
                    },
                    Err(ClusterError::Conflict(_)) => {
                        let mut done = found(client.load_record(&target).await, Attempt::SaveRecord);
                        if let Input::Failed(failure) = &mut done.input {
                            failure.conflict = true;
                        }
                        done
                    }
                    Err(error) => failed(Attempt::SaveRecord, error),
                }
            }
            .boxed()
        }
        Action::WriteScale { seen, replicas } => async move {
            match client.write_scale(&target, &seen, replicas).await {
                Ok(scale) => Input::Done(Outcome::ScaleWritten(scale)).into(),
                Err(error) => failed(Attempt::WriteScale, error),
            }
        }
        .boxed(),
        Action::FindScaler => async move {
            match client.scaled_by(&target).await {
                Ok(by) => Input::Done(Outcome::Scaler(by)).into(),
                Err(error) => failed(Attempt::FindScaler, error),
            }
        }
        .boxed(),
        Action::Publish(event) => async move {
            match client.publish(&target, &event).await {
                Ok(()) => Input::Done(Outcome::Published(event.key)).into(),
                Err(error) => failed(Attempt::Publish, error),
            }
        }
        .boxed(),
        Action::CallHook { hook, event } => async move {
            let answer = delivery::until(webhooks, &*clock, &hook.to, &event, hook.timeout).await;
            Input::Done(Outcome::HookAnswered { id: event.id, answer }).into()
        }
        .boxed(),
        Action::Notify { to, event } => async move {
            let failure = delivery::once(webhooks, &*clock, &to, &event).await.err();
            Input::Done(Outcome::Notified { to, id: event.id, failure }).into()
        }
        .boxed(),
        Action::Emit(_) | Action::Wake(_) => futures::future::ready(Input::Tick.into()).boxed(),
    }
}

/// Whatever Record is stored now, with its version.
fn found(stored: Result<Option<StoredRecord>, ClusterError>, of: Attempt) -> Completion {
    match stored {
        Ok(Some(StoredRecord { record, version })) => Completion {
            version: StoredVersion::Now(Some(version)),
            ..Input::Done(Outcome::RecordFound(Some(Box::new(record)))).into()
        },
        Ok(None) => {
            Completion { version: StoredVersion::Now(None), ..Input::Done(Outcome::RecordFound(None)).into() }
        }
        Err(error) => failed(of, error),
    }
}

fn failed(of: Attempt, error: ClusterError) -> Completion {
    let is_write = matches!(of, Attempt::WriteScale | Attempt::SaveRecord);
    let failure = Failure {
        of,
        why: if is_write { error.with_fix() } else { error.chain() },
        retryable: error.is_retryable(),
        conflict: matches!(error, ClusterError::Conflict(_)),
    };
    let refused = failure.is_refusal();
    let mut done = Completion::from(Input::Failed(failure));
    if is_write && refused {
        done.refused = Some(error);
    } else if matches!(error, ClusterError::Forbidden { .. }) {
        done.warn.push(error);
    }
    done
}
