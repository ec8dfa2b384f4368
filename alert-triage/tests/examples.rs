//! The examples run, and print what their last comment says.

use std::path::Path;
use std::process::Command;

#[test]
fn examples_print_what_they_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        let code = std::fs::read_to_string(&path).expect("UTF-8");
        let (_, said) =
            code.split_once("\n// Prints:\n//\n").unwrap_or_else(|| panic!("{name} does not say it"));
        let said: String =
            said.lines().map(|line| format!("{}\n", line.strip_prefix("// ").unwrap_or(""))).collect();
        let cargo = ["run", "--quiet", "--offline", "--package", "alert-triage", "--example", &name];
        let output = Command::new(env!("CARGO")).args(cargo).output().expect("cargo starts");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), said, "{name}");
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["embedded", "live", "sample"]);
}
