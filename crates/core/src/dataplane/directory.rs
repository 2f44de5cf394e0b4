//! Builds the directory: the headless Service under whose name the aliases of one source stand.

use instancelink_api::keys;

use super::ownership::{Claim, claim_of};
use super::place::{Place, labels, source_owner, spokesman};
use crate::child::{Directory, Found, Object};
use crate::snapshot::Snapshot;

/// The directory as it shall be.
pub(super) fn wanted(s: &Snapshot, place: &Place<'_>) -> Object<Directory> {
    let standing = standing(s, place);
    Object {
        namespace: place.namespace.to_owned(),
        name: place.directory.clone(),
        labels: place.shared_labels(),
        annotations: labels([(keys::LINK, &spokesman(s, place, standing))]),
        owners: source_owner(s),
        body: Directory::RIGHT,
    }
}

/// The directory that stands, if it is ours.
fn standing<'a>(s: &'a Snapshot, place: &Place<'_>) -> Option<&'a Found<Directory>> {
    match claim_of(s, &s.children.directories, place.namespace, &place.directory) {
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
        assert_eq!(wanted(&s, &Place::of(&s)).annotations[keys::LINK], sibling);
    }
}
