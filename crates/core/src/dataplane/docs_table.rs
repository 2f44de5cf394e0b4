//! Checks the table of a link's children in `docs/reference/objects.md` against what the builders make.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use instancelink_api::spec::NetworkPolicyMode;
use instancelink_api::{Addressing, keys};

use super::binding::DesiredBinding;
use super::build;
use crate::child::{ChildSpec, Children, DesiredChild, Kind};
use crate::fixture;
use crate::snapshot::Snapshot;

const PAGE: &str = include_str!("../../../../docs/reference/objects.md");

/// A link with every kind of child.
fn link_with_all_children() -> Snapshot {
    let mut s = fixture::snapshot().with_target_in("data").edited(|spec| {
        spec.addressing = Addressing::VirtualIP;
        spec.network_policy = NetworkPolicyMode::Allow;
        spec.outputs = serde_yaml_ng::from_str("{binding: {type: postgresql}}").unwrap();
        spec.ports = serde_yaml_ng::from_str("[{name: pg, port: 5432}, {name: metrics, port: 9187}]").unwrap();
    });
    let isolator = crate::snapshot::Isolator {
        namespace: "data".to_owned(),
        name: "deny".to_owned(),
        pods: serde_yaml_ng::from_str("{}").unwrap(),
    };
    let mut here = isolator.clone();
    "shop".clone_into(&mut here.namespace);
    s.egress.isolators.push(here.into());
    s.isolators.push(isolator.into());
    s.granted_by(
        "data",
        "{from: [{namespace: shop}], to: [{kind: Deployment}], allow: [Endpoints, NetworkPolicy]}",
    )
    .up()
}

struct Row {
    kind: Kind,
    namespace: String,
    name: String,
    label: &'static str,
    owner: String,
    says: String,
}

fn row<T>(kind: Kind, object: &ChildSpec<T>, says: String) -> Row {
    let label = if object.labels.contains_key(keys::LINK_UID) {
        keys::LINK_UID
    } else {
        keys::SOURCE_UID
    };
    assert_eq!(object.labels[keys::MANAGED_BY], keys::MANAGER);
    Row {
        kind,
        namespace: if object.namespace == "shop" {
            "the link's"
        } else {
            "the target's"
        }
        .to_owned(),
        name: object
            .name
            .replace("web-db", "`<link>")
            .replace("web-links", "`<instance>-links")
            .replace("7433f98c6d", "<10 hex of its UID>")
            + "`",
        label,
        owner: match object.owners.first() {
            None => "none: finalizer and sweep".to_owned(),
            Some(_) => "the link".to_owned(),
        },
        says,
    }
}

fn rows() -> Vec<Row> {
    let s = link_with_all_children();
    let plan = build(&s, &BTreeSet::new()).unwrap();
    let service = plan.directory.to_api().spec.unwrap();
    assert!(service.selector.is_none() && service.ports.is_none());
    let mut rows = vec![row(
        Kind::Directory,
        &plan.directory,
        format!(
            "the directory: `clusterIP: {}`, no selector, no ports",
            service.cluster_ip.unwrap()
        ),
    )];
    for slice in &plan.slices {
        let ports: Vec<_> = slice.body.ports.iter().map(|p| format!("`{}`", p.name)).collect();
        let behind = slice.labels[keys::SERVICE_NAME].as_str();
        let hostname = match slice.body.endpoints[0].hostname.as_str() {
            "" => "no hostname".to_owned(),
            alias => format!("hostname `{alias}`"),
        };
        let headless = if slice.labels.contains_key(keys::HEADLESS) {
            ", labelled headless"
        } else {
            ""
        };
        let under = if behind == "web-links" {
            "the directory"
        } else {
            "the virtual IP"
        };
        rows.push(row(
            Kind::Slice,
            slice,
            format!("under {under}{headless}; {hostname}; ports {}", ports.join(", ")),
        ));
    }
    let environment = plan.environment.get().unwrap();
    let keys: Vec<_> = environment
        .body
        .data
        .keys()
        .take(3)
        .map(|key| format!("`{key}`"))
        .collect();
    rows.push(row(Kind::Environment, environment, format!("{}, …", keys.join(", "))));
    let address = plan.virtual_ip.unwrap();
    let service = address.to_api().spec.unwrap();
    assert!(service.selector.is_none());
    let ports: Vec<_> = service
        .ports
        .unwrap()
        .into_iter()
        .map(|p| format!("`{}` {}", p.name.unwrap(), p.port))
        .collect();
    rows.push(row(
        Kind::VirtualIp,
        &address,
        format!(
            "with `addressing: VirtualIP`: {}, no selector, ports {}",
            service.type_.unwrap(),
            ports.join(", ")
        ),
    ));
    let DesiredBinding::Present(binding) = plan.binding else {
        panic!()
    };
    let entries: Vec<_> = binding.body.data.keys().map(|key| format!("`{key}`")).collect();
    let says = format!(
        "with `outputs.binding`: type `{}`; {}",
        binding.body.type_,
        entries.join(", ")
    );
    rows.push(row(Kind::Binding, &binding, says));
    for (policy, end) in [(plan.policy.unwrap(), "target's"), (plan.egress.unwrap(), "source's")] {
        let types = policy.to_api().spec.unwrap().policy_types.unwrap().join(", ");
        let says = format!(
            "with `networkPolicy: Allow`, if policies of others isolate the {end} pods: {types}, from the source's pods to the \
             target's on the link's ports"
        );
        rows.push(row(Kind::Policy, &policy, says));
    }
    rows
}

fn table() -> String {
    let mut table =
        String::from("| object | namespace | name | label | owner | content |\n|---|---|---|---|---|---|\n");
    for row in rows() {
        let _ = writeln!(
            table,
            "| {} | {} | {} | `{}` | {} | {} |",
            row.kind.as_str(),
            row.namespace,
            row.name,
            row.label,
            row.owner,
            row.says
        );
    }
    table
}

#[test]
fn the_table_in_the_documentation_is_what_the_builders_make() {
    let table = table();
    assert!(
        PAGE.contains(&table),
        "docs/reference/objects.md should have this table:\n{table}"
    );
}

#[test]
fn the_table_has_every_kind_of_child() {
    let s = link_with_all_children();
    let plan = build(&s, &BTreeSet::new()).unwrap();
    let written: BTreeSet<Kind> = crate::dataplane::bring_up(
        &Snapshot {
            children: Children::default(),
            ..s.clone()
        },
        &plan,
    )
    .iter()
    .filter_map(|effect| match effect {
        crate::effect::Effect::Create { child } => Some(DesiredChild::key(child).kind),
        _ => None,
    })
    .chain([Kind::Slice])
    .collect();
    let shown: BTreeSet<Kind> = rows().into_iter().map(|row| row.kind).collect();
    assert_eq!(shown, written);
}
