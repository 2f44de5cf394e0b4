//! A request as RBAC sees it, read from its method and path.

use std::time::Instant;

use http::{Method, Uri};

/// A request, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`.
    pub verb: &'static str,
    /// The API group. Empty for the core group and for requests without a resource.
    pub group: String,
    /// The plural name with the subresource, such as `instancelinks/status`. Empty for discovery and similar requests.
    pub resource: String,
    /// If the request is about one.
    pub namespace: String,
    /// If the request is about one.
    pub name: String,
    /// The HTTP status from the API server. 0 if it did not get the request, or did not answer.
    pub status: u16,
    /// When the request arrived.
    pub at: Instant,
}

impl Request {
    /// Reads method and path.
    pub fn read(method: &Method, uri: &Uri) -> Self {
        let watches = uri
            .query()
            .is_some_and(|q| q.split('&').any(|p| p == "watch=true" || p == "watch=1"));
        let mut parts = uri.path().trim_matches('/').split('/');
        let group = match parts.next() {
            Some("api") => Some(String::new()),
            Some("apis") => parts.next().map(str::to_owned),
            _ => None,
        };
        let mut rest: Vec<&str> = parts.skip(1).collect();
        let mut namespace = String::new();
        if rest.len() > 2 && rest[0] == "namespaces" {
            rest[1].clone_into(&mut namespace);
            rest.drain(..2);
        }
        let resource = match (rest.first(), rest.get(2)) {
            (Some(plural), Some(subresource)) => format!("{plural}/{subresource}"),
            (Some(plural), None) => (*plural).to_owned(),
            (None, _) => String::new(),
        };
        let name = rest.get(1).copied().unwrap_or_default().to_owned();
        let verb = match method.as_str() {
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ if watches => "watch",
            _ if name.is_empty() && !resource.is_empty() => "list",
            _ => "get",
        };
        Self {
            verb,
            group: group.unwrap_or_default(),
            resource,
            namespace,
            name,
            status: 0,
            at: Instant::now(),
        }
    }

    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }

    /// Whether it did change something.
    pub fn has_written(&self) -> bool {
        self.writes() && (200..300).contains(&self.status)
    }

    /// `verb group/resource`, as a rule of a role.
    pub fn right(&self) -> String {
        format!("{} {}/{}", self.verb, self.group, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, uri: &str) -> (String, String, String) {
        let request = Request::read(&method.parse().unwrap(), &uri.parse().unwrap());
        (request.right(), request.namespace, request.name)
    }

    #[test]
    fn a_request_is_the_right_it_needs() {
        let links = "/apis/instancelink.dev/v1alpha1/namespaces/shop/instancelinks";
        let case = |right: &str, namespace: &str, name: &str| (right.to_owned(), namespace.to_owned(), name.to_owned());
        assert_eq!(
            read("PATCH", &format!("{links}/db/status?fieldManager=x")),
            case("patch instancelink.dev/instancelinks/status", "shop", "db")
        );
        assert_eq!(
            read("GET", links),
            case("list instancelink.dev/instancelinks", "shop", "")
        );
        assert_eq!(
            read("GET", "/api/v1/pods?watch=true&sendInitialEvents=true"),
            case("watch /pods", "", "")
        );
        assert_eq!(
            read("GET", "/api/v1/namespaces/shop"),
            case("get /namespaces", "", "shop")
        );
        assert_eq!(
            read("DELETE", "/api/v1/namespaces/shop/services/web-links"),
            case("delete /services", "shop", "web-links")
        );
        assert_eq!(read("GET", "/apis/apps"), case("get apps/", "", ""));
    }
}
