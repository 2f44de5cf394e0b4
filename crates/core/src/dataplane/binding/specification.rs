//! The Service Binding Specification for Kubernetes (servicebinding.io, 1.1), clause by clause, for a Provisioned Service. Its
//! requirements on manifests are tested in the tests of the manifests.

use std::collections::BTreeSet;

use super::*;
use crate::dataplane::build;
use crate::fixture;

fn link(binding: &str) -> Snapshot {
    fixture::snapshot().edited(|spec| {
        spec.outputs = serde_yaml_ng::from_str(&format!("{{binding: {binding}}}")).unwrap();
    })
}

fn secret(s: &Snapshot) -> ChildSpec<Binding> {
    match build(s, &BTreeSet::new()).unwrap().binding {
        DesiredBinding::Present(object) => object,
        other => panic!("{other:?}"),
    }
}

fn entry(secret: &ChildSpec<Binding>, key: &str) -> Option<String> {
    let value = secret.body.data.get(key)?;
    Some(String::from_utf8(value.reveal().to_vec()).unwrap())
}

/// Links of several types, with and without ports.
fn links() -> Vec<Snapshot> {
    let types = [
        "{type: mysql, provider: bitnami}",
        "{type: rabbitmq}",
        "{type: my service}",
    ];
    let with_ports = types.iter().map(|binding| link(binding));
    with_ports.chain([link("{type: mysql}").without_target()]).collect()
}

/// "MUST define a `.status.binding` field which is a `LocalObjectReference`-able (containing a single field `name`) to a
/// `Secret`."
#[test]
fn the_status_refers_to_the_secret_by_name_alone() {
    let s = link("{type: mysql}").up();
    let status = serde_json::to_value(in_status(&s).unwrap()).unwrap();
    assert_eq!(status, serde_json::json!({"name": secret(&s).name}));
}

/// "The `Secret` MUST exist in the same namespace as the resource."
#[test]
fn the_secret_is_in_the_links_namespace() {
    for s in links() {
        assert_eq!(Some(&secret(&s).namespace), s.link.object.metadata.namespace.as_ref());
    }
}

/// "The `Secret` data SHOULD contain a `type` entry […]. The `Secret` type […] SHOULD reflect this value as
/// `servicebinding.io/{type}`."
#[test]
fn the_type_is_an_entry_and_the_secrets_own_type() {
    for s in links() {
        let secret = secret(&s);
        let type_ = entry(&secret, "type").unwrap();
        assert_eq!(secret.body.type_, format!("servicebinding.io/{type_}"));
    }
}

/// "It is RECOMMENDED that the `Secret` data also contain a `provider` entry."
#[test]
fn the_provider_is_an_entry_if_the_link_has_one() {
    assert_eq!(entry(&secret(&links()[0]), "provider").unwrap(), "bitnami");
}

/// Well-known entries: "`host`: A DNS-resolvable host name or IP address".
#[test]
fn the_host_is_the_alias_as_every_pod_resolves_it() {
    for s in links() {
        assert_eq!(entry(&secret(&s), "host").unwrap(), "db.web-links.shop.svc");
    }
}

/// Well-known entries: "`port`: A valid port number".
#[test]
fn the_port_is_a_number_or_absent() {
    for s in links() {
        let port = entry(&secret(&s), "port");
        assert!(port.is_none_or(|port| port.parse::<u16>().is_ok_and(|n| n > 0)));
    }
}

/// Well-known entries: "`uri`: A valid URI as defined by RFC3986". Scheme `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`,
/// then an authority of host and port.
#[test]
fn the_uri_is_valid_or_absent() {
    let uris: Vec<_> = links().iter().map(|s| entry(&secret(s), "uri")).collect();
    let expected = [
        "mysql://db.web-links.shop.svc:5432",
        "rabbitmq://db.web-links.shop.svc:5432",
    ];
    assert_eq!(uris[..2], expected.map(|uri| Some(uri.to_owned())));
    assert_eq!(
        uris[2..],
        [None, None],
        "a type that is not a scheme, and a link without ports"
    );
}

/// "`username`: A string-based username credential", "`password` …", "`certificates` …", "`private-key` …": entries that
/// the link does not have; they are copied from the referenced Secret byte by byte.
#[test]
fn credentials_are_copied_from_the_referenced_secret() {
    let mut s = link("{type: mysql, secretRef: {name: credentials}}");
    let theirs = ["username", "password", "certificates", "private-key"];
    let entries: Entries = theirs.map(|key| (key.to_owned(), Confidential::from("value\n"))).into();
    s.secrets = Secrets::Known {
        referenced: Some(entries.into()),
    };
    for key in theirs {
        assert_eq!(entry(&secret(&s), key).unwrap(), "value\n");
        assert_eq!(entry(&secret(&links()[0]), key), None);
    }
}

/// "The name of a binding entry file name SHOULD match `[a-z0-9\-\.]{1,253}`."
#[test]
fn the_entries_of_the_link_have_valid_file_names() {
    for s in links() {
        let of_file = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        assert!(secret(&s).body.data.keys().all(|key| key.chars().all(of_file)));
    }
}
