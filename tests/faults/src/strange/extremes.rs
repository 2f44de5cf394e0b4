//! Values at the limits of their types.

use instancelink_testkit::dice::Dice;
use serde_json::{Value, json};

/// Times that the API server keeps.
pub(super) const TIMES: [&str; 8] = [
    "9999-12-31T23:59:59Z",
    "9999-12-30T22:00:00Z",
    "0001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2016-12-31T23:59:59Z",
    "2026-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
];
const INTEGERS: [i64; 9] = [
    0,
    1,
    -1,
    65_535,
    2_147_483_647,
    -2_147_483_648,
    4_294_967_296,
    i64::MAX,
    i64::MIN,
];
const QUANTITIES: [&str; 6] = ["0", "1", "9223372036854775807", "1n", "100E", "1.000000001Ki"];

/// One character of each class that programs treat in their own way.
const UNICODE: [char; 24] = [
    '\u{0}',
    '\u{7}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{a0}',
    '\u{ad}',
    '\u{300}',
    '\u{6dd}',
    '\u{200b}',
    '\u{200d}',
    '\u{2028}',
    '\u{202e}',
    '\u{2066}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{fffd}',
    '\u{ffff}',
    '\u{1f9e8}',
    '\u{e0001}',
    '\u{10ffff}',
    'İ',
    'ß',
    '"',
];

/// A text: of each class of characters, empty, long, or like a name, a path, a number or a template.
pub(super) fn text(dice: &mut Dice) -> String {
    match dice.roll(12) {
        0 => String::new(),
        1 => UNICODE.iter().collect(),
        2 => dice.choose(&UNICODE).to_string().repeat(200),
        3 => "x".repeat(dice.choose(&[63, 64, 253, 254, 5_000, 100_000])),
        4 => ["..", "..", "..", "api/v1/secrets?watch=true#%00"].join("/"),
        5 => "{{.Values}} ${HOME} %s %n \\u0000 \r\n".to_owned(),
        6 => "-9223372036854775809".to_owned(),
        7 => dice.choose(&TIMES).to_owned(),
        _ => name(dice),
    }
}

/// A text that is valid as a name nearly everywhere.
pub(super) fn name(dice: &mut Dice) -> String {
    let length = dice.choose(&[1, 2, 8, 15, 63]);
    (0..length)
        .map(|_| char::from(b'a' + u8::try_from(dice.roll(26)).unwrap_or(0)))
        .collect()
}

/// A text of this format.
pub(super) fn formatted(format: &str, dice: &mut Dice) -> Value {
    match format {
        "date-time" => dice.choose(&TIMES).into(),
        "byte" => dice.choose(&["", "AA==", "////", "8J+nqA=="]).into(),
        "quantity" => dice.choose(&QUANTITIES).into(),
        "int-or-string" => {
            if dice.roll(2) == 0 {
                integer("int32", dice)
            } else {
                text(dice).into()
            }
        }
        _ => text(dice).into(),
    }
}

/// A number at a limit. A number that the type cannot hold would be refused before anything else is looked at.
pub(super) fn integer(format: &str, dice: &mut Dice) -> Value {
    let number = dice.choose(&INTEGERS);
    let fits = format != "int32" || i32::try_from(number).is_ok();
    if fits { number.into() } else { json!(1) }
}

/// Objects in each other.
pub(super) fn deep(depth: u32) -> Value {
    (0..depth).fold(json!({}), |inner, n| {
        if n % 2 == 0 {
            json!({"f:x": inner})
        } else {
            json!({"f:é": inner})
        }
    })
}

/// Anything, where the schema says nothing.
pub(super) fn anything(dice: &mut Dice) -> Value {
    match dice.roll(6) {
        0 => deep(dice.choose(&[10, 127, 128, 140, 1_000])),
        1 => (0..dice.choose(&[10, 127, 140])).fold(json!(1), |inner, _| json!([inner])),
        2 => json!(i64::MIN),
        3 => json!(1.797_693_134_862_315_7e308),
        4 => Value::Null,
        _ => text(dice).into(),
    }
}
