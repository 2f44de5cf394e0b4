//! Consent by a `ReferenceGrant` of the Gateway API.
//!
//! Rule: contract#reference-grants.

use std::time::Duration;

use futures::future::join_all;
use harness::{Link, Namespace, ReferenceGrants, Watch, in_namespace, link_into, with_two_tenants};
use instancelink_api::State::{Activating, Active, Deactivating, Inactive, Requested};
use serde_json::{Value, json};

/// Much shorter than every drain in these tests: immediate, as a user sees it.
const AT_ONCE: Duration = Duration::from_secs(5);
/// The time until the operator notices a new CRD, and its grants count.
const NOTICED: Duration = Duration::from_secs(15);

/// A link into the namespace of the targets, and its own namespace.
struct Tenant<'a> {
    shop: &'a Namespace,
    data: &'a Namespace,
    grants: &'a ReferenceGrants,
    link: Link,
    watch: Watch,
}

/// The default rule of the grants in these tests.
fn pg() -> Value {
    json!({ "group": "", "kind": "Service", "name": "pg" })
}

fn links_of(namespace: &Namespace) -> Value {
    json!({ "group": "instancelink.dev", "kind": "InstanceLink", "namespace": namespace.name })
}

impl<'a> Tenant<'a> {
    /// A link that is held because consent is missing.
    async fn held(shop: &'a Namespace, data: &'a Namespace, grants: &'a ReferenceGrants) -> Self {
        let manifest = link_into(data, "Service", "pg").spec("deactivation", json!({ "drainSeconds": 600 }));
        let (link, mut watch) = shop.watched_link(manifest).await;
        watch.walks([Requested, Inactive]).await;
        link.is_not_permitted().await;
        Self {
            shop,
            data,
            grants,
            link,
            watch,
        }
    }

    /// A grant for this tenant alone, in an API version.
    async fn is_granted(&self, version: &str) {
        let from = links_of(self.shop);
        self.grants
            .grant(self.data, version, &self.shop.name, &from, &pg())
            .await;
    }

    async fn comes_up(&mut self, limit: Duration) {
        self.watch.walks_within([Activating, Active], limit).await;
        self.link.condition("Ready", "True", "").await;
    }

    async fn is_cut_at_once(&mut self) {
        self.watch.walks_within([Deactivating, Inactive], AT_ONCE).await;
        self.link.is_not_permitted().await;
        self.shop.has_no_residue().await;
    }
}

/// Four namespaces with links into one that does not trust them.
async fn with_tenants(test: impl AsyncFnOnce([&Namespace; 4], &Namespace, &ReferenceGrants)) {
    with_two_tenants(async |first, data| {
        in_namespace(async |second| {
            in_namespace(async |third| {
                in_namespace(async |fourth| {
                    for shop in [second, third, fourth] {
                        shop.create_object(&harness::idle_deployment("web")).await;
                    }
                    let shops = [first, second, third, fourth];
                    ReferenceGrants::during(data, async |grants| test(shops, data, grants).await).await;
                })
                .await;
            })
            .await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_reference_grant_of_any_version_counts_while_its_crd_exists_and_only_for_the_named_namespaces() {
    with_tenants(async |shops, data, grants| {
        let held = join_all(shops.map(|shop| Tenant::held(shop, data, grants))).await;
        let [mut kept, mut either, mut edited, mut stranger] = held.try_into().ok().unwrap();

        // The operator notices a CRD that is installed while it runs.
        grants.install(&["v1beta1"]).await;
        for_others(&stranger, "v1beta1").await;
        for tenant in [&kept, &either, &edited] {
            tenant.is_granted("v1beta1").await;
        }
        tokio::join!(
            kept.comes_up(NOTICED),
            either.comes_up(NOTICED),
            edited.comes_up(NOTICED)
        );

        // Both versions count, and a change between them cuts no link.
        grants.serve(&["v1"]).await;
        // The watch of the old version has ended, and the operator watches the new one.
        tokio::time::sleep(Duration::from_secs(5)).await;
        tokio::join!(kept.watch.rests(), either.watch.rests(), edited.watch.rests());
        tokio::join!(
            async {
                grants.object(data, "v1", &either.shop.name).delete().await;
                either.is_cut_at_once().await;
            },
            a_reference_grant_that_is_deleted_or_edited_cuts_the_link_at_once(&mut edited),
            only_a_grant_that_matches_in_every_field_permits_a_link(&mut stranger),
        );

        // Deleting a grant cuts the links that it permitted.
        kept.watch.rests().await;
        grants.uninstall().await;
        tokio::join!(kept.is_cut_at_once(), stranger.is_cut_at_once());
        // A CRD that is installed again is listed again.
        grants.install(&["v1", "v1beta1"]).await;
        kept.is_granted("v1").await;
        kept.comes_up(NOTICED).await;
    })
    .await;
}

async fn a_reference_grant_that_is_deleted_or_edited_cuts_the_link_at_once(tenant: &mut Tenant<'_>) {
    let given = tenant.grants.object(tenant.data, "v1", &tenant.shop.name);
    given.delete().await;
    tenant.is_cut_at_once().await;
    tenant.is_granted("v1").await;
    tenant.comes_up(AT_ONCE).await;
    let other = json!({ "spec": { "to": [{ "group": "", "kind": "Service", "name": "pg2" }] } });
    given.patch(&other).await;
    tenant.is_cut_at_once().await;
}

/// Grants that do not permit this tenant's link, each for one reason.
async fn for_others(tenant: &Tenant<'_>, version: &str) {
    let Tenant { shop, data, grants, .. } = *tenant;
    let of = |group: &str, kind: &str| json!({ "group": group, "kind": kind, "namespace": shop.name });
    let route = of("gateway.networking.k8s.io", "HTTPRoute");
    let ours = of("instancelink.dev", "InstanceLinkGrant");
    let right = links_of(shop);
    let to = |group: &str, kind: &str| json!({ "group": group, "kind": kind });
    let other_name = json!({ "group": "", "kind": "Service", "name": "pg2" });
    for (name, place, from, to) in [
        ("route", data, &route, pg()),
        ("our-other-kind", data, &ours, pg()),
        ("other-namespace", data, &links_of(data), pg()),
        ("other-place", shop, &right, pg()),
        ("other-name", data, &right, other_name),
        ("other-kind", data, &right, to("", "Pod")),
        ("other-group", data, &right, to("core", "Service")),
    ] {
        grants.grant(place, version, name, from, &to).await;
    }
}

/// The operator has seen the other grants, because they are older than one that already counts.
async fn only_a_grant_that_matches_in_every_field_permits_a_link(tenant: &mut Tenant<'_>) {
    tenant.watch.rests().await;
    tenant.link.is_not_permitted().await;
    let any = json!({ "group": "", "kind": "Service" });
    let from = links_of(tenant.shop);
    tenant.grants.grant(tenant.data, "v1", "right", &from, &any).await;
    tenant.comes_up(AT_ONCE).await;
}
