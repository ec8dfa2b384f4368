//! The manifests of `deploy/`, as far as they can be checked without a cluster.

mod binary;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use binary::{text, watcher};
use serde_json::Value;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

fn documents(path: &Path) -> Vec<Value> {
    let yaml = fs::read_to_string(path).unwrap();
    serde_saphyr::from_multiple(&yaml).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_crd_in_deploy_is_the_one_that_the_types_generate() {
    let stored = fs::read_to_string(deploy().join("base/crd.yaml")).unwrap();
    let output = watcher(&["crd"]);
    assert!(
        stored == text(&output.stdout),
        "deploy/base/crd.yaml differs: run `watcher crd >deploy/base/crd.yaml` and read the difference"
    );
}

#[test]
fn every_yaml_file_can_be_read_and_names_what_it_is() {
    let yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let files: Vec<_> = files_in(&deploy()).into_iter().filter(yaml).collect();
    assert!(files.len() > 15, "{files:?}");
    for path in files {
        let documents = documents(&path);
        assert!(!documents.is_empty(), "{} is empty", path.display());
        let of_prometheus = path.parent().is_some_and(|parent| parent.ends_with("monitoring"));
        for document in documents.iter().filter(|_| !of_prometheus) {
            for field in ["/apiVersion", "/kind"] {
                assert!(
                    document.pointer(field).is_some_and(Value::is_string),
                    "{} has no {field}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_definition_is_the_one_that_the_program_prints() {
    let stored = fs::read_to_string(deploy().join("base/crd.yaml")).unwrap();
    let printed = text(&watcher(&["crd"]).stdout);
    assert!(stored == printed, "deploy/base/crd.yaml differs: run `watcher crd >deploy/base/crd.yaml`");
}

#[test]
fn the_kustomization_lists_every_file() {
    let base = deploy().join("base");
    let listed = documents(&base.join("kustomization.yaml"))[0]["resources"].clone();
    let listed: BTreeSet<String> = serde_json::from_value(listed).unwrap();
    let there =
        files_in(&base).into_iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    let there: BTreeSet<String> = there.filter(|name| name != "kustomization.yaml").collect();
    assert_eq!(listed, there);
}

/// Labels that Kubernetes recommends, on every object but the definition, which is generated and
/// gets them from the kustomization.
#[test]
fn every_object_has_the_recommended_labels() {
    let base = deploy().join("base");
    let pairs = &documents(&base.join("kustomization.yaml"))[0]["labels"][0]["pairs"];
    assert_eq!(pairs["app.kubernetes.io/version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(pairs["app.kubernetes.io/part-of"], "bigredbutton");
    for path in files_in(&base).iter().filter(|path| !path.ends_with("kustomization.yaml")) {
        for object in documents(path).iter().filter(|object| object["kind"] != "CustomResourceDefinition") {
            let name = &object["metadata"]["labels"]["app.kubernetes.io/name"];
            assert_eq!(name, "bigredbutton", "{}: {}", path.display(), object["metadata"]["name"]);
        }
    }
}

/// What the pods of the Deployment say that the program takes, and that Pod Security's `restricted`
/// wants.
#[test]
fn the_deployment_runs_a_command_line_that_the_program_takes_with_no_power_over_its_node() {
    let deployment = &documents(&deploy().join("base/deployment.yaml"))[0];
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let secured = &container["securityContext"];
    assert_eq!(
        (&secured["allowPrivilegeEscalation"], &secured["readOnlyRootFilesystem"]),
        (&false.into(), &true.into())
    );
    assert_eq!(secured["capabilities"]["drop"][0], "ALL");
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"]["path"], path);
    }
    let mut args: Vec<_> =
        container["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    // Taken, it looks for a cluster, and there is none here.
    args.extend(["--kubeconfig", "/nonexistent/kubeconfig"]);
    let output = watcher(&args);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("kubeconfig /nonexistent/kubeconfig cannot be used"), "{stderr}");
}
