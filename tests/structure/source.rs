//! The modules of a crate, read from its files with `syn`: what each defines, imports and names.
//!
//! Items under `#[cfg(test)]` are left out, and so are files declared under it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The modules of one crate; the root is the first.
pub(crate) struct Crate {
    /// Files relative to the crate's directory.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) modules: Vec<Module>,
}

/// One module, which shares its file with the modules written inline in it.
pub(crate) struct Module {
    /// Index into [`Crate::files`].
    pub(crate) file: usize,
    pub(crate) parent: Option<usize>,
    /// Child modules by name, as indices into [`Crate::modules`].
    pub(crate) children: BTreeMap<String, usize>,
    /// Names of the items that the module itself defines.
    pub(crate) items: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Paths in the code, outside `use`.
    pub(crate) paths: Vec<CodePath>,
    /// Structs, enums, unions, traits and type aliases, those inside functions included.
    pub(crate) types: Vec<(String, usize)>,
}

/// One name of a `use` declaration.
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// The name it has in the module; `None` for a glob.
    pub(crate) name: Option<String>,
    /// Whether its visibility is wider than the module.
    pub(crate) re_export: bool,
    pub(crate) line: usize,
}

/// A path in an expression, a type, a pattern, a macro's tokens or a serde attribute.
pub(crate) struct CodePath {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

impl Crate {
    /// Reads the crate in `dir` from `src/lib.rs`, or `src/main.rs` where there is none.
    pub(crate) fn read(dir: &Path) -> Self {
        let root = ["src/lib.rs", "src/main.rs"]
            .map(PathBuf::from)
            .into_iter()
            .find(|root| dir.join(root).is_file());
        let root = root.unwrap_or_else(|| panic!("{} has neither src/lib.rs nor src/main.rs", dir.display()));
        let mut this = Self { files: Vec::new(), modules: Vec::new() };
        this.read_file(dir, root, None);
        this
    }

    fn read_file(&mut self, dir: &Path, file: PathBuf, parent: Option<usize>) -> usize {
        let text =
            fs::read_to_string(dir.join(&file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // `mod.rs`, `lib.rs` and `main.rs` have their children beside them, `x.rs` has them in
        // `x/`.
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let children_dir = match stem {
            "mod" | "lib" | "main" => file.with_file_name(""),
            _ => file.with_extension(""),
        };
        self.files.push(file);
        self.read_items(dir, self.files.len() - 1, &children_dir, parent, &syntax.items)
    }

    fn read_items(
        &mut self,
        dir: &Path,
        file: usize,
        children_dir: &Path,
        parent: Option<usize>,
        items: &[syn::Item],
    ) -> usize {
        let mut reader = Reader::new(file, parent);
        items.iter().for_each(|item| reader.visit_item(item));
        let Reader { module, children, .. } = reader;
        let this = self.modules.len();
        self.modules.push(module);
        for child in children {
            let name = child.ident.unraw().to_string();
            let beneath = children_dir.join(&name);
            let index = match &child.content {
                Some((_, items)) => self.read_items(dir, file, &beneath, Some(this), items),
                None => {
                    let candidates = [beneath.with_extension("rs"), beneath.join("mod.rs")];
                    let found = candidates.into_iter().find(|path| dir.join(path).is_file());
                    let found = found.unwrap_or_else(|| {
                        panic!("no file for `mod {name}` in {}", self.files[file].display())
                    });
                    self.read_file(dir, found, Some(this))
                }
            };
            self.modules[this].children.insert(name, index);
        }
        this
    }
}

/// Collects a module's parts; its child modules are left to the caller.
struct Reader<'s> {
    module: Module,
    children: Vec<&'s syn::ItemMod>,
    /// Whether the reader is inside a function's body, whose items do not belong to the module.
    in_body: bool,
}

impl<'s> Reader<'s> {
    fn new(file: usize, parent: Option<usize>) -> Self {
        let module = Module {
            file,
            parent,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            imports: Vec::new(),
            paths: Vec::new(),
            types: Vec::new(),
        };
        Self { module, children: Vec::new(), in_body: false }
    }

    fn path(&mut self, segments: Vec<String>, span: Span) {
        self.module.paths.push(CodePath { segments, line: span.start().line });
    }

    fn import(&mut self, tree: &syn::UseTree, prefix: &[String], re_export: bool) {
        let with = |name: &syn::Ident| [prefix, &[name.unraw().to_string()]].concat();
        let (path, name) = match tree {
            syn::UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident), re_export),
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, prefix, re_export));
            }
            // `use a::b::{self}` imports `a::b`.
            syn::UseTree::Name(name) if name.ident == "self" => (prefix.to_vec(), prefix.last().cloned()),
            syn::UseTree::Rename(name) if name.ident == "self" => {
                (prefix.to_vec(), Some(name.rename.to_string()))
            }
            syn::UseTree::Name(name) => (with(&name.ident), Some(name.ident.unraw().to_string())),
            syn::UseTree::Rename(name) => (with(&name.ident), Some(name.rename.unraw().to_string())),
            syn::UseTree::Glob(_) => (prefix.to_vec(), None),
        };
        self.module.imports.push(Import { path, name, re_export, line: tree.span().start().line });
    }

    /// Every `a::b::c` among the tokens of a macro call, at any depth.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut segments: Vec<(String, Span)> = Vec::new();
        // The token before decides: after `.` comes a method or field, after `::` the next segment.
        let (mut colons, mut after_dot, mut absolute) = (0, false, false);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let goes_on = colons == 2 && !segments.is_empty();
                    if !goes_on {
                        self.flush(&mut segments);
                    }
                    absolute = absolute && goes_on || colons == 2 && !goes_on;
                    if !after_dot && !absolute {
                        segments.push((ident.unraw().to_string(), ident.span()));
                    }
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.flush(&mut segments);
                    colons = 0;
                    after_dot = matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '.');
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.flush(&mut segments);
    }

    fn flush(&mut self, segments: &mut Vec<(String, Span)>) {
        if let Some((_, span)) = segments.first() {
            let span = *span;
            self.path(segments.drain(..).map(|(name, _)| name).collect(), span);
        }
    }
}

impl<'s> Visit<'s> for Reader<'s> {
    fn visit_item(&mut self, item: &'s syn::Item) {
        use syn::Item;
        let (attrs, name, is_type): (&[syn::Attribute], Option<&syn::Ident>, bool) = match item {
            Item::Struct(item) => (&item.attrs, Some(&item.ident), true),
            Item::Enum(item) => (&item.attrs, Some(&item.ident), true),
            Item::Union(item) => (&item.attrs, Some(&item.ident), true),
            Item::Trait(item) => (&item.attrs, Some(&item.ident), true),
            Item::Type(item) => (&item.attrs, Some(&item.ident), true),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident), false),
            Item::Const(item) => (&item.attrs, Some(&item.ident), false),
            Item::Static(item) => (&item.attrs, Some(&item.ident), false),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref(), false),
            Item::Mod(item) => (&item.attrs, None, false),
            Item::Use(item) => (&item.attrs, None, false),
            Item::Impl(item) => (&item.attrs, None, false),
            _ => (&[], None, false),
        };
        if for_tests_alone(attrs) {
            return;
        }
        if let Some(ident) = name {
            let name = ident.unraw().to_string();
            if is_type {
                self.module.types.push((name.clone(), ident.span().start().line));
            }
            if !self.in_body {
                self.module.items.insert(name);
            }
        }
        match item {
            Item::Mod(item) => self.children.push(item),
            Item::Use(item) if item.leading_colon.is_none() => {
                self.import(&item.tree, &[], is_re_export(&item.vis))
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'s syn::ImplItemFn) {
        if !for_tests_alone(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_block(&mut self, block: &'s syn::Block) {
        let outer = std::mem::replace(&mut self.in_body, true);
        visit::visit_block(self, block);
        self.in_body = outer;
    }

    fn visit_path(&mut self, path: &'s syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
            self.path(segments, path.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'s syn::Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    /// `#[serde(with = "a::b")]` names a path in a string.
    fn visit_attribute(&mut self, attribute: &'s syn::Attribute) {
        const TAKE_A_PATH: [&str; 9] = [
            "with",
            "serialize_with",
            "deserialize_with",
            "schema_with",
            "default",
            "try_from",
            "from",
            "into",
            "remote",
        ];
        let syn::Meta::List(list) = &attribute.meta else { return };
        let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
        for window in tokens.windows(3) {
            let [TokenTree::Ident(key), TokenTree::Punct(_), TokenTree::Literal(value)] = window else {
                continue;
            };
            if TAKE_A_PATH.iter().any(|name| key == name)
                && let Ok(text) = syn::parse_str::<syn::LitStr>(&value.to_string())
                && let Ok(path) = text.parse::<syn::Path>()
            {
                let segments =
                    path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
                self.path(segments, value.span());
            }
        }
    }
}

/// Whether `#[cfg(test)]` or `#[cfg(all(test, ..))]` is among `attrs`.
fn for_tests_alone(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let text = list.tokens.to_string().replace(' ', "");
        text == "test" || text.starts_with("all(test,")
    })
}

fn is_re_export(visibility: &syn::Visibility) -> bool {
    match visibility {
        syn::Visibility::Inherited => false,
        syn::Visibility::Restricted(within) => !within.path.is_ident("self"),
        _ => true,
    }
}
