use std::io::Cursor;

use super::*;

fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let size = samples.len() as u32 * 2;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(size.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

fn tone(rate: u32, hertz: f64) -> Vec<i16> {
    (0..rate)
        .map(|index| {
            let angle = std::f64::consts::TAU * hertz * f64::from(index) / f64::from(rate);
            (angle.sin() * 16_000.0) as i16
        })
        .collect()
}

fn decode(file: Vec<u8>) -> Result<Vec<i16>, AudioError> {
    let mut samples = Vec::new();
    EmbeddedAudioDecoder.decode(Box::new(Cursor::new(file)), &mut |block| {
        samples.extend_from_slice(block.samples);
        ControlFlow::Continue(())
    })?;
    Ok(samples)
}

fn level(samples: &[i16]) -> f64 {
    let middle = samples.get(1000..15_000).expect("a second of audio");
    let power: f64 = middle.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (power / middle.len() as f64).sqrt()
}

#[test]
fn a_tone_keeps_its_length_and_level_at_every_usual_rate() {
    for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
        let samples = decode(wav(rate, 1, &tone(rate, 1_000.0))).expect("legal file");
        assert!(samples.len().abs_diff(16_000) <= 2, "{rate}: {}", samples.len());
        let expected = 16_000.0 / 2.0_f64.sqrt();
        assert!((level(&samples) / expected - 1.0).abs() < 0.01, "{rate}");
    }
}

#[test]
fn a_tone_above_the_pass_band_is_removed_instead_of_folded() {
    let samples = decode(wav(48_000, 1, &tone(48_000, 12_000.0))).expect("legal file");
    assert!(level(&samples) < 8.0, "{}", level(&samples));
}

#[test]
fn channels_are_mixed_to_one() {
    let stereo: Vec<i16> = (0..32_000).map(|index| if index % 2 == 0 { 1000 } else { 3000 }).collect();
    let samples = decode(wav(16_000, 2, &stereo)).expect("legal file");
    assert_eq!(samples, vec![2000; 16_000]);
}

#[test]
fn bytes_that_are_no_audio_are_refused() {
    let refused = decode(b"Patient,Name\n".repeat(1000));
    assert!(matches!(refused, Err(AudioError::Unsupported)));
}

#[test]
fn a_receiver_that_has_enough_ends_the_decoding() {
    let file = wav(16_000, 1, &tone(16_000, 440.0));
    let mut blocks = 0;
    EmbeddedAudioDecoder
        .decode(Box::new(Cursor::new(file)), &mut |_| {
            blocks += 1;
            ControlFlow::Break(())
        })
        .expect("legal file");
    assert_eq!(blocks, 1);
}
