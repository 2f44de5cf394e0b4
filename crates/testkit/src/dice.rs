//! Pseudo-random numbers (splitmix64): the same seed gives the same numbers.

/// The generator; the field is its state.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// One of these values.
    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        let sides = u32::try_from(from.len()).unwrap_or(u32::MAX);
        from[self.roll(sides) as usize]
    }

    /// A number from 0 to `sides` - 1.
    pub fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(sides)).unwrap_or(0)
    }
}
