//! The variables of the environment that change what tests do. While one is set, no group is taken as passed, and none is
//! remembered.

/// By their whole names: what tests read, and what the operator reads beside its own prefix.
const NAMES: [&str; 5] = ["POD_NAME", "POD_NAMESPACE", "SCENARIO", "SCRIPT", "SHOW"];
/// By the beginnings of their names: plans, seeds and other operators, options of the operator, and the number of random
/// cases.
const PREFIXES: [&str; 2] = ["INSTANCELINK_", "PROPTEST_"];

/// The first variable that changes what tests do.
pub(super) fn altering(mut names: impl Iterator<Item = String>) -> Option<String> {
    names.find(|name| alters(name))
}

fn alters(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::{command, paths};

    /// The suites set these themselves for each test that they run.
    const SET_BY_SUITES: [&str; 2] = ["ETCD", "KUBECTL"];

    #[test]
    fn each_variable_that_a_test_reads_is_known() {
        let mut git = Command::new("git");
        git.current_dir(paths::checkout())
            .args(["ls-files", "tests/*.rs", "crates/testkit/*.rs"]);
        let mut unknown = Vec::new();
        for file in command::capture(&mut git).unwrap().lines() {
            let text = fs::read_to_string(paths::checkout().join(file)).unwrap_or_default();
            // A variable whose name is no literal is not found here. The tests use them for programs, and for the names
            // of `testkit::campaign`.
            for call in ["env::var(\"", "env::var_os(\""] {
                let names = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                let names = names.filter(|name| !alters(name) && !SET_BY_SUITES.contains(name));
                unknown.extend(names.map(|name| format!("{file}: {name}")));
            }
        }
        assert_eq!(unknown, [""; 0], "add these variables to NAMES");
    }

    #[test]
    fn a_plan_or_a_seed_changes_what_tests_do_and_the_path_does_not() {
        let first = |names: &[&str]| altering(names.iter().map(|&name| name.to_owned()));
        assert_eq!(first(&["PATH", "HOME", "KUBECONFIG"]), None);
        for name in [
            instancelink_testkit::campaign::SEED,
            instancelink_testkit::campaign::LONG,
            "INSTANCELINK_PLAN",
            "INSTANCELINK_OTHER_OPERATOR",
            "SCRIPT",
            "PROPTEST_CASES",
        ] {
            assert_eq!(first(&["PATH", name]).as_deref(), Some(name));
        }
    }
}
