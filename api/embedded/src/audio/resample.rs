//! Band-limited resampling to 16 kHz: a polyphase windowed sinc.
//!
//! Smith, Digital Audio Resampling, <https://ccrma.stanford.edu/~jos/resample/>: Kaiser window, about 80 dB down.

use std::f64::consts::PI;

use seva_clinic::speech::SAMPLE_RATE;

/// Zero crossings of the sinc on each side.
const CROSSINGS: f64 = 16.0;
const KAISER_BETA: f64 = 8.0;
/// The pass band ends a little below half the lower rate, so that the slope falls below it.
const PASS: f64 = 0.94;
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Resamples one channel of one rate.
pub(super) struct Resampler {
    rate: u32,
    /// Output steps in units of 1/`phases` input samples.
    step: usize,
    phases: usize,
    taps: usize,
    /// For each phase its taps.
    filters: Vec<f32>,
    history: Vec<f32>,
    /// The position of the next output in `history`, in units of 1/`phases`.
    position: usize,
}

impl Resampler {
    /// Designs the filters, or refuses a rate at which nobody records speech.
    pub(super) fn new(rate: u32) -> Option<Self> {
        if !RATES.contains(&rate) {
            return None;
        }
        let divisor = greatest_common_divisor(rate, SAMPLE_RATE);
        let phases = usize::try_from(SAMPLE_RATE / divisor).ok()?;
        let step = usize::try_from(rate / divisor).ok()?;
        let cutoff = PASS * f64::min(1.0, f64::from(SAMPLE_RATE) / f64::from(rate));
        let half = (CROSSINGS / cutoff).ceil() as usize;
        let taps = 2 * half;
        let mut filters = Vec::with_capacity(phases * taps);
        for phase in 0..phases {
            filters.extend(design(phase as f64 / phases as f64, half, cutoff));
        }
        Some(Self {
            rate,
            step,
            phases,
            taps,
            filters,
            // The first output lies on the first input: before it there is silence.
            history: vec![0.0; half - 1],
            position: 0,
        })
    }

    /// The rate that is resampled.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes input and appends the output that it completes.
    pub(super) fn push(&mut self, input: &[f32], output: &mut Vec<i16>) {
        if self.rate == SAMPLE_RATE {
            output.extend(input.iter().copied().map(quantise));
            return;
        }
        self.history.extend_from_slice(input);
        loop {
            let (first, phase) = (self.position / self.phases, self.position % self.phases);
            let Some(window) = self.history.get(first..first + self.taps) else {
                break;
            };
            let from = phase * self.taps;
            let filter = self.filters.get(from..from + self.taps).unwrap_or_default();
            let sum = window.iter().zip(filter).map(|(sample, tap)| sample * tap).sum();
            output.push(quantise(sum));
            self.position += self.step;
        }
        let used = (self.position / self.phases).min(self.history.len());
        self.history.drain(..used);
        self.position -= used * self.phases;
    }

    /// Appends what the last inputs complete with silence after them.
    pub(super) fn finish(&mut self, output: &mut Vec<i16>) {
        if self.rate != SAMPLE_RATE {
            self.push(&vec![0.0; self.taps / 2], output);
        }
    }
}

/// The taps for an output that lies `fraction` of a sample after the window's centre, normed to unit gain.
fn design(fraction: f64, half: usize, cutoff: f64) -> Vec<f32> {
    let centre = half as f64 - 1.0 + fraction;
    let taps: Vec<f64> = (0..2 * half)
        .map(|index| {
            let distance = index as f64 - centre;
            let argument = PI * distance * cutoff;
            let sinc = if argument == 0.0 { 1.0 } else { argument.sin() / argument };
            sinc * kaiser(distance / half as f64)
        })
        .collect();
    let gain: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| (tap / gain) as f32).collect()
}

fn kaiser(place: f64) -> f64 {
    bessel(KAISER_BETA * (1.0 - place * place).max(0.0).sqrt()) / bessel(KAISER_BETA)
}

/// The modified Bessel function of order 0 by its power series.
fn bessel(argument: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for index in 1..40 {
        let factor = argument / (2.0 * f64::from(index));
        term *= factor * factor;
        sum += term;
    }
    sum
}

fn quantise(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

fn greatest_common_divisor(left: u32, right: u32) -> u32 {
    match right {
        0 => left,
        _ => greatest_common_divisor(right, left % right),
    }
}
