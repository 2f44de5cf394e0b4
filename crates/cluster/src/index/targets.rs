//! The objects that links name, of any kind, by `apiVersion`, kind and name.

use std::sync::Arc;

use instancelink_core::resolve::imports::is_import;
use instancelink_core::resolve::scaled_kinds::scalable;
use instancelink_core::resolve::selector::Selector;
use instancelink_core::snapshot::{Source, TargetObject, Workload};

use super::Index;
use super::source_kind::workload_kind;
use crate::name::ObjectName;

/// True for a kind of workload, built in or scaled.
pub(crate) fn is_workload(api_version: &str, kind: &str) -> bool {
    scalable(api_version, kind).is_some() || workload_kind(kind).is_some()
}

impl Index {
    /// The workload that a reference names, if it exists.
    pub(crate) fn workload(&self, api_version: &str, kind: &str, name: &ObjectName) -> Option<&Arc<Workload>> {
        match scalable(api_version, kind) {
            Some(kind) if is_import(&kind) => None,
            Some(kind) => self.scaled.found(&kind, name),
            None => self.workloads.of(workload_kind(kind)?).get(name),
        }
    }

    /// The source that a reference names, if it exists.
    pub(crate) fn source(&self, api_version: &str, kind: &str, name: &ObjectName) -> Option<Source> {
        if is_workload(api_version, kind) {
            let workload = self.workload(api_version, kind, name)?;
            return Some(Source {
                uid: workload.uid.clone(),
                pods: workload.selector.clone(),
                terminating: workload.terminating,
            });
        }
        let pod = self.pods.table.get(name).filter(|_| kind == "Pod")?;
        Some(Source {
            uid: pod.uid.clone(),
            pods: Selector::of_labels(&pod.labels),
            terminating: pod.terminating,
        })
    }

    /// The target that a reference names, if it exists.
    pub(crate) fn target(&self, api_version: &str, kind: &str, name: &ObjectName) -> Option<TargetObject> {
        if let Some(kind) = scalable(api_version, kind).filter(is_import) {
            return Some(TargetObject::Service(Arc::clone(self.scaled.import(&kind, name)?)));
        }
        if is_workload(api_version, kind) {
            let workload = self.workload(api_version, kind, name)?;
            return Some(TargetObject::Workload(Arc::clone(workload)));
        }
        match kind {
            "Pod" => Some(TargetObject::Pod(Arc::clone(self.pods.table.get(name)?))),
            "Service" => Some(TargetObject::Service(Arc::clone(
                &self.services.table.get(name)?.service,
            ))),
            _ => None,
        }
    }
}
