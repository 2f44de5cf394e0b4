//! Secrets, seen only where the operator was given the right to, and only while a link of that namespace needs them: its
//! own, and those that a binding refers to. Of all others nothing is kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use instancelink_api::{InstanceLink, keys};
use instancelink_core::child::{Binding, Observed};
use instancelink_core::snapshot;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::Event;

use super::affected::{Affected, Cause};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::name::ObjectName;
use super::shared::{self, Mention};
use super::table::{Change, Item, Table};
use super::{Cache, links};

const SUFFIX: &str = "-binding";

/// What is known of Secrets.
#[derive(Debug, Default)]
pub(crate) struct SecretStore {
    namespaces: HashMap<Arc<str>, Seen>,
    /// Those of ours, or on the name of one, by what leads to a link.
    pub(crate) by_mention: Groups<Mention>,
}

/// The Secrets of one namespace. Each namespace has a watch of its own, and so a table.
#[derive(Debug, Default)]
struct Seen {
    table: Table<Observed<Binding>>,
    sight: Sight,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Sight {
    /// Nothing was listed yet.
    #[default]
    Unknown,
    /// The right is missing.
    Forbidden,
    /// All were listed; of the strangers' only the entries of these are kept.
    Clear(Arc<BTreeSet<String>>),
}

impl SecretStore {
    /// A Secret that is kept.
    pub(crate) fn get(&self, name: &ObjectName) -> Option<&Arc<Observed<Binding>>> {
        self.namespaces.get(&name.namespace)?.table.get(name)
    }

    /// All Secrets that are kept.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ObjectName, &Arc<Observed<Binding>>)> {
        self.namespaces.values().flat_map(|seen| seen.table.iter())
    }

    /// What a link may know of the Secrets of its namespace.
    pub(crate) fn known_to(&self, link: &InstanceLink) -> snapshot::Secrets {
        let namespace = link.metadata.namespace.as_deref().unwrap_or_default();
        let referenced = links::secret_ref(link);
        match self.namespaces.get(namespace).map(|seen| &seen.sight) {
            None | Some(Sight::Unknown) => snapshot::Secrets::Unknown,
            Some(Sight::Forbidden) => snapshot::Secrets::Forbidden,
            // Named since the list was read: the next one has it.
            Some(Sight::Clear(kept)) if referenced.is_some_and(|name| !kept.contains(name)) => {
                snapshot::Secrets::Unknown
            }
            Some(Sight::Clear(_)) => snapshot::Secrets::Known {
                referenced: referenced
                    .and_then(|name| self.get(&ObjectName::new(namespace, name)))
                    .map(|found| found.object.body.data.clone()),
            },
        }
    }
}

impl Item for Observed<Binding> {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The watch of the Secrets of a namespace.
pub(crate) struct Secrets;

impl Watched for Secrets {
    type Raw = Secret;
    type Item = Observed<Binding>;
    const KIND: &'static str = "Secret";
    // A namespace that has given no right may never give it.
    const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

    fn reduce(raw: Secret) -> Observed<Binding> {
        Observed::from(raw)
    }

    fn table(index: &mut Index) -> &mut Table<Observed<Binding>> {
        Self::table_in(index, "")
    }

    fn table_in<'a>(index: &'a mut Index, namespace: &str) -> &'a mut Table<Observed<Binding>> {
        &mut index.secrets.namespaces.entry(namespace.into()).or_default().table
    }

    fn changed(index: &mut Index, change: &Change<Observed<Binding>>, who: Who, affected: &mut Affected) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        shared::note_stray(&index.links, new, who, affected);
        let mentions = |found: Option<&Observed<Binding>>| found.map(mentions_of).unwrap_or_default();
        let (before, after) = (mentions(old), mentions(new));
        index.secrets.by_mention.update(&change.name, &before, &after);
        if who == Who::Others && shared::differs(old, new) {
            shared::extend(&index.links, before.iter().chain(&after), affected);
        }
        let entries = |found: Option<&Observed<Binding>>| found.map(|f| f.object.body.data.clone());
        if entries(old) != entries(new) {
            affected.extend(index.links.that_refer_to(&change.name), Cause::Change);
        }
    }
}

/// What leads to the link whose Secret this is, or whose Secret's name it has.
fn mentions_of(found: &Observed<Binding>) -> Vec<Mention> {
    let mut mentions = shared::mentions_of_own(found);
    let link = found.object.name.strip_suffix(SUFFIX);
    let namespace = found.object.namespace.as_str();
    mentions.extend(link.map(|name| (namespace.into(), format!("link/{name}"))));
    mentions
}

/// Takes the entries out that nobody asks for, where these are the names that links refer to. False for a Secret that is
/// not kept at all.
fn counts(raw: &mut Secret, referred_to: &BTreeSet<String>) -> bool {
    let name = raw.metadata.name.as_deref().unwrap_or_default();
    let label = raw.metadata.labels.as_ref().and_then(|l| l.get(keys::MANAGED_BY));
    let mut owners = raw.metadata.owner_references.iter().flatten();
    let is_ours = label.is_some_and(|manager| manager == keys::MANAGER) || owners.any(|o| o.kind == keys::KIND);
    let is_read = is_ours || referred_to.contains(name);
    let counts = is_read || name.ends_with(SUFFIX);
    if !is_read {
        raw.data = None;
    }
    counts
}

impl Cache {
    /// Takes in what the watch of a namespace's Secrets says.
    pub(super) fn observe_secrets(
        &self,
        namespace: &Arc<str>,
        referred_to: &Arc<BTreeSet<String>>,
        event: Event<Secret>,
    ) {
        let event = match event {
            Event::Apply(mut raw) => {
                if counts(&mut raw, referred_to) {
                    Event::Apply(raw)
                } else {
                    // What counted once may not any more.
                    Event::Delete(raw)
                }
            }
            Event::InitApply(mut raw) => {
                if !counts(&mut raw, referred_to) {
                    return;
                }
                Event::InitApply(raw)
            }
            event @ (Event::Delete(_) | Event::Init | Event::InitDone) => event,
        };
        let is_all = matches!(event, Event::InitDone);
        self.observe_in::<Secrets>(namespace, event);
        if is_all {
            self.see(namespace, Sight::Clear(Arc::clone(referred_to)));
        }
    }

    /// The right to the Secrets of a namespace is missing.
    pub(super) fn may_not_see_secrets(&self, namespace: &Arc<str>) {
        if self.see(namespace, Sight::Forbidden) {
            tracing::info!(
                %namespace,
                "a link has outputs.binding, but the operator may not use Secrets in its namespace; the link's condition \
                 Programmed has the manifest to apply"
            );
        }
    }

    /// Nobody needs the Secrets of a namespace any more.
    pub(super) fn forget_secrets(&self, namespace: &Arc<str>) {
        let secrets = &mut self.index.write().secrets;
        let Some(seen) = secrets.namespaces.remove(namespace) else {
            return;
        };
        for (name, found) in seen.table.iter() {
            secrets.by_mention.update(name, &mentions_of(found), &[]);
        }
    }

    /// Takes note of how far the Secrets of a namespace are known; true where that is news.
    fn see(&self, namespace: &Arc<str>, sight: Sight) -> bool {
        let mut affected = Affected::default();
        let mut index = self.index.write();
        let seen = index.secrets.namespaces.entry(Arc::clone(namespace)).or_default();
        let is_news = seen.sight != sight;
        if is_news {
            seen.sight = sight;
            affected.extend(index.links.that_need_secrets_of(namespace), Cause::Change);
        }
        drop(index);
        self.tell(affected);
        is_news
    }
}
