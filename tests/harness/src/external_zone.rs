//! A zone of the DNS outside the cluster, for one test: `192-0-2-1.external.test` has the address 192.0.2.1. It is added to
//! the configuration of `CoreDNS`, and removed after the test.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{Namespace, eventually};

const COREDNS: &str = "coredns";
const STARTS: Duration = Duration::from_secs(90);
const ANSWERS: &str = r#"
external.test {
  template IN A {
    match "^(?P<a>[0-9]+)-(?P<b>[0-9]+)-(?P<c>[0-9]+)-(?P<d>[0-9]+)[.]external[.]test[.]$"
    answer "{{ .Name }} 5 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
    fallthrough
  }
  template IN A {
    match "^nothing[.]external[.]test[.]$"
    rcode NXDOMAIN
  }
  template IN AAAA {
    rcode NOERROR
  }
}
"#;
const FAILS: &str = r"
external.test {
  template ANY ANY {
    rcode SERVFAIL
  }
}
";

/// The zone.
pub struct ExternalZone {
    maps: Api<ConfigMap>,
    deployments: Api<Deployment>,
    corefile: String,
}

impl ExternalZone {
    /// Runs a test while the zone exists. The former configuration is restored, even if the test fails.
    pub async fn during(namespace: &Namespace, test: impl AsyncFnOnce(&Self)) {
        let maps: Api<ConfigMap> = Api::namespaced(namespace.client.clone(), "kube-system");
        let map = maps.get(COREDNS).await.expect("the configuration of CoreDNS");
        let zone = Self {
            maps,
            deployments: Api::namespaced(namespace.client.clone(), "kube-system"),
            corefile: map.data.unwrap_or_default().remove("Corefile").expect("a Corefile"),
        };
        zone.configure(ANSWERS).await;
        let outcome = AssertUnwindSafe(test(&zone)).catch_unwind().await;
        zone.configure("").await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    /// The name of an IPv4 address.
    pub fn name_of(address: IpAddr) -> String {
        format!("{}.external.test", address.to_string().replace('.', "-"))
    }

    /// The servers of the zone answer, or fail.
    pub async fn answers(&self, do_they: bool) {
        self.configure(if do_they { ANSWERS } else { FAILS }).await;
    }

    async fn configure(&self, more: &str) {
        let data = json!({ "data": { "Corefile": format!("{}{more}", self.corefile) } });
        let parameters = PatchParams::default();
        let patched = self.maps.patch(COREDNS, &parameters, &Patch::Merge(&data)).await;
        patched.expect("the configuration");
        let stamp = json!({ "example.com/corefile": format!("{:x}", more.len()) });
        let restart = json!({ "spec": { "template": { "metadata": { "annotations": stamp } } } });
        let patched = self
            .deployments
            .patch(COREDNS, &parameters, &Patch::Merge(&restart))
            .await;
        patched.expect("the Deployment");
        eventually("CoreDNS has the configuration", STARTS, async || {
            let found = self.deployments.get(COREDNS).await.map_err(|e| e.to_string())?;
            let wanted = found.spec.replicas.unwrap_or(1);
            let status = found.status.unwrap_or_default();
            let current = status.observed_generation == found.metadata.generation;
            let counts = (status.replicas, status.updated_replicas, status.ready_replicas);
            if current && counts == (Some(wanted), Some(wanted), Some(wanted)) {
                Ok(())
            } else {
                Err(format!("{counts:?} of {wanted}"))
            }
        })
        .await;
    }
}
