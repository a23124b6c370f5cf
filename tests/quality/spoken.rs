//! The part of the quality lab that listens: both engines on the same audio.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use seva_embedded::extraction::LexiconExtractor;
use seva_embedded::model::{ModelChoice, ModelState, locate};
use seva_tests::quality::corpus::{Half, Item};
use seva_tests::quality::dictations;
use seva_tests::quality::heard::{Own, Plain, Waits};
use seva_tests::quality::listening::{HEAD, Hearing, score, without_repairs};
use seva_tests::quality::spoken::{Manner, speak};

/// Dictations whose waits are measured in real time.
const TIMED: usize = 5;

/// Speaks so many dictations of a half, evenly drawn, and prints how both engines hear them.
pub async fn report(half: Half, most: usize, model: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let all = dictations(half)?;
    let step = all.len().div_ceil(most.clamp(1, all.len()));
    let items: Vec<&Item> = all.iter().step_by(step).collect();
    let folder = PathBuf::from(".seva/models");
    let choice: ModelChoice = model.parse()?;
    let path = match locate(&folder, &choice) {
        ModelState::Ready(path) => path,
        ModelState::Absent { how } => anyhow::bail!("the model is absent: {how}"),
    };
    let (own, plain) = (Own::new(folder, choice)?, Plain::new(&path)?);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for item in &items {
        let audio = speak(item, &all)?;
        theirs.push(Hearing { item, heard: plain.hear(&audio)? });
        let heard = own.hear(audio).await?;
        if half == Half::Develop {
            writeln!(out, "{} {:?}\n  said  {}\n  heard {heard}", item.id, Manner::of(item)?, item.text)?;
        }
        ours.push(Hearing { item, heard });
    }
    let extractor = LexiconExtractor::default();
    writeln!(out, "\n{HEAD}")?;
    let own_score = score(&ours, |text| extractor.entities(text));
    writeln!(out, "{}", own_score.line("seva with this model"))?;
    writeln!(out, "{}", score(&theirs, |text| without_repairs(extractor.entities(text))).line("plain Whisper"))?;
    by_manner(&ours, out)?;
    if half == Half::Develop {
        writeln!(out, "{}", own_score.card.faults.join("\n"))?;
    }
    waits(&own, &all, &items, out).await
}

/// Prints a line for each voice and each noise.
fn by_manner(hearings: &[Hearing<'_>], out: &mut impl Write) -> anyhow::Result<()> {
    let extractor = LexiconExtractor::default();
    let mut groups: std::collections::BTreeMap<String, Vec<Hearing<'_>>> = std::collections::BTreeMap::new();
    for hearing in hearings {
        let manner = Manner::of(hearing.item)?;
        for name in [format!("voice {}", manner.voice.name()), format!("noise {:?}", manner.noise).to_lowercase()] {
            groups.entry(name).or_default().push(Hearing { item: hearing.item, heard: hearing.heard.clone() });
        }
    }
    for (name, group) in groups {
        writeln!(out, "{}", score(&group, |text| extractor.entities(text)).line(&name))?;
    }
    Ok(())
}

async fn waits(own: &Own, all: &[Item], items: &[&Item], out: &mut impl Write) -> anyhow::Result<()> {
    let mut waits: Vec<Waits> = Vec::new();
    for item in items.iter().take(TIMED) {
        waits.push(own.wait(&speak(item, all)?).await?);
    }
    waits.sort_by_key(|wait| wait.last);
    let last = waits.get(waits.len() / 2).context("nothing was timed")?.last;
    let mut partials: Vec<_> = waits.iter().filter_map(|wait| wait.partial).collect();
    partials.sort();
    let partial = partials.get(partials.len() / 2).map(std::time::Duration::as_secs_f64);
    let last = last.as_secs_f64();
    writeln!(
        out,
        "\nMedian of {}: first partial {partial:.2?} s after speech begins, final {last:.2} s after it ends.",
        waits.len()
    )?;
    Ok(())
}
