use std::collections::BTreeSet;

use instancelink_api::State;

use super::*;
use crate::dataplane::{Teardown, bring_up, build, has_children, is_up, problems, take_down};
use crate::fixture::{self, key, observed, shown};

mod additions;
mod teardown;

const VALUE: &str = "correct-horse-battery-staple";

fn asking(binding: &str) -> Snapshot {
    fixture::snapshot().edited(|spec| {
        spec.outputs = serde_yaml_ng::from_str(&format!("{{binding: {binding}}}")).unwrap();
    })
}

fn postgresql() -> Snapshot {
    asking("{type: postgresql, provider: bitnami}")
}

fn with_credentials() -> Snapshot {
    referring(asking("{type: postgresql, secretRef: {name: pg-credentials}}"), VALUE)
}

/// The Secret that the spec refers to exists, with this password and some other keys.
fn referring(mut s: Snapshot, password: &str) -> Snapshot {
    let entries = [
        ("username", "app"),
        ("password", password),
        ("type", "theirs"),
        ("provider", "theirs"),
        ("host", "pg.example"),
        ("port", "1"),
        ("database", "shop"),
    ];
    let entries = entries.map(|(key, value)| (key.to_owned(), Confidential::from(value)));
    s.secrets = Secrets::Known {
        referenced: Some(Entries::from(entries).into()),
    };
    s
}

fn forbidden_secrets(mut s: Snapshot) -> Snapshot {
    s.secrets = Secrets::Forbidden;
    s
}

fn unknown_secrets(mut s: Snapshot) -> Snapshot {
    s.secrets = Secrets::Unknown;
    s
}

/// The status says that the Secret exists.
fn confirmed(mut s: Snapshot) -> Snapshot {
    let status = s.link.object.status.get_or_insert_default();
    status.binding = Some(BindingStatus {
        name: "web-db-binding".to_owned(),
    });
    s
}

fn terminating_namespace(mut s: Snapshot) -> Snapshot {
    s.namespace.terminating = true;
    s
}

fn secret(s: &Snapshot) -> ChildSpec<Binding> {
    let plan = build(s, &BTreeSet::new()).unwrap();
    match plan.binding {
        DesiredBinding::Present(object) => object,
        other => panic!("{other:?}"),
    }
}

/// `key=value` of each entry.
fn entries(object: &ChildSpec<Binding>) -> Vec<String> {
    let text = |value: &Confidential| String::from_utf8(value.reveal().to_vec()).unwrap();
    let data = object.body.data.iter();
    data.map(|(key, value)| format!("{key}={}", text(value))).collect()
}

fn writes(s: &Snapshot) -> Vec<String> {
    shown(&bring_up(s, &build(s, &BTreeSet::new()).unwrap()))
}

fn reported(s: &Snapshot) -> Vec<(Reason, String)> {
    let all = problems(s, &build(s, &BTreeSet::new()).unwrap());
    all.into_iter().map(|p| (p.reason, p.message)).collect()
}

/// Brings up as much as possible.
fn as_far_as_possible(mut s: Snapshot) -> Snapshot {
    loop {
        let effects = bring_up(&s, &build(&s, &BTreeSet::new()).unwrap());
        if effects.is_empty() {
            return s;
        }
        s.execute(&effects);
    }
}

#[test]
fn a_binding_has_the_data_of_the_link_and_is_owned_by_it() {
    let yaml = serde_yaml_ng::to_string(&secret(&postgresql()).to_api()).unwrap();
    assert_eq!(yaml.trim(), include_str!("web-db-binding.yaml").trim());
    assert_eq!(
        entries(&secret(&postgresql())),
        [
            "host=db.web-links.shop.svc",
            "port=5432",
            "provider=bitnami",
            "type=postgresql",
            "uri=postgresql://db.web-links.shop.svc:5432",
        ]
    );
}

#[test]
fn the_data_of_the_link_replaces_that_of_the_referenced_secret() {
    assert_eq!(
        entries(&secret(&with_credentials())),
        [
            "database=shop".to_owned(),
            "host=db.web-links.shop.svc".to_owned(),
            format!("password={VALUE}"),
            "port=5432".to_owned(),
            "provider=theirs".to_owned(),
            "type=postgresql".to_owned(),
            "username=app".to_owned(),
        ],
        "no uri without its credentials, and the provider of the referenced Secret"
    );
}

#[test]
fn next_to_a_password_without_a_username_there_is_no_uri_either() {
    let mut s = with_credentials();
    let password = ("password".to_owned(), Confidential::from(VALUE));
    s.secrets = Secrets::Known {
        referenced: Some(Entries::from([password]).into()),
    };
    assert!(!entries(&secret(&s)).iter().any(|entry| entry.starts_with("uri=")));
}

#[test]
fn a_uri_of_the_referenced_secret_gets_the_alias_as_its_host_or_is_left_out() {
    let with = |uri: &str| {
        let mut s = with_credentials();
        let Secrets::Known {
            referenced: Some(crate::snapshot::Referenced::Entries(known)),
        } = &mut s.secrets
        else {
            panic!("known");
        };
        known.insert("uri".to_owned(), Confidential::from(uri));
        let all = entries(&secret(&s));
        all.into_iter().find(|entry| entry.starts_with("uri="))
    };
    assert_eq!(
        with("postgres://app:pw@pg.example:1/shop").unwrap(),
        "uri=postgres://app:pw@db.web-links.shop.svc:5432/shop"
    );
    assert_eq!(with("mongodb+srv://app:pw@cluster.example/shop"), None);
}

#[test]
fn without_ports_of_the_link_the_port_is_the_one_of_the_referenced_secret() {
    let s = asking("{type: postgresql}").without_target();
    assert_eq!(entries(&secret(&s)), ["host=db.web-links.shop.svc", "type=postgresql"]);
    assert!(entries(&secret(&with_credentials().without_target())).contains(&"port=1".to_owned()));
}

#[test]
fn the_secret_is_created_before_the_slices_and_deleted_after_them() {
    let mut s = postgresql();
    assert_eq!(
        writes(&s),
        [
            "create Service shop/web-links",
            "create ConfigMap shop/web-links",
            "create Secret shop/web-db-binding"
        ]
    );
    s = s.up();
    let mut gone = Vec::new();
    while let Teardown::Act(effects) = take_down(&s, None) {
        gone.push(shown(&effects).join(", "));
        s.execute(&effects);
    }
    assert_eq!(
        gone,
        [
            "delete EndpointSlice shop/web-db-v4",
            "delete ConfigMap shop/web-links",
            "delete Secret shop/web-db-binding",
            "delete Service shop/web-links",
        ]
    );
}

#[test]
fn a_secret_counts_as_a_child() {
    let mut s = postgresql().up();
    s.children.slices.clear();
    s.children.environments.clear();
    assert!(has_children(&s));
    assert!(!has_children(&s.down()));
}

#[test]
fn a_rotated_password_is_copied() {
    let s = with_credentials().up();
    assert_eq!(writes(&s), [""; 0]);
    let s = referring(s, "another");
    assert_eq!(writes(&s), ["replace Secret shop/web-db-binding"]);
    let s = s.up();
    let copied = entries(&s.children.bindings[0].object);
    assert!(copied.contains(&"password=another".to_owned()), "{copied:?}");
}

#[test]
fn a_changed_secret_is_repaired_and_an_immutable_one_is_created_again() {
    let mut s = postgresql().up();
    s.children.bindings[0].object.body.data.clear();
    assert_eq!(writes(&s), ["replace Secret shop/web-db-binding"]);
    s.children.bindings[0].object.body.immutable = true;
    assert_eq!(writes(&s), ["delete Secret shop/web-db-binding"]);
    let other_type = asking("{type: mysql}");
    let s = Snapshot {
        children: postgresql().up().children,
        ..other_type
    };
    assert_eq!(writes(&s), ["delete Secret shop/web-db-binding"]);
    assert_eq!(s.up().children.bindings[0].object.body.type_, "servicebinding.io/mysql");
}

#[test]
fn a_binding_that_is_no_longer_requested_is_deleted() {
    let s = Snapshot {
        children: postgresql().up().children,
        ..fixture::snapshot()
    };
    assert_eq!(writes(&s), ["delete Secret shop/web-db-binding"]);
}

#[test]
fn a_foreign_secret_with_its_name_is_not_changed() {
    let mut s = postgresql();
    let mut theirs = secret(&s);
    theirs.labels.clear();
    theirs.owners.clear();
    s.children.bindings = vec![observed(&theirs, "theirs", "1")];
    let s = as_far_as_possible(s);
    assert_eq!(s.children.bindings[0].uid, "theirs");
    let reported = reported(&s);
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0].0, Reason::NameTaken);
    assert_eq!(s.down().children.bindings.len(), 1);
}

#[test]
fn a_missing_referenced_secret_is_reported_and_the_copied_data_stays() {
    let missing = |mut s: Snapshot| {
        s.secrets = Secrets::Known { referenced: None };
        s
    };
    let s = as_far_as_possible(missing(with_credentials()));
    assert!(s.children.bindings.is_empty());
    let reported_now = reported(&s);
    let [(Reason::Pending, message)] = &reported_now[..] else {
        panic!("pending");
    };
    assert!(message.contains("shop/pg-credentials"), "{message}");
    let s = missing(with_credentials().up());
    assert_eq!(writes(&s), [""; 0]);
    assert_eq!(reported(&s).len(), 1);
}

/// contract#binding-of-a-binding
#[test]
fn a_binding_takes_no_entries_from_the_binding_of_a_link() {
    let referring_to_a_binding = |mut s: Snapshot| {
        s.secrets = Secrets::Known {
            referenced: Some(crate::snapshot::Referenced::Binding),
        };
        s
    };
    let new = as_far_as_possible(referring_to_a_binding(with_credentials()));
    assert!(new.children.bindings.is_empty());
    let s = referring_to_a_binding(with_credentials().up());
    assert_eq!(writes(&s), [""; 0], "what was copied before stays");
    let reported_now = reported(&s);
    let [(Reason::InvalidSecretRef, message)] = &reported_now[..] else {
        panic!("{reported_now:?}");
    };
    assert!(
        message.contains("Secret shop/pg-credentials") && message.contains("kubectl -n shop edit il web-db"),
        "{message}"
    );
}

#[test]
fn without_the_right_the_link_reports_how_to_give_it_and_has_its_other_children() {
    let s = as_far_as_possible(forbidden_secrets(postgresql()));
    assert_eq!(s.children.slices.len(), 1);
    assert!(s.children.bindings.is_empty());
    assert!(!is_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
    let reported_now = reported(&s);
    let [(Reason::Forbidden, message)] = &reported_now[..] else {
        panic!("forbidden");
    };
    assert!(
        message.contains("resources: [secrets]")
            && message.contains("name: instancelink\n  namespace: instancelink-system"),
        "{message}"
    );
}

#[test]
fn no_secret_is_written_before_the_secrets_are_read() {
    let s = as_far_as_possible(unknown_secrets(postgresql()));
    assert!(s.children.bindings.is_empty());
    assert_eq!(reported(&s)[0].0, Reason::Pending);
}

#[test]
fn the_status_names_the_secret_while_it_exists() {
    assert_eq!(in_status(&postgresql()), None);
    assert_eq!(in_status(&postgresql().up()).unwrap().name, "web-db-binding");
    assert_eq!(in_status(&confirmed(postgresql().up().down())), None);
    let mut terminating = postgresql().up();
    terminating.children.bindings[0].terminating = true;
    assert_eq!(in_status(&terminating), None, "it is being deleted");
    let mut other = postgresql().up();
    "another-binding".clone_into(&mut other.children.bindings[0].object.name);
    assert_eq!(in_status(&other), None, "it has another name");
}

#[test]
fn a_secret_is_unseen_while_the_secrets_are_unknown_and_the_spec_or_the_status_has_one() {
    assert!(is_unseen(&unknown_secrets(postgresql())));
    assert!(is_unseen(&unknown_secrets(confirmed(fixture::snapshot()))));
    assert!(!is_unseen(&unknown_secrets(fixture::snapshot())), "there is none");
    assert!(!is_unseen(&postgresql()), "it is known");
}

#[test]
fn debug_output_of_snapshots_plans_and_effects_has_no_secret_value() {
    let s = with_credentials().up();
    let plan = build(&s, &BTreeSet::new()).unwrap();
    let rotated = referring(s.clone(), "another");
    let effects = bring_up(&rotated, &build(&rotated, &BTreeSet::new()).unwrap());
    let mut active = s.clone();
    active.link.object.status.get_or_insert_default().state = State::Active;
    let shown = format!("{s:?} {plan:?} {effects:?} {:?}", crate::lifecycle::step(&active));
    assert!(shown.contains("password"));
    assert!(!shown.contains(VALUE) && !shown.contains("another\""));
}
