//! Numbers by chance that a seed repeats.

use anyhow::Context as _;

/// `SplitMix64`, <https://doi.org/10.1145/2714064.2660195>.
pub struct Chance(pub u64);

impl Chance {
    /// The next number of all.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of the numbers from `low` to `high`, both among them.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw() % (high - low + 1)
    }

    /// One of a list.
    pub fn one<'a, T>(&mut self, list: &'a [T]) -> anyhow::Result<&'a T> {
        let length = u64::try_from(list.len())?;
        anyhow::ensure!(length > 0, "there is nothing to choose from");
        list.get(usize::try_from(self.draw() % length)?).context("the place is within the list")
    }
}
