//! The files and programs that a group of tests needs, as its suite declares them. `workspace` computes their digests.

/// The pinned versions of the control plane, and how it and the operator's binary are built.
const SERVERS: [&str; 2] = ["tools/cluster", "xtask/src/artifacts"];
/// Where developers of operators have binaries of a control plane. They are used instead of our own.
pub(crate) const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// How programs are run, and from where. Every test depends on it.
const RUNNER: [&str; 2] = ["xtask/src/command.rs", "xtask/src/paths.rs"];

/// What `kubectl apply -k deploy` applies.
const INSTALLATION: [&str; 4] = ["crds", "deploy/kustomization.yaml", "deploy/base", "deploy/policies"];

/// Files outside of a package that it is built from.
pub(super) const READ_BY_PACKAGES: [(&str, &str); 1] = [("instancelink", "crds")];

/// Everything that can change the result of a group of tests, but for the compiler and its settings, on which all depend.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    /// The package of the test that is run, and the name of the test.
    pub(crate) test: Option<(String, String)>,
    /// Packages whose programs it runs.
    pub(crate) programs: Vec<&'static str>,
    /// Files and folders that it reads, or that decide how it is run, from the root of the checkout.
    pub(crate) paths: Vec<String>,
    /// Files and folders of its package that it is not built from.
    pub(crate) without: Vec<String>,
    /// Other facts, by name.
    pub(crate) facts: Vec<(String, String)>,
}

impl Needs {
    /// What every test of a package needs: the package, all that it is built from, and the code that runs tests.
    pub(crate) fn of_test(package: &str, test: &str) -> Self {
        let mut needs = Self {
            test: Some((package.to_owned(), test.to_owned())),
            ..Self::default()
        };
        needs.read(&RUNNER);
        needs
    }

    /// The test uses a control plane with the operator's installation.
    pub(crate) fn servers(&mut self) {
        self.read(&SERVERS);
        self.read(&INSTALLATION);
        if let Some(assets) = std::env::var_os(ASSETS) {
            self.facts
                .push((ASSETS.to_owned(), assets.to_string_lossy().into_owned()));
        }
    }

    /// The test reads files and folders.
    pub(crate) fn read(&mut self, paths: &[&str]) {
        self.paths.extend(paths.iter().map(|&path| path.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use serde::Deserialize;

    use super::*;
    use crate::{command, paths};

    /// Code outside of `xtask` that reads files of the checkout outside of its package, and is covered: by [`INSTALLATION`], by
    /// [`READ_BY_PACKAGES`], by the whole folders that the end-to-end tests need, by `READ` in `verify::campaigns::plan`, by
    /// `CODE` and `READERS` in `verify::check`.
    const COVERED: [&str; 9] = [
        "src/crds.rs",
        "crates/api/tests",
        "crates/core/src/dataplane",
        "tests/control-plane",
        "tests/e2e",
        "tests/faults/src/strange/canary.rs",
        "tests/harness",
        "tests/properties/tests/corpus.rs",
        "tests/security",
    ];

    /// Code in which such a text is the name of an attacker, and no file.
    const NO_FILES: [&str; 4] = [
        "crates/cluster/src/cache/tests/strange.rs",
        "crates/cluster/src/calls/path/tests.rs",
        "crates/core/src/marks/tests.rs",
        "src/sweep/sweeper/tests/cost.rs",
    ];

    #[test]
    fn the_installation_has_no_other_parts() {
        #[derive(Deserialize)]
        struct Kustomization {
            resources: Vec<String>,
        }
        let text = fs::read_to_string(paths::checkout().join("deploy/kustomization.yaml")).unwrap();
        let kustomization: Kustomization = serde_yaml_ng::from_str(&text).unwrap();
        let parts = kustomization.resources.iter();
        let parts: Vec<String> = parts
            .map(|part| match part.strip_prefix("../") {
                Some(part) => part.to_owned(),
                None => format!("deploy/{part}"),
            })
            .collect();
        assert_eq!(parts, ["crds", "deploy/base", "deploy/policies"]);
        assert!(parts.iter().all(|part| INSTALLATION.contains(&part.as_str())));
    }

    #[test]
    fn no_other_code_reads_files_outside_of_its_package() {
        let mut git = Command::new("git");
        let files = command::capture(git.current_dir(paths::checkout()).args(["ls-files", "*.rs"])).unwrap();
        let is_known = |file: &&str| {
            let mut known = COVERED.iter().chain(&NO_FILES);
            file.starts_with("xtask/") || known.any(|folder| Path::new(file).starts_with(folder))
        };
        let unknown: Vec<&str> = files
            .lines()
            .filter(|file| !is_known(file))
            .filter(leaves_its_package)
            .collect();
        assert!(
            unknown.is_empty(),
            "{unknown:?} read files outside of their package. Declare these files for the groups of tests that run this \
             code (`Needs`), and add the source file to the list of readers here."
        );
    }

    fn leaves_its_package(file: &&str) -> bool {
        let text = fs::read_to_string(paths::checkout().join(file)).unwrap_or_default();
        text.lines().any(|line| {
            let outside = line.contains("\"../") || line.contains("\"/../") || line.contains("/../..");
            outside && !line.trim_start().starts_with("//")
        })
    }
}
