use super::*;
use crate::fixture;
use crate::resolve::selector::Selector;

fn isolates(yaml: &str) -> bool {
    isolates_egress(&serde_yaml_ng::from_str(yaml).unwrap())
}

/// contract#egress-policy
#[test]
fn a_policy_isolates_for_egress_if_it_says_so_or_has_rules_for_egress_and_says_nothing() {
    assert!(isolates("{podSelector: {}, policyTypes: [Egress]}"));
    assert!(isolates("{podSelector: {}, policyTypes: [Ingress, Egress]}"));
    assert!(isolates("{podSelector: {}, egress: [{ports: [{port: 53}]}]}"));
    assert!(!isolates("{podSelector: {}}"), "Ingress is the default");
    assert!(!isolates("{podSelector: {}, egress: []}"));
    assert!(!isolates("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}"));
}

fn isolator(name: &str, pods: &str) -> Arc<Isolator> {
    Arc::new(Isolator {
        namespace: fixture::NAMESPACE.to_owned(),
        name: name.to_owned(),
        pods: serde_yaml_ng::from_str(pods).unwrap(),
    })
}

fn source_pod(name: &str) -> Pod {
    Pod {
        labels: [("app".to_owned(), "web".to_owned())].into(),
        ..fixture::pod(name, "10.0.0.20")
    }
}

fn of(s: &Snapshot) -> Isolation {
    egress_isolation_of(s, s.source.as_ref().unwrap(), s.target.as_ref().unwrap())
}

fn snapshot(isolators: &[Arc<Isolator>], selected: Vec<Pod>) -> Snapshot {
    let mut s = fixture::snapshot();
    s.egress.isolators = isolators.to_vec();
    s.egress.selected = selected.into_iter().map(Arc::new).collect();
    s
}

fn names<const N: usize>(names: [&str; N]) -> std::collections::BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// contract#egress-policy
#[test]
fn the_source_is_isolated_only_if_each_pod_with_its_labels_is() {
    let all = || isolator("deny", "{}");
    let inner = || isolator("inner", "{matchLabels: {tier: inner}}");
    let mut tiered = source_pod("web-0");
    tiered.labels.insert("tier".to_owned(), "inner".to_owned());
    let both = || vec![tiered.clone(), source_pod("web-1")];
    assert_eq!(of(&snapshot(&[], both())), Isolation::Open);
    assert_eq!(of(&snapshot(&[all()], both())), Isolation::Isolated(names(["deny"])));
    assert_eq!(of(&snapshot(&[inner()], both())), Isolation::Partly(names(["web-1"])));
    assert_eq!(
        of(&snapshot(&[inner(), all()], both())),
        Isolation::Isolated(names(["deny", "inner"]))
    );
}

/// contract#egress-policy
#[test]
fn a_pod_that_the_policy_would_not_select_or_that_has_finished_does_not_count() {
    let other = Pod {
        labels: [("app".to_owned(), "other".to_owned())].into(),
        ..source_pod("other")
    };
    let finished = Pod {
        finished: true,
        ..source_pod("job")
    };
    let web = isolator("deny", "{matchLabels: {tier: inner}}");
    let mut tiered = source_pod("web-0");
    tiered.labels.insert("tier".to_owned(), "inner".to_owned());
    let s = snapshot(&[web], vec![tiered, other, finished]);
    assert_eq!(of(&s), Isolation::Isolated(names(["deny"])));
}

#[test]
fn a_pod_whose_labels_are_not_known_may_be_selected_and_is_not_known_to_be_isolated() {
    let unknown = Pod {
        labels_unknown: true,
        ..source_pod("large")
    };
    let s = snapshot(&[isolator("deny", "{}")], vec![source_pod("web-0"), unknown]);
    assert_eq!(of(&s), Isolation::Partly(names(["large"])));
}

#[test]
fn a_source_without_pods_is_judged_by_the_labels_of_its_selector() {
    let of_web = isolator("deny", "{matchLabels: {app: web}}");
    assert_eq!(
        of(&snapshot(&[of_web], Vec::new())),
        Isolation::Isolated(names(["deny"]))
    );
    let of_pg = isolator("deny", "{matchLabels: {app: pg}}");
    assert_eq!(of(&snapshot(&[of_pg], Vec::new())), Isolation::Open);
}

/// contract#bounded-work
#[test]
fn too_many_pods_and_policies_are_not_compared() {
    let of_count = |count: usize| {
        let pods = (0..count).map(|n| source_pod(&format!("web-{n}"))).collect();
        let isolators: Vec<_> = (0..count)
            .map(|n| {
                Arc::new(Isolator {
                    pods: Selector::default(),
                    ..(*isolator(&format!("p{n}"), "{}")).clone()
                })
            })
            .collect();
        of(&snapshot(&isolators, pods))
    };
    assert!(matches!(of_count(200), Isolation::Isolated(by) if by.len() == 200));
    assert_eq!(of_count(1000), Isolation::TooCostly);
}
