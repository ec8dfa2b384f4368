//! The breaker's door to a real cluster, on kube-rs.
