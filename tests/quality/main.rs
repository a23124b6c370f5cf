//! The quality lab's scorecards: `quality [develop|report]` on clean text, `quality [develop|report] MOST [MODEL [MINUTES]]` on so
//! many spoken dictations, as far as the minutes reach. The develop half lists its faults; the report half never does, so that nobody tunes the rules on it.

mod spoken;

use std::io::Write as _;

use anyhow::Context as _;
use seva_embedded::extraction::LexiconExtractor;
use seva_embedded::extraction::scores::Evidence;
use seva_tests::quality::card::{Card, latency, measure};
use seva_tests::quality::corpus::{Half, Item};
use seva_tests::quality::dictations;
use seva_tests::quality::reliability::{counts, judge, table};

fn main() -> anyhow::Result<()> {
    let half = Half::named(std::env::args().nth(1).as_deref().unwrap_or("report"))?;
    if let Some(most) = std::env::args().nth(2) {
        let model = std::env::args().nth(3).unwrap_or_default();
        let minutes = std::env::args().nth(4).filter(|text| !text.is_empty());
        let minutes = minutes.map_or(Ok(u64::MAX), |text| text.parse()).context("the minutes")?;
        let asked = spoken::Asked { half, most: most.parse().context("the most dictations")?, model, minutes };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(spoken::report(asked, &mut std::io::stdout()));
    }
    let extractor = LexiconExtractor::default();
    let extract = |text: &str| extractor.entities(text);
    let items = dictations(half)?;
    let mut out = std::io::stdout().lock();
    let (by_hand, generated): (Vec<Item>, Vec<Item>) = items.iter().cloned().partition(|item| item.by_hand);
    for (title, part) in [("Written by hand", by_hand), ("Generated", generated), ("All", items.clone())] {
        let card: Card = measure(&part, extract);
        writeln!(out, "\n## {title}: {} dictations\n\n{}", card.dictations, card.table())?;
        if half == Half::Develop && title != "All" {
            writeln!(out, "{}", card.faults.join("\n"))?;
        }
    }
    let by_hand: Vec<Item> = items.iter().filter(|item| item.by_hand).cloned().collect();
    if half == Half::Develop {
        let judged = judge(&extractor, &by_hand);
        let counted = Evidence::ALL.map(|evidence| format!("{}: {:?}", evidence.name(), counts(&judged, evidence)));
        writeln!(out, "\nRight and seen, by hand: {}", counted.join(", "))?;
    }
    for (title, part) in [("by hand", &by_hand), ("all", &items)] {
        writeln!(out, "\n## What the scores are worth: {title}\n\n{}", table(&judge(&extractor, part)))?;
    }
    let time = latency(&items, 2_000, extract);
    writeln!(out, "\nA transcript of 2,000 words takes {:.1} ms.", time.as_secs_f64() * 1e3)?;
    writeln!(
        out,
        "\nThis was clean text. What is heard of the same dictations, spoken, is the audio half: `make quality-audio`."
    )?;
    Ok(())
}
