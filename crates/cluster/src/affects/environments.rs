//! Environments: a change concerns the links that they mention, and the links that wait for a key or for an alias.

use std::collections::BTreeSet;

use instancelink_api::keys;
use instancelink_core::child::{Environment, Observed};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::ObjectMeta;

use super::claims::extend_with_rivals;
use super::orphans::note_orphan;
use super::sources;
use super::{PARSED_WHOLE, Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::compressed_kinds::CompressedChild;
use crate::index::mentions::{differs, mentions_of_environment};
use crate::name::LinkKey;
use crate::store::fields::Fields;
use crate::store::lenient::Salvage;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Table};

/// The watch of environments.
pub struct Environments;

/// A ConfigMap that cannot be read has no variables.
impl Salvage for ConfigMap {
    fn salvage(metadata: ObjectMeta, _: &Fields<'_>) -> Self {
        Self {
            metadata,
            ..Self::default()
        }
    }
}

impl Watched for Environments {
    type Raw = Stripped<ConfigMap>;
    type Item = CompressedChild<Environment>;
    const KIND: &'static str = "ConfigMap";
    const LABEL: Option<&'static str> = Some(keys::SOURCE_UID);
    const PAGE_SIZE: u32 = PARSED_WHOLE;

    fn reduce(raw: Stripped<ConfigMap>) -> CompressedChild<Environment> {
        CompressedChild::new(Observed::from(raw.object))
    }

    fn table(index: &mut Index) -> &mut Table<CompressedChild<Environment>> {
        &mut index.environments.table
    }

    fn reindex(index: &mut Index, change: &Change<CompressedChild<Environment>>) {
        index.environments.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<CompressedChild<Environment>>, who: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (
            change.old.as_ref().map(|old| old.peek()),
            change.new.as_ref().map(|new| new.peek()),
        );
        let (old, new) = (old.as_deref(), new.as_deref());
        note_orphan(index, new, who, &mut affected);
        let mentions = |e: Option<&Observed<Environment>>| e.map(mentions_of_environment).unwrap_or_default();
        let (before, after) = (mentions(old), mentions(new));
        match who {
            Who::Others if differs(old, new) => {
                sources::extend(index, before.iter().chain(&after), &mut affected);
            }
            Who::Others => {}
            Who::Us => {
                extend_with_entries_that_went(index, old, new, &mut affected);
                extend_with_waiting_siblings(index, old, new, &mut affected);
            }
        }
        let words = before.iter().map(|(_, word)| word.as_str());
        let after = after.iter().map(|(_, word)| word.as_str());
        extend_with_rivals(index, &change.name.namespace, words, after, &mut affected);
        affected
    }
}

/// The links whose entries went with an environment that could not be changed. One that is deleted because it is not needed has
/// the entry of one link.
fn extend_with_entries_that_went(
    index: &Index,
    old: Option<&Observed<Environment>>,
    new: Option<&Observed<Environment>>,
    affected: &mut Affected,
) {
    let Some(old) = old.filter(|_| new.is_none()) else {
        return;
    };
    let entries = old.object.entries();
    if entries.len() > 1 {
        let links = entries.into_keys().filter_map(|uid| index.links.by_uid.get(uid));
        affected.extend(links, Cause::Change);
    }
}

/// A key that an older link gave up may be one that a younger link needs: `db` and `db-port` meet in
/// `DB_PORT_5432_TCP`. Only links whose prefix fits are looked at again, so that a source with very many links does
/// not wake all of them with each write.
fn extend_with_waiting_siblings(
    index: &Index,
    old: Option<&Observed<Environment>>,
    new: Option<&Observed<Environment>>,
    affected: &mut Affected,
) {
    let Some(old) = old else { return };
    let keys = |e: &Observed<Environment>| e.object.body.data.keys().cloned().collect::<BTreeSet<String>>();
    let kept = new.map(keys).unwrap_or_default();
    let given_up: BTreeSet<String> = keys(old).into_iter().filter(|k| !kept.contains(k)).collect();
    if given_up.is_empty() {
        return;
    }
    // Users can add very many keys and entries, so none is compared with all others.
    let entries = new.map(|new| new.object.entries()).unwrap_or_default();
    let with_entries = old.object.entries().into_keys();
    let siblings: Vec<LinkKey> = with_entries
        .filter(|uid| entries.contains_key(uid))
        .filter_map(|uid| index.links.by_uid.get(uid))
        .filter(|key| {
            index.links.table.get(key).is_some_and(|link| {
                let prefix = format!("{}_", link.alias.to_uppercase().replace('-', "_"));
                let first = given_up.range(prefix.clone()..).next();
                first.is_some_and(|key| key.starts_with(&prefix))
            })
        })
        .cloned()
        .collect();
    affected.extend(&siblings, Cause::Change);
}
