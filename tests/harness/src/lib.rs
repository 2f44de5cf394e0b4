//! The harness of tests on a real cluster: what a test needs to act as a user, a client pod, another controller or a
//! fault, and to see what a user sees.
//!
//! A test is a sentence about behaviour. It gets its own namespace from [`in_namespace`], creates minimal
//! manifests in it, and observes with [`Watch`] (every state of a link), [`Client`] (what a pod sees of DNS and
//! of the network) and [`kubectl`]. Every wait is bounded and fails with what was seen last. The harness does not
//! decide what the operator should do: expectations are in the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking
#![allow(clippy::missing_panics_doc, clippy::future_not_send)] // every test runs on a runtime of its own
#![allow(clippy::return_self_not_must_use)] // an expectation that holds may end a chain

mod admission;
mod annotate;
mod client;
mod cluster;
mod drain;
mod enforcement;
mod events;
mod eventually;
mod external_zone;
mod families;
mod gates;
mod goes_on;
mod hold;
mod in_namespace;
mod installation;
mod kstatus;
mod kubectl;
mod lenient_list;
mod link;
mod lost;
mod manifest;
mod metrics;
mod moments;
mod mutation;
mod namespace;
mod not_counted;
mod object;
mod operator;
mod overlay;
mod pods;
mod policies;
mod postgres;
mod reach;
mod reader;
mod reference_grants;
mod residue;
mod resolver;
mod retarget;
mod sender;
mod slices;
mod stage;
mod tenants;
mod three_ways;
mod traffic;
mod user;
mod versions;
mod watch;
mod webhook;
mod webhook_reach;
mod webhook_server;
mod widgets;
mod workload;

pub use admission::{Review, Verdict};
pub use annotate::Acknowledged;
pub use client::{Client, Poll, Try};
pub use cluster::{OPERATOR_ACCOUNT, SYSTEM, connect};
pub use drain::Drain;
pub use enforcement::enforces_policies;
pub use eventually::{SHORT, eventually, never};
pub use external_zone::ExternalZone;
pub use families::{cluster_ips_of, is_dual_stack};
pub use gates::gated;
pub use goes_on::{goes_on_without, soon};
pub use hold::Hold;
pub use in_namespace::in_namespace;
pub use installation::Installation;
pub use kstatus::{Verdict as Kstatus, verdict as kstatus};
pub use kubectl::{Output, kubectl};
pub use link::Link;
pub use lost::Lost;
pub use manifest::{LinkManifest, link, reference};
pub use metrics::writes_by_resource;
pub use mutation::Mutation;
pub use namespace::Namespace;
pub use object::Object;
pub use operator::Operator;
pub use overlay::with_overlay;
pub use pods::addresses_of;
pub use policies::without_policies;
pub use postgres::{Session, injected_psql_deployment, postgres_deployment, psql_deployment};
pub use reach::url;
pub use reader::{Reader, safe_name_in};
pub use reference_grants::ReferenceGrants;
pub use residue::residue_of;
pub use resolver::Resolver;
pub use slices::Slices;
pub use stage::Stage;
pub use tenants::{link_into, with_two_tenants};
pub use three_ways::ends_well;
pub use traffic::Traffic;
pub use user::User;
pub use versions::follow_while_known;
pub use watch::Watch;
pub use webhook::Webhook;
pub use webhook_reach::reaches_webhooks;
pub use widgets::Widgets;
pub use workload::{
    fixed_service, idle_deployment, job, service_slice, serving_deployment, serving_pod, serving_set, slow_to_end,
};
