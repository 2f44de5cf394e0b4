//! Links, and the ways to find them: by source, by target, by UID, and by what else they depend on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use instancelink_api::{InstanceLink, State};
use instancelink_core::bounded_link::bound;
use instancelink_core::resolve::directory_of;
use instancelink_core::snapshot::ApiKind;

use super::link_keys::{
    PolicyEnd, TargetKey, foreign_namespaces, policy_source, policy_target, scaled_kinds, secret_keys, source_key,
    target_keys, uid_of,
};
use super::link_problems::Problems;
use super::namesakes::Namesakes;
use super::source_kind::SourceKind;
use super::sources::{Claim, Sources};
use crate::name::{LinkKey, ObjectName, SourceKey};
use crate::store::compressed::{Compressed, Forgotten, Recent};
use crate::store::groups::Groups;
use crate::store::scale::Scale;
use crate::store::strip_managed_fields::Stripped;
use crate::store::table::{Change, Item, Table};

/// A link without `managedFields` and last-applied. The fields that are read for many links at once are kept
/// uncompressed.
#[derive(Debug)]
pub struct CachedLink {
    compressed: Compressed<InstanceLink>,
    /// Its UID.
    pub uid: Arc<str>,
    resource_version: Box<str>,
    /// Its alias.
    pub alias: Box<str>,
    pub(crate) source_kind: SourceKind,
    /// Its state.
    pub state: State,
    /// Why it is not Ready, and why it is Stalled.
    pub problems: Problems,
    /// The field manager that wrote its action annotation.
    pub action_manager: Box<str>,
}

impl CachedLink {
    pub(crate) fn of(stripped: Stripped<InstanceLink>) -> Self {
        let Stripped {
            object: mut link,
            action_manager,
        } = stripped;
        bound(&mut link);
        let meta = &link.metadata;
        Self {
            uid: meta.uid.as_deref().unwrap_or_default().into(),
            resource_version: meta.resource_version.as_deref().unwrap_or_default().into(),
            alias: link.spec.link_name.as_str().into(),
            source_kind: SourceKind::of(&link.spec.instance_ref),
            state: link.state(),
            problems: Problems::of(&link),
            action_manager: action_manager.into(),
            compressed: Compressed::new(link),
        }
    }

    /// What it competes for with other links of its source.
    fn claim(&self) -> Claim<'_> {
        Claim {
            alias: &self.alias,
            kind: &self.source_kind,
        }
    }

    /// The object, to work with: it then stays parsed for a while.
    pub fn object(&self, recent: &Recent) -> Arc<InstanceLink> {
        self.compressed.get(recent)
    }

    /// The object, for one look among many.
    pub fn peek(&self) -> Arc<InstanceLink> {
        self.compressed.peek()
    }
}

impl Item for CachedLink {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }

    fn weigh(&self, scale: &mut Scale) {
        scale.add("status", self.compressed.size());
    }

    /// What users may make long in a link is cut, so no link is too large.
    fn limit(&self) -> usize {
        usize::MAX
    }

    fn remember(&self, recent: &Recent) -> Forgotten {
        self.compressed.remember(recent)
    }
}

/// All links.
#[derive(Debug, Default)]
pub struct LinkStore {
    /// The links themselves.
    pub table: Table<CachedLink>,
    /// Links by their source.
    pub by_source: Sources,
    /// Links that ask for labels or annotations of their children, by their source.
    pub(super) by_infrastructure: Groups<SourceKey>,
    pub(crate) by_target: Groups<TargetKey>,
    /// Links by the kinds that are watched only because links name them.
    pub(crate) by_kind: Groups<ApiKind>,
    /// Links by the other namespaces that they lead to, whose consent they need.
    by_foreign: Groups<Arc<str>>,
    /// Links that ask for a policy, by their target.
    by_policy: Groups<PolicyEnd>,
    /// The same links, by their source.
    by_policy_source: Groups<PolicyEnd>,
    /// What would shadow a link, and the link. One flat set: groups of mostly one member each would need ten times the
    /// memory.
    by_namesake: BTreeSet<(ObjectName, LinkKey)>,
    /// Links by their UID.
    pub by_uid: HashMap<Arc<str>, LinkKey>,
    /// Links with a binding, by namespace and the Secret they refer to; empty if they refer to none.
    by_secret: Groups<(Arc<str>, String)>,
    /// Changes whenever other Secrets are needed.
    pub(crate) secrets_needed: tokio::sync::watch::Sender<()>,
}

impl LinkStore {
    /// Brings all lookups up to date with a change.
    pub(crate) fn reindex(&mut self, change: &Change<CachedLink>) {
        let name = &change.name;
        let (old, new) = (
            change.old.as_ref().map(|l| l.peek()),
            change.new.as_ref().map(|l| l.peek()),
        );
        let (old, new) = (old.as_deref(), new.as_deref());
        let targets = |link: Option<&InstanceLink>| link.map(target_keys).unwrap_or_default();
        let sources = (old.map(source_key), new.map(source_key));
        self.reindex_source(change, sources.0.as_ref(), sources.1.as_ref());
        let asks = |link: Option<&InstanceLink>| link.filter(|link| link.spec.infrastructure.is_some()).map(source_key);
        let (before, after) = (asks(old), asks(new));
        self.by_infrastructure.update(name, before.as_slice(), after.as_slice());
        self.by_target.update(name, &targets(old), &targets(new));
        let kinds = |link: Option<&InstanceLink>| link.map(scaled_kinds).unwrap_or_default();
        self.by_kind.update(name, &kinds(old), &kinds(new));
        let foreign = |link: Option<&InstanceLink>| link.map(foreign_namespaces).unwrap_or_default();
        self.by_foreign.update(name, &foreign(old), &foreign(new));
        let policies = |link: Option<&InstanceLink>| link.and_then(policy_target);
        let (before, after) = (policies(old), policies(new));
        self.by_policy.update(name, before.as_slice(), after.as_slice());
        let sources = |link: Option<&InstanceLink>| link.and_then(policy_source);
        let (before, after) = (sources(old), sources(new));
        self.by_policy_source.update(name, before.as_slice(), after.as_slice());
        self.reindex_namesakes(name, old, new);
        let secrets = |link: Option<&InstanceLink>| link.map(secret_keys).unwrap_or_default();
        let (before, after) = (secrets(old), secrets(new));
        if before != after {
            self.by_secret.update(name, &before, &after);
            self.secrets_needed.send_replace(());
        }
        if let Some(old) = old {
            self.by_uid.remove(uid_of(old));
        }
        if let Some(new) = &change.new {
            // The key shares the text of the link: one allocation less a link.
            self.by_uid.insert(Arc::clone(&new.uid), name.clone());
        }
    }

    /// True if the link is in this namespace, or has a target there by its spec or its status.
    pub(crate) fn leads_to(&self, namespace: &Arc<str>, link: &LinkKey) -> bool {
        link.namespace == *namespace || self.by_foreign.has(namespace, link)
    }

    fn reindex_source(&mut self, change: &Change<CachedLink>, old: Option<&SourceKey>, new: Option<&SourceKey>) {
        let old = old.zip(change.old.as_ref().map(|link| link.claim()));
        let new = new.zip(change.new.as_ref().map(|link| link.claim()));
        let table = &self.table;
        let claim_of = |other: &LinkKey| table.get(other).map(|link| link.claim());
        self.by_source.update(&change.name, old, new, claim_of);
    }

    fn reindex_namesakes(&mut self, name: &LinkKey, old: Option<&InstanceLink>, new: Option<&InstanceLink>) {
        let namesakes = |link: Option<&InstanceLink>| link.map(|l| Namesakes::of(l, &directory_of(l, None)).all());
        let (before, after) = (namesakes(old), namesakes(new));
        if before == after {
            return;
        }
        for namesake in before.into_iter().flatten() {
            self.by_namesake.remove(&(namesake, name.clone()));
        }
        let entries = after.into_iter().flatten().map(|namesake| (namesake, name.clone()));
        self.by_namesake.extend(entries);
    }

    /// The links that may wait for this link: those with the same alias, and those that need the same directory because
    /// their source has the same name but another kind. It reads only uncompressed fields.
    pub(crate) fn rivals<'a>(
        &'a self,
        name: &'a LinkKey,
        source: &SourceKey,
        link: &'a CachedLink,
    ) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        let others = self.by_source.may_compete(source, &link.claim());
        others.filter(move |other| {
            *other != name
                && self
                    .table
                    .get(other)
                    .is_some_and(|other| other.alias == link.alias || other.source_kind != link.source_kind)
        })
    }

    /// The rivals of a link that is known.
    pub(crate) fn rivals_of(&self, name: &LinkKey) -> Vec<LinkKey> {
        let Some(link) = self.table.get(name) else {
            return Vec::new();
        };
        self.rivals(name, &source_key(&link.peek()), link).cloned().collect()
    }

    /// Links whose source has this name.
    pub fn of_source<'a>(&'a self, namespace: &Arc<str>, name: &str) -> impl Iterator<Item = &'a ObjectName> + use<'a> {
        self.by_source.get(&(Arc::clone(namespace), name.to_owned()))
    }

    /// The namespaces whose Secrets are needed, each with the names that its links refer to.
    pub(crate) fn needed_secrets(&self) -> BTreeMap<Arc<str>, BTreeSet<String>> {
        let mut needed: BTreeMap<Arc<str>, BTreeSet<String>> = BTreeMap::new();
        for ((namespace, name), _) in self.by_secret.from(("".into(), String::new())) {
            let names = needed.entry(Arc::clone(namespace)).or_default();
            names.extend(Some(name).filter(|name| !name.is_empty()).cloned());
        }
        needed
    }

    /// Links of this namespace that have, or ask for, a binding.
    pub(crate) fn that_need_secrets_of<'a>(
        &'a self,
        namespace: &'a Arc<str>,
    ) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.by_secret
            .from((Arc::clone(namespace), String::new()))
            .take_while(move |((in_namespace, _), _)| in_namespace == namespace)
            .flat_map(|(_, links)| links)
    }

    /// Links that add the entries of this Secret to their binding.
    pub(crate) fn that_refer_to<'a>(&'a self, secret: &ObjectName) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        let key = (Arc::clone(&secret.namespace), secret.name.to_string());
        self.by_secret.get(&key)
    }

    /// Links that a Service, or a namespace, of this name shadows.
    pub(crate) fn shadowed_by<'a>(&'a self, namesake: &'a ObjectName) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        let first = (namesake.clone(), ObjectName::new("", ""));
        let entries = self.by_namesake.range(first..);
        entries
            .take_while(move |(name, _)| name == namesake)
            .map(|(_, link)| link)
    }

    /// Links that lead to this object.
    pub(crate) fn of_target<'a>(
        &'a self,
        kind: &str,
        namespace: &Arc<str>,
        name: &str,
    ) -> impl Iterator<Item = &'a ObjectName> + use<'a> {
        self.by_target
            .get(&(kind.to_owned(), Arc::clone(namespace), name.to_owned()))
    }

    /// Links from other namespaces that lead into this one.
    pub(crate) fn that_lead_into<'a>(&'a self, namespace: &Arc<str>) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.by_foreign.get(namespace)
    }

    /// Links that ask for a policy in this namespace.
    pub(crate) fn with_policy_in<'a>(&'a self, namespace: &'a Arc<str>) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.policy_targets_in(namespace).flat_map(|(_, links)| links)
    }

    /// The targets in this namespace in front of which links ask for a policy, and these links.
    pub(crate) fn policy_targets_in<'a>(
        &'a self,
        namespace: &'a Arc<str>,
    ) -> impl Iterator<Item = (&'a PolicyEnd, impl Iterator<Item = &'a LinkKey>)> + use<'a> {
        ends_in(&self.by_policy, namespace)
    }

    /// Links of this namespace that ask for policies.
    pub(crate) fn with_policy_from<'a>(
        &'a self,
        namespace: &'a Arc<str>,
    ) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.policy_sources_in(namespace).flat_map(|(_, links)| links)
    }

    /// The sources in this namespace whose links ask for policies, and these links.
    pub(crate) fn policy_sources_in<'a>(
        &'a self,
        namespace: &'a Arc<str>,
    ) -> impl Iterator<Item = (&'a PolicyEnd, impl Iterator<Item = &'a LinkKey>)> + use<'a> {
        ends_in(&self.by_policy_source, namespace)
    }

    /// Links of this namespace, and whether they lead into others.
    pub(crate) fn in_namespace<'a>(
        &'a self,
        namespace: &'a Arc<str>,
    ) -> impl Iterator<Item = (&'a LinkKey, bool)> + use<'a> {
        self.by_source
            .from((Arc::clone(namespace), String::new()))
            .take_while(move |((in_namespace, _), _)| in_namespace == namespace)
            .flat_map(|(_, links)| links)
            .filter_map(|key| Some((key, !foreign_namespaces(&self.table.get(key)?.peek()).is_empty())))
    }
}

fn ends_in<'a>(
    ends: &'a Groups<PolicyEnd>,
    namespace: &'a Arc<str>,
) -> impl Iterator<Item = (&'a PolicyEnd, impl Iterator<Item = &'a LinkKey>)> + use<'a> {
    ends.from(PolicyEnd::first_in(namespace))
        .take_while(move |(end, _)| end.namespace == *namespace)
}
