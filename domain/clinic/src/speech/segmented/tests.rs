use std::sync::Mutex;
use std::time::Duration;

use super::*;

/// Says "word" for each half second, after a while, or fails.
struct Steady {
    takes: Duration,
    failing: bool,
    asked: Mutex<Vec<Effort>>,
}

impl Steady {
    fn new(takes_ms: u64, failing: bool) -> Arc<Self> {
        Arc::new(Self { takes: Duration::from_millis(takes_ms), failing, asked: Mutex::default() })
    }
}

#[async_trait]
impl SegmentDecoder for Steady {
    async fn decode(&self, samples: Vec<i16>, effort: Effort) -> Result<Vec<Word>, SegmentFailure> {
        self.asked.lock().expect("not poisoned").push(effort);
        tokio::time::sleep(self.takes).await;
        if self.failing {
            return Err(SegmentFailure { retryable: true, reason: "the engine is out".to_owned() });
        }
        let word = |index| Word {
            text: format!("word{index}"),
            start_ms: index * 500,
            end_ms: index * 500 + 500,
            confidence: None,
            suggested: None,
        };
        Ok((0..samples.len() as u64 / 8000).map(word).collect())
    }
}

fn tone(seconds: usize) -> Vec<i16> {
    (0..seconds * 16_000).map(|index| if index % 2 == 0 { 3000 } else { -3000 }).collect()
}

/// Sends the audio in blocks of 100 ms, each after its own time, and gathers what is reported.
async fn listen(decoder: Arc<Steady>, audio: Vec<i16>) -> Vec<SpeechEvent> {
    let (SpeechSession { audio: sender, mut events }, task) = session(decoder, SAMPLE_RATE as usize);
    let listening = tokio::spawn(task);
    let sending = tokio::spawn(async move {
        for block in audio.chunks(1600) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            sender.send(block.to_vec()).await.expect("somebody listens");
        }
    });
    let mut heard = Vec::new();
    while let Some(event) = events.recv().await {
        heard.push(event);
    }
    sending.await.expect("sending does not panic");
    listening.await.expect("listening does not panic");
    heard
}

#[tokio::test(start_paused = true)]
async fn an_open_segment_is_shown_and_each_pause_gives_a_final() {
    let audio = [tone(4), vec![0; 16_000], tone(2), vec![0; 16_000]].concat();
    let events = listen(Steady::new(200, false), audio).await;
    let partials = events.iter().filter(|event| matches!(event, SpeechEvent::Partial { segment: 0, .. })).count();
    assert!(partials >= 2, "{events:?}");
    let finals = events.iter().filter_map(|event| match event {
        SpeechEvent::Final { segment, start_ms, .. } => Some((*segment, *start_ms)),
        _ => None,
    });
    let finals: Vec<(u32, u64)> = finals.collect();
    assert_eq!(finals.iter().map(|(segment, _)| *segment).collect::<Vec<_>>(), [0, 1], "{events:?}");
    assert!(finals.iter().all(|(segment, start)| *start >= u64::from(*segment) * 4500), "{events:?}");
    assert_eq!(events.last(), Some(&SpeechEvent::Ended));
}

#[tokio::test(start_paused = true)]
async fn the_first_words_are_shown_within_a_second_and_a_half_of_speech() {
    let (SpeechSession { audio, mut events }, task) = session(Steady::new(300, false), SAMPLE_RATE as usize);
    let listening = tokio::spawn(task);
    let begun = tokio::time::Instant::now();
    let sending = tokio::spawn(async move {
        for block in [vec![0; 32_000], tone(4)].concat().chunks(1600) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            audio.send(block.to_vec()).await.expect("somebody listens");
        }
    });
    let mut shown = None;
    while let Some(event) = events.recv().await {
        if matches!(event, SpeechEvent::Partial { .. }) {
            shown = shown.or(Some(begun.elapsed()));
        }
    }
    let (silence, shown) = (Duration::from_secs(2), shown.expect("something is shown"));
    assert!(shown - silence <= Duration::from_millis(1_500), "{shown:?}");
    sending.await.expect("sending does not panic");
    listening.await.expect("listening does not panic");
}

#[tokio::test(start_paused = true)]
async fn a_slow_engine_holds_no_audio_back_and_loses_no_segment() {
    let once = [tone(1), vec![0; 16_000]].concat();
    let events = listen(Steady::new(20_000, false), once.repeat(6)).await;
    let finals = events.iter().filter(|event| matches!(event, SpeechEvent::Final { .. })).count();
    assert_eq!(finals, 6, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_fails_is_an_error_and_no_silence() {
    let events = listen(Steady::new(10, true), tone(2)).await;
    let error = SpeechEvent::Error { retryable: true, message: "the engine is out".to_owned() };
    assert_eq!(events, [SpeechEvent::Started, error, SpeechEvent::Ended]);
}

#[tokio::test(start_paused = true)]
async fn silence_asks_the_engine_nothing() {
    let decoder = Steady::new(10, false);
    let events = listen(decoder.clone(), vec![0; 64_000]).await;
    assert_eq!(events, [SpeechEvent::Started, SpeechEvent::NoSpeech, SpeechEvent::Ended]);
    assert!(decoder.asked.lock().expect("not poisoned").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_nobody_reads_it() {
    let (session, task) = session(Steady::new(10, false), SAMPLE_RATE as usize);
    drop(session.events);
    tokio::time::timeout(Duration::from_secs(5), task).await.expect("the task ends");
}
