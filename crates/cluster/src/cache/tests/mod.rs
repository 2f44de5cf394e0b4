//! The caches as their users see them: events in, affected links out.

mod children;
mod echoes;
mod foreign_slices;
mod gates;
mod grants;
mod ingest;
mod jobs;
mod large;
mod largest;
mod links;
mod namesakes;
mod pods;
mod policies;
mod replaced;
mod secrets;
mod strange;
mod targets;
mod unusable;

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use crate::affects::*;
use crate::name::ObjectName;
use crate::world::*;
