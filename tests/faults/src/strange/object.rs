//! A strange object, and the same with fewer strange fields.

use instancelink_testkit::dice::Dice;
use serde_json::Value;

use super::grow::{self, Twist};
use super::kinds::Kind;
use super::metadata;
use super::schemas::Schemas;
use crate::raw::Refused;

/// The most fields that are changed in one object.
const TWISTS: u32 = 5;

/// An object to be written, as the valid object and what is strange in it.
#[derive(Clone, Debug)]
pub struct Strange {
    kind: &'static Kind,
    base: Value,
    twists: Vec<Twist>,
}

impl Strange {
    /// The object with this number. The same seed and number give the same object.
    pub fn new(schemas: &Schemas, kind: &'static Kind, seed: u64, number: u32) -> Self {
        let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(u64::from(number)) ^ hash(kind.kind));
        let mut base = kind.base(&format!("s-{number}"));
        metadata::add(&mut base, kind, &mut dice, number);
        let schema = schemas.of(kind.api_version, kind.kind);
        let count = dice.roll(TWISTS + 1);
        let twists = (0..count).filter_map(|_| grow::twist(schemas, schema, &mut dice));
        Self {
            kind,
            base,
            twists: twists.collect(),
        }
    }

    /// The object.
    pub fn object(&self, schemas: &Schemas) -> Value {
        let mut object = self.base.clone();
        let schema = schemas.of(self.kind.api_version, self.kind.kind);
        for twist in &self.twists {
            grow::apply(schemas, schema, &mut object, twist);
        }
        object
    }

    /// The same without what the API server refused. None if nothing strange is left.
    pub fn tamed(&self, refused: &Refused) -> Option<Self> {
        let mut twists = self.twists.clone();
        let named = |twist: &Twist| refused.fields.iter().any(|field| twist.touches(field));
        if twists.iter().any(named) {
            twists.retain(|twist| !named(twist));
        } else {
            twists.pop()?;
        }
        Some(Self { twists, ..self.clone() })
    }
}

fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(7, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
