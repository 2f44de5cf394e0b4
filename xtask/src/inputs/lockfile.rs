//! Cargo.lock: the exact versions of the external crates that packages of the workspace are built with.

use std::collections::{BTreeMap, BTreeSet};

/// The packages of the lock file.
#[derive(Debug, Default)]
pub(crate) struct Lockfile(BTreeMap<String, Vec<Locked>>);

#[derive(Debug, Default)]
struct Locked {
    version: String,
    /// From where, and with which checksum. Packages of the workspace have neither.
    origin: String,
    /// `name`, `name version` or `name version (source)`, as long as it needs to be.
    dependencies: Vec<String>,
}

impl Lockfile {
    /// Reads the file. It is written by Cargo, one key a line.
    pub(crate) fn read(text: &str) -> Self {
        let mut packages: BTreeMap<String, Vec<Locked>> = BTreeMap::new();
        for block in text.split("[[package]]").skip(1) {
            let mut name = String::new();
            let mut locked = Locked::default();
            for line in block.lines() {
                let quoted = line.split('"').nth(1).unwrap_or_default();
                match line.split(" = ").next().unwrap_or_default() {
                    "name" => quoted.clone_into(&mut name),
                    "version" => quoted.clone_into(&mut locked.version),
                    "source" | "checksum" => {
                        locked.origin.push(' ');
                        locked.origin.push_str(quoted);
                    }
                    other if other.starts_with(" \"") => locked.dependencies.push(quoted.to_owned()),
                    _ => {}
                }
            }
            packages.entry(name).or_default().push(locked);
        }
        Self(packages)
    }

    /// The crates that a package of the workspace is built with, a line each, where it depends directly on these names.
    pub(crate) fn closure(&self, member: &str, names: &BTreeSet<&str>) -> BTreeSet<String> {
        let direct = self.0.get(member).into_iter().flatten();
        let mut waiting: Vec<&str> = direct
            .flat_map(|locked| &locked.dependencies)
            .map(String::as_str)
            .filter(|dependency| names.contains(name_of(dependency)))
            .collect();
        let mut lines = BTreeSet::new();
        while let Some(dependency) = waiting.pop() {
            let (name, version) = (name_of(dependency), dependency.split(' ').nth(1));
            let all = self.0.get(name).into_iter().flatten();
            for locked in all.filter(|locked| version.is_none_or(|version| version == locked.version)) {
                if lines.insert(format!("{name} {}{}", locked.version, locked.origin)) {
                    waiting.extend(locked.dependencies.iter().map(String::as_str));
                }
            }
        }
        lines
    }
}

fn name_of(dependency: &str) -> &str {
    dependency.split(' ').next().unwrap_or(dependency)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 4

[[package]]
name = "ours"
version = "0.1.0"
dependencies = [
 "axum",
 "rand 0.9.0",
]

[[package]]
name = "axum"
version = "1.0.0"
source = "registry+https://example.org"
checksum = "aa"
dependencies = [
 "bytes",
]

[[package]]
name = "bytes"
version = "1.2.0"
source = "registry+https://example.org"
checksum = "bb"

[[package]]
name = "rand"
version = "0.8.0"
source = "registry+https://example.org"
checksum = "cc"

[[package]]
name = "rand"
version = "0.9.0"
source = "registry+https://example.org"
checksum = "dd"
"#;

    fn closure(names: &[&str]) -> Vec<String> {
        let lines = Lockfile::read(LOCK).closure("ours", &names.iter().copied().collect());
        lines
            .into_iter()
            .map(|line| line.replace(" registry+https://example.org", ""))
            .collect()
    }

    #[test]
    fn a_crate_counts_with_all_that_it_depends_on() {
        assert_eq!(closure(&["axum"]), ["axum 1.0.0 aa", "bytes 1.2.0 bb"]);
    }

    #[test]
    fn of_two_versions_the_one_that_is_named_counts() {
        assert_eq!(closure(&["rand"]), ["rand 0.9.0 dd"]);
    }

    #[test]
    fn a_crate_that_is_not_asked_for_does_not_count() {
        assert!(closure(&[]).is_empty());
    }
}
