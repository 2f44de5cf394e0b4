//! Strongly connected components of a graph, by Tarjan's algorithm.

use std::collections::{BTreeMap, BTreeSet};

/// Successors by node.
pub(super) type Edges = BTreeMap<usize, BTreeSet<usize>>;

/// The components with more than one node. In each the nodes are in ascending order.
pub(super) fn circles(edges: &Edges) -> Vec<Vec<usize>> {
    let mut search = Search {
        edges,
        numbers: BTreeMap::new(),
        lowest: BTreeMap::new(),
        stack: Vec::new(),
        found: Vec::new(),
    };
    for node in edges.keys() {
        if !search.numbers.contains_key(node) {
            search.visit(*node);
        }
    }
    search.found
}

struct Search<'a> {
    edges: &'a Edges,
    /// In the order of the first visit.
    numbers: BTreeMap<usize, usize>,
    /// The lowest number that a node reaches.
    lowest: BTreeMap<usize, usize>,
    /// Nodes whose component is not complete.
    stack: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, node: usize) {
        let number = self.numbers.len();
        self.numbers.insert(node, number);
        self.stack.push(node);
        let mut lowest = number;
        for &next in self.edges.get(&node).into_iter().flatten() {
            if !self.numbers.contains_key(&next) {
                self.visit(next);
                lowest = lowest.min(self.lowest.get(&next).copied().unwrap_or(lowest));
            } else if self.stack.contains(&next) {
                lowest = lowest.min(self.numbers.get(&next).copied().unwrap_or(lowest));
            }
        }
        self.lowest.insert(node, lowest);
        if lowest == number {
            self.complete(node);
        }
    }

    fn complete(&mut self, first: usize) {
        let from = self.stack.iter().rposition(|node| *node == first).unwrap_or(0);
        let mut component = self.stack.split_off(from);
        if component.len() > 1 {
            component.sort_unstable();
            self.found.push(component);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let mut graph = Edges::new();
        for (from, to) in edges {
            graph.entry(*from).or_default().insert(*to);
        }
        circles(&graph)
    }

    #[test]
    fn a_circle_of_any_length_is_found_and_a_chain_is_none() {
        assert_eq!(found(&[(0, 1), (1, 2), (2, 3)]), Vec::<Vec<usize>>::new());
        assert_eq!(found(&[(0, 1), (1, 2), (2, 0), (2, 3)]), [vec![0, 1, 2]]);
    }

    #[test]
    fn circles_that_share_a_file_are_one_and_others_are_apart() {
        assert_eq!(found(&[(0, 1), (1, 0), (1, 2), (2, 1)]), [vec![0, 1, 2]]);
        assert_eq!(found(&[(0, 1), (1, 0), (1, 2), (2, 3), (3, 2)]).len(), 2);
    }
}
