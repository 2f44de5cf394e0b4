use instancelink_api::InstanceLink;
use instancelink_core::child::Observed;
use instancelink_core::fixture::World;

use super::*;

fn size<T: Pack>(object: T) -> usize {
    let packed = Packed::new(object);
    packed.0.pack();
    match &*packed.0.0.lock() {
        Form::Packed(bytes) => bytes.len(),
        Form::Parsed(_) => panic!("it is parsed still"),
    }
}

fn comes_back<T: Pack + Clone + PartialEq + std::fmt::Debug>(object: &T) {
    let packed = Packed::new(object.clone());
    packed.0.pack();
    assert_eq!(*packed.glance(), *object);
    assert_eq!(*packed.open(), *object);
}

#[test]
fn what_was_packed_comes_back_as_it_was() {
    let s = World::active().s;
    comes_back(&s.link.object);
    s.children.slices.iter().for_each(comes_back);
    s.children.environments.iter().for_each(comes_back);
}

#[test]
fn what_rests_takes_a_few_hundred_bytes() {
    let s = World::active().s;
    let link: InstanceLink = s.link.object;
    let slice: Observed<_> = s.children.slices[0].clone();
    let environment: Observed<_> = s.children.environments[0].clone();
    let sizes = [size(link), size(slice), size(environment)];
    assert!(sizes.iter().all(|size| *size < 400), "{sizes:?} bytes");
}

#[test]
fn what_was_looked_at_long_ago_is_packed() {
    let link = World::active().s.link.object;
    let first = Packed::new(link.clone());
    assert!(matches!(*first.0.0.lock(), Form::Parsed(_)));
    let others: Vec<_> = (0..PARSED)
        .map(|_| Packed::new(World::active().s.link.object))
        .collect();
    assert!(matches!(*first.0.0.lock(), Form::Packed(_)));
    drop(others);
}

#[test]
fn what_was_parsed_some_rounds_ago_is_packed() {
    let link = || Packed::new(World::active().s.link.object);
    let (first, second) = (link(), link());
    let mut recent = Recent::default();
    recent.remember(Arc::downgrade(&first.0) as Weak<dyn CanPack>);
    assert_eq!(recent.begin_round().len(), 0);
    recent.remember(Arc::downgrade(&second.0) as Weak<dyn CanPack>);
    let packed_in_rounds: Vec<_> = (0..4).map(|_| recent.begin_round().len()).collect();
    assert_eq!(packed_in_rounds, [0, 1, 1, 0]);
}

#[test]
fn nothing_is_packed_for_its_age_while_much_is_going_on() {
    let link = || Packed::new(World::active().s.link.object);
    let mut recent = Recent::default();
    let much = [(); BUSY + 1].map(|()| link());
    for one in &much {
        recent.remember(Arc::downgrade(&one.0) as Weak<dyn CanPack>);
    }
    let packed_in_rounds: Vec<_> = (0..2).map(|_| recent.begin_round().len()).collect();
    assert_eq!(packed_in_rounds, [0, 0]);
    for one in &much {
        recent.remember(Arc::downgrade(&one.0) as Weak<dyn CanPack>);
    }
    let packed_in_rounds: Vec<_> = (0..3).map(|_| recent.begin_round().len()).collect();
    assert_eq!(packed_in_rounds, [0, much.len(), much.len()]);
}

#[test]
fn a_version_that_is_past_is_kept_by_nobody() {
    let packed = Packed::new(World::active().s.link.object);
    let object = Arc::downgrade(&packed.open());
    drop(packed);
    assert!(object.upgrade().is_none());
}

#[test]
fn what_was_only_looked_at_is_not_packed_anew() {
    let packed = Packed::new(World::active().s.link.object);
    let address_of_bytes = || {
        packed.0.pack();
        match &*packed.0.0.lock() {
            Form::Packed(bytes) => bytes.as_ptr(),
            Form::Parsed(_) => panic!("it is parsed still"),
        }
    };
    let before = address_of_bytes();
    packed.open();
    assert_eq!(address_of_bytes(), before);
}
