//! Rights that the operator may lack: the manifests that give them, as messages. A user can pipe such a message into
//! `kubectl apply -f -`: all but the manifest is a comment.
//!
//! Does not decide whether a right is missing; `dataplane` and `readiness` do, by what the API server answered.

use std::sync::Arc;

use crate::child::Kind;

/// What the user name of each service account begins with; `namespace:name` follows.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// The operator's user name at the API server: the subject of each right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(Arc<str>);

impl Account {
    /// The account with this user name, such as `system:serviceaccount:instancelink-system:instancelink`.
    pub fn new(user_name: &str) -> Self {
        Self(user_name.into())
    }

    /// The account of a service account.
    pub fn of_service_account(namespace: &str, name: &str) -> Self {
        Self::new(&format!("{SERVICE_ACCOUNT}{namespace}:{name}"))
    }

    /// As a subject of a `RoleBinding`.
    fn subject(&self) -> String {
        let service_account = self
            .0
            .strip_prefix(SERVICE_ACCOUNT)
            .and_then(|rest| rest.split_once(':'));
        match service_account {
            Some((namespace, name)) => {
                format!(
                    "- kind: ServiceAccount\n  name: {}\n  namespace: {}\n",
                    quoted(name),
                    quoted(namespace)
                )
            }
            None => format!(
                "- apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: {}\n",
                serde_json::Value::from(&*self.0)
            ),
        }
    }
}

/// The account of the shipped manifests.
impl Default for Account {
    fn default() -> Self {
        Self::of_service_account("instancelink-system", "instancelink")
    }
}

/// `why`, and the manifest that lets the operator handle children of this kind in a namespace.
pub(crate) fn to_children(why: &str, kind: Kind, namespace: &str, account: &Account) -> String {
    let resource = kind.plural();
    let right = Right {
        name: if kind == Kind::Binding { "binding" } else { resource },
        group: kind.group(),
        resource,
        verbs: "get, list, watch, create, patch, delete",
    };
    manifest(why, &right, namespace, account)
}

/// `why`, and the manifest that lets the operator write the readiness gates of pods in a namespace.
pub(crate) fn to_pod_status(why: &str, namespace: &str, account: &Account) -> String {
    let right = Right {
        name: "readiness-gates",
        group: "",
        resource: "pods/status",
        verbs: "patch",
    };
    manifest(why, &right, namespace, account)
}

struct Right<'a> {
    name: &'a str,
    group: &'a str,
    resource: &'a str,
    verbs: &'a str,
}

fn manifest(why: &str, right: &Right<'_>, namespace: &str, account: &Account) -> String {
    let Right {
        name,
        group,
        resource,
        verbs,
    } = right;
    // By the label `instancelink uninstall` finds what belongs to the installation.
    let metadata = format!(
        "metadata:\n  name: instancelink-{name}\n  namespace: {}\n  labels: {{app.kubernetes.io/part-of: instancelink}}\n",
        quoted(namespace)
    );
    format!(
        "# {}\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: Role\n\
         {metadata}\
         rules:\n- apiGroups: [{}]\n  resources: [{resource}]\n  verbs: [{verbs}]\n\
         ---\n\
         apiVersion: rbac.authorization.k8s.io/v1\n\
         kind: RoleBinding\n\
         {metadata}\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: instancelink-{name}}}\n\
         subjects:\n{}",
        one_line(why),
        if group.is_empty() { "\"\"" } else { group },
        account.subject(),
    )
}

/// A comment ends with its line.
pub(crate) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// A name as a YAML string: between quotes where YAML would read a number, a boolean or null.
pub(crate) fn quoted(name: &str) -> String {
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let special = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    if word && !special.contains(&name.to_lowercase().as_str()) {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_yaml_ng::Deserializer;

    use super::*;

    fn objects(message: &str) -> Vec<Value> {
        Deserializer::from_str(message)
            .map(|document| serde::Deserialize::deserialize(document).unwrap())
            .collect()
    }

    #[test]
    fn a_missing_right_is_shown_as_a_role_and_its_binding_to_the_operators_service_account() {
        let account = Account::of_service_account("links", "operator");
        let message = to_children("why\nin two lines", Kind::Binding, "shop", &account);
        let [role, binding] = &objects(&message)[..] else {
            panic!("{message}")
        };
        assert_eq!(role["metadata"], binding["metadata"]);
        assert_eq!(role["metadata"]["namespace"], "shop");
        assert_eq!(role["rules"][0]["apiGroups"][0], "");
        assert_eq!(role["rules"][0]["resources"][0], "secrets");
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        assert_eq!(binding["subjects"][0]["kind"], "ServiceAccount");
        assert_eq!(binding["subjects"][0]["name"], "operator");
        assert_eq!(binding["subjects"][0]["namespace"], "links");
    }

    #[test]
    fn an_operator_outside_of_the_cluster_is_a_user() {
        let message = to_pod_status("why", "on", &Account::new("a \"user\": x"));
        let [role, binding] = &objects(&message)[..] else {
            panic!("{message}")
        };
        assert_eq!(role["metadata"]["namespace"], "on");
        assert_eq!(role["rules"][0]["verbs"][0], "patch");
        assert_eq!(binding["subjects"][0]["kind"], "User");
        assert_eq!(binding["subjects"][0]["name"], "a \"user\": x");
    }
}
