//! The files of a crate as modules: the main file, and each file that a `mod` declaration names. Modules for unit tests are
//! left out: they import what they test, and nothing imports them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use syn::{Attribute, File, Item};

/// The path of a module within its crate; empty for the main file.
pub(super) type ModulePath = Vec<String>;

/// The files of a crate.
#[derive(Default)]
pub(super) struct CrateFiles {
    pub(super) modules: Vec<Module>,
    by_path: BTreeMap<ModulePath, usize>,
}

pub(super) struct Module {
    pub(super) path: ModulePath,
    pub(super) file: File,
    name: String,
}

impl CrateFiles {
    /// The file of the innermost module on this path, and how many segments lead to it.
    pub(super) fn find(&self, path: &[String]) -> (usize, usize) {
        let lengths = (0..=path.len()).rev();
        let mut found = lengths.filter_map(|length| Some((*self.by_path.get(path.get(..length)?)?, length)));
        found.next().unwrap_or((0, 0))
    }

    pub(super) fn name(&self, module: usize) -> &str {
        self.modules.get(module).map_or("", |module| &module.name)
    }

    pub(super) fn add(&mut self, path: ModulePath, name: String, file: File) {
        self.by_path.insert(path.clone(), self.modules.len());
        self.modules.push(Module { path, file, name });
    }

    /// The parent of a module that is a file.
    pub(super) fn parent(&self, module: usize) -> Option<usize> {
        let path = &self.modules.get(module)?.path;
        let (_, above) = path.split_last()?;
        Some(self.find(above).0)
    }
}

/// Reads a crate from its main file.
pub(super) fn read(main: &Path) -> Result<CrateFiles> {
    let folder = main.parent().unwrap_or(main).to_owned();
    let mut files = CrateFiles::default();
    let mut waiting = vec![(ModulePath::new(), main.to_owned(), folder.clone())];
    while let Some((path, file, children)) = waiting.pop() {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let parsed = syn::parse_file(&text).with_context(|| format!("cannot parse {}", file.display()))?;
        for (inner, file) in declared(&parsed.items, &children) {
            let mut child = path.clone();
            child.extend(inner);
            let folder = if file.file_name().is_some_and(|name| name == "mod.rs") {
                file.parent().unwrap_or(&file).to_owned()
            } else {
                file.with_extension("")
            };
            waiting.push((child, file, folder));
        }
        let name = file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
        files.add(path, name, parsed);
    }
    Ok(files)
}

/// The modules that are declared here and in other files: their paths from here, and the files.
fn declared(items: &[Item], folder: &Path) -> Vec<(ModulePath, PathBuf)> {
    let mut found = Vec::new();
    for item in items {
        let Item::Mod(module) = item else { continue };
        if is_for_tests(&module.attrs) {
            continue;
        }
        let name = module.ident.to_string();
        let inside = folder.join(&name);
        if let Some((_, items)) = &module.content {
            for (path, file) in declared(items, &inside) {
                found.push(([vec![name.clone()], path].concat(), file));
            }
        } else {
            let mut files = [inside.with_extension("rs"), inside.join("mod.rs")].into_iter();
            let file = files.find(|file| file.is_file());
            found.extend(file.map(|file| (vec![name], file)));
        }
    }
    found
}

/// `#[cfg(test)]`.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}
