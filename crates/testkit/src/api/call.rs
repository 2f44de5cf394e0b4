//! A request, parsed from its HTTP form.

use http::Method;
use http::request::Parts;

use super::failure::Failure;
use super::resource::{self, Resource};

/// A request for objects.
#[derive(Clone, Debug)]
pub struct Call {
    /// The client's name.
    pub by: String,
    /// The verb as in RBAC rules: get, list, watch, create, update, patch, delete.
    pub verb: &'static str,
    /// The kind.
    pub resource: &'static Resource,
    /// The namespace; none for all namespaces.
    pub namespace: Option<String>,
    /// The object's name; none for a collection.
    pub name: Option<String>,
    /// The subresource, such as `status`.
    pub subresource: Option<String>,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The content type of the body.
    pub content_type: String,
}

impl Call {
    /// The answer if the user has no right to this: 403, in the words of the API server's authorizer.
    pub fn forbidden(&self) -> Failure {
        let Self { by, verb, resource, .. } = self;
        let name = self.name.as_deref().unwrap_or_default();
        let subresource = self
            .subresource
            .as_ref()
            .map_or_else(String::new, |name| format!("/{name}"));
        let place = match &self.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let object = match name {
            "" => resource.qualified(),
            name => format!("{} \"{name}\"", resource.qualified()),
        };
        let (plural, group) = (resource.plural, resource.group);
        let message = format!(
            "{object} is forbidden: User \"{by}\" cannot {verb} resource \"{plural}{subresource}\" in API group \"{group}\" {place}",
        );
        Failure::about(403, "Forbidden", resource, name, &message)
    }

    /// Parses a request.
    pub fn parse(by: &str, parts: &Parts) -> Result<Self, Failure> {
        let path = parts.uri.path().trim_matches('/').to_owned();
        let steps: Vec<&str> = path.split('/').collect();
        let (group, version, rest) = match steps.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(Failure::not_served()),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() && !matches!(rest, ["status" | "finalize"]) => {
                (Some((*namespace).to_owned()), rest)
            }
            rest => (None, rest),
        };
        let [plural, rest @ ..] = rest else {
            return Err(Failure::not_served());
        };
        let resource = resource::find(group, version, plural).ok_or_else(Failure::not_served)?;
        let (name, subresource) = match rest {
            [] => (None, None),
            [name] => (Some((*name).to_owned()), None),
            [name, subresource] => (Some((*name).to_owned()), Some((*subresource).to_owned())),
            _ => return Err(Failure::not_served()),
        };
        let query: Vec<(String, String)> = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        let watches = query.iter().any(|(k, v)| k == "watch" && (v == "true" || v == "1"));
        let verb = match (&parts.method, &name) {
            (&Method::GET, None) if watches => "watch",
            (&Method::GET, None) => "list",
            (&Method::GET, Some(_)) => "get",
            (&Method::POST, None) => "create",
            (&Method::PUT, Some(_)) => "update",
            (&Method::PATCH, Some(_)) => "patch",
            (&Method::DELETE, Some(_)) => "delete",
            _ => {
                let why = "the server does not allow this method on the requested resource";
                return Err(Failure::new(405, "MethodNotAllowed", why));
            }
        };
        let content_type = parts.headers.get(http::header::CONTENT_TYPE);
        Ok(Self {
            by: by.to_owned(),
            verb,
            resource,
            namespace,
            name,
            subresource,
            query,
            content_type: content_type
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
        })
    }

    /// A parameter of the query; empty if it is missing.
    pub fn query(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// `verb plural[/subresource] [namespace/]name`, for logs.
    pub fn shown(&self) -> String {
        let sub = self.subresource.as_ref().map_or(String::new(), |s| format!("/{s}"));
        let namespace = self.namespace.as_ref().map_or(String::new(), |n| format!("{n}/"));
        let name = self.name.as_deref().unwrap_or("*");
        format!("{} {}{sub} {namespace}{name}", self.verb, self.resource.plural)
    }
}
