//! Links, and the ways to find them: by source, by target, by UID.

mod differs;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use instancelink_api::spec::NetworkPolicyMode;
use instancelink_api::{InstanceLink, State, keys};
use instancelink_core::resolve::directory_of;
use instancelink_core::resolve::kinds::scalable;
use instancelink_core::snapshot::ApiKind;

use differs::{answers_differ, claims_differ, names_other_scaled};

use super::affected::{Affected, Cause, GoneLink};
use super::groups::Groups;
use super::index::{Index, Watched, Who};
use super::manager;
use super::name::{LinkKey, ObjectName};
use super::packed::Packed;
use super::table::{Change, Item, Table};
use super::wire::Wire;

/// A link without `managedFields` and last-applied, and of it in the open what is asked for again and again.
#[derive(Debug)]
pub(crate) struct CachedLink {
    packed: Packed<InstanceLink>,
    pub(crate) uid: Box<str>,
    resource_version: Box<str>,
    pub(crate) alias: Box<str>,
    pub(crate) state: State,
    pub(crate) action_manager: Box<str>,
}

impl CachedLink {
    fn new(link: InstanceLink, action_manager: &str) -> Self {
        let meta = &link.metadata;
        Self {
            uid: meta.uid.as_deref().unwrap_or_default().into(),
            resource_version: meta.resource_version.as_deref().unwrap_or_default().into(),
            alias: link.spec.link_name.as_str().into(),
            state: link.state(),
            action_manager: action_manager.into(),
            packed: Packed::new(link),
        }
    }

    /// The object, to be worked with.
    pub(crate) fn object(&self) -> Arc<InstanceLink> {
        self.packed.open()
    }

    /// The object, for one look among many.
    pub(crate) fn glance(&self) -> Arc<InstanceLink> {
        self.packed.glance()
    }
}

/// Kind, namespace and name of a target.
pub(crate) type TargetKey = (String, Arc<str>, String);

/// Namespace and name of a source, of whatever kind: links of one name share a directory's name.
pub(crate) type SourceKey = (Arc<str>, String);

/// All links.
#[derive(Debug, Default)]
pub(crate) struct LinkStore {
    pub(crate) table: Table<CachedLink>,
    pub(crate) by_source: Groups<SourceKey>,
    pub(crate) by_target: Groups<TargetKey>,
    /// Links by the kinds that are watched for them alone.
    pub(crate) by_kind: Groups<ApiKind>,
    /// Links by the other namespaces that they lead to, whose consent they need.
    by_foreign: Groups<Arc<str>>,
    /// Links that ask for a policy, by their target's namespace.
    by_policy: Groups<Arc<str>>,
    /// What would shadow a link, and the link. One flat set: groups of mostly one member each would cost ten times the
    /// memory.
    by_namesake: BTreeSet<(ObjectName, LinkKey)>,
    pub(crate) by_uid: HashMap<String, LinkKey>,
    /// Links with a binding, by namespace and the Secret they refer to; empty where they refer to none.
    by_secret: Groups<(Arc<str>, String)>,
    /// Told when other Secrets are needed.
    pub(crate) secrets_needed: tokio::sync::watch::Sender<()>,
}

impl Item for CachedLink {
    fn uid(&self) -> &str {
        &self.uid
    }

    fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The source a link names.
pub(crate) fn source_key(link: &InstanceLink) -> SourceKey {
    let namespace = link.metadata.namespace.as_deref().unwrap_or_default();
    (namespace.into(), link.spec.instance_ref.name.clone())
}

/// What the spec names now and what is programmed still: an edit that cannot be served leaves the former target's
/// endpoints standing, and they have to be followed.
fn target_keys(link: &InstanceLink) -> Vec<TargetKey> {
    let own = link.metadata.namespace.as_deref();
    let programmed = link.status.as_ref().and_then(|status| status.target.as_ref());
    let mut keys = Vec::with_capacity(1);
    for target in link.spec.target_instance_ref.iter().chain(programmed) {
        let namespace = target.namespace.as_deref().or(own).unwrap_or_default();
        let key = (target.kind.clone(), namespace.into(), target.name.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The namespaces of its targets but its own.
pub(crate) fn foreign_namespaces(link: &InstanceLink) -> Vec<Arc<str>> {
    let own = link.metadata.namespace.as_deref().unwrap_or_default();
    let namespaces = target_keys(link).into_iter().map(|(_, namespace, _)| namespace);
    namespaces.filter(|namespace| &**namespace != own).collect()
}

/// The Secret whose entries a link adds to its own.
pub(crate) fn secret_ref(link: &InstanceLink) -> Option<&str> {
    let binding = link.spec.outputs.as_ref()?.binding.as_ref()?;
    binding.secret_ref.as_ref().map(|named| named.name.as_str())
}

/// The namespace of a link that has, or shall have, a Secret, and the Secret it refers to.
fn secret_keys(link: &InstanceLink) -> Vec<(Arc<str>, String)> {
    let is_asked_for = link.spec.outputs.as_ref().is_some_and(|o| o.binding.is_some());
    let stands = link.status.as_ref().is_some_and(|status| status.binding.is_some());
    let namespace = link.metadata.namespace.as_deref().unwrap_or_default();
    let key = || (namespace.into(), secret_ref(link).unwrap_or_default().to_owned());
    (is_asked_for || stands).then(key).into_iter().collect()
}

/// The kinds of its ends that are not watched anyway.
pub(crate) fn scaled_kinds(link: &InstanceLink) -> Vec<ApiKind> {
    let source = &link.spec.instance_ref;
    let target = link.spec.target_instance_ref.as_ref();
    let target = target.and_then(|target| scalable(target.api_version(), &target.kind));
    let mut kinds: Vec<ApiKind> = scalable(source.api_version(), &source.kind)
        .into_iter()
        .chain(target)
        .collect();
    kinds.dedup();
    kinds
}

/// What shadows a link by its name alone.
pub(crate) struct Namesakes {
    /// A Service beside the source.
    pub(crate) beside: ObjectName,
    /// A Service in a namespace called like the directory.
    pub(crate) elsewhere: ObjectName,
    /// A namespace.
    pub(crate) namespace: ObjectName,
}

impl Namesakes {
    /// Those of a link whose directory has this name.
    pub(crate) fn of(link: &InstanceLink, directory: &str) -> Self {
        let alias: Arc<str> = link.spec.link_name.as_str().into();
        let called = |namespace: &str| ObjectName::within(&namespace.into(), Arc::clone(&alias));
        Self {
            beside: called(link.metadata.namespace.as_deref().unwrap_or_default()),
            elsewhere: called(directory),
            namespace: called(""),
        }
    }

    fn all(self) -> [ObjectName; 3] {
        [self.beside, self.elsewhere, self.namespace]
    }
}

/// The links watch.
pub(crate) struct Links;

impl Watched for Links {
    type Raw = Wire<InstanceLink>;
    type Item = CachedLink;
    const KIND: &'static str = keys::KIND;

    fn reduce(raw: Wire<InstanceLink>) -> CachedLink {
        let Wire {
            mut object,
            action_manager,
        } = raw;
        manager::strip(&mut object.metadata);
        CachedLink::new(object, &action_manager)
    }

    fn table(index: &mut Index) -> &mut Table<CachedLink> {
        &mut index.links.table
    }

    fn changed(index: &mut Index, change: &Change<CachedLink>, who: Who, affected: &mut Affected) {
        let (was, is) = (change.old.as_deref(), change.new.as_deref());
        let (before, after) = (was.map(CachedLink::glance), is.map(CachedLink::object));
        let (old, new) = (before.as_deref(), after.as_deref());
        index.links.reindex(&change.name, old, new);
        if who == Who::Others {
            affected.add(&change.name, Cause::Change);
        }
        if let (Some(was), Some(old)) = (was, old)
            && is.is_none_or(|is| is.uid != was.uid)
        {
            affected.gone.push(GoneLink {
                name: change.name.clone(),
                uid: was.uid().to_owned(),
                source: source_key(old),
            });
        }
        // Also after our own writes: who waits for a link is told by nobody else.
        for link in [old, new].into_iter().flatten().filter(|_| answers_differ(old, new)) {
            let pods = index.pods.waiting_for(&change.name.namespace, &link.spec.link_name);
            affected.gated.extend(pods.cloned());
        }
        affected.kinds |= names_other_scaled(old, new);
        if claims_differ(old, new)
            && let Some(link) = new.or(old)
        {
            let rivals: Vec<LinkKey> = index.links.rivals(&change.name, link).cloned().collect();
            affected.extend(&rivals, Cause::Change);
        }
    }
}

impl LinkStore {
    fn reindex(&mut self, name: &LinkKey, old: Option<&InstanceLink>, new: Option<&InstanceLink>) {
        let sources = |link: Option<&InstanceLink>| link.map(source_key).into_iter().collect::<Vec<_>>();
        let targets = |link: Option<&InstanceLink>| link.map(target_keys).unwrap_or_default();
        self.by_source.update(name, &sources(old), &sources(new));
        self.by_target.update(name, &targets(old), &targets(new));
        let kinds = |link: Option<&InstanceLink>| link.map(scaled_kinds).unwrap_or_default();
        self.by_kind.update(name, &kinds(old), &kinds(new));
        let foreign = |link: Option<&InstanceLink>| link.map(foreign_namespaces).unwrap_or_default();
        self.by_foreign.update(name, &foreign(old), &foreign(new));
        let policies = |link: Option<&InstanceLink>| link.and_then(policy_namespace);
        let (before, after) = (policies(old), policies(new));
        self.by_policy.update(name, before.as_slice(), after.as_slice());
        let namesakes = |link: Option<&InstanceLink>| link.map(|l| Namesakes::of(l, &directory_of(l, None)).all());
        let (before, after) = (namesakes(old), namesakes(new));
        if before != after {
            for namesake in before.into_iter().flatten() {
                self.by_namesake.remove(&(namesake, name.clone()));
            }
            let entries = after.into_iter().flatten().map(|namesake| (namesake, name.clone()));
            self.by_namesake.extend(entries);
        }
        let secrets = |link: Option<&InstanceLink>| link.map(secret_keys).unwrap_or_default();
        let (before, after) = (secrets(old), secrets(new));
        if before != after {
            self.by_secret.update(name, &before, &after);
            self.secrets_needed.send_replace(());
        }
        if let Some(old) = old {
            self.by_uid.remove(uid_of(old));
        }
        if let Some(new) = new {
            self.by_uid.insert(uid_of(new).to_owned(), name.clone());
        }
    }

    /// The links that may wait for what this one has: those of its alias, and those whose source is another kind of
    /// the same name and so wants the same directory.
    pub(crate) fn rivals<'a>(
        &'a self,
        name: &'a LinkKey,
        link: &'a InstanceLink,
    ) -> impl Iterator<Item = &'a LinkKey> + 'a {
        self.by_source.get(&source_key(link)).filter(move |other| {
            *other != name
                && self.table.get(other).is_some_and(|o| {
                    *o.alias == link.spec.link_name
                        || !o.object().spec.instance_ref.is_of_the_kind_of(&link.spec.instance_ref)
                })
        })
    }

    /// Links whose source has this name.
    pub(crate) fn of_source<'a>(
        &'a self,
        namespace: &Arc<str>,
        name: &str,
    ) -> impl Iterator<Item = &'a ObjectName> + use<'a> {
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

    /// Links of this namespace that have, or shall have, a Secret.
    pub(crate) fn that_need_secrets_of<'a>(
        &'a self,
        namespace: &'a Arc<str>,
    ) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.by_secret
            .from((Arc::clone(namespace), String::new()))
            .take_while(move |((in_namespace, _), _)| in_namespace == namespace)
            .flat_map(|(_, links)| links)
    }

    /// Links that add the entries of this Secret to their own.
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
}

impl LinkStore {
    /// Links from other namespaces that lead into this one.
    pub(crate) fn that_lead_into<'a>(&'a self, namespace: &Arc<str>) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.by_foreign.get(namespace)
    }

    /// Links that ask for a policy in this namespace.
    pub(crate) fn with_policy_in<'a>(&'a self, namespace: &Arc<str>) -> impl Iterator<Item = &'a LinkKey> + use<'a> {
        self.by_policy.get(namespace)
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
            .filter_map(|key| Some((key, !foreign_namespaces(&self.table.get(key)?.glance()).is_empty())))
    }
}

fn uid_of(link: &InstanceLink) -> &str {
    link.metadata.uid.as_deref().unwrap_or_default()
}

/// The namespace in which the link asks for a policy.
pub(crate) fn policy_namespace(link: &InstanceLink) -> Option<Arc<str>> {
    let target = link.spec.target_instance_ref.as_ref()?;
    let namespace = target.namespace.as_deref().or(link.metadata.namespace.as_deref())?;
    (link.spec.network_policy == NetworkPolicyMode::Allow).then(|| namespace.into())
}
