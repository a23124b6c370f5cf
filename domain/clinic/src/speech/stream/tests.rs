use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::speech::SpeechEvent;

/// How a connection of the tests' service behaves.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// It is there, and hears.
    Hears,
    /// It hangs up when it got so many samples.
    HangsUpAfter(usize),
    /// It can't be opened.
    Fails { retryable: bool },
    /// It takes audio and never says anything.
    Deaf,
    /// It takes no audio.
    Stuck,
    /// It never opens.
    Unanswered,
}

/// Reports each second of sound as a word that tells its loudness, so that what is lost or heard twice shows.
#[derive(Clone)]
struct Loudness {
    manners: Arc<Mutex<VecDeque<Manner>>>,
    /// Samples that each connection got.
    got: Arc<Mutex<Vec<usize>>>,
}

impl Loudness {
    /// The last manner stays.
    fn new(manners: impl IntoIterator<Item = Manner>) -> Self {
        Self { manners: Arc::new(Mutex::new(manners.into_iter().collect())), got: Arc::default() }
    }

    fn connections(&self) -> usize {
        self.got.lock().expect("not poisoned").len()
    }
}

#[async_trait]
impl SpeechService for Loudness {
    async fn connect(&self) -> Result<ServiceConnection, ServiceFailure> {
        let manner = {
            let mut manners = self.manners.lock().expect("not poisoned");
            if manners.len() > 1 { manners.pop_front() } else { manners.front().copied() }
        };
        let manner = manner.expect("a manner");
        match manner {
            Manner::Fails { retryable } => {
                return Err(ServiceFailure { retryable, reason: "no entry".to_owned() });
            }
            Manner::Unanswered => std::future::pending().await,
            _ => {}
        }
        let number = {
            let mut got = self.got.lock().expect("not poisoned");
            got.push(0);
            got.len() - 1
        };
        let (audio, blocks) = mpsc::channel(4);
        let (says, heard) = mpsc::channel(4);
        tokio::spawn(serve(manner, blocks, says, (self.got.clone(), number)));
        Ok(ServiceConnection { audio, heard })
    }
}

async fn serve(
    manner: Manner,
    mut blocks: mpsc::Receiver<Vec<i16>>,
    says: mpsc::Sender<Result<Heard, ServiceFailure>>,
    (got, number): (Arc<Mutex<Vec<usize>>>, usize),
) {
    if matches!(manner, Manner::Stuck) {
        says.closed().await;
        return;
    }
    let (mut at, mut second) = (0, Vec::new());
    while let Some(block) = blocks.recv().await {
        got.lock().expect("not poisoned")[number] += block.len();
        for sample in block {
            at += 1;
            if sample != 0 {
                second.push((at, sample.unsigned_abs()));
            }
            if second.len() == 16_000 && !matches!(manner, Manner::Deaf) {
                let word = word(&std::mem::take(&mut second));
                let (text, end_ms) = (word.text.clone(), word.end_ms);
                let heard = Heard::Final { speaker: None, text, words: vec![word], end_ms };
                if says.send(Ok(heard)).await.is_err() {
                    return;
                }
            }
        }
        if let Some((_, loud)) = second.last()
            && !matches!(manner, Manner::Deaf)
        {
            let open = Heard::Partial { text: loud.to_string(), words: Vec::new() };
            if says.send(Ok(open)).await.is_err() {
                return;
            }
        }
        if matches!(manner, Manner::HangsUpAfter(samples) if at >= samples) {
            return;
        }
    }
    if matches!(manner, Manner::Deaf) {
        says.closed().await;
    }
}

fn word(second: &[(usize, u16)]) -> Word {
    let (first, last) = (second[0], second[second.len() - 1]);
    assert_eq!(first.1, last.1, "a second is heard whole");
    let ms = |at: usize| (at / 16) as u64;
    Word { text: first.1.to_string(), start_ms: ms(first.0 - 1), end_ms: ms(last.0), confidence: None, suggested: None }
}

/// So many seconds, each louder than the one before.
fn seconds(from: usize, count: usize) -> Vec<i16> {
    let second = |index: usize| {
        let loud = i16::try_from(2000 + index).expect("few");
        (0..16_000).map(move |at| if at % 2 == 0 { loud } else { -loud })
    };
    (from..from + count).flat_map(second).collect()
}

/// Speaks at the pace of speech, as a microphone does: it never waits.
async fn speak(audio: &mpsc::Sender<Vec<i16>>, samples: &[i16]) {
    for block in samples.chunks(4000) {
        tokio::time::sleep(Duration::from_millis(250)).await;
        audio.try_send(block.to_vec()).expect("audio goes on being taken");
    }
}

async fn rest(mut events: mpsc::Receiver<SpeechEvent>) -> Vec<SpeechEvent> {
    let mut heard = Vec::new();
    while let Some(event) = events.recv().await {
        heard.push(event);
    }
    heard
}

async fn spoken(service: &Loudness, limits: StreamLimits, samples: &[i16]) -> Vec<SpeechEvent> {
    let session = open(Arc::new(service.clone()), limits);
    let reading = tokio::spawn(rest(session.events));
    speak(&session.audio, samples).await;
    drop(session.audio);
    reading.await.expect("reading does not panic")
}

/// What was heard and when it began; words of a session have the numbers of its segments.
fn words(events: &[SpeechEvent]) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for event in events {
        if let SpeechEvent::Final { segment, start_ms, text, .. } = event {
            assert_eq!(*segment as usize, found.len());
            found.push((text.clone(), *start_ms));
        }
    }
    found
}

fn expected(count: usize) -> Vec<(String, u64)> {
    (0..count).map(|index| ((2000 + index).to_string(), index as u64 * 1000)).collect()
}

fn error(retryable: bool, message: &str) -> Vec<SpeechEvent> {
    vec![SpeechEvent::Error { retryable, message: message.to_owned() }, SpeechEvent::Ended]
}

#[tokio::test(start_paused = true)]
async fn what_was_not_final_is_heard_again_at_its_own_time() {
    let service = Loudness::new([
        Manner::HangsUpAfter(40_000),
        Manner::Fails { retryable: true },
        Manner::HangsUpAfter(24_000),
        Manner::Hears,
    ]);
    let events = spoken(&service, StreamLimits::default(), &seconds(0, 8)).await;
    assert_eq!(words(&events), expected(8), "{events:?}");
    assert_eq!(service.connections(), 3);
    assert_eq!(events.last(), Some(&SpeechEvent::Ended));
}

#[tokio::test(start_paused = true)]
async fn audio_is_taken_while_nobody_is_connected() {
    let mut manners = vec![Manner::Fails { retryable: true }; 6];
    manners.push(Manner::Hears);
    let service = Loudness::new(manners);
    let events = spoken(&service, StreamLimits::default(), &seconds(0, 40)).await;
    assert_eq!(words(&events), expected(40));
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_replaced_at_the_first_final_after_its_time() {
    let service = Loudness::new([Manner::Hears]);
    let limits = StreamLimits { rotate: Duration::from_secs(5), ..StreamLimits::default() };
    let events = spoken(&service, limits, &seconds(0, 17)).await;
    assert_eq!(words(&events), expected(17), "no word is lost or heard twice");
    assert_eq!(service.connections(), 4);
}

#[tokio::test(start_paused = true)]
async fn silence_is_sent_during_a_pause_and_takes_no_time() {
    let service = Loudness::new([Manner::Hears]);
    let session = open(Arc::new(service.clone()), StreamLimits::default());
    speak(&session.audio, &seconds(0, 2)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    speak(&session.audio, &seconds(2, 2)).await;
    drop(session.audio);
    let events = rest(session.events).await;
    assert_eq!(words(&events), expected(4));
    let got = service.got.lock().expect("not poisoned")[0];
    let silence = got - 64_000;
    assert!((11 * 1600..=12 * 1600).contains(&silence), "a tenth of a second each five seconds: {silence}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_session_at_once() {
    let service = Loudness::new([Manner::Fails { retryable: false }]);
    let session = open(Arc::new(service), StreamLimits::default());
    let events = rest(session.events).await;
    assert_eq!(events[1..], error(false, "no entry"));
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_are_borne_for_the_budget() {
    let service = Loudness::new([Manner::Fails { retryable: true }]);
    let began = tokio::time::Instant::now();
    let session = open(Arc::new(service), StreamLimits::default());
    let events = rest(session.events).await;
    assert_eq!(events[1..], error(true, "no entry"));
    assert!((50..=60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn each_wait_has_its_limit_and_reason() {
    let limits = StreamLimits { budget: Duration::ZERO, ..StreamLimits::default() };
    for (manner, reason, seconds_at_most) in [
        (Manner::Unanswered, "the speech service can't be reached in time", 16),
        (Manner::Stuck, "the speech service takes no audio", 31),
        (Manner::Deaf, "the speech service does not come to its end", 56),
    ] {
        let began = tokio::time::Instant::now();
        let session = open(Arc::new(Loudness::new([manner])), limits);
        speak(&session.audio, &seconds(0, 10)).await;
        drop(session.audio);
        let events = rest(session.events).await;
        assert_eq!(events[1..], error(true, reason));
        assert!(began.elapsed().as_secs() <= seconds_at_most, "{manner:?}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_has_gone_deaf_is_replaced_and_noise_is_believed_to_be_noise() {
    let service = Loudness::new([Manner::Deaf, Manner::Hears]);
    let events = spoken(&service, StreamLimits::default(), &seconds(0, 60)).await;
    assert_eq!((words(&events), service.connections()), (expected(60), 2));
    let deaf = Loudness::new([Manner::Deaf]);
    let session = open(Arc::new(deaf.clone()), StreamLimits::default());
    speak(&session.audio, &seconds(0, 200)).await;
    assert_eq!(deaf.connections(), 2, "the second connection is believed");
    drop(session.audio);
}

#[tokio::test(start_paused = true)]
async fn words_that_cannot_be_heard_again_are_a_failure_and_no_gap() {
    let service = Loudness::new([Manner::Hears]);
    let limits = StreamLimits { keep: 8000, ..StreamLimits::default() };
    let session = open(Arc::new(service), limits);
    speak(&session.audio, &seconds(0, 3)).await;
    drop(session.audio);
    assert_eq!(words(&rest(session.events).await), expected(3), "a connection that stands needs nothing of it");
    let events = spoken(&Loudness::new([Manner::HangsUpAfter(44_000), Manner::Hears]), limits, &seconds(0, 2)).await;
    assert_eq!(words(&events), expected(2));
    let broken = Loudness::new([Manner::HangsUpAfter(44_000), Manner::Hears]);
    let events = spoken(&broken, limits, &seconds(0, 3)[..44_000]).await;
    assert_eq!(words(&events), expected(2));
    assert_eq!(events[events.len() - 2..], error(true, "the speech service hung up"));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_reads_lets_its_connection_go() {
    let service = Loudness::new([Manner::Hears]);
    let session = open(Arc::new(service.clone()), StreamLimits::default());
    speak(&session.audio, &seconds(0, 1)).await;
    drop(session.events);
    tokio::time::timeout(Duration::from_secs(1), session.audio.closed()).await.expect("the session ends");
}

#[tokio::test(start_paused = true)]
async fn waits_lie_between_a_half_and_the_whole_by_chance() {
    let after = async |chance: fn() -> f64| {
        let mut manners = vec![Manner::Fails { retryable: true }; 4];
        manners.push(Manner::Hears);
        let began = tokio::time::Instant::now();
        let session = open(Arc::new(Loudness::new(manners)), StreamLimits { chance, ..StreamLimits::default() });
        drop(session.audio);
        assert_eq!(rest(session.events).await.last(), Some(&SpeechEvent::Ended));
        began.elapsed().as_millis()
    };
    // 250 ms, doubled three times.
    let (least, most) = (after(|| 0.0).await, after(|| 1.0).await);
    assert!((1875..1900).contains(&least) && (3750..3800).contains(&most), "{least} {most}");
    assert_eq!(after(|| 0.5).await.div_ceil(100), (least + most).div_ceil(200));
    let some = [any_fraction(), any_fraction()];
    assert!(some.iter().all(|chance| (0.0..=1.0).contains(chance)) && some[0] != some[1], "{some:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_again_comes_faster_than_it_was_spoken_and_not_all_at_once() {
    let service = Loudness::new([Manner::Hears]);
    let session = open(Arc::new(service.clone()), StreamLimits { pace: 4, ..StreamLimits::default() });
    let began = tokio::time::Instant::now();
    let reading = tokio::spawn(rest(session.events));
    for block in seconds(0, 41).chunks(4000) {
        session.audio.send(block.to_vec()).await.expect("it is taken");
    }
    drop(session.audio);
    assert_eq!(words(&reading.await.expect("reading does not panic")), expected(41));
    let taken = began.elapsed().as_millis();
    assert!((9_500..11_000).contains(&taken), "forty seconds at four times their pace: {taken}");
}
