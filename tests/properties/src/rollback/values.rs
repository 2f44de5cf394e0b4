//! Values to try in every field: at its bounds, beyond them, null, empty, huge, in other scripts, and names of objects
//! that are missing or belong to others. Values that the API server would refuse are tried too, because a stored object
//! can be older than the rule that refuses them.

use serde_json::{Value, json};

/// The values to try in a field; none for an unknown field.
pub fn values(field: &str) -> Option<Vec<Value>> {
    let mut values = match field {
        "name" | "description" => texts(1024),
        "linkName" => labels(),
        "instanceRef" | "targetInstanceRef" => vec![
            json!({"kind": "Deployment", "name": "web"}),
            json!({"kind": "Deployment", "name": "missing"}),
            json!({"kind": "Pod", "name": "pg-0"}),
            json!({"kind": "Service", "name": "pg"}),
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "pg"}),
        ],
        "instanceRef.apiVersion" | "targetInstanceRef.apiVersion" => {
            let apis = [
                "v1",
                "apps/v1",
                "apps/v1beta1",
                "batch/v1",
                "argoproj.io/v1alpha1",
                "",
                "/",
                "a/b/c",
                "ÄPI/v1",
            ];
            strings(&apis)
        }
        "instanceRef.kind" | "targetInstanceRef.kind" => strings(&[
            "Deployment",
            "StatefulSet",
            "DaemonSet",
            "ReplicaSet",
            "Job",
            "CronJob",
            "Pod",
            "Service",
            "Rollout",
            "",
            "deployment",
            "Ünit",
        ]),
        "instanceRef.name" | "targetInstanceRef.name" => {
            let mut names = strings(&["pg", "web", "missing", "2web", "web.v2", "", "-", "web db", "wéb"]);
            names.push(json!("w".repeat(253)));
            names.push(json!("w".repeat(58)));
            names
        }
        "targetInstanceRef.namespace" => strings(&["shop", "data", "nowhere", "", "a.b", "Shop", "ns-\u{1F600}"]),
        "desiredState" => strings(&["Active", "Inactive"]),
        "ports" => ports(),
        "ports[]" => vec![
            json!({"name": "other", "port": 9999}),
            json!({"name": "udp", "port": 53, "protocol": "UDP"}),
        ],
        "ports[].name" => strings(&[
            "pg",
            "a",
            "fifteen-letters",
            "sixteen-letters-",
            "a--b",
            "",
            "5432",
            "PG",
            "pörtchen",
        ]),
        "ports[].port" => numbers(&[1, 5432, 65_535, 65_536, 0, -1, 2_147_483_647, -2_147_483_648]),
        "ports[].targetPort" => {
            vec![
                json!(1),
                json!(65_535),
                json!(65_536),
                json!(0),
                json!(-5),
                json!("pg"),
                json!("missing"),
                json!(""),
            ]
        }
        "ports[].protocol" => strings(&["TCP", "UDP", "SCTP"]),
        "addressing" => strings(&["Auto", "PodIP", "ServiceIP", "VirtualIP"]),
        "publishNotReadyAddresses" => vec![json!(true), json!(false)],
        "activation" | "deactivation" => vec![json!({})],
        "activation.targetWaitSeconds" => numbers(&[0, 1, 3600, 3601, -1, i64::MAX, i64::MIN]),
        // No greater value: a very long drain is valid behaviour, so the link would not rest. The schema allows an
        // hour.
        "deactivation.drainSeconds" => numbers(&[0, 1, 3600, 3601, -1, i64::MIN]),
        "networkPolicy" => strings(&["None", "Allow"]),
        "outputs" => vec![
            json!({}),
            json!({"environment": "None"}),
            json!({"binding": {"type": "postgresql"}}),
        ],
        "outputs.environment" => strings(&["Docker", "None"]),
        "outputs.binding" => vec![
            json!({"type": "postgresql"}),
            json!({"type": "postgresql", "secretRef": {"name": "missing"}}),
            json!({"type": "postgresql", "provider": "ours", "secretRef": {"name": "web-db-binding"}}),
        ],
        "outputs.binding.type" | "outputs.binding.provider" => texts(63),
        "outputs.binding.secretRef" => vec![json!({"name": "missing"}), json!({"name": "web-db-binding"})],
        "outputs.binding.secretRef.name" => strings(&["missing", "web-db-binding", "", "Sécret"]),
        "infrastructure" => vec![
            json!({}),
            json!({"labels": {"team": "a"}, "annotations": {"example.com/note": "x"}}),
            json!({"labels": {"app.kubernetes.io/managed-by": "me", "": "x", "the team": "a"}}),
        ],
        "infrastructure.labels" => vec![
            json!({}),
            json!({"team": "a b"}),
            json!({"instancelink.dev/link-uid": "x", "kubernetes.io/service-name": "x", "team": "a"}),
            json!(
                (0..100)
                    .map(|n| (format!("l{n}"), json!("x")))
                    .collect::<serde_json::Map<_, _>>()
            ),
        ],
        "infrastructure.annotations" => vec![
            json!({}),
            json!({"instancelink.dev/link": "x/y", "instancelink.dev/infrastructure": "x", "note": "ünïcödé"}),
            json!({"note": "x".repeat(1025)}),
        ],
        "ttlSecondsAfterRemoved" | "ttlSecondsAfterPurged" => numbers(&[0, 1, 3600, -1, i64::MAX, i64::MIN]),
        _ => return None,
    };
    values.push(Value::Null);
    Some(values)
}

fn strings(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

fn numbers(numbers: &[i64]) -> Vec<Value> {
    numbers.iter().map(|number| json!(number)).collect()
}

fn texts(longest: usize) -> Vec<Value> {
    let mut values = strings(&[
        "",
        "x",
        "ünïcödé \u{202E}rtl",
        "\u{0}\u{1b}[31m",
        "{\"json\": [",
        "日本語",
        "a/b:c",
    ]);
    values.push(json!("x".repeat(longest)));
    values.push(json!("x".repeat(longest + 1)));
    values.push(json!("\u{1F600}".repeat(20_000)));
    values
}

fn labels() -> Vec<Value> {
    let mut values = strings(&[
        "cache",
        "localhost",
        "kubernetes",
        "wpad",
        "a--b",
        "DB",
        "1db",
        "-",
        "",
        "db.example",
        "däb",
        "a",
    ]);
    values.extend([46, 47, 63, 64, 1000].map(|length| json!("a".repeat(length))));
    values
}

fn ports() -> Vec<Value> {
    let many = |n: i32| {
        json!(
            (1..=n)
                .map(|p| json!({"name": format!("p{p}"), "port": p}))
                .collect::<Vec<_>>()
        )
    };
    vec![
        json!([]),
        json!([{"name": "pg", "port": 5432}]),
        json!([{"name": "a", "port": 1}, {"name": "a", "port": 2}]),
        json!([{"name": "a", "port": 1}, {"name": "b", "port": 1}]),
        json!([{"name": "db", "port": 1}, {"name": "b", "port": 1, "protocol": "UDP"}]),
        many(32),
        many(33),
        many(101),
    ]
}
