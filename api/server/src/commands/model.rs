//! `seva model`: obtains and authenticates the speech model, with its progress.

use std::sync::Arc;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use seva_embedded::model::{ModelChoice, ModelProgress, ModelState, locate, obtain};

use crate::configuration::{Configuration, SpeechChoice};
use crate::data_folder;

/// A bar in the terminal.
struct Bar(ProgressBar);

impl ModelProgress for Bar {
    fn step(&self, text: &str) {
        self.0.set_message(text.to_owned());
        self.0.tick();
    }

    fn bytes(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

pub(super) async fn run(configuration: &Configuration, choice: Option<String>) -> anyhow::Result<()> {
    let choice: ModelChoice = match choice {
        Some(named) => named.parse()?,
        None if configuration.speech.engine == SpeechChoice::Embedded => {
            configuration.speech.embedded_model().parse()?
        }
        None => bail!("speech.engine is {}: it needs no model here", configuration.speech.engine.name()),
    };
    data_folder::ensure(&configuration.data.folder)?;
    let folder = configuration.models();
    if let ModelState::Ready(path) = locate(&folder, &choice) {
        eprintln!("the speech model is there: {}", path.display());
        return Ok(());
    }
    let style = ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {bytes}/{total_bytes}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let path = obtain(&folder, &choice, Arc::new(Bar(bar.clone()))).await?;
    bar.finish_and_clear();
    eprintln!("the speech model is ready and authentic: {}", path.display());
    Ok(())
}
