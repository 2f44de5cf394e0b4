//! T11 and T12: what a stolen token of the operator allows, and what an outage of the operator blocks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use security::{Manifest, manifests};

fn roles(folder: &str) -> Vec<Manifest> {
    manifests(folder)
        .into_iter()
        .filter(|m| matches!(m.kind(), "Role" | "ClusterRole"))
        .collect()
}

/// The roles that each installation binds to the operator.
fn operators() -> Vec<Manifest> {
    let bound: Vec<String> = manifests("deploy/base")
        .into_iter()
        .filter(|m| matches!(m.kind(), "RoleBinding" | "ClusterRoleBinding"))
        .map(|m| m.object["roleRef"]["name"].as_str().unwrap().to_owned())
        .collect();
    let found: Vec<Manifest> = roles("deploy/base")
        .into_iter()
        .filter(|m| bound.iter().any(|b| b == m.name()))
        .collect();
    assert_eq!(found.len(), bound.len());
    found
}

#[test]
fn no_role_has_a_wildcard_or_gives_rights_away() {
    for role in roles("deploy") {
        for right in role.rights() {
            let (verb, resource) = right.split_once(' ').unwrap();
            let what = format!("{right} in {}", role.file);
            assert!(!right.contains('*'), "{what}");
            assert!(!matches!(verb, "escalate" | "bind" | "impersonate"), "{what}");
            assert!(!resource.starts_with("rbac.authorization.k8s.io/"), "{what}");
            assert!(!resource.contains("serviceaccounts"), "{what}");
            for way_in in [
                "pods/exec",
                "pods/attach",
                "pods/portforward",
                "pods/proxy",
                "nodes/proxy",
                "services/proxy",
            ] {
                assert!(!resource.ends_with(way_in), "{what}");
            }
        }
    }
}

#[test]
fn the_operator_reads_no_secret_and_writes_no_pod_unless_a_namespace_asks_for_it() {
    for role in operators() {
        for right in role.rights() {
            let what = format!("{right} in {}", role.file);
            assert!(!right.ends_with("/secrets"), "{what}");
            let (verb, resource) = right.split_once(' ').unwrap();
            let reads = matches!(verb, "get" | "list" | "watch");
            let children = [
                "/services",
                "/configmaps",
                "discovery.k8s.io/endpointslices",
                "networking.k8s.io/networkpolicies",
            ];
            let own = resource.starts_with("instancelink.dev/")
                || resource == "coordination.k8s.io/leases"
                || resource == "events.k8s.io/events";
            assert!(reads || own || children.contains(&resource), "{what}");
        }
    }
    for overlay in ["deploy/overlays/binding", "deploy/overlays/readiness-gates"] {
        for role in roles(overlay) {
            assert_eq!(role.kind(), "Role", "{overlay} gives rights in one namespace");
        }
    }
}

#[test]
fn leases_are_written_in_the_operators_own_namespace_alone() {
    for role in operators() {
        let leases = role.rights().iter().any(|right| right.contains("leases"));
        assert_eq!(leases, role.kind() == "Role", "{}", role.file);
    }
}

/// The intent annotation is the operator's memory. A user who could write it could forge an action.
#[test]
fn only_the_operator_may_write_the_intent() {
    for role in roles("deploy") {
        let may = role
            .rights()
            .iter()
            .any(|right| right.ends_with("instancelinks/intent"));
        assert_eq!(may, role.name() == "instancelink-operator", "{}", role.file);
    }
}

/// Only administrators may do what cannot be undone, or what opens a namespace to others.
#[test]
fn an_editor_may_neither_purge_nor_consent_for_a_namespace() {
    for role in roles("deploy/base") {
        let labels = &role.object["metadata"]["labels"];
        if labels["rbac.authorization.k8s.io/aggregate-to-admin"] == "true"
            || operators().iter().any(|o| o.name() == role.name())
        {
            continue;
        }
        for right in role.rights() {
            let (verb, resource) = right.split_once(' ').unwrap();
            assert_ne!(verb, "purge", "{}", role.file);
            let reads = matches!(verb, "get" | "list" | "watch");
            assert!(
                reads || !resource.ends_with("instancelinkgrants"),
                "{right} in {}",
                role.file
            );
        }
    }
}

/// T29 to T31: without these policies, the rights that the roles separate can be had in other ways.
#[test]
fn what_the_operator_does_by_itself_is_guarded_as_what_users_ask_for() {
    let policy = |name: &str| {
        let found = manifests("deploy/policies/validating");
        let found = found
            .into_iter()
            .find(|m| m.kind() == "ValidatingAdmissionPolicy" && m.name() == name);
        serde_json::to_string(&found.unwrap().object).unwrap()
    };
    let memory = policy("intent.instancelink.dev");
    for guarded in [
        "instancelinks/status",
        "lastAction",
        "removed",
        "history",
        "state",
        "instancelink.dev/intent",
    ] {
        assert!(memory.contains(guarded), "{guarded}");
    }
    let ttl = policy("ttl.instancelink.dev");
    for guarded in [
        "ttlSecondsAfterRemoved",
        "ttlSecondsAfterPurged",
        "check('purge')",
        "check('delete')",
    ] {
        assert!(ttl.contains(guarded), "{guarded}");
    }
    let definitions = policy("definitions.instancelink.dev");
    for crd in manifests("crds") {
        assert!(definitions.contains(crd.name()), "{}", crd.file);
    }
}

/// T33: an administrator pastes the command of a refusal. The name of a user may have any character.
#[test]
fn no_command_of_a_refusal_has_a_name_that_a_shell_may_read_as_more_than_a_name() {
    let mut commands = 0;
    for policy in manifests("deploy") {
        if !policy.kind().ends_with("AdmissionPolicy") {
            continue;
        }
        let spec = &policy.object["spec"];
        let list = |field: &str| spec[field].as_array().cloned().unwrap_or_default();
        for validation in list("validations") {
            let message = validation["messageExpression"].as_str().unwrap_or_default();
            let Some((_, command)) = message.split_once("run: ") else {
                continue;
            };
            commands += 1;
            let file = &policy.file;
            // Values in quotes are texts of the policy. The rest is what comes from a request.
            let inputs: Vec<&str> = command.split('"').skip(1).step_by(2).map(str::trim).collect();
            for input in inputs {
                let input = input.trim_matches(['+', ' ']);
                let is_checked = matches!(
                    input,
                    "" | "object.metadata.namespace" | "oldObject.metadata.name" | "variables.verb" | "variables.user"
                );
                assert!(
                    is_checked || input.starts_with("oldObject.spec.names"),
                    "{input} in {file}"
                );
            }
            if command.contains("variables.user") {
                let user = list("variables")
                    .into_iter()
                    .find(|variable| variable["name"] == "user");
                // Printable ASCII without the quote that ends a word in quotes.
                let safe =
                    "request.userInfo.username.matches('^[ -&(-~]{1,256}$') ? request.userInfo.username : 'NAME'";
                assert_eq!(user.unwrap()["expression"], safe, "{file}");
                assert!(
                    command.contains("--user='\" + variables.user + \"'\""),
                    "{command} in {file}"
                );
            }
        }
    }
    assert_eq!(commands, 4);
}

/// T12: policies that run in the API server cannot be unavailable.
#[test]
fn nothing_of_the_installation_is_a_webhook() {
    for manifest in manifests("deploy") {
        assert!(!manifest.kind().contains("Webhook"), "{}", manifest.file);
        assert_ne!(manifest.kind(), "APIService", "{}", manifest.file);
    }
    for crd in manifests("crds") {
        assert!(crd.object["spec"]["conversion"]["webhook"].is_null(), "{}", crd.file);
    }
}

/// T12: a policy that cannot be evaluated must not block pods or namespaces.
#[test]
fn a_policy_about_what_is_not_ours_fails_open() {
    let mut looked_at = 0;
    for policy in manifests("deploy/policies") {
        if !policy.kind().ends_with("AdmissionPolicy") {
            continue;
        }
        looked_at += 1;
        let rules = policy.object["spec"]["matchConstraints"]["resourceRules"]
            .as_array()
            .unwrap();
        let ours = rules
            .iter()
            .flat_map(|rule| rule["apiGroups"].as_array().unwrap())
            .all(|group| group == "instancelink.dev");
        let fails = policy.object["spec"]["failurePolicy"].as_str().unwrap();
        assert!(ours || fails == "Ignore", "{}", policy.file);
    }
    assert_eq!(looked_at, 7);
}
