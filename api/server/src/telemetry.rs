//! Logs to standard error, as text or JSON; nothing clinical enters them (decision D15).

use tracing_subscriber::EnvFilter;

use crate::configuration::{Log, LogFormat};

/// Starts logging; a second start in one process changes nothing.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    // Drivers and the HTTP stack may log statements and paths below warnings.
    let filter = format!("{},sqlx=warn,sea_orm=warn,hyper=warn,h2=warn,aws=warn", log.level);
    let filter = EnvFilter::try_new(&filter).map_err(|error| anyhow::anyhow!("log.level: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    drop(started);
    Ok(())
}
