//! The person whom a message of the operator is for. That person does what the message says, with their own rights.
//!
//! | a message has | for example | as a user reads it |
//! |---|---|---|
//! | a manifest | `# Namespace data does not permit …` | the whole message |
//! | a command | `kubectl -n shop edit il web-db` | up to `;`, `)`, a line break, or a comma or full stop before a space |
//! | a field | `write networkPolicy: None` | a field of the link's spec and its value |
//! | a name | `Use db.web-links.shop.svc` | the name that is safe to use |

use instancelink_api::keys;
use serde_json::{Value, json};

use crate::kubectl::{pasted, run};
use crate::{Link, Namespace, Output, User};

/// An editor that changes nothing, for commands without one.
const NO_EDITOR: &str = "false";

/// Who reads a message and follows it.
pub struct Reader {
    /// None is who administers the cluster: the user of `KUBECONFIG`.
    user: Option<User>,
}

impl Reader {
    /// Who administers the cluster.
    pub const fn of_the_cluster() -> Self {
        Self { user: None }
    }

    /// Who writes the links of a namespace: a user with the role `edit`.
    pub async fn author(namespace: &Namespace) -> Self {
        Self::with_role(namespace, "edit").await
    }

    /// Who administers a namespace: a user with the role `admin`.
    pub async fn administrator(namespace: &Namespace) -> Self {
        Self::with_role(namespace, "admin").await
    }

    async fn with_role(namespace: &Namespace, role: &str) -> Self {
        let user = User::with_cluster_role(namespace, &format!("{role}-of-{}", namespace.name), role).await;
        Self { user: Some(user) }
    }

    /// Applies a message that is a manifest.
    pub async fn applies(&self, message: &str) {
        assert!(message.starts_with("# "), "no manifest: {message}");
        self.kubectl(&["apply", "-f", "-"], message).await.succeeds();
    }

    /// Runs the commands in a message, and returns what they print.
    pub async fn runs(&self, message: &str) -> String {
        self.runs_with(NO_EDITOR, message).await
    }

    /// The same, where `kubectl edit` replaces a text by another one.
    pub async fn edits(&self, message: &str, from: &str, to: &str) -> String {
        self.runs_with(&format!("sed -i 's|{from}|{to}|'"), message).await
    }

    async fn runs_with(&self, editor: &str, message: &str) -> String {
        let mut commands = commands_in(message);
        commands.dedup();
        assert!(!commands.is_empty(), "no command in {message}");
        let mut printed = String::new();
        for command in commands {
            printed += &pasted(command, self.name(), editor).await.succeeds();
        }
        printed
    }

    /// Writes the field that a message names, the first one, into the spec of a link.
    pub async fn writes(&self, link: &Link, message: &str) {
        let field = field_in(message).unwrap_or_else(|| panic!("no field to write in {message}"));
        self.sets(link, &field).await;
    }

    /// Removes a field from the spec of a link, as a message says.
    pub async fn removes(&self, link: &Link, message: &str, field: &str) {
        let words = format!("remove {field}");
        assert!(message.contains(&words), "{words:?} is not in {message}");
        self.sets(link, &json!({ field: null })).await;
    }

    /// Sets fields of the spec of a link, where the message leaves the value to its reader.
    pub async fn sets(&self, link: &Link, spec: &Value) {
        let patch = json!({ "spec": spec }).to_string();
        let namespace = &link.namespace.name;
        let arguments = ["-n", namespace, "patch", "il", &link.name, "--type=merge", "-p", &patch];
        self.kubectl(&arguments, "").await.succeeds();
    }

    /// Creates an object, where the message names it.
    pub async fn creates(&self, namespace: &Namespace, manifest: &Value) {
        let arguments = ["-n", namespace.name.as_str(), "create", "-f", "-"];
        self.kubectl(&arguments, &manifest.to_string()).await.succeeds();
    }

    /// Sends a merge patch of an object, such as `networkpolicy/deny`, where the message leaves the value to its reader.
    pub async fn changes(&self, namespace: &Namespace, object: &str, patch: &Value) {
        let patch = patch.to_string();
        let arguments = [
            "-n",
            namespace.name.as_str(),
            "patch",
            object,
            "--type=merge",
            "-p",
            &patch,
        ];
        self.kubectl(&arguments, "").await.succeeds();
    }

    /// Asks for an action of a link.
    pub async fn asks(&self, link: &Link, action: &str) -> Output {
        let (namespace, pair) = (link.namespace.name.as_str(), format!("{}={action}", keys::ACTION));
        self.kubectl(&["-n", namespace, "annotate", "il", &link.name, &pair], "")
            .await
    }

    async fn kubectl(&self, arguments: &[&str], input: &str) -> Output {
        match self.name() {
            Some(name) => run(&[&["--as", name], arguments].concat(), input).await,
            None => run(arguments, input).await,
        }
    }

    fn name(&self) -> Option<&str> {
        self.user.as_ref().map(User::name)
    }
}

/// The name that a message calls safe.
pub fn safe_name_in(message: &str) -> &str {
    let (_, name) = message
        .split_once(". Use ")
        .unwrap_or_else(|| panic!("no name in {message}"));
    name.split([',', ';', ' ']).next().unwrap_or_default()
}

/// The commands in a message.
fn commands_in(message: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut rest = message;
    while let Some(at) = rest.find("kubectl ") {
        let (command, after) = rest[at..].split_at(end_of_command(&rest[at..]));
        commands.push(command);
        rest = after;
    }
    commands
}

fn end_of_command(text: &str) -> usize {
    let mut quoted = false;
    let ends = |&(at, c): &(usize, char)| {
        quoted ^= c == '\'';
        let before_space = text[at + c.len_utf8()..].starts_with(' ');
        !quoted && (matches!(c, ';' | ')' | '\n') || (matches!(c, ',' | '.') && before_space))
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

/// The first field with a value that a message says to write.
fn field_in(message: &str) -> Option<Value> {
    let starts = ["rite ", "for example "];
    let mut places: Vec<usize> = starts
        .iter()
        .flat_map(|word| message.match_indices(word).map(move |(at, _)| at + word.len()))
        .collect();
    places.sort_unstable();
    places.into_iter().find_map(|at| field_at(&message[at..]))
}

fn field_at(text: &str) -> Option<Value> {
    let (field, text) = text.split_once(": ")?;
    let is_name = !field.is_empty() && field.chars().all(char::is_alphanumeric);
    let end = if text.starts_with(['{', '[']) {
        let mut open = 0;
        let closes = |&(_, c): &(usize, char)| {
            open += i32::from(matches!(c, '{' | '[')) - i32::from(matches!(c, '}' | ']'));
            open == 0
        };
        text.char_indices().find(closes).map_or(text.len(), |(at, _)| at + 1)
    } else {
        text.find([',', ';', ' ', '.', ')']).unwrap_or(text.len())
    };
    let value: Value = serde_yaml_ng::from_str(&text[..end]).ok()?;
    is_name.then(|| json!({ field: value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_with_its_clause() {
        for (message, expected) in [
            (
                "delete it (kubectl -n a delete services b) or give it another name",
                vec!["kubectl -n a delete services b"],
            ),
            (
                "To find it, run: kubectl get a,b. The operator tries again; kubectl -n c edit d.e f, or not",
                vec!["kubectl get a,b", "kubectl -n c edit d.e f"],
            ),
            (
                "run: kubectl patch a b -p '{\"c\":{\"d\":null, \"e\": 1}}'; then",
                vec!["kubectl patch a b -p '{\"c\":{\"d\":null, \"e\": 1}}'"],
            ),
            (
                "kubectl create role a && kubectl create rolebinding b",
                vec!["kubectl create role a && kubectl create rolebinding b"],
            ),
            ("nothing to run", vec![]),
        ] {
            assert_eq!(commands_in(message), expected);
        }
    }

    #[test]
    fn a_field_is_read_with_its_value() {
        for (message, expected) in [
            (
                "write addressing: PodIP, or remove addressing",
                Some(json!({ "addressing": "PodIP" })),
            ),
            (
                "list them, or write networkPolicy: None",
                Some(json!({ "networkPolicy": "None" })),
            ),
            (
                "Write outputs: {environment: None} into this link",
                Some(json!({ "outputs": { "environment": "None" } })),
            ),
            (
                "for example ports: [{name: db, port: 5432}]: kubectl -n a edit il b",
                Some(json!({ "ports": [{ "name": "db", "port": 5432 }] })),
            ),
            ("write a number from 1 to 65535", None),
        ] {
            assert_eq!(field_in(message), expected, "{message}");
        }
    }
}
