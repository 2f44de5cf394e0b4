use super::*;
use crate::fixture;

fn environment() -> Object<Environment> {
    fixture::snapshot().up().children.environments.remove(0).object
}

#[test]
fn a_replacement_names_the_object_it_replaces_and_a_creation_none() {
    let replacement = environment().to_api(Some(("uid-1", "7"))).metadata;
    assert_eq!(replacement.uid.as_deref(), Some("uid-1"));
    assert_eq!(replacement.resource_version.as_deref(), Some("7"));
    let creation = environment().to_api(None).metadata;
    assert_eq!((creation.uid, creation.resource_version), (None, None));
}

#[test]
fn labels_and_annotations_that_others_put_on_a_child_are_not_compared() {
    let wanted = environment();
    let mut standing = wanted.to_api(None);
    let others = ("argocd.argoproj.io/instance".to_owned(), "shop".to_owned());
    let meta = &mut standing.metadata;
    meta.labels.as_mut().unwrap().extend([others.clone()]);
    meta.annotations.as_mut().unwrap().extend([others]);
    assert_eq!(Found::from(standing).object, wanted);
}
