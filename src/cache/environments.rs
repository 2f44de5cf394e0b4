//! The environment ConfigMaps of ours.

use std::collections::BTreeSet;

use instancelink_core::child::{Environment, Observed};
use k8s_openapi::api::core::v1::ConfigMap;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::name::LinkKey;
use super::packed::PackedChild;
use super::shared::{self, Mention};
use super::table::{Change, Table};
use super::wire::Wire;

/// All environments of ours.
#[derive(Debug, Default)]
pub(crate) struct EnvironmentStore {
    pub(crate) table: Table<PackedChild<Environment>>,
    /// Environments by what they speak of: instance names, UIDs of instances and of links with entries.
    pub(crate) by_mention: Groups<Mention>,
}

/// The watch of environments.
pub(crate) struct Environments;

impl Watched for Environments {
    type Raw = Wire<ConfigMap>;
    type Item = PackedChild<Environment>;
    const KIND: &'static str = "ConfigMap";

    fn reduce(raw: Wire<ConfigMap>) -> PackedChild<Environment> {
        PackedChild::new(Observed::from(raw.object))
    }

    fn table(index: &mut Index) -> &mut Table<PackedChild<Environment>> {
        &mut index.environments.table
    }

    fn changed(index: &mut Index, change: &Change<PackedChild<Environment>>, who: Who, affected: &mut Affected) {
        let old = change.old.as_ref().map(|old| old.glance());
        let new = change.new.as_ref().map(|new| new.open());
        let (old, new) = (old.as_deref(), new.as_deref());
        shared::note_stray(&index.links, new, who, affected);
        let mentions = |e: Option<&Observed<Environment>>| e.map(shared::mentions_of_environment).unwrap_or_default();
        let (before, after) = (mentions(old), mentions(new));
        index.environments.by_mention.update(&change.name, &before, &after);
        match who {
            Who::Others if shared::differs(old, new) => {
                shared::extend(&index.links, before.iter().chain(&after), affected);
            }
            Who::Others => {}
            Who::Us => extend_with_heirs(index, old, new, affected),
        }
    }
}

/// A key that an older link gave up may be one that a younger link wanted: `db` and `db-port` meet in
/// `DB_PORT_5432_TCP`. Only links whose prefix fits are looked at again, so that a source with very many links does
/// not wake all of them with each write.
fn extend_with_heirs(
    index: &Index,
    old: Option<&Observed<Environment>>,
    new: Option<&Observed<Environment>>,
    affected: &mut Affected,
) {
    let Some(old) = old else { return };
    let keys = |e: &Observed<Environment>| e.object.body.data.keys().cloned().collect::<BTreeSet<String>>();
    let kept = new.map(keys).unwrap_or_default();
    let given_up: Vec<String> = keys(old).into_iter().filter(|k| !kept.contains(k)).collect();
    if given_up.is_empty() {
        return;
    }
    let left: Vec<&str> = old
        .object
        .entries()
        .into_keys()
        .filter(|uid| new.is_some_and(|n| n.object.mentions(uid)))
        .collect();
    let heirs: Vec<LinkKey> = left
        .iter()
        .filter_map(|uid| index.links.by_uid.get(*uid))
        .filter(|key| {
            index.links.table.get(key).is_some_and(|link| {
                let prefix = format!("{}_", link.alias.to_uppercase().replace('-', "_"));
                given_up.iter().any(|k| k.starts_with(&prefix))
            })
        })
        .cloned()
        .collect();
    affected.extend(&heirs, Cause::Change);
}
