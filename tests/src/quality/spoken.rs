//! Speaks the dictations: a synthetic voice at a speed of its own, with noise, always the same for the same dictation.
//!
//! The voices are those of espeak-ng (<https://github.com/espeak-ng/espeak-ng>) and Flite (<http://cmuflite.org>), as Debian
//! packages them; sox changes the sampling rate. Each half has voices of its own. Nothing of it is committed.

mod saying;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::corpus::{Half, Item};
use crate::chance::Chance;

pub use saying::said;

/// A program and a voice of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// A voice of espeak-ng.
    Espeak(&'static str),
    /// A voice of Flite.
    Flite(&'static str),
}

impl Voice {
    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Espeak(name) | Self::Flite(name) => name,
        }
    }
}

/// Voices of the half to develop on.
const DEVELOP: [Voice; 6] = [
    Voice::Flite("slt"),
    Voice::Espeak("en-gb"),
    Voice::Espeak("en-us+m3"),
    Voice::Flite("kal16"),
    Voice::Espeak("en-gb+f2"),
    Voice::Espeak("en-gb-x-rp+m1"),
];
/// Voices of the half that reports.
const REPORT: [Voice; 6] = [
    Voice::Flite("rms"),
    Voice::Espeak("en-us"),
    Voice::Espeak("en-gb+m7"),
    Voice::Flite("awb"),
    Voice::Espeak("en-us+f4"),
    Voice::Espeak("en-gb-scotland+f3"),
];

/// What is mixed into a dictation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Nothing but the hiss of a microphone.
    Quiet,
    /// Noise whose power falls with its frequency.
    Pink,
    /// Other people who talk.
    Babble,
}

/// How a dictation is spoken.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whose voice.
    pub voice: Voice,
    /// Words a minute.
    pub speed: u64,
    /// What is heard besides.
    pub noise: Noise,
    /// How far the voice is above it, in decibels.
    pub decibels: u64,
    seed: u64,
}

impl Manner {
    /// Draws the manner of a dictation from its name.
    pub fn of(item: &Item) -> anyhow::Result<Self> {
        let digest = Sha256::digest(item.id.as_bytes());
        let seed = digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte));
        let mut draw = Chance(seed);
        let voices = if item.half == Half::Develop { &DEVELOP } else { &REPORT };
        Ok(Self {
            voice: *draw.one(voices)?,
            speed: draw.between(130, 190),
            noise: *draw.one(&[Noise::Quiet, Noise::Pink, Noise::Babble])?,
            decibels: draw.between(10, 20),
            seed,
        })
    }
}

/// Speaks a dictation: 16 kHz mono, with a second of its noise before and after.
pub fn speak(item: &Item, others: &[Item]) -> anyhow::Result<Vec<i16>> {
    let manner = Manner::of(item)?;
    let voice = voiced(&said(&item.text), manner.voice, manner.speed)?;
    let edge = vec![0.0; 16_000];
    let voice: Vec<f32> = [edge.as_slice(), &voice, &edge].concat();
    let (noise, decibels) = match manner.noise {
        Noise::Quiet => (pink(voice.len(), manner.seed), 40),
        Noise::Pink => (pink(voice.len(), manner.seed), manner.decibels),
        Noise::Babble => (babble(voice.len(), &manner, others)?, manner.decibels),
    };
    let ratio = 10_f32.powf(-f32::from(u8::try_from(decibels)?) / 20.0);
    let gain = ratio * level(&voice) / level(&noise).max(f32::EPSILON);
    let mixed: Vec<f32> = voice.iter().zip(noise).map(|(voice, noise)| voice + gain * noise).collect();
    let peak = mixed.iter().fold(1.0_f32, |peak, sample| peak.max(sample.abs()));
    // A cast from a float saturates.
    Ok(mixed.iter().map(|sample| (sample / peak * 16_000.0) as i16).collect())
}

fn level(samples: &[f32]) -> f32 {
    let loud: Vec<f32> = samples.iter().map(|sample| sample * sample).filter(|power| *power > 1.0).collect();
    (loud.iter().sum::<f32>() / (loud.len().max(1) as f32)).sqrt()
}

/// White noise through a filter of three poles (Paul Kellet's, <https://www.firstpr.com.au/dsp/pink-noise/>).
fn pink(length: usize, seed: u64) -> Vec<f32> {
    let mut draw = Chance(seed);
    let (mut low, mut middle, mut high) = (0.0_f32, 0.0_f32, 0.0_f32);
    let mut next = || {
        let white = (draw.draw() >> 40) as f32 / 8_388_608.0 - 1.0;
        low = 0.997_65 * low + white * 0.099_046;
        middle = 0.963 * middle + white * 0.296_516_4;
        high = 0.57 * high + white * 1.052_691_3;
        1_000.0 * (low + middle + high + white * 0.184_8)
    };
    (0..length).map(|_| next()).collect()
}

/// Three other dictations at once, in other voices.
fn babble(length: usize, manner: &Manner, others: &[Item]) -> anyhow::Result<Vec<f32>> {
    let mut draw = Chance(manner.seed ^ 1);
    let mut sum = vec![0.0; length];
    for _ in 0..3 {
        let other = draw.one(others)?;
        let voice = voiced(&said(&other.text), Manner::of(other)?.voice, 160)?;
        let begin = usize::try_from(draw.between(0, voice.len() as u64))?;
        for (place, sample) in sum.iter_mut().zip(voice.iter().cycle().skip(begin)) {
            *place += sample;
        }
    }
    Ok(sum)
}

/// Speaks a text without noise, once: the audio is kept below `target`.
fn voiced(text: &str, voice: Voice, speed: u64) -> anyhow::Result<Vec<f32>> {
    let folder = PathBuf::from("target/quality");
    std::fs::create_dir_all(&folder)?;
    let digest = Sha256::digest(format!("{voice:?} {speed} {text}").as_bytes());
    let kept = folder.join(format!("{}.s16", hex::encode(digest)));
    if !kept.is_file() {
        let wave = kept.with_extension("wav");
        let mut speaker = match voice {
            Voice::Espeak(name) => {
                let mut command = Command::new("espeak-ng");
                command.args(["-v", name, "-s", &speed.to_string(), "-w"]).arg(&wave).arg(text);
                command
            }
            Voice::Flite(name) => {
                let stretch = format!("duration_stretch={:.2}", 160.0 / f64::from(u32::try_from(speed)?));
                let mut command = Command::new("flite");
                command.args(["-voice", name, "--setf", &stretch, "-t", text, "-o"]).arg(&wave);
                command
            }
        };
        run(&mut speaker)?;
        let part = kept.with_extension("part");
        run(Command::new("sox")
            .arg("-D")
            .arg(&wave)
            .args(["-r", "16000", "-c", "1", "-b", "16", "-t", "s16"])
            .arg(&part))?;
        std::fs::remove_file(&wave)?;
        std::fs::rename(&part, &kept)?;
    }
    let bytes = std::fs::read(&kept)?;
    let (samples, _) = bytes.as_chunks::<2>();
    Ok(samples.iter().map(|sample| f32::from(i16::from_le_bytes(*sample))).collect())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("{program} cannot be run: bash tests/scripts/install.sh quality installs it"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{program} failed: {said}");
    Ok(())
}
