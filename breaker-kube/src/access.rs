//! The user's access, checked before it is needed: a missing right must not first show at the trip.

use breaker_core::policy::Mode;
use breaker_core::{ClusterError, WorkloadRef};
use futures::future::try_join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;

use crate::client::KubeClient;
use crate::discovery::rbac_resource;
use crate::request::ApiRequest;

/// The rights that a user lacks to watch a workload and to scale it, each as
/// [`ClusterError::Forbidden`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct MissingPermissions {
    /// Rights without which the breaker cannot trip.
    pub required: Vec<ClusterError>,
    /// Rights without which it trips, but with less evidence or without a Record.
    pub optional: Vec<ClusterError>,
}

impl KubeClient {
    /// Which rights the user lacks to watch `target` and, with [`Mode::Enforce`], to scale it,
    /// store its Record and publish Events.
    ///
    /// Asks by self-subject access reviews, which every authenticated user may create.
    ///
    /// # Errors
    /// As for every call when a review cannot be created.
    pub async fn missing_permissions(
        &self,
        target: &WorkloadRef,
        mode: Mode,
    ) -> Result<MissingPermissions, ClusterError> {
        let kind = self.kinds.resolve(&self.client, target).await?;
        let scale = rbac_resource(&kind, "scale");
        let mut rights: Vec<(bool, &'static str, String)> = vec![
            (true, "get", scale.clone()),
            (true, "list", "pods".into()),
            (true, "watch", "pods".into()),
            (false, "get", "pods/log".into()),
            (false, "list", "events".into()),
            (false, "get", rbac_resource(&kind, "")),
        ];
        if mode == Mode::Enforce {
            rights.push((true, "patch", scale));
            rights.extend(["get", "create", "patch"].map(|verb| (false, verb, "configmaps".to_owned())));
            rights.push((false, "create", "events.events.k8s.io".into()));
        }
        let reviews = rights.iter().map(|(_, verb, resource)| is_allowed(self, target, verb, resource));
        let allowed = try_join_all(reviews).await?;
        let mut missing = MissingPermissions::default();
        for ((required, verb, resource), _) in rights.into_iter().zip(allowed).filter(|(_, allowed)| !allowed)
        {
            let (namespace, message) = (target.namespace.clone(), String::new());
            let error = ClusterError::Forbidden { verb, resource, namespace, message };
            if required { &mut missing.required } else { &mut missing.optional }.push(error);
        }
        Ok(missing)
    }
}

async fn is_allowed(
    kube: &KubeClient,
    target: &WorkloadRef,
    verb: &'static str,
    resource: &str,
) -> Result<bool, ClusterError> {
    let (path, group) = resource.split_once('.').unwrap_or((resource, ""));
    let (plural, subresource) = path.split_once('/').unwrap_or((path, ""));
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(target.namespace.clone()),
                verb: Some(verb.into()),
                group: Some(group.into()),
                resource: Some(plural.into()),
                subresource: (!subresource.is_empty()).then(|| subresource.into()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let request = ApiRequest {
        action: "checking the user's permissions".into(),
        verb: "create",
        resource: "selfsubjectaccessreviews.authorization.k8s.io".into(),
        namespace: target.namespace.clone(),
        object: "self-subject access reviews".into(),
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(kube.client.clone());
    let answer = request.send(reviews.create(&PostParams::default(), &review)).await?;
    let status = answer.status.ok_or_else(|| request.unclear("the review has no status"))?;
    Ok(status.allowed)
}
