//! Builds the directory: the headless Service under whose name the aliases of one source stand.

use instancelink_api::keys;

use super::naming::{Names, labels, representative, source_owner};
use super::ownership::{Claim, claim_of};
use crate::child::{ChildSpec, Directory, Observed};
use crate::snapshot::Snapshot;

/// The directory as it shall be.
pub(super) fn wanted(s: &Snapshot, names: &Names<'_>) -> ChildSpec<Directory> {
    let standing = standing(s, names);
    ChildSpec {
        namespace: names.namespace.to_owned(),
        name: names.directory.clone(),
        labels: names.shared_labels(),
        annotations: labels([(keys::LINK, &representative(s, names, standing))]),
        owners: source_owner(s),
        body: Directory::RIGHT,
    }
}

/// The directory that stands, if it is ours.
fn standing<'a>(s: &'a Snapshot, names: &Names<'_>) -> Option<&'a Observed<Directory>> {
    match claim_of(s, &s.children.directories, names.namespace, &names.directory) {
        Claim::Ours(found) => Some(found),
        Claim::Free | Claim::AnotherSources | Claim::Strangers => None,
    }
}

#[cfg(test)]
mod tests {
    use instancelink_api::State;

    use super::*;
    use crate::fixture;

    #[test]
    fn a_directory_that_names_a_sibling_goes_on_naming_it() {
        let mut s = fixture::snapshot()
            .with_sibling(fixture::sibling(State::Active, true))
            .up();
        let sibling = "shop/web-cache".to_owned();
        let standing = &mut s.children.directories[0].object.annotations;
        standing.insert(keys::LINK.to_owned(), sibling.clone());
        assert_eq!(wanted(&s, &Names::of(&s)).annotations[keys::LINK], sibling);
    }
}
