//! Pods that request the links of an instance with a label, or have them in their manifest.
//!
//! Rule: contract#injection.

use std::collections::BTreeSet;
use std::net::IpAddr;

use harness::{Client, Namespace, eventually, idle_deployment, in_namespace, link, serving_deployment, serving_set};
use instancelink_api::State::Active;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{ListParams, PostParams};
use serde_json::{Value, json};

const LABEL: &str = "instancelink.dev/inject-links-of";
const BY_HAND: &str = include_str!("../../../../deploy/samples/injected-by-hand.yaml");

/// A pod `p` with the label for the links of `web`, and this spec.
fn pod(spec: &str) -> Value {
    labelled(&json!({ LABEL: "web" }), spec)
}

fn labelled(labels: &Value, spec: &str) -> Value {
    let mut spec: Value = serde_yaml_ng::from_str(spec).unwrap();
    for field in ["containers", "initContainers"] {
        for container in spec[field].as_array_mut().into_iter().flatten() {
            container["image"] = "localhost/workload:dev".into();
            container["imagePullPolicy"] = "IfNotPresent".into();
        }
    }
    spec["automountServiceAccountToken"] = false.into();
    spec["terminationGracePeriodSeconds"] = 1.into();
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "labels": labels }, "spec": spec })
}

/// The pod as the API server would store it. Nothing is created.
async fn admitted(ns: &Namespace, pod: &Value) -> Value {
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let asked: Pod = serde_json::from_value(pod.clone()).unwrap();
    let admitted = ns.api::<Pod>().create(&dry_run, &asked).await;
    serde_json::to_value(admitted.unwrap_or_else(|e| panic!("the pod is refused: {e}\n{pod}"))).unwrap()
}

/// The search domain of the links of `web`.
fn domain(ns: &Namespace) -> String {
    format!("web-links.{}.svc.cluster.local", ns.name)
}

/// The source of the environment of `web`.
fn source() -> Value {
    json!({ "configMapRef": { "name": "web-links", "optional": true } })
}

/// `web` is linked to a running `pg` as `db`.
async fn linked(ns: &Namespace) -> BTreeSet<IpAddr> {
    ns.create_object(&idle_deployment("web")).await;
    ns.create_object(&serving_deployment("pg", "pg")).await;
    let addresses = ns.ready_addresses("pg", 1).await;
    let link = ns.link(link("web-db", "db", "Deployment/web", "Deployment/pg")).await;
    link.reaches(Active).await;
    addresses
}

async fn sees_its_links(ns: &Namespace, pod: &Client, addresses: &BTreeSet<IpAddr>) {
    pod.resolves_to("db", addresses).await;
    pod.fetches("http://db:8080/", "pg from pg-").await;
    let (_, printed) = pod.run(&["env", "DB_PORT_8080_TCP"]).await;
    let host = format!("db.web-links.{}.svc", ns.name);
    for line in [
        format!("DB_PORT_8080_TCP=tcp://{host}:8080"),
        format!("DB_PORT_8080_TCP_ADDR={host}"),
        "DB_PORT_8080_TCP_PORT=8080".to_owned(),
        "DB_PORT_8080_TCP_PROTO=tcp".to_owned(),
    ] {
        assert!(printed.lines().any(|l| l == line), "{line} is missing in {printed}");
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_labelled_pod_resolves_the_plain_alias_and_has_the_environment_in_init_containers_too() {
    in_namespace(async |ns| {
        let addresses = linked(ns).await;
        let spec = "
initContainers: [{name: before, args: [env, DB_PORT_8080_TCP_PORT]}]
containers: [{name: main, args: [sleep]}]
";
        let pod = ns.client_pod_from(&pod(spec)).await;
        sees_its_links(ns, &pod, &addresses).await;
        let log = ns.kubectl(&["logs", "p", "-c", "before"]).await.succeeds();
        assert_eq!(log.trim(), "DB_PORT_8080_TCP_PORT=8080");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_starts_before_its_link_and_resolves_the_alias_once_that_is_active() {
    in_namespace(async |ns| {
        let pod = ns
            .client_pod_from(&pod("containers: [{name: main, args: [sleep]}]"))
            .await;
        pod.resolves_to_nothing("db").await;
        let addresses = linked(ns).await;
        pod.resolves_to("db", &addresses).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_injected_by_hand_sees_the_same() {
    in_namespace(async |ns| {
        let addresses = linked(ns).await;
        let manifest = BY_HAND.replace("shop", &ns.name);
        let pod = ns.client_pod_from(&serde_yaml_ng::from_str(&manifest).unwrap()).await;
        sees_its_links(ns, &pod, &addresses).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn what_the_author_of_the_pod_wrote_stays_and_wins() {
    in_namespace(async |ns| {
        let spec = "
dnsConfig:
  nameservers: [10.1.2.3]
  searches: [first.example, second.example.]
  options: [{name: ndots, value: '3'}, {name: edns0}]
containers:
  - name: main
    env: [{name: DB_NAME, value: mine}]
    envFrom: [{configMapRef: {name: own}}, {prefix: S_, secretRef: {name: own}}]
  - name: second
";
        let admitted = admitted(ns, &pod(spec)).await;
        assert_eq!(
            admitted["spec"]["dnsConfig"],
            json!({
                "nameservers": ["10.1.2.3"],
                "searches": ["first.example", "second.example.", domain(ns)],
                "options": [{ "name": "ndots", "value": "3" }, { "name": "edns0" }],
            })
        );
        let [main, second] = admitted["spec"]["containers"].as_array().unwrap().as_slice() else {
            panic!("{admitted}")
        };
        // A later source overrides an earlier one, and `env` overrides them all.
        assert_eq!(
            main["envFrom"],
            json!([source(), { "configMapRef": { "name": "own" } }, { "prefix": "S_", "secretRef": { "name": "own" } }])
        );
        assert_eq!(main["env"], json!([{ "name": "DB_NAME", "value": "mine" }]));
        assert_eq!(second["envFrom"], json!([source()]));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn init_containers_and_sidecars_are_injected_like_any_other_container() {
    in_namespace(async |ns| {
        let spec = "
initContainers:
  - {name: before, envFrom: [{secretRef: {name: own}}]}
  - {name: sidecar, restartPolicy: Always}
containers: [{name: main}]
";
        let admitted = admitted(ns, &pod(spec)).await;
        let init = &admitted["spec"]["initContainers"];
        assert_eq!(
            init[0]["envFrom"],
            json!([source(), { "secretRef": { "name": "own" } }])
        );
        assert_eq!(init[1]["envFrom"], json!([source()]));
        assert_eq!(init[1]["restartPolicy"], "Always");
        assert_eq!(admitted["spec"]["containers"][0]["envFrom"], json!([source()]));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_that_has_all_of_it_stays_as_it_is() {
    in_namespace(async |ns| {
        let spec = "
initContainers: [{name: before}]
containers: [{name: main}, {name: own, envFrom: [{prefix: W_, configMapRef: {name: web-links}}]}]
";
        let once = admitted(ns, &pod(spec)).await;
        assert_eq!(once["spec"]["dnsConfig"], json!({ "searches": [domain(ns)] }));
        assert_eq!(
            once["spec"]["containers"][1]["envFrom"],
            json!([{ "prefix": "W_", "configMapRef": { "name": "web-links" } }]),
            "who names the ConfigMap has decided how"
        );
        let mut again = once.clone();
        again["metadata"] = pod(spec)["metadata"].clone();
        again["status"] = Value::Null;
        assert_eq!(admitted(ns, &again).await["spec"], once["spec"]);
        // Written by hand with a dot at the end, and also requested by the label.
        let mut by_hand: Value = serde_yaml_ng::from_str(&BY_HAND.replace("shop", &ns.name)).unwrap();
        by_hand["metadata"]["labels"] = json!({ LABEL: "web" });
        by_hand["spec"]["dnsConfig"]["searches"][0] = format!("{}.", domain(ns)).into();
        let admitted = admitted(ns, &by_hand).await;
        assert_eq!(admitted["spec"]["dnsConfig"], by_hand["spec"]["dnsConfig"]);
        assert_eq!(admitted["spec"]["containers"][0]["envFrom"], json!([source()]));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_container_that_another_policy_adds_is_injected_and_nothing_twice() {
    in_namespace(async |ns| {
        // Its name sorts after ours, so it runs later, and the API server calls ours again.
        let name = format!("sidecar.{}", ns.name);
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
            "metadata": { "name": name },
            "spec": {
                "reinvocationPolicy": "IfNeeded",
                "matchConstraints": {
                    "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": ns.name } },
                    "resourceRules": [{
                        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
                    }],
                },
                "matchConditions": [{
                    "name": "once", "expression": "!object.spec.containers.exists(c, c.name == 'added')",
                }],
                "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression":
                    "[JSONPatch{op: 'add', path: '/spec/containers/-', value: {'name': 'added', 'image': 'x'}}]",
                } }],
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
            "metadata": { "name": name }, "spec": { "policyName": name },
        });
        let objects = [ns.create_object(&policy).await, ns.create_object(&binding).await];
        let admitted = eventually("the other policy adds its container", harness::SHORT, async || {
            let admitted = admitted(ns, &pod("containers: [{name: main}]")).await;
            let added = admitted["spec"]["containers"][1]["name"] == "added";
            if added { Ok(admitted) } else { Err(admitted.to_string()) }
        })
        .await;
        for object in objects {
            object.delete().await;
        }
        assert_eq!(admitted["spec"]["dnsConfig"], json!({ "searches": [domain(ns)] }));
        for container in admitted["spec"]["containers"].as_array().unwrap() {
            assert_eq!(container["envFrom"], json!([source()]), "{container}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_pod_without_the_label_or_with_one_that_names_no_directory_is_not_changed() {
    in_namespace(async |ns| {
        let spec = "{initContainers: [{name: before}], containers: [{name: main}]}";
        let mut mirror = pod(spec);
        mirror["spec"]["nodeName"] = "node1".into();
        mirror["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "x" });
        let too_long = "w".repeat(58);
        let names = ["web.v2", "2web", "Web", "web_v2", "", &too_long];
        let mut pods: Vec<Value> = names
            .iter()
            .map(|name| labelled(&json!({ LABEL: name }), spec))
            .collect();
        pods.extend([labelled(&json!({ "app": "web" }), spec), mirror]);
        for pod in pods {
            let admitted = admitted(ns, &pod).await;
            assert_eq!(admitted["spec"]["dnsConfig"], Value::Null, "{pod}");
            for containers in ["containers", "initContainers"] {
                assert_eq!(admitted["spec"][containers][0]["envFrom"], Value::Null, "{pod}");
            }
        }
        let longest = "w".repeat(57);
        let admitted = admitted(ns, &labelled(&json!({ LABEL: longest }), spec)).await;
        let name = format!("{longest}-links");
        assert_eq!(
            admitted["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"],
            name
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn the_search_domain_is_for_pods_that_ask_the_clusters_dns() {
    in_namespace(async |ns| {
        for (dns, asks_the_cluster) in [
            ("dnsPolicy: ClusterFirst", true),
            ("{dnsPolicy: ClusterFirstWithHostNet, hostNetwork: true}", true),
            ("{dnsPolicy: None, dnsConfig: {nameservers: [10.1.2.3]}}", true),
            ("dnsPolicy: Default", false),
            ("{dnsPolicy: ClusterFirst, hostNetwork: true}", false),
        ] {
            let mut pod = pod("containers: [{name: main}]");
            let dns: Value = serde_yaml_ng::from_str(dns).unwrap();
            for (key, value) in dns.as_object().unwrap() {
                pod["spec"][key] = value.clone();
            }
            let admitted = admitted(ns, &pod).await;
            let expected = if asks_the_cluster {
                json!([domain(ns)])
            } else {
                Value::Null
            };
            assert_eq!(admitted["spec"]["dnsConfig"]["searches"], expected, "{dns}");
            assert_eq!(admitted["spec"]["containers"][0]["envFrom"], json!([source()]), "{dns}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_full_list_of_search_domains_stays_as_it_is_and_the_pod_is_taken() {
    in_namespace(async |ns| {
        let many = |count: usize| (0..count).map(|n| format!("d{n}.example")).collect::<Vec<_>>();
        // This number of characters, spaces included, in domains of 200 characters.
        let long = |characters: usize| {
            let (mut domains, mut left) = (Vec::new(), characters);
            while left > 0 {
                let next = if left > 250 { 200 } else { left };
                domains.push(["a".repeat(60), "b".repeat(60), "c".repeat(next - 122)].join("."));
                left = left.saturating_sub(next + 1);
            }
            assert_eq!(domains.join(" ").len(), characters);
            domains
        };
        let room = 2048 - domain(ns).len() - 1;
        for (searches, fits) in [
            (many(31), true),
            (many(32), false),
            (long(room), true),
            (long(room + 1), false),
        ] {
            let mut pod = pod("containers: [{name: main}]");
            pod["spec"]["dnsConfig"] = json!({ "searches": searches });
            let mut expected = searches;
            expected.extend(fits.then(|| domain(ns)));
            let admitted = admitted(ns, &pod).await;
            assert_eq!(admitted["spec"]["dnsConfig"]["searches"], json!(expected));
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn every_kind_of_controller_makes_injected_pods_from_a_labelled_template() {
    in_namespace(async |ns| {
        let mut controllers: Vec<Value> = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]
            .iter()
            .map(|kind| serving_set(kind, &kind.to_lowercase(), "x"))
            .collect();
        let mut template = serving_deployment("job", "x")["spec"]["template"].clone();
        template["spec"]["restartPolicy"] = "Never".into();
        let job = json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "job" }, "spec": { "template": template },
        });
        controllers.push(job);
        for controller in &mut controllers {
            controller["spec"]["template"]["metadata"]["labels"][LABEL] = "web".into();
            ns.create_object(controller).await;
        }
        for app in ["deployment", "statefulset", "daemonset", "replicaset", "job"] {
            let pod = eventually(&format!("{app} has a pod"), harness::SHORT, async || {
                let pods = ns
                    .api::<Pod>()
                    .list(&ListParams::default().labels(&format!("app={app}")))
                    .await;
                pods.unwrap().items.into_iter().next().ok_or_else(|| "none".to_owned())
            })
            .await;
            let name = pod.name_any();
            let pod = serde_json::to_value(pod).unwrap();
            assert_eq!(pod["spec"]["dnsConfig"]["searches"], json!([domain(ns)]), "{name}");
            assert_eq!(pod["spec"]["containers"][0]["envFrom"], json!([source()]), "{name}");
        }
    })
    .await;
}
