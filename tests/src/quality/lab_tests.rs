use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::corpus::{Half, Labels};
use super::*;

/// Hears what it is told: the audio says which dictation it is.
struct Told<'t> {
    name: &'static str,
    edition: &'static str,
    texts: &'t [&'t str],
    asked: AtomicUsize,
}

#[async_trait]
impl Ear for Told<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn edition(&self) -> &str {
        self.edition
    }

    async fn hear(&self, samples: &[i16]) -> anyhow::Result<String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let number = usize::try_from(*samples.first().context("silence")?)?;
        Ok(self.texts.get(number).copied().context("a dictation that nobody understands")?.to_owned())
    }
}

fn told<'t>(name: &'static str, edition: &'static str, texts: &'t [&'t str]) -> Told<'t> {
    Told { name, edition, texts, asked: AtomicUsize::new(0) }
}

fn items() -> Vec<Item> {
    let item = |number: usize, text: &str| Item {
        id: format!("t-{number}"),
        half: Half::Develop,
        by_hand: true,
        text: text.to_owned(),
        labels: Labels::default(),
    };
    ["fever for two days", "no cough", "paracetamol 650 mg"].iter().enumerate().map(|(n, t)| item(n, t)).collect()
}

fn spoken(item: &Item) -> anyhow::Result<Vec<i16>> {
    let number: i16 = item.id.trim_start_matches("t-").parse()?;
    Ok(vec![number; 16_000])
}

async fn run<'a>(folder: &std::path::Path, ears: Vec<&dyn Ear>, items: &[&'a Item], most: usize) -> Run<'a> {
    let lab = Lab { folder: folder.to_owned(), ears, speak: &spoken };
    let limits = Limits { dictations: most, time: Duration::from_secs(60) };
    let mut lines = Vec::new();
    let run = lab.run(items, limits, &mut |line| lines.push(line)).await.expect("a run");
    assert_eq!(lines.len(), run.wanted, "each dictation is told: {lines:?}");
    run
}

const RIGHT: [&str; 3] = ["fever for two days", "no cough", "paracetamol 650 mg"];

#[tokio::test]
async fn a_run_that_was_broken_off_goes_on_where_it_stood() {
    let (folder, all) = (tempfile::tempdir().expect("a folder"), items());
    let items: Vec<&Item> = all.iter().collect();
    let (own, plain) = (told("own", "1", &RIGHT), told("plain", "1", &RIGHT));
    let first = run(folder.path(), vec![&own, &plain], &items, 1).await;
    assert_eq!((first.count(), first.wanted, own.asked.load(Ordering::Relaxed)), (1, 1, 1));
    let second = run(folder.path(), vec![&own, &plain], &items, 3).await;
    assert_eq!((second.count(), second.kept), (3, 2));
    assert_eq!(
        (own.asked.load(Ordering::Relaxed), plain.asked.load(Ordering::Relaxed)),
        (3, 3),
        "nothing is heard twice"
    );
    let (_, hearings) = second.heard.first().expect("an engine");
    assert!(hearings.iter().all(|hearing| hearing.heard == hearing.item.text));
    assert!(second.standing().starts_with("3 of 3 dictations were heard (0.1 minutes of audio, 2 hearings kept"));
    let newer = told("own", "2", &RIGHT);
    let third = run(folder.path(), vec![&newer], &items, 2).await;
    assert_eq!((third.kept, newer.asked.load(Ordering::Relaxed)), (0, 2), "another edition hears for itself");
}

#[tokio::test]
async fn a_dictation_that_an_engine_fails_on_counts_for_none_and_is_named() {
    let (folder, all) = (tempfile::tempdir().expect("a folder"), items());
    let items: Vec<&Item> = all.iter().collect();
    let (own, plain) = (told("own", "1", &RIGHT), told("plain", "1", &RIGHT[..2]));
    let done = run(folder.path(), vec![&own, &plain], &items, 9).await;
    assert_eq!((done.count(), done.wanted), (2, 3));
    assert!(done.heard.iter().all(|(_, hearings)| hearings.len() == 2), "the same dictations for each engine");
    assert_eq!(done.failures, ["t-2: plain: a dictation that nobody understands"]);
    assert!(done.standing().ends_with("1 failed."), "{}", done.standing());
}

#[tokio::test]
async fn the_time_ends_a_run_and_what_is_left_is_said() {
    let (folder, all) = (tempfile::tempdir().expect("a folder"), items());
    let items: Vec<&Item> = all.iter().collect();
    let own = told("own", "1", &RIGHT);
    let lab = Lab { folder: folder.path().to_owned(), ears: vec![&own], speak: &spoken };
    let limits = Limits { dictations: 3, time: Duration::ZERO };
    let mut lines = Vec::new();
    let run = lab.run(&items, limits, &mut |line| lines.push(line)).await.expect("a run");
    assert_eq!(lines, ["the time is over after 0 of 3: what was heard is kept"]);
    assert!(run.standing().contains("0 of 3") && run.standing().ends_with("3 are left for the next run."));
}

#[test]
fn the_order_is_a_sample_that_grows() {
    let all = items();
    let order: Vec<&str> = shuffled(&all).iter().map(|item| item.id.as_str()).collect();
    let again: Vec<Item> = all.iter().rev().cloned().collect();
    assert_eq!(order, shuffled(&again).iter().map(|item| item.id.as_str()).collect::<Vec<_>>());
    assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
}
