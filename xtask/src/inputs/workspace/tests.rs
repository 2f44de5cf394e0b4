use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A checkout in a temporary folder. It has the package `sim` with a test `plans`, which is built from `core` and
/// `serde`. No package depends on its package `web`.
struct Checkout(PathBuf);

const LOCK: &str = r#"
[[package]]
name = "core"
dependencies = [
 "serde",
]

[[package]]
name = "serde"
version = "1.0.0"
checksum = "aa"

[[package]]
name = "web"
dependencies = [
 "axum",
]

[[package]]
name = "axum"
version = "1.0.0"
checksum = "bb"
"#;

impl Checkout {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("xtask-inputs-{}-{number}", std::process::id()));
        let checkout = Self(root);
        for (file, text) in [
            (
                "Cargo.toml",
                "[workspace]\n[profile.dev]\ndebug = 1\n[workspace.lints]\na = 1\n",
            ),
            ("Cargo.lock", LOCK),
            (".gitignore", "target\n"),
            ("docs/page.md", "words"),
            ("deploy/base.yaml", "kind: Role"),
            ("core/src/lib.rs", "fn decide() {}\n"),
            ("core/tests/one.rs", "fn one() {}\n"),
            ("sim/src/lib.rs", ""),
            ("sim/tests/plans.rs", ""),
            ("sim/tests/other.rs", ""),
            ("web/src/lib.rs", ""),
            ("xtask/src/command.rs", ""),
            ("xtask/src/paths.rs", ""),
        ] {
            checkout.write(file, text);
        }
        command::capture(Command::new("git").current_dir(&checkout.0).args(["init", "--quiet"])).unwrap();
        command::capture(Command::new("git").current_dir(&checkout.0).args(["add", "--all"])).unwrap();
        checkout
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.0.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn metadata(&self) -> String {
        let root = self.0.display();
        let package = |name: &str, tests: &[&str], dependencies: &str| {
            let mut targets = vec![format!(
                r#"{{"name":"{name}","kind":["lib"],"src_path":"{root}/{name}/src/lib.rs"}}"#
            )];
            targets.extend(tests.iter().map(|test| {
                format!(r#"{{"name":"{test}","kind":["test"],"src_path":"{root}/{name}/tests/{test}.rs"}}"#)
            }));
            format!(
                r#"{{"name":"{name}","manifest_path":"{root}/{name}/Cargo.toml","edition":"2024",
                "dependencies":[{dependencies}],"targets":[{}]}}"#,
                targets.join(",")
            )
        };
        let packages = [
            package("core", &["one"], r#"{"name":"serde","kind":null}"#),
            package(
                "sim",
                &["plans", "other"],
                &format!(r#"{{"name":"core","kind":null,"path":"{root}/core"}}"#),
            ),
            package("web", &[], r#"{"name":"axum","kind":null}"#),
        ];
        format!(r#"{{"workspace_root":"{root}","packages":[{}]}}"#, packages.join(","))
    }

    fn inputs(&self) -> Inputs {
        let mut needs = Needs::of_test("sim", "plans");
        needs.read(&["deploy"]);
        let workspace = Workspace::read(&self.0, Members::read(&self.metadata()).unwrap(), "rustc 1").unwrap();
        workspace.inputs(&needs).unwrap()
    }

    /// What is different after this file has this text.
    fn changed_by(&self, file: &str, text: &str) -> Vec<String> {
        let before = self.inputs();
        self.write(file, text);
        let after = self.inputs();
        assert_eq!(before.len(), after.len());
        after
            .into_iter()
            .filter(|(name, digest)| before.get(name) != Some(digest))
            .map(|(name, _)| name)
            .collect()
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_changed_line_in_a_dependency_counts() {
    assert_eq!(
        Checkout::new().changed_by("core/src/lib.rs", "fn decide() { }\n"),
        ["core"]
    );
}

#[test]
fn it_does_not_matter_where_the_checkout_is() {
    assert_eq!(Checkout::new().inputs(), Checkout::new().inputs());
}

#[test]
fn a_file_that_git_does_not_track_yet_counts_and_an_ignored_one_does_not() {
    let checkout = Checkout::new();
    assert_eq!(checkout.changed_by("core/src/new.rs", ""), ["core"]);
    assert_eq!(checkout.changed_by("core/target", ""), NOTHING);
}

#[test]
fn a_file_that_was_deleted_counts() {
    let checkout = Checkout::new();
    checkout.write("core/src/edges.rs", "");
    let before = checkout.inputs();
    fs::remove_file(checkout.0.join("core/src/edges.rs")).unwrap();
    assert_ne!(checkout.inputs(), before);
}

#[test]
fn documents_and_packages_that_are_not_used_do_not_count() {
    let checkout = Checkout::new();
    assert_eq!(checkout.changed_by("docs/page.md", "other words"), NOTHING);
    assert_eq!(checkout.changed_by("web/src/lib.rs", "fn page() {}\n"), NOTHING);
}

#[test]
fn of_the_tests_only_the_one_that_is_run_counts() {
    let checkout = Checkout::new();
    assert_eq!(
        checkout.changed_by("sim/tests/plans.rs", "fn plan() {}\n"),
        ["sim, test plans"]
    );
    assert_eq!(checkout.changed_by("sim/tests/other.rs", "fn other() {}\n"), NOTHING);
    assert_eq!(checkout.changed_by("core/tests/one.rs", "fn two() {}\n"), NOTHING);
    assert_eq!(checkout.changed_by("sim/tests/helpers/mod.rs", ""), ["sim, test plans"]);
}

#[test]
fn a_file_that_is_read_counts() {
    assert_eq!(
        Checkout::new().changed_by("deploy/base.yaml", "kind: ClusterRole"),
        ["deploy"]
    );
}

#[test]
fn a_new_version_of_an_external_crate_counts_where_it_is_used() {
    let checkout = Checkout::new();
    let lock = LOCK.replace("\"bb\"", "\"cc\"");
    assert_eq!(checkout.changed_by("Cargo.lock", &lock), NOTHING);
    let lock = lock.replace("\"aa\"", "\"dd\"");
    assert_eq!(checkout.changed_by("Cargo.lock", &lock), ["dependencies"]);
}

#[test]
fn of_the_workspace_manifest_the_profiles_count() {
    let checkout = Checkout::new();
    let manifest = "[workspace]\n[profile.dev]\ndebug = 1\n[workspace.lints]\na = 2\n";
    assert_eq!(checkout.changed_by("Cargo.toml", manifest), NOTHING);
    assert_eq!(
        checkout.changed_by("Cargo.toml", &manifest.replace("debug = 1", "debug = 2")),
        ["profiles"]
    );
}

#[test]
fn a_path_without_files_is_an_error() {
    let checkout = Checkout::new();
    let workspace = Workspace::read(&checkout.0, Members::read(&checkout.metadata()).unwrap(), "rustc 1").unwrap();
    let mut needs = Needs::default();
    needs.read(&["deploy", "deploi"]);
    let error = workspace.inputs(&needs).unwrap_err().to_string();
    assert!(error.starts_with("tests depend on deploi, but"), "{error}");
}

#[test]
fn a_checkout_without_files_is_an_error() {
    let checkout = Checkout::new();
    checkout.write(".gitignore", "*\n");
    fs::remove_dir_all(checkout.0.join(".git")).unwrap();
    command::capture(Command::new("git").current_dir(&checkout.0).args(["init", "--quiet"])).unwrap();
    let error = Files::read(&checkout.0).unwrap_err().to_string();
    assert!(error.starts_with("git lists no files"), "{error}");
}

#[test]
fn the_variables_that_change_a_build_count() {
    let variables = [
        ("RUSTFLAGS", "-g"),
        ("CARGO_PROFILE_DEV_DEBUG", "2"),
        ("CARGO_PROFILE_DEV_INCREMENTAL", "false"),
        ("CARGO_TARGET_DIR", "/target"),
        ("CC_x86_64-unknown-linux-musl", "musl-gcc"),
        ("HOME", "/home/user"),
    ];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    assert_eq!(
        build_variables(variables.into_iter()),
        [
            "CARGO_PROFILE_DEV_DEBUG=2",
            "CC_x86_64-unknown-linux-musl=musl-gcc",
            "RUSTFLAGS=-g"
        ]
    );
}

#[test]
fn the_code_that_runs_tests_counts_for_each_test() {
    let needs = Needs::of_test("sim", "plans");
    assert!(needs.paths.iter().any(|path| path == "xtask/src/command.rs"));
    assert!(needs.paths.iter().any(|path| path == "xtask/src/paths.rs"));
}

#[test]
fn the_compiler_counts() {
    let checkout = Checkout::new();
    let read = |compiler| Workspace::read(&checkout.0, Members::read(&checkout.metadata()).unwrap(), compiler).unwrap();
    assert_ne!(read("rustc 1").settings, read("rustc 2").settings);
}

#[test]
fn every_package_of_this_workspace_can_be_asked_for() {
    let workspace = Workspace::here().unwrap();
    let needs = Needs {
        programs: vec!["instancelink"],
        ..Needs::default()
    };
    let inputs = workspace.inputs(&needs).unwrap();
    for package in ["instancelink", "instancelink-core", "instancelink-api"] {
        assert!(inputs.contains_key(package), "{package}");
    }
    assert!(!inputs.contains_key("instancelink-testkit"), "{inputs:?}");
}
