//! Tests of the names that become part of a path.

use super::*;

const BAD: [&str; 12] = [
    "db/status",
    "../../../../api/v1/namespaces/kube-system/configmaps/coredns",
    "..",
    ".",
    "",
    "db?watch=1",
    "db%2fstatus",
    "db#",
    "Db",
    "db ",
    "db\n",
    "dä",
];

#[test]
fn only_names_become_part_of_a_path() {
    for bad in BAD {
        assert!(ObjectPath::of(&ObjectName::new("shop", bad)).is_err(), "{bad:?}");
        assert!(ObjectPath::of(&ObjectName::new(bad, "db")).is_err(), "{bad:?}");
        assert!(bad.is_empty() || Scope::of(bad).is_err(), "{bad:?}");
        assert!(GroupPath::of(bad).is_err() || bad == "db/status", "{bad:?}");
        assert!(GroupPath::of(&format!("apps/{bad}")).is_err(), "{bad:?}");
        assert!(checked_plural(bad).is_err(), "{bad:?}");
    }
    assert!(GroupPath::of("a/b/c").is_err());
    let pod = ObjectName::new("shop", "pg-0.a");
    let path = ObjectPath::of(&pod).unwrap();
    assert_eq!((path.namespace(), path.name()), ("shop", "pg-0.a"));
    assert_eq!(Scope::of("").unwrap().namespace(), None);
    assert_eq!(
        GroupPath::of("argoproj.io/v1alpha1").unwrap().path(),
        "argoproj.io/v1alpha1"
    );
}
