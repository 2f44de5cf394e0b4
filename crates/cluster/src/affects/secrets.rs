//! Secrets: a change concerns the link that they belong to, and the links that refer to them.

use std::time::Duration;

use instancelink_core::child::{Binding, Observed};
use k8s_openapi::api::core::v1::Secret;
use kube::core::ObjectMeta;

use super::claims::extend_with_rivals;
use super::orphans::note_orphan;
use super::sources;
use super::{PARSED_WHOLE, Watched, Who};
use crate::affected::{Affected, Cause};
use crate::index::Index;
use crate::index::mentions::differs;
use crate::index::secrets::mentions_of;
use crate::store::fields::Fields;
use crate::store::lenient::Salvage;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Table};

/// The watch of the Secrets of a namespace.
pub struct Secrets;

/// A Secret that cannot be read has no entries.
impl Salvage for Secret {
    fn salvage(metadata: ObjectMeta, _: &Fields<'_>) -> Self {
        Self {
            metadata,
            ..Self::default()
        }
    }
}

impl Watched for Secrets {
    type Raw = Stripped<Secret>;
    type Item = Observed<Binding>;
    const KIND: &'static str = "Secret";
    const PAGE_SIZE: u32 = PARSED_WHOLE;
    // A namespace without the right to read Secrets may never grant it.
    const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

    fn reduce(raw: Self::Raw) -> Observed<Binding> {
        Observed::from(raw.object)
    }

    fn table(index: &mut Index) -> &mut Table<Observed<Binding>> {
        Self::table_in(index, "")
    }

    fn table_in<'a>(index: &'a mut Index, namespace: &str) -> &'a mut Table<Observed<Binding>> {
        index.secrets.table_in(namespace)
    }

    fn reindex(index: &mut Index, change: &Change<Observed<Binding>>) {
        index.secrets.reindex(change);
    }

    fn concerns(index: &Index, change: &Change<Observed<Binding>>, who: Who) -> Affected {
        let mut affected = Affected::default();
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        note_orphan(index, new, who, &mut affected);
        let mentions = |found: Option<&Observed<Binding>>| found.map(mentions_of).unwrap_or_default();
        let (before, after) = (mentions(old), mentions(new));
        if who == Who::Others && differs(old, new) {
            sources::extend(index, before.iter().chain(&after), &mut affected);
        }
        let words = before.iter().map(|(_, word)| word.as_str());
        let after = after.iter().map(|(_, word)| word.as_str());
        extend_with_rivals(index, &change.name.namespace, words, after, &mut affected);
        let entries = |found: Option<&Observed<Binding>>| found.map(|f| f.object.body.data.clone());
        if entries(old) != entries(new) {
            affected.extend(index.links.that_refer_to(&change.name), Cause::Change);
        }
        affected
    }
}
