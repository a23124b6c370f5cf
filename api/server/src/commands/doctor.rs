//! `seva doctor`: checks everything that it depends on and says what to do.

use std::time::Duration;

use anyhow::bail;
use seva_clinic::speech::SpeechHealth;
use seva_embedded::model::{ModelChoice, ModelState, locate};
use seva_embedded::postgres::{Binaries, PostgresSettings, fetch_package, platform_supported};

use crate::configuration::{Configuration, SpeechChoice};
use crate::interruption::{Interruption, ended};
use crate::{adapters, data_folder, running};

/// How long a service that is not on this machine may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn run(configuration: &Configuration, fix: bool) -> anyhow::Result<()> {
    let mut faults = 0;
    let mut say = |what: &str, state: Result<String, String>| match state {
        Ok(text) => eprintln!("  ok     {what}: {text}"),
        Err(text) => {
            faults += 1;
            eprintln!("  fault  {what}: {text}");
        }
    };
    say("data folder", data(configuration));
    if configuration.database.url.is_none() {
        say("PostgreSQL programs", programs(configuration, fix).await);
    }
    // A cluster that is starting is not left to itself: a signal that comes meanwhile waits.
    let mut interruption = Interruption::listen()?;
    say("database", database(configuration).await);
    interruption.unless(services(configuration, &mut say)).await.unwrap_or_else(|signal| Err(ended(signal)))?;
    if faults > 0 {
        bail!("{faults} of the checks found a fault");
    }
    Ok(())
}

/// What needs no database.
async fn services(
    configuration: &Configuration,
    say: &mut impl FnMut(&str, Result<String, String>),
) -> anyhow::Result<()> {
    if configuration.speech.engine == SpeechChoice::Embedded {
        say("speech model", model(configuration));
    }
    say("speech", speech(configuration).await);
    say("extraction", extraction(configuration).await);
    if let Some(state) = translation(configuration).await {
        say("translation", state);
    }
    say("blobs", blobs(configuration).await);
    if configuration.identity.issuer.is_some() {
        say("external issuer", issuer(configuration).await);
    }
    Ok(())
}

fn data(configuration: &Configuration) -> Result<String, String> {
    let folder = &configuration.data.folder;
    data_folder::ensure(folder).map_err(|error| format!("{error:#}"))?;
    data_folder::master_key(folder, configuration.data.master_key.as_ref()).map_err(|error| format!("{error:#}"))?;
    Ok(folder.display().to_string())
}

async fn programs(configuration: &Configuration, fix: bool) -> Result<String, String> {
    let settings: PostgresSettings = running::postgres_settings(configuration);
    match Binaries::find(&settings) {
        Ok(found) => Ok(format!("version {} in {}", found.major(), found.folder().display())),
        Err(_) if fix && platform_supported() => {
            let fetched = fetch_package(&configuration.data.folder).await;
            fetched.map(|folder| format!("fetched into {}", folder.display())).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn database(configuration: &Configuration) -> Result<String, String> {
    let store = running::Store::open(configuration).await.map_err(|error| format!("{error:#}"))?;
    let ping = store.database.ping().await.map_err(|error| error.to_string());
    store.close().await.map_err(|error| format!("{error:#}"))?;
    ping.map(|()| "answers, and its schema is up to date".to_owned())
}

fn model(configuration: &Configuration) -> Result<String, String> {
    let choice: ModelChoice =
        configuration.speech.embedded_model().parse().map_err(|error| format!("speech.model: {error}"))?;
    match locate(&configuration.models(), &choice) {
        ModelState::Ready(path) => Ok(path.display().to_string()),
        ModelState::Absent { how } => Err(how),
    }
}

async fn speech(configuration: &Configuration) -> Result<String, String> {
    let engine = adapters::speech(configuration).await.map_err(|error| format!("{error:#}"))?;
    let place =
        engine.destination().map_or_else(|| "on this machine".to_owned(), |place| format!("audio leaves for {place}"));
    let named = format!("{} {}, {place}", engine.name(), engine.version());
    let asked = async {
        match engine.health().await {
            SpeechHealth::Ready { .. } => Ok(named),
            SpeechHealth::Unavailable { reason } => Err(reason),
        }
    };
    in_time(asked).await
}

async fn extraction(configuration: &Configuration) -> Result<String, String> {
    let extractor = adapters::extractor(configuration).await.map_err(|error| format!("{error:#}"))?;
    let place = extractor
        .destination()
        .map_or_else(|| "on this machine".to_owned(), |place| format!("texts leave for {place}"));
    in_time(extractor.health()).await.map(|()| format!("{} {}, {place}", extractor.name(), extractor.version()))
}

/// Nothing where nothing translates.
async fn translation(configuration: &Configuration) -> Option<Result<String, String>> {
    let translator = match adapters::translator(configuration).await {
        Ok(translator) => translator?,
        Err(error) => return Some(Err(format!("{error:#}"))),
    };
    let place = translator
        .destination()
        .map_or_else(|| "on this machine".to_owned(), |place| format!("advice leaves for {place}"));
    let named = format!("{} {}, {place}", translator.name(), translator.version());
    Some(in_time(translator.health()).await.map(|()| named))
}

async fn blobs(configuration: &Configuration) -> Result<String, String> {
    let store = adapters::blobs(configuration).await.map_err(|error| format!("{error:#}"))?;
    in_time(store.health()).await.map(|()| match &configuration.blobs.bucket {
        Some(bucket) => format!("the bucket {bucket} answers"),
        None => "the data folder can be written".to_owned(),
    })
}

async fn issuer(configuration: &Configuration) -> Result<String, String> {
    let verifier = adapters::verifier(configuration).map_err(|error| format!("{error:#}"))?;
    let verifier = verifier.ok_or("identity.issuer is not set")?;
    in_time(verifier.health()).await.map(|keys| format!("{keys} signing keys"))
}

async fn in_time<T, E: std::fmt::Display>(asked: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
