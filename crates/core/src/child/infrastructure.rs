//! Labels and annotations that users and administrators want on children. The keys are recorded in an annotation of each child, so
//! that the operator knows which ones are its own when they are no longer wanted.

use std::collections::BTreeMap;

use instancelink_api::infrastructure::{Infrastructure, LONGEST, MOST, is_reserved};
use instancelink_api::keys;

use super::recorded::Recorded;
use super::{ChildSpec, is_our_annotation, is_our_label};
use crate::resolve::selector_problem;

/// Puts labels and annotations on a child, in place of those in its record, and records their keys.
pub(crate) fn put_on<T>(child: &mut ChildSpec<T>, wanted: &Infrastructure) {
    put_in(&mut child.labels, &mut child.annotations, wanted);
}

/// The same, for metadata that is not a child yet.
pub(crate) fn put_in(
    labels: &mut BTreeMap<String, String>,
    annotations: &mut BTreeMap<String, String>,
    wanted: &Infrastructure,
) {
    let before = Recorded::of(Some(annotations));
    labels.retain(|key, _| is_our_label(key) || !before.labels.contains(key));
    annotations.retain(|key, _| is_our_annotation(key) || !before.annotations.contains(key));
    annotations.remove(keys::INFRASTRUCTURE);
    if wanted.labels.is_empty() && wanted.annotations.is_empty() {
        return;
    }
    let recorded = Recorded {
        labels: wanted.labels.keys().cloned().collect(),
        annotations: wanted.annotations.keys().cloned().collect(),
    };
    labels.extend(wanted.labels.clone());
    annotations.extend(wanted.annotations.clone());
    // A record of texts has no form that JSON refuses.
    let record = serde_json::to_string(&recorded).unwrap_or_default();
    annotations.insert(keys::INFRASTRUCTURE.to_owned(), record);
}

/// The entries that an object can have. The API server refuses the others in a link, but may have stored it before.
pub fn usable(wanted: &Infrastructure) -> Infrastructure {
    let of = |entries: &BTreeMap<String, String>, is_value: fn(&str) -> bool| {
        let usable = entries
            .iter()
            .filter(|(key, value)| problem_of_key(key).is_none() && is_value(value))
            .take(MOST);
        usable.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    Infrastructure {
        labels: of(&wanted.labels, |value| selector_problem::of_value(value).is_none()),
        annotations: of(&wanted.annotations, |value| value.len() <= LONGEST),
    }
}

/// Why no user may set this key; none if users may.
pub fn problem_of_key(key: &str) -> Option<String> {
    let reserved = || is_reserved(key).then(instancelink_api::infrastructure::reserved_message);
    selector_problem::of_key(key).or_else(reserved)
}

/// Why no label can have this value; none if one can.
pub fn problem_of_value(value: &str) -> Option<String> {
    selector_problem::of_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(yaml: &str) -> Infrastructure {
        serde_yaml_ng::from_str(yaml).unwrap()
    }

    #[test]
    fn only_what_an_object_can_have_and_a_user_may_set_is_used() {
        let all = wanted(
            "{labels: {team: a, '': x, kubernetes.io/service-name: x, long: '0123456789012345678901234567890123456789012345678901234567890123456789'}, \
              annotations: {note: 'one, two', instancelink.dev/link: x}}",
        );
        let left = wanted("{labels: {team: a}, annotations: {note: 'one, two'}}");
        assert_eq!(usable(&all), left);
        let many = Infrastructure {
            labels: (0..100).map(|n| (format!("l{n}"), String::new())).collect(),
            annotations: BTreeMap::new(),
        };
        assert_eq!(usable(&many).labels.len(), MOST);
    }

    #[test]
    fn the_keys_of_what_is_put_on_a_child_are_recorded() {
        let (mut labels, mut annotations) = (BTreeMap::new(), BTreeMap::new());
        put_in(&mut labels, &mut annotations, &Infrastructure::default());
        assert!(annotations.is_empty(), "a child without them is as it was");
        put_in(
            &mut labels,
            &mut annotations,
            &wanted("{labels: {team: a}, annotations: {note: b}}"),
        );
        let recorded = Recorded::of(Some(&annotations));
        assert!(recorded.labels.contains("team") && recorded.annotations.contains("note"));
        labels.insert("own".to_owned(), "x".to_owned());
        put_in(&mut labels, &mut annotations, &wanted("{labels: {cost: b}}"));
        assert_eq!(labels.keys().collect::<Vec<_>>(), ["cost", "own"]);
        put_in(&mut labels, &mut annotations, &Infrastructure::default());
        assert!(labels.len() == 1 && annotations.is_empty());
    }
}
