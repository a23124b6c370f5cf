//! The quality lab: fixed dictations with what a clinician reads out of them, and how much of it the extraction finds.
//!
//! The dictations are our own: [`corpus`] reads those written by hand, [`generator`] makes others from templates. Both are split
//! into a half on which the rules were developed and a half that only reports. See docs/quality.md.

pub mod card;
pub mod corpus;
pub mod generator;
pub mod heard;
pub mod lab;
pub mod listening;
pub mod reading;
pub mod reliability;
pub mod score;
pub mod spoken;
pub mod waits;

use corpus::{Half, Item};

/// Returns all dictations of a half: hand-written, then generated.
pub fn dictations(half: Half) -> anyhow::Result<Vec<Item>> {
    let mut items = corpus::hand_written()?;
    items.extend(generator::generated()?);
    items.retain(|item| item.half == half);
    Ok(items)
}
