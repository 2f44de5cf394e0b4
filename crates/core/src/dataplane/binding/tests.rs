use std::collections::BTreeSet;

use instancelink_api::State;

use super::*;
use crate::dataplane::{Teardown, bring_up, build, has_children, is_up, problems, take_down};
use crate::fixture::{self, found, key, shown};

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

/// The Secret that the spec refers to exists, with this password and a few more keys.
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
        referenced: Some(entries.into()),
    };
    s
}

fn may_not(mut s: Snapshot) -> Snapshot {
    s.secrets = Secrets::Forbidden;
    s
}

fn not_seen(mut s: Snapshot) -> Snapshot {
    s.secrets = Secrets::Unknown;
    s
}

/// The status says that the Secret stands.
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
        Wanted::Secret(object) => object,
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

fn said(s: &Snapshot) -> Vec<(Reason, String)> {
    let all = problems(s, &build(s, &BTreeSet::new()).unwrap());
    all.into_iter().map(|p| (p.reason, p.message)).collect()
}

/// Brings up what can be.
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
fn a_binding_says_where_the_link_leads_and_goes_with_it() {
    let yaml = serde_yaml_ng::to_string(&secret(&postgresql()).to_api(None)).unwrap();
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
fn what_the_link_says_goes_before_what_the_referenced_secret_says() {
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
        "no uri without its credentials, and a provider nobody else named"
    );
}

#[test]
fn beside_a_password_without_a_username_no_uri_is_made_up_either() {
    let mut s = with_credentials();
    let password = ("password".to_owned(), Confidential::from(VALUE));
    s.secrets = Secrets::Known {
        referenced: Some([password].into()),
    };
    assert!(!entries(&secret(&s)).iter().any(|entry| entry.starts_with("uri=")));
}

#[test]
fn a_uri_of_the_referenced_secret_is_led_through_the_alias_or_left_out() {
    let with = |uri: &str| {
        let mut s = with_credentials();
        let Secrets::Known {
            referenced: Some(known),
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
fn without_ports_a_binding_names_the_host_and_the_port_is_the_referenced_secrets() {
    let s = asking("{type: postgresql}").without_target();
    assert_eq!(entries(&secret(&s)), ["host=db.web-links.shop.svc", "type=postgresql"]);
    assert!(entries(&secret(&with_credentials().without_target())).contains(&"port=1".to_owned()));
}

#[test]
fn the_secret_stands_before_the_alias_answers_and_goes_last() {
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
fn a_password_that_is_rotated_is_followed() {
    let s = with_credentials().up();
    assert_eq!(writes(&s), [""; 0]);
    let s = referring(s, "another");
    assert_eq!(writes(&s), ["replace Secret shop/web-db-binding"]);
    let s = s.up();
    let stands = entries(&s.children.bindings[0].object);
    assert!(stands.contains(&"password=another".to_owned()), "{stands:?}");
}

#[test]
fn what_somebody_changed_is_mended_and_what_cannot_change_is_made_anew() {
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
fn a_binding_that_is_no_longer_asked_for_goes() {
    let s = Snapshot {
        children: postgresql().up().children,
        ..fixture::snapshot()
    };
    assert_eq!(writes(&s), ["delete Secret shop/web-db-binding"]);
}

#[test]
fn a_secret_of_others_on_its_name_is_left_alone() {
    let mut s = postgresql();
    let mut theirs = secret(&s);
    theirs.labels.clear();
    theirs.owners.clear();
    s.children.bindings = vec![found(&theirs, "theirs", "1")];
    let s = as_far_as_possible(s);
    assert_eq!(s.children.bindings[0].uid, "theirs");
    let said = said(&s);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, Reason::NameTaken);
    assert_eq!(s.down().children.bindings.len(), 1);
}

#[test]
fn a_referenced_secret_that_is_missing_is_named_and_what_was_copied_of_it_stays() {
    let missing = |mut s: Snapshot| {
        s.secrets = Secrets::Known { referenced: None };
        s
    };
    let s = as_far_as_possible(missing(with_credentials()));
    assert!(s.children.bindings.is_empty());
    let said_now = said(&s);
    let [(Reason::Pending, message)] = &said_now[..] else {
        panic!("pending");
    };
    assert!(message.contains("shop/pg-credentials"), "{message}");
    let s = missing(with_credentials().up());
    assert_eq!(writes(&s), [""; 0]);
    assert_eq!(said(&s).len(), 1);
}

#[test]
fn without_the_right_the_link_says_how_to_give_it_and_the_rest_stands() {
    let s = as_far_as_possible(may_not(postgresql()));
    assert_eq!(s.children.slices.len(), 1);
    assert!(s.children.bindings.is_empty());
    assert!(!is_up(&s, &build(&s, &BTreeSet::new()).unwrap()));
    let said_now = said(&s);
    let [(Reason::Forbidden, message)] = &said_now[..] else {
        panic!("forbidden");
    };
    assert!(
        message.contains("resources: [secrets]")
            && message.contains("name: instancelink\n  namespace: instancelink-system"),
        "{message}"
    );
}

#[test]
fn nothing_is_written_before_it_is_known_what_stands() {
    let s = as_far_as_possible(not_seen(postgresql()));
    assert!(s.children.bindings.is_empty());
    assert_eq!(said(&s)[0].0, Reason::Pending);
}

#[test]
fn a_secret_that_the_status_names_is_waited_for_until_it_is_known_to_be_gone() {
    let down = |s: &Snapshot| take_down(s, None);
    for s in [
        not_seen(confirmed(fixture::snapshot())),
        may_not(confirmed(fixture::snapshot())),
    ] {
        assert!(matches!(down(&s), Teardown::Waiting(_)), "{:?}", s.secrets);
        assert_eq!(in_status(&s).unwrap().name, "web-db-binding");
    }
    assert_eq!(down(&confirmed(fixture::snapshot())), Teardown::Done);
    assert_eq!(down(&may_not(fixture::snapshot())), Teardown::Done);
    let going = terminating_namespace(may_not(confirmed(fixture::snapshot())));
    assert_eq!(down(&going), Teardown::Done, "the namespace takes it along");
}

#[test]
fn a_secret_that_may_not_be_deleted_is_named() {
    let mut s = may_not(confirmed(postgresql().up()));
    let binding = key(Kind::Binding, "web-db-binding");
    let refused = Refusal::forbidden("delete", &binding, "no right");
    s.refusals.insert(binding, refused);
    let s = s.down_as_far_as_possible();
    let Teardown::Waiting(message) = take_down(&s, None) else {
        panic!("waiting");
    };
    assert!(message.contains("Secret shop/web-db-binding"), "{message}");
}

#[test]
fn a_secret_that_is_known_to_stand_is_deleted_unless_namespace_and_right_are_going() {
    let last_write = |s: Snapshot| {
        let mut s = s;
        let mut last = Vec::new();
        while let Teardown::Act(effects) = take_down(&s, None) {
            last.extend(shown(&effects));
            s.execute(&effects);
        }
        last.contains(&"delete Secret shop/web-db-binding".to_owned())
    };
    let up = postgresql().up();
    assert!(last_write(may_not(up.clone())), "to try is the way to learn of a right");
    assert!(last_write(terminating_namespace(up.clone())));
    assert!(!last_write(terminating_namespace(may_not(up))));
}

#[test]
fn the_status_names_the_secret_while_it_stands() {
    assert_eq!(in_status(&postgresql()), None);
    assert_eq!(in_status(&postgresql().up()).unwrap().name, "web-db-binding");
    assert_eq!(in_status(&confirmed(postgresql().up().down())), None);
    let mut going = postgresql().up();
    going.children.bindings[0].terminating = true;
    assert_eq!(in_status(&going), None, "it is being deleted");
    let mut other = postgresql().up();
    "another-binding".clone_into(&mut other.children.bindings[0].object.name);
    assert_eq!(in_status(&other), None, "it is a stray one");
}

#[test]
fn a_secret_is_unseen_while_nothing_is_known_and_the_spec_or_the_status_has_one() {
    assert!(is_unseen(&not_seen(postgresql())));
    assert!(is_unseen(&not_seen(confirmed(fixture::snapshot()))));
    assert!(!is_unseen(&not_seen(fixture::snapshot())), "there is none");
    assert!(!is_unseen(&postgresql()), "it is known");
}

#[test]
fn no_value_is_shown_wherever_a_binding_goes() {
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
