//! Laws about each crate's `src`: files form no circle of imports, and a type name has one
//! definition.

mod arrows;
mod scope;
mod source;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use arrows::Arrows;
use source::Crate;

const CRATES: [&str; 6] =
    ["breaker-core", "breaker-kube", "bin-watcher", "alert-triage", "bin-triage", "tests"];

fn read(name: &str) -> Crate {
    Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name))
}

/// Each circle of files of a crate, described.
fn circles(source: &Crate) -> Vec<String> {
    let arrows = Arrows::draw(source);
    arrows.circles().iter().map(|circle| arrows.describe(circle)).collect()
}

/// Each type name that a crate defines more than once, with its places.
fn namesakes(source: &Crate) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for module in &source.modules {
        let file = source.files[module.file].display();
        for (name, line) in &module.types {
            places.entry(name).or_default().push(format!("{file}:{line}"));
        }
    }
    let twice = places.into_iter().filter(|(_, places)| places.len() > 1);
    twice.map(|(name, places)| format!("`{name}`: {}\n", places.join(", "))).collect()
}

/// Runs `law` over every crate and fails on its findings.
fn check(what: &str, law: impl Fn(&Crate) -> Vec<String>) {
    let mut broken = String::new();
    for name in CRATES {
        for found in law(&read(name)) {
            let _ = write!(broken, "\n{name}: {found}");
        }
    }
    assert!(broken.is_empty(), "{what}:{broken}");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    check("circles of files", circles);
}

#[test]
fn no_type_name_is_defined_twice_in_a_crate() {
    check("type names defined twice", namesakes);
}

/// A crate in a temporary directory, from pairs of path and text.
fn made_up(files: &[(&str, &str)]) -> Crate {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("create a directory");
        fs::write(path, text).expect("write a file");
    }
    Crate::read(dir.path())
}

#[test]
fn an_import_points_at_the_file_that_defines_the_name() {
    let source = made_up(&[
        ("src/lib.rs", "mod shapes; mod user; pub use shapes::Circle;"),
        (
            "src/shapes/mod.rs",
            "mod circle; mod square; pub(crate) use circle::{self as round, Circle}; pub use square::*;",
        ),
        ("src/shapes/circle.rs", "pub struct Circle; pub fn area() {}"),
        ("src/shapes/square.rs", "pub struct Square; pub const SIDE: u8 = 1;"),
        (
            "src/user.rs",
            "use crate::{Circle, shapes}; use std::fmt::Write;
             fn f() -> Circle { shapes::round::area(); println!(\"{}\", super::shapes::SIDE); todo!() }",
        ),
    ]);
    let arrows = Arrows::draw(&source);
    assert_eq!(arrows.all(), ["src/user.rs -> src/shapes/circle.rs", "src/user.rs -> src/shapes/square.rs"]);
    assert!(arrows.circles().is_empty());
}

#[test]
fn a_circle_of_three_files_is_found_and_its_uses_are_named() {
    let source = made_up(&[
        ("src/main.rs", "mod a; mod b; mod c; fn main() { a::first() }"),
        ("src/a.rs", "use crate::b::second; pub fn first() { second() }"),
        ("src/b.rs", "pub fn second() { super::c::third() }"),
        ("src/c.rs", "use crate::a; pub fn third() { a::first() }"),
    ]);
    let found = circles(&source);
    assert_eq!(
        found,
        ["3 files use each other:
  src/a.rs -> src/b.rs: `crate::b::second` (line 1), `second` (line 1)
  src/b.rs -> src/c.rs: `super::c::third` (line 1)
  src/c.rs -> src/a.rs: `a::first` (line 1)
"]
    );
}

#[test]
fn a_parent_that_uses_its_child_and_is_used_by_it_is_a_circle() {
    let child = ("src/parent/child.rs", "use super::Limit; pub struct Child(Limit);");
    let uses = made_up(&[
        ("src/lib.rs", "mod parent;"),
        ("src/parent/mod.rs", "mod child; pub use child::Child; pub struct Limit; fn f(_: Child) {}"),
        child,
    ]);
    assert_eq!(circles(&uses).len(), 1);
    let re_exports = made_up(&[
        ("src/lib.rs", "mod parent;"),
        ("src/parent/mod.rs", "mod child; pub use child::Child; pub struct Limit;"),
        child,
    ]);
    assert_eq!(circles(&re_exports), Vec::<String>::new());
}

#[test]
fn globs_macros_and_serde_attributes_are_uses() {
    let source = made_up(&[
        ("src/lib.rs", "mod names; mod text; mod list;"),
        (
            "src/names.rs",
            "use crate::text::*; #[derive(Serialize)] pub struct Name(#[serde(with = \"crate::list::lines\")] Line);",
        ),
        ("src/text.rs", "pub struct Line; fn f() { assert!(matches!(x.crate_name, crate::names::Name(_))) }"),
        ("src/list.rs", "pub fn lines() -> usize { vec![crate::text::Line].len() }"),
    ]);
    let arrows = Arrows::draw(&source);
    assert_eq!(
        arrows.all(),
        [
            "src/names.rs -> src/text.rs",
            "src/names.rs -> src/list.rs",
            "src/text.rs -> src/names.rs",
            "src/list.rs -> src/text.rs"
        ]
    );
    assert_eq!(arrows.circles().len(), 1);
}

#[test]
fn what_is_for_tests_alone_does_not_count() {
    let source = made_up(&[
        ("src/lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        ("src/a.rs", "use crate::b::B; pub struct A(B); #[cfg(test)] mod tests { struct A; }"),
        (
            "src/b.rs",
            "pub struct B; #[cfg(test)] use crate::a::A; impl B { #[cfg(test)] fn f(_: crate::a::A) {} }",
        ),
        ("src/tests.rs", "struct B;"),
    ]);
    assert_eq!(circles(&source), Vec::<String>::new());
    assert_eq!(namesakes(&source), Vec::<String>::new());
}

#[test]
fn a_name_defined_twice_is_found_with_its_places() {
    let source = made_up(&[
        ("src/lib.rs", "mod a; mod b; pub struct Place;"),
        ("src/a.rs", "\npub enum Place { Here }"),
        ("src/b.rs", "fn f() { struct Place; } fn place() {}"),
    ]);
    assert_eq!(namesakes(&source), ["`Place`: src/lib.rs:1, src/a.rs:2, src/b.rs:1\n"]);
}
