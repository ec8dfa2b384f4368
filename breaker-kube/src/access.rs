//! The user's access, checked before it is needed: a missing right must not first show at the trip.

use breaker_core::policy::Mode;
use breaker_core::{ClusterError, WorkloadRef};
use futures::future::try_join_all;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;

pub use self::permission::Permission;
use self::permission::{EVERYWHERE, Place};
pub use self::role::Subject;
use crate::client::KubeClient;
use crate::crd::BreakerName;
use crate::discovery::rbac_resource;
use crate::request::ApiRequest;

mod permission;
mod role;

/// What rights are checked for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Purpose<'a> {
    /// To watch a workload and, with [`Mode::Enforce`], to scale it, store its Record and publish
    /// Events.
    Watch {
        /// The workload.
        target: &'a WorkloadRef,
        /// Whether it is scaled.
        mode: Mode,
    },
    /// To scale a workload once on request.
    Act {
        /// The workload.
        target: &'a WorkloadRef,
        /// Whether a Record that cannot be read is an error.
        needs_record: bool,
    },
    /// To ask the controller to trip or reset a CircuitBreaker.
    Ask {
        /// The CircuitBreaker.
        breaker: &'a BreakerName,
    },
    /// To run all CircuitBreakers of a scope.
    Control {
        /// The namespace; `None` for all.
        namespace: Option<&'a str>,
        /// Namespace and name of the Lease; `None` without an election.
        lease: Option<(&'a str, &'a str)>,
    },
}

/// The rights that the user lacks for a [`Purpose`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct MissingPermissions {
    /// Rights without which it cannot be done.
    pub required: Vec<Permission>,
    /// Rights without which it is done, but with less evidence or without a Record.
    pub optional: Vec<Permission>,
}

impl MissingPermissions {
    /// All of them, the required ones first.
    pub fn all(&self) -> impl Iterator<Item = &Permission> {
        self.required.iter().chain(&self.optional)
    }

    /// One Role for each namespace, or a ClusterRole, with these rights and a binding to `subject`,
    /// as YAML; empty when none is missing.
    pub fn role(&self, subject: &Subject) -> String {
        role::manifest(self.all(), subject)
    }
}

impl KubeClient {
    /// Which rights the user lacks for `purpose`.
    ///
    /// Asks by self-subject access reviews, which every authenticated user may create, all at the
    /// same time.
    ///
    /// # Errors
    /// As for every call when a review cannot be created.
    pub async fn missing_permissions(
        &self,
        purpose: Purpose<'_>,
    ) -> Result<MissingPermissions, ClusterError> {
        let rights = match purpose {
            Purpose::Watch { target, mode } => self.to_watch(target, mode).await?,
            Purpose::Act { target, needs_record } => self.to_act(target, needs_record).await?,
            Purpose::Ask { breaker } => to_ask(breaker),
            Purpose::Control { namespace, lease } => to_control(namespace, lease),
        };
        let allowed = try_join_all(rights.iter().map(|(_, right)| self.is_allowed(right))).await?;
        let mut missing = MissingPermissions::default();
        for ((required, right), _) in rights.into_iter().zip(allowed).filter(|(_, allowed)| !allowed) {
            if required { &mut missing.required } else { &mut missing.optional }.push(right);
        }
        Ok(missing)
    }

    /// Who the user is for the API server, by a self-subject review.
    ///
    /// # Errors
    /// As for every call when the review cannot be created.
    pub async fn subject(&self) -> Result<Subject, ClusterError> {
        let request =
            review_request("asking who the user is", "selfsubjectreviews.authentication.k8s.io", "");
        let reviews: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let answer = request.send(reviews.create(&PostParams::default(), &Default::default())).await?;
        let name = answer.status.and_then(|status| status.user_info?.username);
        name.map(|name| Subject::new(&name)).ok_or_else(|| request.unclear("the review names no user"))
    }

    async fn to_watch(
        &self,
        target: &WorkloadRef,
        mode: Mode,
    ) -> Result<Vec<(bool, Permission)>, ClusterError> {
        let kind = self.kinds.resolve(&self.client, target).await?;
        let place = Place::namespace(&target.namespace);
        let scale = rbac_resource(&kind, "scale");
        let mut rights = vec![
            (true, place.right("get", &scale)),
            (true, place.right("list", "pods")),
            (true, place.right("watch", "pods")),
            (false, place.right("get", "pods/log")),
            (false, place.right("list", "events")),
            (false, place.right("get", &rbac_resource(&kind, ""))),
        ];
        if mode == Mode::Enforce {
            rights.push((true, place.right("patch", &scale)));
            rights.extend(["get", "create", "patch"].map(|verb| (false, place.right(verb, "configmaps"))));
            rights.push((false, place.right("create", "events.events.k8s.io")));
        }
        Ok(rights)
    }

    async fn to_act(
        &self,
        target: &WorkloadRef,
        needs_record: bool,
    ) -> Result<Vec<(bool, Permission)>, ClusterError> {
        let kind = self.kinds.resolve(&self.client, target).await?;
        let place = Place::namespace(&target.namespace);
        let scale = rbac_resource(&kind, "scale");
        let read_record = place.right("get", "configmaps");
        // Who may not read a Record trips without one. Who may read it and not store it cannot
        // trip, because nothing is scaled before its Record is stored.
        let stores = needs_record || self.is_allowed(&read_record).await?;
        Ok(vec![
            (true, place.right("get", &scale)),
            (true, place.right("patch", &scale)),
            (true, place.right("list", "pods")),
            (true, place.right("watch", "pods")),
            (needs_record, read_record),
            (stores, place.right("create", "configmaps")),
            (stores, place.right("patch", "configmaps")),
            (false, place.right("create", "events.events.k8s.io")),
        ])
    }

    async fn is_allowed(&self, right: &Permission) -> Result<bool, ClusterError> {
        let (path, group) = right.parts();
        let (plural, subresource) = path.split_once('/').unwrap_or((path, ""));
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    namespace: Some(right.namespace.clone().unwrap_or_default()),
                    verb: Some(right.verb.into()),
                    group: Some(group.into()),
                    resource: Some(plural.into()),
                    subresource: (!subresource.is_empty()).then(|| subresource.into()),
                    name: right.name.clone(),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let namespace = right.namespace.as_deref().unwrap_or(EVERYWHERE);
        let resource = "selfsubjectaccessreviews.authorization.k8s.io";
        let request = review_request("checking the user's permissions", resource, namespace);
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let answer = request.send(reviews.create(&PostParams::default(), &review)).await?;
        let status = answer.status.ok_or_else(|| request.unclear("the review has no status"))?;
        Ok(status.allowed)
    }
}

fn to_ask(breaker: &BreakerName) -> Vec<(bool, Permission)> {
    let place = Place::namespace(&breaker.namespace);
    ["get", "patch"].map(|verb| (true, place.right(verb, BREAKERS).of(&breaker.name))).into()
}

const BREAKERS: &str = "circuitbreakers.bigredbutton.dev";

/// Only the list of CircuitBreakers is required: without another right the controller says in each
/// status what it cannot do, and does the rest.
fn to_control(namespace: Option<&str>, lease: Option<(&str, &str)>) -> Vec<(bool, Permission)> {
    let place = namespace.map_or(Place::EVERYWHERE, Place::namespace);
    let mut rights = vec![(true, place.right("list", BREAKERS))];
    rights.extend(
        [
            ("watch", BREAKERS),
            ("get", BREAKERS),
            ("patch", BREAKERS),
            ("patch", "circuitbreakers/status.bigredbutton.dev"),
            ("get", "deployments/scale.apps"),
            ("patch", "deployments/scale.apps"),
            ("get", "statefulsets/scale.apps"),
            ("patch", "statefulsets/scale.apps"),
            ("get", "deployments.apps"),
            ("get", "statefulsets.apps"),
            ("list", "pods"),
            ("watch", "pods"),
            ("get", "pods/log"),
            ("list", "events"),
            ("create", "events.events.k8s.io"),
            ("list", "horizontalpodautoscalers.autoscaling"),
        ]
        .map(|(verb, resource)| (false, place.right(verb, resource))),
    );
    if let Some((namespace, name)) = lease {
        let place = Place::namespace(namespace);
        let lease = |verb| place.right(verb, "leases.coordination.k8s.io");
        rights.push((false, lease("create")));
        rights.extend(["get", "update"].map(|verb| (false, lease(verb).of(name))));
    }
    rights
}

fn review_request(action: &str, resource: &str, namespace: &str) -> ApiRequest {
    ApiRequest {
        action: action.into(),
        verb: "create",
        resource: resource.into(),
        namespace: namespace.into(),
        object: resource.into(),
    }
}
