//! The session's task: one loop over what can happen.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::kept::Kept;
use super::line::{Line, Wait};
use super::{Heard, ServiceConnection, ServiceFailure, SpeechService, StreamLimits};
use crate::speech::SpeechEvent;

/// Samples sent at once: 100 ms, as Transcribe's guidelines have it.
pub(super) const PIECE: usize = 1600;

/// Nobody reads the events any more, or they have ended.
struct Over;

type Opened = Result<ServiceConnection, ServiceFailure>;

/// How the service is reached now.
enum Link {
    Opening { until: Instant, opening: Pin<Box<dyn Future<Output = Opened> + Send>> },
    Open(Line),
    Waiting { until: Instant },
}

enum Happening {
    Block(Option<Vec<i16>>),
    Opened(Opened),
    Room,
    Heard(Option<Result<Heard, ServiceFailure>>),
    Due,
    Gone,
}

pub(super) struct Listener {
    service: Arc<dyn SpeechService>,
    limits: StreamLimits,
    reports: mpsc::Sender<SpeechEvent>,
    link: Link,
    kept: Kept,
    /// Whether audio may still come.
    hearing: bool,
    /// The next segment's number.
    segment: u32,
    /// Where the last final ended; nothing is before it.
    clock: u64,
    /// Since when failures follow each other, and how many.
    failing: Option<(Instant, u32)>,
    /// A second connection said nothing about the same audio: then there are no words in it.
    doubted: bool,
}

impl Listener {
    pub(super) fn new(
        service: Arc<dyn SpeechService>,
        limits: StreamLimits,
        reports: mpsc::Sender<SpeechEvent>,
    ) -> Self {
        Self {
            service,
            limits,
            reports,
            link: Link::Waiting { until: Instant::now() },
            kept: Kept::default(),
            hearing: true,
            segment: 0,
            clock: 0,
            failing: None,
            doubted: false,
        }
    }

    pub(super) async fn run(mut self, blocks: mpsc::Receiver<Vec<i16>>) {
        // Over means that everything was told, or that there is nobody to tell.
        let Err(Over) = self.listen(blocks).await;
    }

    async fn listen(&mut self, mut blocks: mpsc::Receiver<Vec<i16>>) -> Result<std::convert::Infallible, Over> {
        self.report(SpeechEvent::Started).await?;
        self.connect();
        loop {
            match self.next(&mut blocks).await {
                Happening::Gone => return Err(Over),
                Happening::Block(Some(block)) => self.kept.push(&block),
                Happening::Block(None) => self.hearing = false,
                Happening::Opened(Ok(connection)) => {
                    self.link = Link::Open(Line::new(connection, self.kept.rewind(), self.limits.pace));
                }
                Happening::Room => self.send(),
                Happening::Heard(Some(Ok(heard))) => self.take(heard).await?,
                Happening::Heard(None) => self.closed().await?,
                Happening::Opened(Err(failure)) | Happening::Heard(Some(Err(failure))) => self.fail(failure).await?,
                Happening::Due => self.due().await?,
            }
            if !self.hearing
                && self.kept.unsent() == 0
                && let Link::Open(line) = &mut self.link
            {
                line.finish();
            }
        }
    }

    /// Waits for what happens first; each wait has its limit.
    async fn next(&mut self, blocks: &mut mpsc::Receiver<Vec<i16>>) -> Happening {
        let unsent = self.kept.unsent();
        let hears = self.hearing && unsent < self.limits.keep;
        let (until, service) = match &mut self.link {
            Link::Opening { until, opening } => (*until, ServiceSide::Opening(opening)),
            Link::Waiting { until } => (*until, ServiceSide::None),
            Link::Open(line) => (line.wait(&self.limits, unsent, self.doubted).0, ServiceSide::Open(line)),
        };
        tokio::select! {
            biased;
            () = self.reports.closed() => Happening::Gone,
            happening = service.next(unsent > 0) => happening,
            block = blocks.recv(), if hears => Happening::Block(block),
            () = sleep_until(until) => Happening::Due,
        }
    }

    fn connect(&mut self) {
        let service = Arc::clone(&self.service);
        let opening = Box::pin(async move { service.connect().await });
        self.link = Link::Opening { until: Instant::now() + self.limits.connect, opening };
    }

    fn send(&mut self) {
        let Link::Open(line) = &mut self.link else { return };
        line.send(self.kept.take(PIECE));
        self.kept.limit(self.limits.keep, line.open_since());
    }

    async fn take(&mut self, heard: Heard) -> Result<(), Over> {
        let Link::Open(line) = &mut self.link else { return Ok(()) };
        self.doubted = false;
        match heard {
            Heard::Nothing => {
                line.hear(None);
                Ok(())
            }
            Heard::Partial { text, words } => {
                // Without words nobody knows where the segment began: then all that is kept may be of it.
                line.hear((!text.is_empty()).then(|| words.first().map_or(0, |word| word.start_ms)));
                let words = line.place(words, self.clock);
                if text.is_empty() {
                    return Ok(());
                }
                self.report(SpeechEvent::Partial { segment: self.segment, text, words }).await
            }
            Heard::Final { speaker, text, words, end_ms } => {
                line.hear(None);
                let end_ms = line.moment(end_ms);
                let words = line.place(words, self.clock);
                let Some(first) = words.first() else { return Ok(()) };
                let start_ms = first.start_ms;
                let end_ms = words.iter().map(|word| word.end_ms).fold(end_ms, u64::max);
                let rotates = line.age() >= self.limits.rotate;
                self.kept.settle(end_ms * 16);
                (self.clock, self.failing) = (end_ms, None);
                let segment = self.segment;
                self.segment += 1;
                if rotates {
                    self.connect();
                }
                self.report(SpeechEvent::Final { segment, start_ms, end_ms, speaker, words, text }).await
            }
        }
    }

    /// The service has said everything, or hung up.
    async fn closed(&mut self) -> Result<(), Over> {
        let Link::Open(line) = &self.link else { return Ok(()) };
        // An open segment without its final would be words that are lost.
        if !line.is_finished() || line.open_since().is_some() {
            return self.fail(ServiceFailure::passing("the speech service hung up")).await;
        }
        if self.segment == 0 {
            self.report(SpeechEvent::NoSpeech).await?;
        }
        self.end().await
    }

    async fn due(&mut self) -> Result<(), Over> {
        let wait = match &mut self.link {
            Link::Waiting { .. } => {
                self.connect();
                return Ok(());
            }
            Link::Opening { .. } => Wait::Connect,
            Link::Open(line) => line.wait(&self.limits, self.kept.unsent(), self.doubted).1,
        };
        match (wait, &mut self.link) {
            (Wait::Pause, Link::Open(line)) => {
                line.send_silence();
                Ok(())
            }
            (wait, _) => {
                self.doubted |= wait == Wait::Answer;
                self.fail(ServiceFailure::passing(wait.reason())).await
            }
        }
    }

    /// Waits for another connection, or gives up with the reason.
    async fn fail(&mut self, failure: ServiceFailure) -> Result<(), Over> {
        let now = Instant::now();
        if let Link::Open(line) = &self.link
            && line.age() >= self.limits.budget
        {
            self.failing = None;
        }
        let (since, count) = self.failing.unwrap_or((now, 0));
        let (torn, wait) = (self.kept.is_torn(), self.wait(count));
        if !failure.retryable || torn || now + wait > since + self.limits.budget {
            let ServiceFailure { retryable, reason } = failure;
            self.report(SpeechEvent::Error { retryable, message: reason }).await?;
            return self.end().await;
        }
        tracing::warn!(reason = %failure.reason, attempt = count + 1, "the speech service is asked again");
        self.link = Link::Waiting { until: now + wait };
        self.failing = Some((since, count + 1));
        Ok(())
    }

    /// Between half of a wait that doubles and all of it.
    fn wait(&self, count: u32) -> std::time::Duration {
        let whole = self.limits.first_wait.saturating_mul(2_u32.saturating_pow(count)).min(self.limits.longest_wait);
        whole.mul_f64(0.5 + (self.limits.chance)().clamp(0.0, 1.0) / 2.0)
    }

    async fn end(&mut self) -> Result<(), Over> {
        self.report(SpeechEvent::Ended).await?;
        Err(Over)
    }

    async fn report(&mut self, event: SpeechEvent) -> Result<(), Over> {
        self.reports.send(event).await.map_err(|_| Over)
    }
}

/// The side of the service in a wait.
enum ServiceSide<'a> {
    None,
    Opening(&'a mut Pin<Box<dyn Future<Output = Opened> + Send>>),
    Open(&'a mut Line),
}

impl ServiceSide<'_> {
    async fn next(self, sends: bool) -> Happening {
        match self {
            Self::None => pending().await,
            Self::Opening(opening) => Happening::Opened(opening.await),
            Self::Open(line) => line.next(sends).await,
        }
    }
}

impl Line {
    async fn next(&mut self, sends: bool) -> Happening {
        let paced = self.paced();
        let (audio, heard) = self.ends();
        let room = async {
            match audio {
                // A line that takes no more tells why by what it says.
                Some(audio) if sends => {
                    sleep_until(paced).await;
                    match audio.reserve().await {
                        Ok(_) => (),
                        Err(_) => pending().await,
                    }
                }
                _ => pending().await,
            }
        };
        tokio::select! {
            biased;
            heard = heard.recv() => Happening::Heard(heard),
            () = room => Happening::Room,
        }
    }
}
