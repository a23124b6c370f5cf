use std::sync::Mutex;
use std::time::Duration;

use super::*;

/// Says "word" for each half second, after a while, or fails. Names come a while after the words, where it has any.
#[derive(Default)]
struct Steady {
    takes: Duration,
    failing: bool,
    refuses_ahead: Option<Duration>,
    weighs: Option<Duration>,
    asked: Mutex<Vec<(Effort, usize)>>,
    given_up: Arc<Mutex<usize>>,
}

impl Steady {
    fn new(takes_ms: u64, failing: bool) -> Arc<Self> {
        Arc::new(Self { takes: Duration::from_millis(takes_ms), failing, ..Self::default() })
    }

    fn asked(&self, effort: Effort) -> Vec<usize> {
        let asked = self.asked.lock().expect("not poisoned");
        asked.iter().filter(|(known, _)| *known == effort).map(|(_, samples)| *samples).collect()
    }

    fn propose(&self, mut words: Vec<Word>) -> Option<oneshot::Receiver<Vec<Word>>> {
        let (takes, (mut tell, proposals)) = (self.weighs?, oneshot::channel());
        words.first_mut()?.suggested = Some("name".to_owned());
        let given_up = self.given_up.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tell.closed() => *given_up.lock().expect("not poisoned") += 1,
                () = tokio::time::sleep(takes) => tell.send(words).expect("somebody waits"),
            }
        });
        Some(proposals)
    }
}

#[async_trait]
impl SegmentDecoder for Steady {
    async fn decode(&self, samples: Vec<i16>, effort: Effort) -> Result<Recognised, SegmentFailure> {
        self.asked.lock().expect("not poisoned").push((effort, samples.len()));
        if effort == Effort::Ahead
            && let Some(after) = self.refuses_ahead
        {
            tokio::time::sleep(after).await;
            return Err(SegmentFailure { retryable: true, reason: "busy".to_owned() });
        }
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
        let words: Vec<Word> = (0..samples.len() as u64 / 8000).map(word).collect();
        let proposals = if effort == Effort::Glance { None } else { self.propose(words.clone()) };
        Ok(Recognised { words, proposals })
    }
}

fn tone(seconds: usize) -> Vec<i16> {
    (0..seconds * 16_000).map(|index| if index % 2 == 0 { 3000 } else { -3000 }).collect()
}

/// Sends the audio in blocks of 100 ms, each after its own time, and gathers what is reported.
async fn listen(decoder: Arc<Steady>, audio: Vec<i16>) -> Vec<SpeechEvent> {
    listen_looking(decoder, audio, SAMPLE_RATE as usize).await
}

async fn listen_looking(decoder: Arc<Steady>, audio: Vec<i16>, glance_after: usize) -> Vec<SpeechEvent> {
    let (SpeechSession { audio: sender, mut events }, task) = session(decoder, glance_after);
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

/// Two seconds of speech and a pause: the segment with the quiet of a lull, in samples.
const SPOKEN: usize = 2 * 16_000 + 16_000 * 24 / 100;

fn is_final(event: &SpeechEvent) -> bool {
    matches!(event, SpeechEvent::Final { .. })
}

#[tokio::test(start_paused = true)]
async fn what_was_decoded_at_a_lull_is_the_final_of_the_pause_that_it_becomes() {
    for takes in [100, 900] {
        let decoder = Steady::new(takes, false);
        let events = listen(decoder.clone(), [tone(2), vec![0; 32_000]].concat()).await;
        assert_eq!(events.iter().filter(|event| is_final(event)).count(), 1, "{events:?}");
        assert_eq!(decoder.asked(Effort::Ahead), [SPOKEN], "takes {takes} ms");
        assert!(decoder.asked(Effort::Full).is_empty(), "nothing is decoded twice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_waited_for_once_however_long_the_engine_takes() {
    let (SpeechSession { audio, mut events }, task) = session(Steady::new(1_200, false), SAMPLE_RATE as usize * 9);
    let listening = tokio::spawn(task);
    let begun = tokio::time::Instant::now();
    let sending = tokio::spawn(async move {
        for block in [tone(2), vec![0; 48_000]].concat().chunks(1600) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            audio.send(block.to_vec()).await.expect("somebody listens");
        }
    });
    let mut told = None;
    while let Some(event) = events.recv().await {
        told = told.or(is_final(&event).then(|| begun.elapsed()));
    }
    let told = told.expect("it is told") - Duration::from_secs(2);
    assert!(told <= Duration::from_millis(1_500), "a lull of 240 ms and the decoding: {told:?}");
    sending.await.expect("sending does not panic");
    listening.await.expect("listening does not panic");
}

#[tokio::test(start_paused = true)]
async fn a_lull_after_which_speech_goes_on_was_a_look() {
    let decoder = Steady::new(200, false);
    let audio = [tone(2), vec![0; 6_400], tone(2), vec![0; 6_400], tone(1), vec![0; 16_000]].concat();
    let events = listen_looking(decoder.clone(), audio, SAMPLE_RATE as usize * 60).await;
    let finals: Vec<&SpeechEvent> = events.iter().filter(|event| is_final(event)).collect();
    assert!(matches!(finals.as_slice(), [SpeechEvent::Final { words, .. }] if words.len() == 12), "{events:?}");
    assert_eq!(decoder.asked(Effort::Ahead), [SPOKEN, SPOKEN + 38_400, SPOKEN + 38_400 + 22_400]);
    assert!(decoder.asked(Effort::Full).is_empty());
    let shown = events.iter().filter_map(|event| match event {
        SpeechEvent::Partial { words, .. } => Some(words.len()),
        _ => None,
    });
    assert_eq!(shown.collect::<Vec<_>>(), [4, 9, 12], "each lull is shown at once: {events:?}");
}

#[tokio::test(start_paused = true)]
async fn no_look_begins_once_it_is_quiet() {
    let decoder = Steady::new(10, false);
    // A look would be due with the first quiet block.
    listen(decoder.clone(), [vec![0; 8_000], tone(1), vec![0; 16_000]].concat()).await;
    let looks = decoder.asked(Effort::Glance);
    assert!(!looks.is_empty() && looks.iter().all(|samples| *samples <= 16_000 + 4_800), "{looks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_a_busy_engine_refused_at_a_lull_is_decoded_at_its_end() {
    for refused_after in [0, 100, 900] {
        let refuses_ahead = Some(Duration::from_millis(refused_after));
        let decoder = Arc::new(Steady { refuses_ahead, ..Steady::default() });
        let events = listen(decoder.clone(), [tone(2), vec![0; 32_000]].concat()).await;
        assert_eq!(events.iter().filter(|event| is_final(event)).count(), 1, "{events:?}");
        assert_eq!(decoder.asked(Effort::Full), [SPOKEN]);
        assert_eq!(decoder.asked(Effort::Ahead), [SPOKEN], "a lull is worth one question");
    }
}

#[tokio::test(start_paused = true)]
async fn names_come_after_the_text_and_before_the_end() {
    let decoder = Arc::new(Steady { weighs: Some(Duration::from_millis(1_500)), ..Steady::default() });
    let events = listen(decoder.clone(), [tone(2), vec![0; 16_000], tone(2)].concat()).await;
    let order: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            SpeechEvent::Final { segment, words, .. } => {
                assert!(words.iter().all(|word| word.suggested.is_none()));
                Some(format!("final {segment}"))
            }
            SpeechEvent::Weighed { segment, words } => {
                let starts: Vec<u64> = words.iter().map(|word| word.start_ms).take(2).collect();
                let begins = u64::from(*segment) * 2_700;
                assert!(starts.iter().all(|start| (begins..begins + 1_000).contains(start)), "{starts:?}");
                Some(format!("weighed {segment}"))
            }
            _ => None,
        })
        .collect();
    assert_eq!(order, ["final 0", "weighed 0", "final 1", "weighed 1"]);
    assert_eq!(events.last(), Some(&SpeechEvent::Ended));
    assert_eq!(*decoder.given_up.lock().expect("not poisoned"), 0);
}

#[tokio::test(start_paused = true)]
async fn names_of_a_lull_are_given_up_when_speech_goes_on() {
    let decoder = Arc::new(Steady { weighs: Some(Duration::from_secs(2)), ..Steady::default() });
    let events = listen(decoder.clone(), [tone(2), vec![0; 6_400], tone(2), vec![0; 16_000]].concat()).await;
    assert_eq!(events.iter().filter(|event| matches!(event, SpeechEvent::Weighed { .. })).count(), 1, "{events:?}");
    assert_eq!(*decoder.given_up.lock().expect("not poisoned"), 1);
}

#[tokio::test(start_paused = true)]
async fn looks_become_rarer_as_a_segment_grows() {
    let decoder = Steady::new(10, false);
    listen(decoder.clone(), tone(20)).await;
    let looks = decoder.asked(Effort::Glance);
    let late: Vec<usize> = looks.iter().copied().filter(|samples| *samples > 12 * 16_000).collect();
    assert!((1..=3).contains(&late.len()), "about every three seconds: {looks:?}");
    assert!(looks.iter().filter(|samples| **samples <= 5 * 16_000).count() >= 4, "each second at the start: {looks:?}");
}
