//! One connection of a session: what it got, what it said, and how long it may be silent.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::kept::Timeline;
use super::listener::PIECE;
use super::{Heard, ServiceConnection, ServiceFailure, StreamLimits};
use crate::speech::voice::{Change, FRAME, Voice};
use crate::speech::{SAMPLE_RATE, Word};

/// What a connection is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Connect,
    Take,
    Answer,
    Finish,
    Pause,
}

impl Wait {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Connect => "the speech service can't be reached in time",
            Self::Take => "the speech service takes no audio",
            Self::Answer => "the speech service says nothing while somebody speaks",
            Self::Finish => "the speech service does not come to its end",
            Self::Pause => "nothing is recorded",
        }
    }
}

/// What a service says.
type Said = mpsc::Receiver<Result<Heard, ServiceFailure>>;

pub(super) struct Line {
    audio: Option<mpsc::Sender<Vec<i16>>>,
    heard: Said,
    timeline: Timeline,
    opened: Instant,
    /// How many times as fast as it was spoken audio may go out, and how much of it has.
    pace: u32,
    given: u64,
    /// When it last took audio.
    took: Instant,
    /// When it last said something, or its audio ended.
    said: Instant,
    voice: Voice,
    /// What does not fill a frame of the voice detector yet.
    rest: Vec<i16>,
    /// Since when somebody speaks without an answer.
    spoken: Option<Instant>,
    /// Where the open segment begins, in the session's samples.
    open: Option<u64>,
}

impl Line {
    /// A new connection, which begins at this sample of the session.
    pub(super) fn new(connection: ServiceConnection, base: u64, pace: u32) -> Self {
        let now = Instant::now();
        Self {
            audio: Some(connection.audio),
            heard: connection.heard,
            timeline: Timeline::new(base),
            opened: now,
            pace,
            given: 0,
            took: now,
            said: now,
            voice: Voice::default(),
            rest: Vec::new(),
            spoken: None,
            open: None,
        }
    }

    /// Both ends: what takes audio, while there may be more of it, and what is said.
    pub(super) fn ends(&mut self) -> (Option<&mpsc::Sender<Vec<i16>>>, &mut Said) {
        (self.audio.as_ref(), &mut self.heard)
    }

    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// When the next piece may go out: what is heard again comes faster than it was spoken, and not all at once.
    pub(super) fn paced(&self) -> Instant {
        let ahead = self.given.saturating_sub(u64::from(SAMPLE_RATE));
        let rate = u64::from(SAMPLE_RATE) * u64::from(self.pace.max(1));
        self.opened + Duration::from_micros(ahead.saturating_mul(1_000_000) / rate)
    }

    /// Sends a piece for which there is room.
    pub(super) fn send(&mut self, piece: Vec<i16>) {
        self.timeline.sent(piece.len());
        self.listen(&piece);
        self.give(piece);
    }

    /// Sends a piece of silence, so that the service does not take the pause for the end.
    pub(super) fn send_silence(&mut self) {
        if self.give(vec![0; PIECE]) {
            self.timeline.silence(PIECE);
        }
    }

    /// Whether the piece was taken; who takes no more says why on the other channel.
    fn give(&mut self, piece: Vec<i16>) -> bool {
        self.took = Instant::now();
        self.given += piece.len() as u64;
        self.audio.as_ref().is_some_and(|audio| audio.try_send(piece).is_ok())
    }

    /// Ends the audio; the last words follow.
    pub(super) fn finish(&mut self) {
        if self.audio.take().is_some() {
            self.said = Instant::now();
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.audio.is_none()
    }

    /// Notes a sign of life, and where the open segment begins in the connection's milliseconds.
    pub(super) fn hear(&mut self, open: Option<u64>) {
        self.said = Instant::now();
        self.spoken = None;
        self.open = open.map(|at| self.timeline.place(at) * u64::from(SAMPLE_RATE) / 1000);
    }

    pub(super) fn open_since(&self) -> Option<u64> {
        self.open
    }

    /// A moment of the connection in the session's milliseconds.
    pub(super) fn moment(&self, milliseconds: u64) -> u64 {
        self.timeline.place(milliseconds)
    }

    /// Moves words to the session's time, in order and not before the last final's end.
    pub(super) fn place(&self, mut words: Vec<Word>, mut clock: u64) -> Vec<Word> {
        for word in &mut words {
            word.start_ms = self.timeline.place(word.start_ms).max(clock);
            word.end_ms = self.timeline.place(word.end_ms).max(word.start_ms);
            clock = word.start_ms;
        }
        words
    }

    /// Until when it is waited, and for what.
    pub(super) fn wait(&self, limits: &StreamLimits, unsent: usize, doubted: bool) -> (Instant, Wait) {
        if self.audio.is_none() {
            return (self.said + limits.finish, Wait::Finish);
        }
        let mut wait =
            if unsent > 0 { (self.took + limits.take, Wait::Take) } else { (self.took + limits.pause, Wait::Pause) };
        if let Some(spoken) = self.spoken.filter(|_| !doubted)
            && spoken + limits.answer < wait.0
        {
            wait = (spoken + limits.answer, Wait::Answer);
        }
        wait
    }

    /// Listens for a voice in what is sent, so that a service that has gone deaf is noticed.
    fn listen(&mut self, piece: &[i16]) {
        self.rest.extend(piece);
        let whole = self.rest.len() / FRAME * FRAME;
        let frames: Vec<i16> = self.rest.drain(..whole).collect();
        let begun = frames.chunks(FRAME).filter(|frame| self.voice.hear(frame) == Change::Begun).count();
        if begun > 0 && self.spoken.is_none() {
            self.spoken = Some(Instant::now());
        }
    }
}
