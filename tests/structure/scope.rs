//! Which file defines the thing that a path names.

use crate::source::{Crate, Import};

/// What a path leads to inside the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// An item that this module defines.
    ItemOf(usize),
    Module(usize),
}

/// Imports that are being resolved. An import takes no part in its own resolution.
type Active<'c> = Vec<&'c Import>;

impl Crate {
    /// What `path` leads to as written in module `from`; `None` for other crates, locals and
    /// generics.
    pub(crate) fn resolve(&self, from: usize, path: &[String]) -> Option<Target> {
        self.resolve_from(from, path, &mut Active::new())
    }

    fn resolve_from<'c>(&'c self, from: usize, path: &[String], active: &mut Active<'c>) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(0, rest, active),
            "self" => self.walk(from, rest, active),
            "super" => self.walk(self.modules[from].parent?, rest, active),
            name => self.look_up(from, name, rest, active),
        }
    }

    fn walk<'c>(&'c self, module: usize, path: &[String], active: &mut Active<'c>) -> Option<Target> {
        match path.split_first() {
            None => Some(Target::Module(module)),
            Some((first, rest)) if first == "super" => self.walk(self.modules[module].parent?, rest, active),
            Some((first, rest)) => self.look_up(module, first, rest, active),
        }
    }

    /// `name` in the scope of `module`, followed by `rest`.
    ///
    /// A function or type and a module may share a name. With a `rest` the module comes first,
    /// without one the item does.
    fn look_up<'c>(
        &'c self,
        module: usize,
        name: &str,
        rest: &[String],
        active: &mut Active<'c>,
    ) -> Option<Target> {
        let this = &self.modules[module];
        let child = this.children.get(name).copied();
        if let Some(child) = child.filter(|_| !rest.is_empty())
            && let Some(target) = self.walk(child, rest, active)
        {
            return Some(target);
        }
        if this.items.contains(name) {
            return Some(Target::ItemOf(module));
        }
        let mut found = child.filter(|_| rest.is_empty()).map(Target::Module);
        for import in this.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            match self.follow(module, import, rest, active) {
                Some(Target::Module(module)) => found = Some(Target::Module(module)),
                Some(target) => return Some(target),
                None => {}
            }
        }
        // A glob import of an enum imports variants; the import itself is the arrow then.
        found.or_else(|| {
            let mut globs = this.imports.iter().filter(|import| import.name.is_none());
            globs.find_map(|glob| match self.follow(module, glob, &[], active)? {
                Target::Module(other) => {
                    active.push(glob);
                    let target = self.look_up(other, name, rest, active);
                    active.pop();
                    target
                }
                Target::ItemOf(_) => None,
            })
        })
    }

    /// What `rest` leads to from what `import` names.
    fn follow<'c>(
        &'c self,
        module: usize,
        import: &'c Import,
        rest: &[String],
        active: &mut Active<'c>,
    ) -> Option<Target> {
        if active.iter().any(|other| std::ptr::eq(*other, import)) {
            return None;
        }
        active.push(import);
        let target = self.resolve_from(module, &[&import.path, rest].concat(), active);
        active.pop();
        target
    }
}
