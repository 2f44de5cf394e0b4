//! Names: for any name of an alias, an instance, a port or a selector, the derived names are valid in Kubernetes, and
//! every variable belongs to the alias (threats T7 and T8 of `docs/security.md`).

use instancelink_api::spec::LinkPort;
use instancelink_core::fixture::World;
use instancelink_core::resolve::{directory_name, fqdn, ports, selector_text};

/// The input is alias, instance and ports, a line each. It includes names that the API server would refuse.
pub fn alias(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let (alias, instance) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let directory = directory_name(instance, "uid");
    assert!(
        is_dns_1035_label(&directory),
        "{directory:?} is not a valid name of a Service"
    );
    assert_eq!(directory, directory_name(instance, "uid"));
    assert!(fqdn(alias, &directory, "shop", "cluster.local").ends_with(".svc.cluster.local"));
    let declared: Vec<LinkPort> = lines.clone().take(40).filter_map(port).collect();
    if let Ok(ports) = ports::of_spec(&declared, alias) {
        assert!(ports.len() <= 100, "a slice has at most 100 ports");
    }
    let _ = selector_text::parse(&text);
    served(alias, instance, declared);
}

/// The link comes to rest, and its environment has only valid variable names of its own alias.
fn served(alias: &str, instance: &str, declared: Vec<LinkPort>) {
    let s = instancelink_core::fixture::snapshot().edited(|spec| {
        alias.clone_into(&mut spec.link_name);
        instance.clone_into(&mut spec.instance_ref.name);
        spec.ports = Some(declared).filter(|ports| !ports.is_empty());
    });
    let mut world = World::new(s);
    world.settle();
    let prefix = format!("{}_", alias.to_ascii_uppercase().replace('-', "_"));
    for environment in &world.s.children.environments {
        for key in environment.object.body.data.keys() {
            assert!(key.starts_with(&prefix), "{key:?} does not belong to {alias:?}");
            assert!(key.starts_with(|c: char| c.is_ascii_uppercase()));
            assert!(key.chars().all(|c| matches!(c, 'A'..='Z' | '0'..='9' | '_')), "{key:?}");
        }
    }
    world.delete();
    world.settle();
    assert!(world.gone, "lifecycle#deletes-complete");
}

/// `name number`.
fn port(line: &str) -> Option<LinkPort> {
    let (name, number) = line.rsplit_once(' ')?;
    Some(LinkPort {
        name: name.to_owned(),
        port: number.parse().ok()?,
        target_port: None,
        protocol: None,
    })
}

fn is_dns_1035_label(name: &str) -> bool {
    let inner = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(inner)
}
