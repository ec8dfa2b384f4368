//! The files of a crate as a graph: an arrow from a file to each file that defines what it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::scope::Target;
use crate::source::Crate;

/// Uses that make an arrow: line and path as written.
type Uses = BTreeSet<(usize, String)>;

/// The arrows between files, which are indices into [`Crate::files`].
pub(crate) struct Arrows<'c> {
    source: &'c Crate,
    uses: BTreeMap<(usize, usize), Uses>,
}

impl<'c> Arrows<'c> {
    /// Draws an arrow for each private import and each path in code.
    ///
    /// A re-export alone is not an arrow. An import through a re-export points at the file that
    /// defines the name. A glob import points at the module's file as well.
    pub(crate) fn draw(source: &'c Crate) -> Self {
        let mut this = Self { source, uses: BTreeMap::new() };
        for (index, module) in source.modules.iter().enumerate() {
            for import in module.imports.iter().filter(|import| !import.re_export) {
                let mut path = import.path.join("::");
                match source.resolve(index, &import.path) {
                    Some(Target::ItemOf(target)) => this.add(index, target, import.line, path),
                    Some(Target::Module(target)) if import.name.is_none() => {
                        path.push_str("::*");
                        this.add(index, target, import.line, path);
                    }
                    // The import of a module is not a use of it; the paths that begin with its name
                    // are.
                    _ => {}
                }
            }
            for path in &module.paths {
                if let Some(Target::ItemOf(target)) = source.resolve(index, &path.segments) {
                    this.add(index, target, path.line, path.segments.join("::"));
                }
            }
        }
        this
    }

    fn add(&mut self, from: usize, to: usize, line: usize, path: String) {
        let (from, to) = (self.source.modules[from].file, self.source.modules[to].file);
        if from != to {
            self.uses.entry((from, to)).or_default().insert((line, path));
        }
    }

    /// Every set of two files or more that reach each other, files sorted by name.
    pub(crate) fn circles(&self) -> Vec<Vec<usize>> {
        let graph: DiGraphMap<usize, ()> = self.uses.keys().copied().collect();
        let mut circles: Vec<Vec<usize>> =
            tarjan_scc(&graph).into_iter().filter(|files| files.len() > 1).collect();
        for circle in &mut circles {
            circle.sort_by_key(|&file| &self.source.files[file]);
        }
        circles.sort_by_key(|circle| (std::cmp::Reverse(circle.len()), self.source.files[circle[0]].clone()));
        circles
    }

    /// The files of `circle` and the uses that tie them, as text.
    pub(crate) fn describe(&self, circle: &[usize]) -> String {
        const MAX_USES: usize = 4;
        let name = |file: usize| self.source.files[file].display();
        let mut text = format!("{} files use each other:\n", circle.len());
        for (&(from, to), uses) in
            self.uses.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to))
        {
            let shown: Vec<String> =
                uses.iter().take(MAX_USES).map(|(line, path)| format!("`{path}` (line {line})")).collect();
            let more = uses.len().saturating_sub(MAX_USES);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let _ = writeln!(text, "  {} -> {}: {}{more}", name(from), name(to), shown.join(", "));
        }
        text
    }

    /// Every arrow as `from -> to`.
    pub(crate) fn all(&self) -> Vec<String> {
        let name = |file: usize| self.source.files[file].display();
        self.uses.keys().map(|&(from, to)| format!("{} -> {}", name(from), name(to))).collect()
    }
}
