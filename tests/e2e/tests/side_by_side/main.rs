//! Tests that need only their own namespace, and run in parallel. They are one binary, because linking is slower than
//! many tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by a panic

mod action_table;
mod actions;
mod altered;
mod atomic_references;
mod bad_input;
mod binding;
mod conflicts;
mod consent;
mod dataplane_families;
mod dataplane_follow;
mod dataplane_kinds;
mod dataplane_policy;
mod dataplane_postgres;
mod dataplane_resolvers;
mod dataplane_verify;
mod dataplane_virtual_ip;
mod delete;
mod docker_ports;
mod environment;
mod external_targets;
mod fixed_names;
mod holds;
mod immutable;
mod infrastructure;
mod injection;
mod jobs;
mod kustomize;
mod last_words;
mod memory;
mod not_yet;
mod orphaned_target;
mod packets;
mod packets_egress;
mod packets_established;
mod packets_granted;
mod readiness;
mod refused_children;
mod repair;
mod repair_fields;
mod silence;
mod status;
mod tenants;
mod tenants_costly;
mod tenants_events;
mod tenants_grants;
mod tenants_large_links;
mod tenants_owners;
mod tenants_policies;
mod tenants_purge;
mod tenants_unreadable;
mod waiting;
mod walk;
