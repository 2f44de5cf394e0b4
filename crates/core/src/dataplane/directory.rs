//! Builds the directory: the headless Service that has the aliases of one source as hostnames.

use instancelink_api::keys;

use super::infrastructure;
use super::naming::{Names, labels, representative, source_path};
use super::ownership::{Ownership, ownership_of};
use crate::child::infrastructure::put_on;
use crate::child::{ChildSpec, Directory, Observed};
use crate::snapshot::Snapshot;

/// Builds the desired directory.
pub(super) fn desired(s: &Snapshot, names: &Names<'_>) -> ChildSpec<Directory> {
    let observed = observed(s, names);
    let mut directory = ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.directory.clone(),
        labels: names.shared_labels(),
        annotations: labels([
            (keys::LINK, &representative(s, names, observed)),
            (keys::SOURCE, &source_path(s)),
        ]),
        owners: Vec::new(),
        body: Directory::RIGHT,
    };
    put_on(&mut directory, &infrastructure::shared(s));
    directory
}

/// The observed directory, if it is the operator's own.
fn observed<'a>(s: &'a Snapshot, names: &Names<'_>) -> Option<&'a Observed<Directory>> {
    match ownership_of(s, &s.children.directories, names.namespace, &names.directory) {
        Ownership::Own(found) => Some(found),
        Ownership::Free | Ownership::OtherSource | Ownership::Foreign => None,
    }
}

#[cfg(test)]
mod tests {
    use instancelink_api::State;

    use super::*;
    use crate::fixture;

    #[test]
    fn a_directory_that_names_a_sibling_keeps_naming_it() {
        let mut s = fixture::snapshot()
            .with_sibling(fixture::sibling(State::Active, true))
            .up();
        let sibling = "shop/web-cache".to_owned();
        let observed = &mut s.children.directories[0].object.annotations;
        observed.insert(keys::LINK.to_owned(), sibling.clone());
        assert_eq!(desired(&s, &Names::of(&s)).annotations[keys::LINK], sibling);
    }
}
