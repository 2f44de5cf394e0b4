use super::*;

/// An active link with credentials, in whose Secret others have written a key.
fn with_added_key() -> Snapshot {
    let mut s = with_credentials().up();
    let data = &mut s.children.bindings[0].object.body.data;
    data.insert("ADDED".to_owned(), Confidential::from("1"));
    s
}

fn keys(s: &Snapshot) -> Vec<&str> {
    s.children.bindings[0]
        .object
        .body
        .data
        .keys()
        .map(String::as_str)
        .collect()
}

/// contract#additions
#[test]
fn a_key_that_others_added_is_left_alone_and_an_entry_that_the_secret_lost_goes() {
    let mut s = with_added_key();
    assert_eq!(writes(&s), [""; 0]);
    s.secrets = Secrets::Known {
        referenced: Some(Entries::from([("username".to_owned(), Confidential::from("app"))]).into()),
    };
    let s = s.up();
    assert_eq!(keys(&s), ["ADDED", "host", "port", "type", "username"]);
}

/// contract#additions
#[test]
fn an_entry_of_the_secret_wins_over_a_key_of_others() {
    let mut s = with_added_key();
    s.secrets = Secrets::Known {
        referenced: Some(Entries::from([("ADDED".to_owned(), Confidential::from("2"))]).into()),
    };
    let s = s.up();
    assert_eq!(s.children.bindings[0].object.body.data["ADDED"].reveal(), b"2");
}

/// contract#additions
#[test]
fn without_its_list_no_key_is_known_to_be_of_others() {
    let mut s = with_added_key();
    s.children.bindings[0].object.annotations.remove(keys::ENTRIES);
    assert!(!keys(&s.up()).contains(&"ADDED"));
}
