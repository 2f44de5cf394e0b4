//! The optional policies: the verb `link` on targets, and reserved namespaces.

use harness::{
    Link, LinkManifest, Namespace, Output, User, Watch, in_namespace, kubectl, link, link_into, with_overlay,
    with_two_tenants,
};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, UpdatingActive};
use serde_json::{Value, json};

const DRY: [&str; 4] = ["create", "--dry-run=server", "-f", "-"];

/// An editor of `shop` without the verb, while the policy is in force.
async fn with_link_verb(test: impl AsyncFnOnce(&Namespace, &Namespace, &User)) {
    with_two_tenants(async |shop, data| {
        let editor = User::with_cluster_role(shop, &format!("editor-of-{}", shop.name), "edit").await;
        let is_in_force = async || !tries(&editor, &probe()).await.ok;
        with_overlay("link-verb", is_in_force, async || test(shop, data, &editor).await).await;
    })
    .await;
}

/// It has its own name, so that only the policy can refuse it.
fn probe() -> LinkManifest {
    link("probe", "probe", "Deployment/web", "Service/pg")
}

fn to_pg() -> LinkManifest {
    link("web-db", "db", "Deployment/web", "Service/pg")
}

/// The answer to a user who creates this link.
async fn tries(user: &User, manifest: &LinkManifest) -> Output {
    user.kubectl_with(&DRY, &manifest.to_yaml()).await
}

async fn creates(user: &User, manifest: &LinkManifest) {
    user.kubectl_with(&["create", "-f", "-"], &manifest.to_yaml())
        .await
        .succeeds();
}

async fn edits(user: &User, target: Value) -> Output {
    let patch = json!({ "spec": { "targetInstanceRef": target } }).to_string();
    user.kubectl(&["patch", "il", "web-db", "--type=merge", "-p", &patch])
        .await
}

fn rule(group: &str, resource: &str, name: &str) -> Value {
    json!({ "apiGroups": [group], "resources": [resource], "resourceNames": [name], "verbs": ["link"] })
}

/// The RBAC rule in a refusal.
fn rule_in(refusal: &Output) -> Value {
    let start = refusal.err.find("{apiGroups").expect("a rule");
    let end = refusal.err[start..].find('}').expect("its end");
    serde_yaml_ng::from_str(&refusal.err[start..=start + end]).expect("YAML")
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_user_without_the_verb_is_refused_and_the_rule_in_the_refusal_gives_the_verb() {
    with_link_verb(async |shop, data, editor| {
        for (place, manifest, resource) in [
            (shop, to_pg(), "Service"),
            (data, link_into(data, "Service", "pg"), "Service"),
            (
                shop,
                link("web-db", "db", "Deployment/web", "StatefulSet/pg"),
                "StatefulSet",
            ),
            (data, link_into(data, "Pod", "pg"), "Pod"),
        ] {
            let refusal = tries(editor, &manifest).await;
            let what = format!(
                "may not link to {resource} {}/pg, because that needs the verb link on it",
                place.name
            );
            let rule = rule_in(&refusal);
            refusal.is_refused_with(&[&what, &format!("an administrator of namespace {}", place.name)]);
            editor
                .is_given(place, &format!("link-{}", resource.to_lowercase()), &rule)
                .await;
            tries(editor, &manifest).await.succeeds();
        }
        let others = [("Service", "pg2"), ("Deployment", "pg")];
        for (kind, name) in others {
            tries(editor, &link_into(data, kind, name))
                .await
                .is_refused_with(&["may not link to"]);
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_verb_is_asked_for_when_a_target_is_chosen_and_at_no_other_time() {
    with_link_verb(async |shop, data, editor| {
        shop.fixed_service("pg").await;
        editor.is_given(shop, "link-pg", &rule("", "services", "pg")).await;
        creates(editor, &to_pg()).await;
        let link = Link::at(shop, "web-db");
        link.reaches(Active).await;
        let mut watch = Watch::start(shop, "web-db").await;

        edits(editor, json!({ "name": "pg2" }))
            .await
            .is_refused_with(&["Service", "/pg2", "verb link"]);
        edits(editor, json!({ "kind": "Pod" }))
            .await
            .is_refused_with(&["Pod", "/pg", "verb link"]);
        edits(editor, json!({ "namespace": data.name }))
            .await
            .is_refused_with(&[data.name.as_str(), "verb link"]);
        watch.rests().await;

        // Without the right the user cannot choose a target any more. An existing target stays.
        shop.object("rbac.authorization.k8s.io/v1", "Role", "link-pg")
            .delete()
            .await;
        harness::eventually("the right is gone", harness::SHORT, async || {
            let tried = tries(editor, &probe()).await;
            if tried.ok { Err(tried.out) } else { Ok(()) }
        })
        .await;
        edits(editor, json!({ "apiVersion": "v1", "namespace": shop.name }))
            .await
            .succeeds();
        let display = [
            "patch",
            "il",
            "web-db",
            "--type=merge",
            "-p",
            r#"{"spec":{"description":"the orders"}}"#,
        ];
        editor.kubectl(&display).await.succeeds();
        editor.annotates(&link, "deactivate").await.succeeds();
        watch.walks([Deactivating, Inactive]).await;
        editor.annotates(&link, "activate").await.succeeds();
        watch.walks([Activating, Active]).await;
        edits(editor, Value::Null).await.succeeds();
        watch.walks([UpdatingActive, Active]).await;
        edits(editor, json!({ "kind": "Service", "name": "pg" }))
            .await
            .is_refused_with(&["verb link"]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn an_admin_of_the_targets_namespace_has_the_verb_there_and_can_pass_it_on() {
    with_link_verb(async |shop, data, editor| {
        let admin = User::with_cluster_role(data, &format!("admin-of-{}", data.name), "admin").await;
        let own = link("own", "db", "Deployment/web", "Service/pg");
        harness::eventually("the role is aggregated", harness::SHORT, async || {
            let tried = tries(&admin, &own).await;
            if tried.ok { Ok(()) } else { Err(tried.err) }
        })
        .await;
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "link-pg" },
            "rules": [rule("", "services", "pg")],
        });
        admin
            .kubectl_with(&["create", "-f", "-"], &role.to_string())
            .await
            .succeeds();
        let bind = [
            "create",
            "rolebinding",
            "link-pg",
            "--role=link-pg",
            "--user",
            editor.name(),
        ];
        admin.kubectl(&bind).await.succeeds();
        harness::eventually("the editor may", harness::SHORT, async || {
            let tried = tries(editor, &link_into(data, "Service", "pg")).await;
            if tried.ok { Ok(()) } else { Err(tried.err) }
        })
        .await;
        // The verb does not replace the consent of the namespace.
        creates(editor, &link_into(data, "Service", "pg")).await;
        Link::at(shop, "web-db").is_not_permitted().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_link_without_a_target_needs_no_verb() {
    with_link_verb(async |shop, _, editor| {
        creates(editor, &to_pg().without_target()).await;
        Link::at(shop, "web-db").reaches(Active).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn no_namespace_is_created_with_the_name_of_a_directory() {
    in_namespace(async |ns| {
        let [taken, free] = ["links", "linksmen"].map(|end| format!("{}-{end}", ns.name));
        let create = async |name: &str| kubectl(&["create", "namespace", name, "--dry-run=server"]).await;
        create(&taken).await.succeeds();
        let older = format!("{}-older-links", ns.name);
        kubectl(&["create", "namespace", &older]).await.succeeds();
        let is_in_force = async || !create(&taken).await.ok;
        with_overlay("reserved-namespaces", is_in_force, async || {
            create(&taken)
                .await
                .is_refused_with(&["must not end in -links", "choose another name"]);
            create(&free).await.succeeds();
            create("links").await.succeeds();
            kubectl(&["label", "namespace", &older, "team=a"]).await.succeeds();
            kubectl(&["delete", "namespace", &older]).await.succeeds();
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_target_of_another_kind_takes_the_verb_on_that_kind_of_its_group() {
    with_link_verb(async |_, _, editor| {
        for (api_version, kind, rule) in [
            ("argoproj.io/v1alpha1", "Rollout", rule("argoproj.io", "rollouts", "pg")),
            ("example.com/v1", "Deployment", rule("example.com", "deployments", "pg")),
        ] {
            let target = json!({ "apiVersion": api_version, "kind": kind, "name": "pg" });
            let refusal = tries(editor, &to_pg().spec("targetInstanceRef", target)).await;
            assert_eq!(rule_in(&refusal), rule);
        }
    })
    .await;
}
