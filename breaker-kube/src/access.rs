//! The user's rights, asked up front: a right that is missing must not show at the trip.

use breaker_core::{ClusterError, WorkloadRef};
use futures::future::try_join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;

use crate::KubeClient;
use crate::discovery::rbac_resource;
use crate::request::ApiRequest;

/// What a user may not do, of what a watch wants.
#[derive(Debug, Default)]
pub struct MissingPermissions {
    /// A trip cannot do without these; each is [`ClusterError::Forbidden`].
    pub required: Vec<ClusterError>,
    /// A watch is poorer without these.
    pub wanted: Vec<ClusterError>,
}

impl KubeClient {
    /// Which rights are missing to watch `target` and, unless it is a dry run, to trip it. Asks the API
    /// server by self-subject access reviews, which every authenticated user may.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub async fn missing_permissions(
        &self,
        target: &WorkloadRef,
        dry_run: bool,
    ) -> Result<MissingPermissions, ClusterError> {
        let kind = self.kinds.resolve(&self.client, target).await?;
        let scale = rbac_resource(&kind, "scale");
        let mut asked: Vec<(bool, &'static str, String)> = vec![
            (true, "get", scale.clone()),
            (true, "list", "pods".into()),
            (true, "watch", "pods".into()),
            (false, "get", "pods/log".into()),
            (false, "list", "events".into()),
            (false, "get", rbac_resource(&kind, "")),
        ];
        if !dry_run {
            asked.push((true, "patch", scale));
            asked.extend(["get", "create", "patch"].map(|verb| (false, verb, "configmaps".to_owned())));
            asked.push((false, "create", "events.events.k8s.io".into()));
        }
        let allowed =
            try_join_all(asked.iter().map(|(_, verb, resource)| self.may(target, verb, resource))).await?;
        let mut missing = MissingPermissions::default();
        for ((required, verb, resource), _) in asked.into_iter().zip(allowed).filter(|(_, allowed)| !allowed)
        {
            let error = ClusterError::Forbidden { verb, resource, namespace: target.namespace.clone() };
            if required { &mut missing.required } else { &mut missing.wanted }.push(error);
        }
        Ok(missing)
    }

    async fn may(
        &self,
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
        let step = ApiRequest {
            doing: "asking for the user's rights".into(),
            verb: "create",
            resource: "selfsubjectaccessreviews.authorization.k8s.io".into(),
            namespace: target.namespace.clone(),
            object: "self-subject access reviews".into(),
        };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let answer = step.attempt(reviews.create(&PostParams::default(), &review)).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}
