//! The layers of the workspace: which package may never depend on which, as a table of rules. `cargo xtask check` reads the
//! manifests and names each dependency that breaks a rule.
//!
//! A rule about a package that does not exist yet holds from the day on which the package appears. Clocks and files cannot be
//! seen in manifests: `clippy.toml` of a package forbids those.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::inputs::{Dependency, Member, Members};

const OPERATOR: &str = "instancelink";
const API: &str = "instancelink-api";
const CORE: &str = "instancelink-core";
const CLUSTER: &str = "instancelink-cluster";
const CLIENT: &str = "instancelink-client";
const EXPLAIN: &str = "instancelink-explain";
const GATEWAY: &str = "instancelink-gateway";
const PLUGIN: &str = "kubectl-instancelink";
const TESTKIT: &str = "instancelink-testkit";
const KUBE: &str = "kube";

/// The feature with which a package contains code for tests.
const FIXTURE: &str = "fixture";

/// What users run, and the libraries of which it is made.
const SHIPPED: &[&str] = &[OPERATOR, API, CORE, CLUSTER, CLIENT, EXPLAIN, GATEWAY, PLUGIN];

/// Every package in the folder of tests.
const TESTS: &str = "tests/*";

/// A rule.
struct Rule {
    of: &'static [&'static str],
    /// Packages, `package/feature`, or [`TESTS`]. A dependency through another package of the workspace counts too.
    never: &'static [&'static str],
    /// The features of `kube` that they may use, where not all.
    kube: Option<&'static [&'static str]>,
    /// Whether optional dependencies count that are not among the default features.
    also_optional: bool,
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        of: &[OPERATOR, CLUSTER, CORE],
        never: &[GATEWAY, CLIENT, EXPLAIN, PLUGIN],
        kube: None,
        also_optional: true,
        why: "the operator serves no people",
    },
    Rule {
        of: &[GATEWAY, PLUGIN, CLIENT, EXPLAIN],
        never: &[OPERATOR, CLUSTER],
        kube: None,
        also_optional: true,
        why: "tools know the operator by its custom resources alone",
    },
    Rule {
        of: &[API, CORE, EXPLAIN],
        never: &[
            "axum",
            "chrono",
            "hickory-resolver",
            "hyper",
            "hyper-util",
            "kube-client",
            "kube-runtime",
            "reqwest",
            "rustix",
            "tempfile",
            "tokio",
            "tokio-util",
            "tower",
        ],
        kube: Some(&["admission", "cel", "derive", "jsonpatch"]),
        also_optional: true,
        why: "decisions and explanations are pure: they read no cluster, no clock and no files",
    },
    Rule {
        of: SHIPPED,
        never: &[TESTS, TESTKIT, "instancelink-core/fixture"],
        kube: None,
        also_optional: true,
        why: "code for tests is not shipped",
    },
    Rule {
        of: &[PLUGIN],
        never: &["axum", GATEWAY],
        kube: None,
        also_optional: false,
        why: "the plugin is small without its feature `ui`",
    },
    Rule {
        of: &["control-plane"],
        never: &["e2e"],
        kube: None,
        also_optional: true,
        why: "a control plane for tests needs no cluster",
    },
];

/// Fails with each dependency that breaks a rule.
pub(crate) fn check() -> Result<()> {
    let broken = broken(&Members::here()?);
    if broken.is_empty() {
        return Ok(());
    }
    bail!(
        "dependencies cross the layers (the rules are in xtask/src/verify/layers.rs):\n{}",
        broken.join("\n")
    )
}

fn broken(members: &Members) -> Vec<String> {
    let mut broken = Vec::new();
    for rule in RULES {
        for &package in rule.of {
            broken.extend(chains(members, rule, package));
        }
    }
    for (name, member) in members.iter() {
        if member.folder.starts_with("crates/") && name != TESTKIT && !SHIPPED.contains(&name) {
            broken.push(format!("{name}: no rule names this package; add it to the table"));
        }
        if SHIPPED.contains(&name) && closure(member, ["default"]).contains(FIXTURE) {
            broken.push(format!(
                "{name} has {FIXTURE} among its default features: code for tests is not shipped"
            ));
        }
        // To build what is shipped, Rust and a C compiler are enough.
        if SHIPPED.contains(&name) && member.targets.iter().any(|target| target.is("custom-build")) {
            broken.push(format!(
                "{name} has a build script: what is shipped is built without other tools"
            ));
        }
    }
    broken
}

/// The ways from a package to what its rule forbids.
fn chains(members: &Members, rule: &Rule, package: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen = BTreeSet::from([package.to_owned()]);
    let mut waiting = vec![vec![package.to_owned()]];
    while let Some(chain) = waiting.pop() {
        let Some(member) = chain.last().and_then(|last| members.get(last).ok()) else {
            continue;
        };
        for dependency in member
            .dependencies
            .iter()
            .filter(|dependency| counts(member, dependency, rule))
        {
            let mut longer = chain.clone();
            longer.push(dependency.name.clone());
            if let Some(forbidden) = forbidden(members, dependency, rule) {
                broken.push(format!(
                    "{}: never {forbidden}, since {}",
                    longer.join(" -> "),
                    rule.why
                ));
            } else if dependency.is_member && seen.insert(dependency.name.clone()) {
                waiting.push(longer);
            }
        }
        for feature in member.features.values().flatten() {
            let is_refused = feature.split_once('/').is_some_and(|(dependency, feature)| {
                dependency.trim_end_matches('?') == KUBE && !allows(rule, feature)
            });
            if is_refused || rule.never.contains(&feature.as_str()) {
                broken.push(format!(
                    "{}: a feature enables {feature}, never, since {}",
                    chain.join(" -> "),
                    rule.why
                ));
            }
        }
    }
    broken
}

fn counts(member: &Member, dependency: &Dependency, rule: &Rule) -> bool {
    let is_there = rule.also_optional || !dependency.is_optional || is_default(member, &dependency.name);
    !dependency.is_for_tests && is_there
}

/// Whether the default features bring an optional dependency.
fn is_default(member: &Member, dependency: &str) -> bool {
    let features = closure(member, ["default"]);
    features
        .iter()
        .any(|feature| feature.split('/').next() == Some(dependency))
}

/// The features of a package that these features enable, with themselves, and the dependencies that they bring.
fn closure<'a>(member: &'a Member, features: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&str> = features.into_iter().collect();
    while let Some(feature) = waiting.pop() {
        let feature = feature.strip_prefix("dep:").unwrap_or(feature);
        if seen.insert(feature) {
            waiting.extend(member.features.get(feature).into_iter().flatten().map(String::as_str));
        }
    }
    seen
}

/// What the rule forbids of a dependency.
fn forbidden(members: &Members, dependency: &Dependency, rule: &Rule) -> Option<String> {
    let never = rule.never.iter().find(|never| is(members, dependency, never));
    let kube = || {
        let mut features = dependency.features.iter().filter(|_| dependency.name == KUBE);
        let feature = features.find(|feature| !allows(rule, feature));
        feature.map(|feature| format!("{KUBE}/{feature}"))
    };
    never.map(|never| (*never).to_owned()).or_else(kube)
}

/// Whether the rule allows a feature of `kube`.
fn allows(rule: &Rule, feature: &str) -> bool {
    rule.kube.is_none_or(|allowed| allowed.contains(&feature))
}

fn is(members: &Members, dependency: &Dependency, never: &str) -> bool {
    let member = members.get(&dependency.name).ok().filter(|_| dependency.is_member);
    if never == TESTS {
        return member.is_some_and(|member| member.folder.starts_with("tests/"));
    }
    match never.split_once('/') {
        Some((name, feature)) => {
            let asked = || dependency.features.iter().map(String::as_str);
            let enabled = member.map_or_else(|| asked().collect(), |member| closure(member, asked()));
            dependency.name == name && enabled.contains(feature)
        }
        None => dependency.name == never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packages of a workspace: name, folder and dependencies as JSON.
    fn workspace(packages: &[(&str, &str, &[&str])]) -> Members {
        workspace_with(r#"{"ui":["dep:instancelink-gateway"]}"#, packages)
    }

    /// The same, with these features of each package.
    fn workspace_with(features: &str, packages: &[(&str, &str, &[&str])]) -> Members {
        let package = |(name, folder, dependencies): &(&str, &str, &[&str])| {
            format!(
                r#"{{"name":"{name}","manifest_path":"/w/{folder}/Cargo.toml","targets":[],"dependencies":[{}],
                "features":{features}}}"#,
                dependencies.join(",")
            )
        };
        let packages: Vec<String> = packages.iter().map(package).collect();
        let metadata = format!(r#"{{"workspace_root":"/w","packages":[{}]}}"#, packages.join(","));
        Members::read(&metadata).unwrap()
    }

    const ON_CORE: &str = r#"{"name":"instancelink-core","path":"/w/crates/core"}"#;
    const ON_GATEWAY: &str = r#"{"name":"instancelink-gateway","path":"/w/crates/gateway","optional":true}"#;
    const ON_TOKIO: &str = r#"{"name":"tokio"}"#;

    #[test]
    fn this_workspace_crosses_no_layer() {
        check().unwrap();
    }

    #[test]
    fn a_dependency_that_crosses_a_layer_is_named_with_the_way_to_it() {
        let members = workspace(&[
            ("instancelink-explain", "crates/explain", &[ON_CORE]),
            ("instancelink-core", "crates/core", &[ON_TOKIO]),
        ]);
        let broken = broken(&members);
        let begins = |chain: &str| broken.iter().filter(|line| line.starts_with(chain)).count();
        assert_eq!(
            begins("instancelink-core -> tokio: never tokio, since decisions"),
            1,
            "{broken:?}"
        );
        assert_eq!(
            begins("instancelink-explain -> instancelink-core -> tokio: never"),
            1,
            "{broken:?}"
        );
        assert_eq!(broken.len(), 2, "{broken:?}");
    }

    #[test]
    fn the_default_features_of_the_client_library_count_until_they_are_switched_off() {
        let kube = |rest: &str| format!(r#"{{"name":"kube","features":["derive"]{rest}}}"#);
        let broken_with = |kube: &str| broken(&workspace(&[("instancelink-core", "crates/core", &[kube])])).len();
        assert_eq!(broken_with(&kube("")), 1);
        assert_eq!(broken_with(&kube(r#","uses_default_features":false"#)), 0);
    }

    #[test]
    fn the_pure_packages_use_the_allowed_features_of_the_client_library_alone() {
        let kube =
            |feature: &str| format!(r#"{{"name":"kube","features":["{feature}"],"uses_default_features":false}}"#);
        let broken_with =
            |feature: &str| broken(&workspace(&[("instancelink-core", "crates/core", &[&kube(feature)])]));
        assert_eq!(broken_with("jsonpatch"), [""; 0]);
        let found = broken_with("oauth");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.iter().all(|line| line.contains("never kube/oauth")), "{found:?}");
        let by_feature = workspace_with(
            r#"{"live":["kube?/oidc"]}"#,
            &[("instancelink-core", "crates/core", &[&kube("derive")])],
        );
        let found = broken(&by_feature);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn no_default_feature_brings_code_for_tests() {
        let core = ("instancelink-core", "crates/core", &[][..]);
        let direct = workspace_with(r#"{"default":["all"],"all":["fixture"],"fixture":[]}"#, &[core]);
        let found = broken(&direct);
        assert_eq!(found.len(), 1, "{found:?}");
        let on_core = r#"{"name":"instancelink-core","path":"/w","features":["all"],"uses_default_features":false}"#;
        let by_name = workspace_with(
            r#"{"all":["fixture"],"fixture":[]}"#,
            &[("instancelink", "", &[on_core]), core],
        );
        let found = broken(&by_name);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn tests_may_use_what_is_never_shipped() {
        let fixture =
            |kind: &str| format!(r#"{{"name":"instancelink-core","path":"/w","features":["fixture"],"kind":{kind}}}"#);
        let broken_with = |line: &str| {
            let core = ("instancelink-core", "crates/core", &[][..]);
            broken(&workspace(&[("instancelink", "", &[line]), core])).len()
        };
        assert_eq!(broken_with(&fixture("null")), 1);
        assert_eq!(broken_with(&fixture(r#""dev""#)), 0);
    }

    #[test]
    fn the_plugin_has_the_gateway_by_a_feature_alone() {
        let gateway = ("instancelink-gateway", "crates/gateway", &[][..]);
        let optional = workspace(&[
            ("kubectl-instancelink", "crates/kubectl-instancelink", &[ON_GATEWAY]),
            gateway,
        ]);
        assert_eq!(broken(&optional), [""; 0]);
        let always = ON_GATEWAY.replace("true", "false");
        let always = workspace(&[
            ("kubectl-instancelink", "crates/kubectl-instancelink", &[&always]),
            gateway,
        ]);
        assert_eq!(broken(&always).len(), 1);
    }

    #[test]
    fn a_new_package_needs_a_place_in_the_table() {
        let broken = broken(&workspace(&[("instancelink-extra", "crates/extra", &[])]));
        assert_eq!(
            broken,
            ["instancelink-extra: no rule names this package; add it to the table"]
        );
    }
}
