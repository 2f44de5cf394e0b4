//! The minimal cost of each edge: the exact number of writes by kind of request. No read is needed, because everything
//! is watched.
//!
//! Each state is one status write, because each watcher must see it. k is the number of children that this link
//! needs: its slice, and for the first link of a source the directory and the environment.

use std::fmt::Write as _;

use crate::audit::Counts;

const STATUS: &str = "patch instancelinks/status";
const LINK: &str = "patch instancelinks";
const EVENT: &str = "create events";
const MADE: [(&str, u64); 3] = [
    ("create services", 1),
    ("create configmaps", 1),
    ("create endpointslices", 1),
];
const MADE_OF_TEN: [(&str, u64); 3] = [
    ("create services", 1),
    ("create configmaps", 1),
    ("create endpointslices", 10),
];
const GONE: [(&str, u64); 3] = [
    ("delete services", 1),
    ("delete configmaps", 1),
    ("delete endpointslices", 1),
];

/// An edge in a link's life, and its permitted cost.
#[derive(Debug)]
pub struct Edge {
    /// Its name.
    pub what: &'static str,
    /// The reason for this number.
    pub because: &'static str,
    /// Status writes, other writes of the link, events.
    links: [u64; 3],
    /// Writes of children.
    children: &'static [(&'static str, u64)],
}

const fn edge(
    what: &'static str,
    because: &'static str,
    links: [u64; 3],
    children: &'static [(&'static str, u64)],
) -> Edge {
    Edge {
        what,
        because,
        links,
        children,
    }
}

/// Every edge. The gate runs each.
#[rustfmt::skip]
pub const EDGES: [Edge; 33] = [
    edge("the first link of a source becomes active", "k + 2", [2, 0, 0], &MADE),
    edge("another link of the source becomes active", "k + 2", [2, 0, 0], &[("patch configmaps", 1), ("create endpointslices", 1)]),
    edge("a link without its finalizer becomes active", "k + 2, finalizer 1", [2, 1, 0], &MADE),
    // The first status write of a state has the message of the state. A second one shows what it waits for.
    edge("a link waits for its source", "registering 1, the reason of the wait 1, event 1", [2, 0, 1], &[]),
    edge("its source appears", "k + 2", [2, 0, 0], &MADE),
    edge("the source of ten links appears", "10 × (slice 1 + 2), and the shared children once", [20, 0, 0], &MADE_OF_TEN),
    edge("a link waits for its target", "activating 1, the reason of the wait 1, event 1", [2, 0, 1], &[]),
    edge("its target appears", "k, active 1", [1, 0, 0], &MADE),
    edge("a link waits for an alias", "registering 1, the reason of the wait 1, event 1", [2, 0, 1], &[]),
    edge("the alias becomes free", "k + 2, and 2 for the other's deletion", [3, 1, 0], &MADE),
    edge("deactivate", "accepting 1, 2 + k, event 1", [2, 1, 1], &GONE),
    edge("activate", "accepting 1, 2 + k, event 1", [2, 1, 1], &MADE),
    edge("an action changes nothing", "accepting 1, acknowledging 1, event 1", [1, 1, 1], &[]),
    edge("an action is rejected", "accepting 1, acknowledging 1, event 1", [1, 1, 1], &[]),
    edge("desiredState becomes Inactive", "2 + k", [2, 0, 0], &GONE),
    edge("desiredState becomes Active", "2 + k", [2, 0, 0], &MADE),
    edge("retarget", "2 + slice 1", [2, 0, 0], &[("patch endpointslices", 1)]),
    edge("retarget to another port", "2 + slice 1 + environment 1", [2, 0, 0], &[("patch endpointslices", 1), ("patch configmaps", 1)]),
    edge("the name is edited", "1", [1, 0, 0], &[]),
    edge("the description is edited", "1", [1, 0, 0], &[]),
    edge("the address of a pod changes", "slice 1", [0, 0, 0], &[("patch endpointslices", 1)]),
    edge("one of two pods becomes unready", "slice 1", [0, 0, 0], &[("patch endpointslices", 1)]),
    edge("the last ready pod becomes unready", "slice 1, Available 1", [1, 0, 0], &[("patch endpointslices", 1)]),
    edge("remove an inactive link", "accepting 1, 2, event 1", [2, 1, 1], &[]),
    edge("restore", "accepting 1, 2, event 1", [2, 1, 1], &[]),
    edge("purge a removed link", "accepting 1, 2, event 1", [2, 1, 1], &[]),
    edge("the object of a purged link is deleted", "its deletion 1, finalizer 1", [0, 1, 0], &[("delete instancelinks", 1)]),
    edge("delete an active link", "deactivating 1, k, purging 1, finalizer 1", [2, 1, 0], &GONE),
    edge("delete an inactive link", "purging 1, finalizer 1", [1, 1, 0], &[]),
    edge("delete a removed link", "purging 1, finalizer 1", [1, 1, 0], &[]),
    edge("a watched object changes in a field that does not matter", "0", [0, 0, 0], &[]),
    edge("the operator starts again", "0", [0, 0, 0], &[]),
    edge("the API server starts again, and all watches start again", "0", [0, 0, 0], &[]),
];

impl Edge {
    /// The edge with this name.
    pub fn named(what: &str) -> &'static Self {
        let found = EDGES.iter().find(|edge| edge.what == what);
        found.unwrap_or_else(|| panic!("no edge is called {what:?}"))
    }

    /// Its permitted cost.
    pub fn minimum(&self) -> Counts {
        let links = [STATUS, LINK, EVENT].into_iter().zip(self.links);
        let all = links
            .chain(self.children.iter().copied())
            .filter(|(_, count)| *count > 0);
        Counts {
            writes: all.map(|(what, count)| (what.to_owned(), count)).collect(),
            ..Counts::default()
        }
    }
}

/// The table in Markdown.
pub fn table() -> String {
    let mut text = "| what happens | writes | why | which writes |\n|---|---:|---|---|\n".to_owned();
    for edge in &EDGES {
        let minimum = edge.minimum();
        let (what, because) = (edge.what, edge.because);
        writeln!(text, "| {what} | {} | {because} | {minimum} |", minimum.written()).expect("memory");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edge_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = EDGES.iter().map(|edge| edge.what).collect();
        assert_eq!(names.len(), EDGES.len());
    }

    #[test]
    fn the_table_tells_the_sum_and_the_parts() {
        let line = "| deactivate | 7 | accepting 1, 2 + k, event 1 | 1 create events, 1 delete configmaps, \
                    1 delete endpointslices, 1 delete services, 1 patch instancelinks, 2 patch instancelinks/status |";
        assert!(table().lines().any(|l| l == line), "{}", table());
    }
}
