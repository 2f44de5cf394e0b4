//! Which file of a crate uses which: every path in the code that begins with `crate`, `super`, `self` or a child module.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Item, ItemUse, UseTree, Visibility};

use super::graph::Edges;
use super::modules::{CrateFiles, Module, ModulePath, is_for_tests};

/// How many re-exports a name may pass.
const RE_EXPORTS: usize = 8;

/// The edges between files, but for those from a module to its own parent.
pub(super) fn edges(files: &CrateFiles) -> Edges {
    let found: Vec<Found> = files.modules.iter().map(Found::read).collect();
    let names = ReExports::new(&found);
    let mut edges = Edges::new();
    for (module, found) in found.iter().enumerate() {
        let targets = found.used.iter().map(|path| names.resolve(files, path, RE_EXPORTS));
        let others = targets.filter(|target| *target != module && files.parent(module) != Some(*target));
        edges.insert(module, others.collect());
    }
    edges
}

/// What a file says about others.
#[derive(Default)]
struct Found {
    path: ModulePath,
    /// Absolute paths of what its code uses.
    used: Vec<Vec<String>>,
    /// Names that others find here, with the absolute paths of what they stand for.
    re_exported: BTreeMap<String, Vec<String>>,
    /// Modules all of whose names others find here.
    globs: Vec<Vec<String>>,
    /// The first names of the other paths in the code.
    first_names: BTreeSet<String>,
    children: BTreeSet<String>,
    /// The inline modules around the code that is visited.
    inside: Vec<String>,
}

impl Found {
    fn read(module: &Module) -> Self {
        let mut found = Self {
            path: module.path.clone(),
            ..Self::default()
        };
        found.children = module
            .file
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Mod(child) if child.content.is_none() && !is_for_tests(&child.attrs) => {
                    Some(child.ident.to_string())
                }
                _ => None,
            })
            .collect();
        found.visit_file(&module.file);
        // A facade that uses what it re-exports depends on it.
        let own = found
            .re_exported
            .iter()
            .filter(|(name, _)| found.first_names.contains(*name));
        let own: Vec<_> = own.map(|(_, path)| path.clone()).collect();
        found.used.extend(own);
        found
    }

    /// The path from the root of the crate; none for one of another crate, or of a name that is imported.
    fn absolute(&self, segments: &[String]) -> Option<Vec<String>> {
        let mut at: Vec<String> = self.path.iter().chain(&self.inside).cloned().collect();
        let mut rest = segments;
        match segments.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = rest.get(1..)?;
            }
            "self" => rest = rest.get(1..)?,
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop()?;
                    rest = rest.get(1..)?;
                }
            }
            name if self.inside.is_empty() && self.children.contains(name) => {}
            _ => return None,
        }
        at.extend_from_slice(rest);
        Some(at)
    }

    fn import(&mut self, tree: &UseTree, before: &[String], is_re_export: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident), is_re_export),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, is_re_export);
                }
            }
            UseTree::Glob(_) => self.take(before, None, is_re_export),
            UseTree::Name(name) if name.ident == "self" => {
                let own = before.last().cloned();
                self.take(before, own, is_re_export);
            }
            UseTree::Name(name) => self.take(&with(&name.ident), Some(name.ident.to_string()), is_re_export),
            UseTree::Rename(name) if name.ident == "self" => {
                self.take(before, Some(name.rename.to_string()), is_re_export);
            }
            UseTree::Rename(name) => self.take(&with(&name.ident), Some(name.rename.to_string()), is_re_export),
        }
    }

    fn take(&mut self, segments: &[String], name: Option<String>, is_re_export: bool) {
        let Some(path) = self.absolute(segments) else { return };
        match name {
            Some(name) if is_re_export => drop(self.re_exported.insert(name, path)),
            None if is_re_export => self.globs.push(path),
            _ => self.used.push(path),
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.inside.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_re_export = !matches!(item.vis, Visibility::Inherited) && self.inside.is_empty();
        self.import(&item.tree, &[], is_re_export);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1
            && let Some(absolute) = self.absolute(&segments)
        {
            self.used.push(absolute);
        }
        self.first_names.extend(segments.into_iter().next());
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {
        // `pub(in crate::a)` uses nothing.
    }
}

/// The re-exports of all files.
struct ReExports<'a>(&'a [Found]);

impl<'a> ReExports<'a> {
    fn new(found: &'a [Found]) -> Self {
        Self(found)
    }

    /// The file that holds what a path names.
    fn resolve(&self, files: &CrateFiles, path: &[String], limit: usize) -> usize {
        let (module, length) = files.find(path);
        let rest = path.get(length..).unwrap_or_default();
        let (Some(found), Some(name), Some(limit)) = (self.0.get(module), rest.first(), limit.checked_sub(1)) else {
            return module;
        };
        if let Some(target) = found.re_exported.get(name) {
            let further = [target.as_slice(), rest.get(1..).unwrap_or_default()].concat();
            return self.resolve(files, &further, limit);
        }
        if defines(files, module, name) {
            return module;
        }
        let globs = found.globs.iter().map(|glob| [glob.as_slice(), rest].concat());
        let mut targets = globs.map(|path| self.resolve(files, &path, limit));
        targets.find(|target| defines(files, *target, name)).unwrap_or(module)
    }
}

/// Whether a file has an item of this name.
fn defines(files: &CrateFiles, module: usize, name: &str) -> bool {
    let items = files.modules.get(module).map(|module| &module.file.items);
    items.into_iter().flatten().any(|item| {
        let ident = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Mod(item) => Some(&item.ident),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        ident.is_some_and(|ident| ident == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::circles;

    /// The circles of a crate with these files.
    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut read = CrateFiles::default();
        for (name, text) in files {
            let path = name
                .split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect();
            read.add(path, (*name).to_owned(), syn::parse_file(text).unwrap());
        }
        let found = circles(&edges(&read)).into_iter();
        found
            .map(|circle| circle.into_iter().map(|module| read.name(module).to_owned()).collect())
            .collect()
    }

    const NONE: [Vec<String>; 0] = [];

    #[test]
    fn two_files_that_import_each_other_are_a_circle() {
        let found = circles_of(&[
            ("", "mod a; mod b;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "pub struct B; fn f() -> super::a::A { todo!() }"),
        ]);
        assert_eq!(found, [["a", "b"]]);
    }

    #[test]
    fn a_facade_and_its_children_are_none() {
        let found = circles_of(&[
            ("", "mod a;"),
            (
                "a",
                "mod one; mod two; pub use one::One; pub struct Shared; fn f() { two::run() }",
            ),
            ("a::one", "use super::Shared; pub struct One;"),
            ("a::two", "use super::{One, Shared}; pub fn run() {}"),
        ]);
        assert_eq!(found, NONE);
    }

    #[test]
    fn a_circle_through_a_re_export_is_found_and_names_the_file_behind_it() {
        let found = circles_of(&[
            ("", "mod a; mod c;"),
            ("a", "mod b; pub(crate) use b::B;"),
            ("a::b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::B; pub struct C;"),
        ]);
        assert_eq!(found, [["a::b", "c"]]);
    }

    #[test]
    fn a_circle_through_a_re_export_of_everything_is_found() {
        let found = circles_of(&[
            ("", "mod a; mod c;"),
            ("a", "mod b; pub use b::*;"),
            ("a::b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::B; pub struct C;"),
        ]);
        assert_eq!(found, [["a::b", "c"]]);
    }

    #[test]
    fn what_only_unit_tests_import_does_not_count() {
        let found = circles_of(&[
            ("", "mod a; mod b;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert_eq!(found, NONE);
    }
}
