//! The part of the quality lab that listens: both engines on the same audio, and how long our own takes at the pace of speech.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use seva_embedded::extraction::LexiconExtractor;
use seva_embedded::model::{ModelChoice, ModelState, locate};
use seva_tests::quality::corpus::{Half, Item};
use seva_tests::quality::dictations;
use seva_tests::quality::heard::{Own, Plain};
use seva_tests::quality::lab::{Lab, Limits, Run, shuffled};
use seva_tests::quality::listening::{Hearing, by_engine, score};
use seva_tests::quality::spoken::{Manner, Noise, speak};
use seva_tests::quality::waits::{self, Waits};

/// Dictations whose waits are measured in real time.
const TIMED: usize = 5;
/// Where hearings are kept.
const KEPT: &str = "target/quality/heard";

/// What is asked for.
pub struct Asked {
    /// Which dictations.
    pub half: Half,
    /// The most of them.
    pub most: usize,
    /// The model's name; empty for the usual one.
    pub model: String,
    /// The time after which no further dictation is begun, in minutes.
    pub minutes: u64,
}

/// Speaks dictations, and prints how both engines hear them.
pub async fn report(asked: Asked, out: &mut impl Write) -> anyhow::Result<()> {
    let all = dictations(asked.half)?;
    let folder = PathBuf::from(".seva/models");
    let choice: ModelChoice = asked.model.parse()?;
    let path = match locate(&folder, &choice) {
        ModelState::Ready(path) => path,
        ModelState::Absent { how } => anyhow::bail!("the model is absent: {how}"),
    };
    let name = choice.name();
    let (own, plain) = (Own::new(folder, choice, &path)?, Plain::new(&path)?);
    let speak = |item: &Item| speak(item, &all);
    let lab = Lab { folder: PathBuf::from(KEPT), ears: vec![&own, &plain], speak: &speak };
    let limits = Limits { dictations: asked.most, time: Duration::from_secs(asked.minutes.saturating_mul(60)) };
    let mut progress = std::io::stderr();
    // A terminal that is gone takes no progress; the run goes on.
    let run = lab.run(&shuffled(&all), limits, &mut |line| drop(writeln!(progress, "{line}"))).await?;
    writeln!(out, "\n## {:?} half, model {name}\n\n{}\n", asked.half, run.standing())?;
    for failure in &run.failures {
        writeln!(out, "- failed: {failure}")?;
    }
    if run.count() == 0 {
        return Ok(());
    }
    card(&run, asked.half, out)?;
    let quiet: Vec<&Item> =
        shuffled(&all).into_iter().filter(|item| is_quiet(item)).take(TIMED.min(asked.most)).collect();
    writeln!(out, "\nAt the pace of speech, without noise:\n\n{}", waits::HEAD)?;
    let (mut measured, mut failures): (Vec<Waits>, Vec<String>) = (Vec::new(), Vec::new());
    for (place, item) in quiet.iter().enumerate() {
        drop(writeln!(std::io::stderr(), "at the pace of speech: {} of {}", place + 1, quiet.len()));
        match own.wait(&speak(item)?).await {
            Ok(wait) => measured.push(wait),
            Err(error) => failures.push(format!("- failed: {}: {error:#}", item.id)),
        }
    }
    writeln!(out, "{}\n{}", waits::line(&name, &measured), failures.join("\n"))?;
    Ok(())
}

fn is_quiet(item: &Item) -> bool {
    Manner::of(item).is_ok_and(|manner| manner.noise == Noise::Quiet)
}

/// Prints the card by engine, then a line for each voice and noise of the first, which is ours.
fn card(run: &Run<'_>, half: Half, out: &mut impl Write) -> anyhow::Result<()> {
    let extractor = LexiconExtractor::default();
    write!(out, "{}", by_engine(run, |text| extractor.entities(text)))?;
    let Some((_, ours)) = run.heard.first() else { return Ok(()) };
    let mut groups: BTreeMap<String, Vec<Hearing<'_>>> = BTreeMap::new();
    for hearing in ours {
        let manner = Manner::of(hearing.item)?;
        for name in [format!("voice {}", manner.voice.name()), format!("noise {:?}", manner.noise).to_lowercase()] {
            groups.entry(name).or_default().push(Hearing { item: hearing.item, heard: hearing.heard.clone() });
        }
    }
    for (name, group) in groups {
        writeln!(out, "{}", score(&group, |text| extractor.entities(text)).line(&name))?;
    }
    if half == Half::Develop {
        for Hearing { item, heard } in ours {
            writeln!(out, "{} {:?}\n  said  {}\n  heard {heard}", item.id, Manner::of(item)?, item.text)?;
        }
        writeln!(out, "{}", score(ours, |text| extractor.entities(text)).card.faults.join("\n"))?;
    }
    Ok(())
}
