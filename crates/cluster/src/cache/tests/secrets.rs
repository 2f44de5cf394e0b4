use instancelink_core::snapshot;

use super::*;

const VALUE: &str = "hunter2";

fn shop() -> Arc<str> {
    "shop".into()
}

fn named<const N: usize>(all: [&str; N]) -> Arc<BTreeSet<String>> {
    Arc::new(names(all))
}

/// A link with a binding that refers to this Secret.
fn bound(name: &str, secret: &str, version: u64) -> Value {
    let binding = json!({"binding": {"type": "postgresql", "secretRef": {"name": secret}}});
    with(
        link(name, name, &to("Deployment", "pg"), version),
        "/spec/outputs",
        binding,
    )
}

/// A Secret with `hunter2` in it.
fn secret(name: &str, version: u64) -> Value {
    json!({"metadata": meta(name, version), "type": "Opaque", "data": {"password": "aHVudGVyMg=="}})
}

impl World {
    fn secrets_listed(&self, referred_to: &Arc<BTreeSet<String>>, secrets: Vec<Value>) {
        let say = |event| self.cache.observe_secrets(&shop(), referred_to, event);
        say(Event::Init);
        for secret in secrets {
            say(Event::InitApply(serde_json::from_value(secret).unwrap()));
        }
        say(Event::InitDone);
    }

    fn known_to(&self, name: &str) -> snapshot::Secrets {
        self.cache.read(|index| {
            let link = index.links.table.get(&ObjectName::new("shop", name)).unwrap();
            index.secrets.known_to(&link.peek())
        })
    }

    fn needed(&self) -> Vec<(String, BTreeSet<String>)> {
        let needed = self.cache.read(|index| index.links.needed_secrets());
        needed.into_iter().map(|(ns, names)| (ns.to_string(), names)).collect()
    }

    fn kept(&self) -> BTreeSet<String> {
        self.cache
            .read(|index| index.secrets.iter().map(|(name, _)| name.name.to_string()).collect())
    }
}

/// A world with the link `a`, which has a binding, and the link `b`. Their first passes are over.
fn one_bound() -> World {
    let world = World::new();
    world.apply::<Links>(bound("a", "creds", 1));
    world.apply::<Links>(link("b", "b", &to("Deployment", "pg"), 2));
    world.heard();
    world
}

fn password(secrets: &snapshot::Secrets) -> Option<String> {
    let snapshot::Secrets::Known { referenced } = secrets else {
        return None;
    };
    let snapshot::Referenced::Entries(entries) = referenced.as_ref()? else {
        return None;
    };
    let value = entries.get("password")?.reveal().to_vec();
    String::from_utf8(value).ok()
}

#[test]
fn secrets_are_needed_where_a_link_asks_for_a_binding_or_has_one_still() {
    let world = one_bound();
    assert_eq!(world.needed(), [("shop".to_owned(), names(["creds"]))]);
    let plain = link("a", "a", &to("Deployment", "pg"), 3);
    let has_one = json!({"state": "active", "binding": {"name": "a-binding"}});
    world.apply::<Links>(with(plain, "/status", has_one));
    assert_eq!(world.needed(), [("shop".to_owned(), names([]))]);
    world.apply::<Links>(link("a", "a", &to("Deployment", "pg"), 4));
    assert_eq!(world.needed(), []);
}

#[test]
fn need_is_told_when_it_changes_and_not_otherwise() {
    let world = one_bound();
    let mut told = world.cache.read(|index| index.links.secrets_needed.subscribe());
    world.apply::<Links>(with(bound("a", "creds", 3), "/spec/description", "edited".into()));
    assert!(!told.has_changed().unwrap());
    world.apply::<Links>(bound("a", "others", 4));
    assert!(told.has_changed().unwrap());
    told.mark_unchanged();
    world.delete::<Links>(bound("a", "others", 5));
    assert!(told.has_changed().unwrap());
}

#[test]
fn what_is_known_goes_from_nothing_to_all_and_its_links_are_told() {
    let world = one_bound();
    assert_eq!(world.known_to("a"), snapshot::Secrets::Unknown);
    world.cache.may_not_see_secrets(&shop());
    assert_eq!(world.known_to("a"), snapshot::Secrets::Forbidden);
    assert_eq!(world.heard(), names(["a"]));
    world.cache.may_not_see_secrets(&shop());
    assert_eq!(world.heard(), names([]), "the same again is no news");
    world.secrets_listed(&named(["creds"]), vec![]);
    assert_eq!(world.known_to("a"), snapshot::Secrets::Known { referenced: None });
    assert_eq!(world.heard(), names(["a"]));
    world.secrets_listed(&named(["creds"]), vec![secret("creds", 10)]);
    assert_eq!(password(&world.known_to("a")).as_deref(), Some(VALUE));
    assert_eq!(world.heard(), names(["a"]));
}

#[test]
fn a_secret_named_since_the_list_is_not_said_to_be_missing() {
    let world = one_bound();
    world.secrets_listed(&named(["creds"]), vec![secret("creds", 10), secret("others", 11)]);
    world.apply::<Links>(bound("a", "others", 12));
    assert_eq!(world.known_to("a"), snapshot::Secrets::Unknown);
    world.secrets_listed(&named(["others"]), vec![secret("creds", 10), secret("others", 11)]);
    assert_eq!(password(&world.known_to("a")).as_deref(), Some(VALUE));
    assert_eq!(world.kept(), names(["others"]));
}

/// contract#binding-of-a-binding
#[test]
fn the_binding_of_a_link_is_no_secret_to_take_entries_from() {
    let world = World::new();
    world.apply::<Links>(bound("a", "b-binding", 1));
    let named = named(["b-binding"]);
    let owner =
        json!([{"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "b", "uid": "b-uid"}]);
    let owned_by_b = with(secret("b-binding", 10), "/metadata/ownerReferences", owner);
    world.secrets_listed(&named, vec![owned_by_b.clone()]);
    assert_eq!(
        password(&world.known_to("a")).as_deref(),
        Some(VALUE),
        "users let their Secrets go with a link"
    );
    let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": "b-uid"});
    let of_b = with(
        with(owned_by_b, "/metadata/labels", labels),
        "/metadata/resourceVersion",
        json!("11"),
    );
    world.secrets_listed(&named, vec![of_b]);
    let known = snapshot::Secrets::Known {
        referenced: Some(snapshot::Referenced::Binding),
    };
    assert_eq!(world.known_to("a"), known);
}

#[test]
fn of_a_foreign_secret_nothing_is_kept_but_that_it_has_the_name_of_a_child() {
    let world = one_bound();
    let foreign = vec![secret("tls", 10), secret("a-binding", 11)];
    world.secrets_listed(&named([]), foreign);
    assert_eq!(world.kept(), names(["a-binding"]));
    let known = world.cache.read(|index| format!("{:?}", index.secrets));
    assert!(known.contains("a-binding") && !known.contains("password"), "{known}");
}

#[test]
fn a_rotated_secret_concerns_the_links_that_refer_to_it() {
    let world = one_bound();
    world.secrets_listed(&named(["creds"]), vec![secret("creds", 10)]);
    world.heard();
    let say = |object| {
        let event = Event::Apply(serde_json::from_value(object).unwrap());
        world.cache.observe_secrets(&shop(), &named(["creds"]), event);
    };
    say(secret("creds", 11));
    assert_eq!(world.heard(), names([]), "nothing in it changed");
    say(with(secret("creds", 12), "/data/password", "bmV3".into()));
    assert_eq!(world.heard(), names(["a"]));
    assert_eq!(password(&world.known_to("a")).as_deref(), Some("new"));
}

/// contract#ownership
#[test]
fn the_secret_of_a_user_that_names_the_link_as_its_owner_is_not_kept_and_keeps_no_alias() {
    let world = one_bound();
    world.apply::<Links>(link("rival", "a", &to("Deployment", "pg"), 3));
    world.heard();
    let owner =
        json!([{"apiVersion": "instancelink.dev/v1alpha1", "kind": "InstanceLink", "name": "a", "uid": "a-uid"}]);
    let theirs = |name, version| with(secret(name, version), "/metadata/ownerReferences", owner.clone());
    world.secrets_listed(&named([]), vec![theirs("mine", 10), theirs("a-binding", 11)]);
    assert_eq!(world.kept(), names(["a-binding"]), "only because of its name");
    let known = world.cache.read(|index| format!("{:?}", index.secrets));
    assert!(!known.contains("password"), "{known}");
    let claims = world.cache.read(|index| index.count_claims(&shop(), "a-uid"));
    assert_eq!(claims, 0);
}

#[test]
fn a_secret_on_a_childs_name_concerns_its_link_and_is_hidden_when_it_is_no_longer_one() {
    let world = one_bound();
    world.secrets_listed(&named([]), vec![]);
    world.heard();
    let say = |object| {
        let event = Event::Apply(serde_json::from_value(object).unwrap());
        world.cache.observe_secrets(&shop(), &named([]), event);
    };
    say(secret("b-binding", 10));
    assert!(world.heard().contains("b"));
    let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": "a-uid"});
    say(with(secret("a-binding", 11), "/metadata/labels", labels.clone()));
    assert!(world.heard().contains("a"));
    say(secret("a-binding", 12));
    assert!(world.heard().contains("a"));
    say(with(secret("other", 13), "/metadata/labels", labels));
    assert_eq!(world.heard(), names([]), "no child has such a name");
    assert_eq!(world.kept(), names(["a-binding", "b-binding"]));
}

#[test]
fn each_namespace_is_listed_by_itself_and_forgotten_by_itself() {
    let world = one_bound();
    world.secrets_listed(&named(["creds"]), vec![secret("creds", 10)]);
    let elsewhere: Arc<str> = "elsewhere".into();
    for event in [Event::Init, Event::InitDone] {
        world.cache.observe_secrets(&elsewhere, &named([]), event);
    }
    assert_eq!(world.kept(), names(["creds"]));
    world.cache.forget_secrets(&elsewhere);
    assert_eq!(password(&world.known_to("a")).as_deref(), Some(VALUE));
    world.cache.forget_secrets(&shop());
    assert_eq!(world.known_to("a"), snapshot::Secrets::Unknown);
    assert_eq!(world.kept(), names([]));
}

#[test]
fn a_write_of_ours_is_known_before_the_watch_has_it() {
    let world = one_bound();
    world.secrets_listed(&named([]), vec![]);
    world.heard();
    let name = ObjectName::new("shop", "a-binding");
    let in_flight = world.cache.begin::<Secrets>(name.clone());
    let written = serde_json::from_value(secret("a-binding", 20)).unwrap();
    in_flight.answered(<Secrets as Watched>::reduce(written));
    assert!(world.cache.read(|index| index.secrets.get(&name).is_some()));
    assert_eq!(world.heard(), names([]));
}

#[test]
fn links_that_wait_for_an_alias_have_a_pass_when_the_secrets_that_kept_it_are_forgotten() {
    let world = World::new();
    world.apply::<Links>(bound("a", "creds", 1));
    world.apply::<Links>(link("b", "a", &to("Deployment", "pg"), 2));
    let labels = json!({"app.kubernetes.io/managed-by": "instancelink", "instancelink.dev/link-uid": "a-uid"});
    world.secrets_listed(
        &named([]),
        vec![with(secret("a-binding", 10), "/metadata/labels", labels)],
    );
    world.heard();
    world.cache.forget_secrets(&shop());
    assert!(world.heard().contains("b"));
}
