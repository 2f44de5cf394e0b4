//! The sequences. A step is a writer and the reference that it writes; with `!` the write is refused.
//!
//! - `apply`: server-side apply with force, `ask`: without force, both by one client
//! - `kubectl`: apply on the client's side
//! - `replace`, `merge`, `json`: a PUT, a merge patch and a JSON patch of a third client

/// Of `targetInstanceRef`.
pub(crate) const TARGETS: &[&str] = &[
    // Another client gives the target a namespace, and the manifest is applied again.
    "apply Deployment/pg, merge Deployment/pg2@data, apply Deployment/pg",
    "apply Deployment/pg, json Deployment/pg2@data, apply Deployment/pg",
    "apply Deployment/pg, replace Deployment/pg2@data, apply Deployment/pg",
    "kubectl Deployment/pg, merge Deployment/pg2@data, kubectl Deployment/pg",
    "kubectl Deployment/pg, json Deployment/pg2@data, kubectl Deployment/pg",
    "kubectl Deployment/pg, replace Deployment/pg2@data, kubectl Deployment/pg",
    "replace Deployment/pg, merge Deployment/pg2@data, replace Deployment/pg",
    "replace Deployment/pg, apply Deployment/pg2@data, merge Deployment/pg",
    // Only the namespace differs.
    "apply Service/pg, merge Service/pg@data, apply Service/pg",
    "kubectl Service/pg, merge Service/pg@data, kubectl Service/pg",
    "apply Service/pg@data, replace Service/pg, apply Service/pg@data",
    "kubectl Service/pg@data, replace Service/pg, kubectl Service/pg@data",
    "apply Service/pg@data, merge Service/pg@other, apply Service/pg",
    "kubectl Service/pg@data, merge Service/pg@other, kubectl Service/pg",
    // Only the version differs.
    "apply Deployment/pg, merge apps/v1:Deployment/pg, apply Deployment/pg",
    "kubectl Deployment/pg, merge apps/v1:Deployment/pg, kubectl Deployment/pg",
    "apply example.com/v1:Widget/pg, merge Deployment/pg, apply example.com/v1:Widget/pg",
    "kubectl example.com/v1:Widget/pg, merge Deployment/pg, kubectl example.com/v1:Widget/pg",
    "apply Deployment/pg, merge example.com/v1:Widget/pg@data, apply Deployment/pg",
    "kubectl Deployment/pg, merge example.com/v1:Widget/pg@data, kubectl Deployment/pg",
    "kubectl Deployment/pg, apply example.com/v1:Widget/pg, kubectl Service/pg",
    // Without force, a client does not overwrite the reference of another one, and never mixes with it.
    "apply Deployment/pg, merge Deployment/pg2@data, ask !Deployment/pg, apply Deployment/pg",
    "apply Deployment/pg, replace Service/pg, ask !Deployment/pg2, merge Deployment/pg, ask Deployment/pg",
    "kubectl Deployment/pg, ask !Service/pg@data, ask Deployment/pg",
    "ask Deployment/pg, kubectl Service/pg, ask !Deployment/pg, json Deployment/pg@data, ask !Deployment/pg",
    "ask Deployment/pg, ask Service/pg@data, ask Deployment/pg",
    // Three clients in turn.
    "apply Deployment/pg, kubectl Service/pg2@data, replace StatefulSet/pg3, apply Deployment/pg",
    "kubectl Service/pg@data, apply Deployment/pg, merge Service/pg2@other, kubectl Deployment/pg",
    "replace Service/pg@data, kubectl Deployment/pg, apply Service/pg@other, merge Deployment/pg, kubectl Service/pg",
    "apply Service/pg@data, kubectl Deployment/pg, json Service/pg@other, kubectl Deployment/pg, apply Service/pg",
    "kubectl Deployment/pg@data, kubectl Deployment/pg, merge Deployment/pg@data, kubectl Deployment/pg2",
    "apply Deployment/pg@data, apply Deployment/pg, merge Deployment/pg@data, apply Deployment/pg2",
    "kubectl Deployment/pg, apply Deployment/pg@data, kubectl Deployment/pg2, apply Deployment/pg@data, merge Pod/pg",
    // What the schema refuses changes nothing.
    "apply Deployment/pg, apply !Widget/pg, merge !Widget/pg@data, kubectl !v2:Deployment/pg, apply Deployment/pg",
];

/// Of `instanceRef`, which is immutable: only a version that the kind determines may come and go.
pub(crate) const SOURCES: &[&str] = &[
    "apply Deployment/web, merge apps/v1:Deployment/web, apply Deployment/web",
    "kubectl Deployment/web, merge apps/v1:Deployment/web, kubectl Deployment/web",
    "kubectl apps/v1:Deployment/web, replace Deployment/web, kubectl apps/v1:Deployment/web",
    "apply Deployment/web, apply !Deployment/other, merge !StatefulSet/web, kubectl !Pod/web, replace !Service/web",
    "apply apps/v1:Deployment/web, ask apps/v1:Deployment/web, json !example.com/v1:Deployment/web",
];

/// Of `secretRef`, which has only a name.
pub(crate) const SECRETS: &[&str] = &[
    "apply Secret/a, merge Secret/b, apply Secret/a",
    "kubectl Secret/a, merge Secret/b, kubectl Secret/a",
    "replace Secret/a, apply Secret/b, kubectl Secret/c, json Secret/a",
    "apply Secret/a, replace Secret/b, ask !Secret/a, apply Secret/c",
];

/// Of the lists `to` and `from` of a grant.
pub(crate) const ENTRIES: &[&str] = &[
    "apply Service/pg, merge Service/pg2@ports, apply Service/pg",
    "kubectl Service/pg, merge Service/pg2@ports, kubectl Service/pg",
    "replace Service/pg@ports, apply Service/pg, kubectl Service/pg2, json Service/pg@ports",
    "apply Service/pg@ports, kubectl Service/pg, apply Service/pg@ports, merge Service/pg",
    "apply Service/pg, merge apps/v1:Deployment/pg@ports, ask !Service/pg, apply Service/pg",
];
