//! The mel filter bank that Whisper was trained with: Slaney's scale and area norm, 16 kHz, 400-point FFT, 80 bands.
//!
//! Slaney, Auditory Toolbox, 1998, as `librosa.filters.mel` computes it, whose output OpenAI publishes as
//! `mel_filters.npz`. Rounding follows it exactly, because the converted file is compared bit by bit.

/// Frequency bands.
pub(super) const BANDS: usize = 80;
/// Bins of a 400-point FFT of real samples.
pub(super) const BINS: usize = 201;

const BIN_WIDTH: f64 = 40.0; // 16,000 Hz over 400 points
const NYQUIST: f64 = 8000.0;
const LINEAR_STEP: f64 = 200.0 / 3.0;
const LOGARITHMIC_FROM: f64 = 1000.0;

/// The filters, band after band.
pub(super) fn filters() -> Vec<f32> {
    let edges = edges();
    let mut filters = Vec::with_capacity(BANDS * BINS);
    for triangle in edges.windows(3) {
        let &[low, centre, high] = triangle else {
            continue;
        };
        let norm = 2.0 / (high - low);
        for bin in 0..BINS {
            let frequency = bin as f64 * BIN_WIDTH;
            let rising = -(low - frequency) / (centre - low);
            let falling = (high - frequency) / (high - centre);
            let weight = rising.min(falling);
            // The weight is held in single precision before it is normed.
            let weight = if weight > 0.0 { weight as f32 } else { 0.0 };
            filters.push((f64::from(weight) * norm) as f32);
        }
    }
    filters
}

/// The edges of the bands in hertz, evenly spaced on the mel scale.
fn edges() -> Vec<f64> {
    let logarithmic_step = 6.4_f64.ln() / 27.0;
    let logarithmic_from = LOGARITHMIC_FROM / LINEAR_STEP;
    let top = logarithmic_from + (NYQUIST / LOGARITHMIC_FROM).ln() / logarithmic_step;
    let step = top / (BANDS + 1) as f64;
    (0..BANDS + 2)
        .map(|index| {
            let mel = if index == BANDS + 1 { top } else { index as f64 * step };
            if mel >= logarithmic_from {
                LOGARITHMIC_FROM * (logarithmic_step * (mel - logarithmic_from)).exp()
            } else {
                LINEAR_STEP * mel
            }
        })
        .collect()
}
