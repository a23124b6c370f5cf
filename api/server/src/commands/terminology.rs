//! `seva terminology`: code systems from the files of their publishers, without a network.

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use seva_embedded::releases::{Release, ReleaseError, ReleaseFormat};
use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::json::{Json, object};
use seva_fhir::terminology::{ConceptStore, ImportHeader, ImportRow, Imported};
use seva_fhir::types::TenantId;
use seva_postgres::{Database, PostgresConcepts};
use tokio::sync::mpsc;

use super::hospital;
use crate::cli::{ImportOptions, ReleaseKind, TerminologyAction};
use crate::offline;

/// So many rows go to the database at once.
const BATCH: usize = 5_000;
/// So many batches wait at most.
const WAITING: usize = 4;

pub(super) async fn run(database: &Database, action: TerminologyAction) -> anyhow::Result<()> {
    let TerminologyAction::Import(options) = action;
    let tenant = hospital::asked(database, options.tenant.as_deref()).await?;
    let caller = offline::program(tenant, "terminology");
    let (header, imported) = import(database, tenant, &options).await?;
    offline::with_service(database, async |service| describe(service, &caller, &header, imported).await).await?;
    let Imported { concepts, designations, ancestors } = imported;
    let ImportHeader { name, version, .. } = header;
    eprintln!(
        "{name} {version}: {concepts} concepts, {designations} names, {ancestors} pairs of a code and one above it"
    );
    Ok(())
}

/// Reads in a thread of its own, so that files and database work at the same time; neither waits in memory.
async fn import(
    database: &Database,
    tenant: TenantId,
    options: &ImportOptions,
) -> anyhow::Result<(ImportHeader, Imported)> {
    let format = match options.format {
        ReleaseKind::Icd10Cm => ReleaseFormat::Icd10Cm,
        ReleaseKind::Rf2 => ReleaseFormat::SnomedRf2,
        ReleaseKind::Loinc => ReleaseFormat::Loinc,
        ReleaseKind::Rxnorm => ReleaseFormat::RxNorm,
    };
    let release = Release::open(format, &options.path, options.release_version.as_deref())?;
    let header = release.header.clone();
    let style = ProgressStyle::with_template("{spinner} {msg} {human_pos} rows, {elapsed}")?;
    let bar = ProgressBar::new_spinner().with_style(style).with_message(header.name.clone());
    let mut import = PostgresConcepts::new(database).import(tenant, &header).await?;
    let (sender, mut receiver) = mpsc::channel::<Vec<ImportRow>>(WAITING);
    let reader = tokio::task::spawn_blocking(move || read(&release, &sender));
    while let Some(rows) = receiver.recv().await {
        bar.inc(rows.len() as u64);
        import.add(rows).await?;
    }
    reader.await.context("the reader of the release")??;
    bar.set_message(format!("{}: put together,", header.name));
    let imported = import.finish().await?;
    bar.finish_and_clear();
    Ok((header, imported))
}

fn read(release: &Release, sender: &mpsc::Sender<Vec<ImportRow>>) -> Result<(), ReleaseError> {
    let mut batch = Vec::with_capacity(BATCH);
    release.read(&mut |row| {
        batch.push(row);
        if batch.len() < BATCH {
            return Ok(());
        }
        sender.blocking_send(std::mem::take(&mut batch)).map_err(|_| ReleaseError::Stopped)
    })?;
    sender.blocking_send(batch).map_err(|_| ReleaseError::Stopped)
}

/// Writes the CodeSystem resource that stands beside the tables.
async fn describe(
    service: &FhirService,
    caller: &Caller,
    header: &ImportHeader,
    imported: Imported,
) -> anyhow::Result<()> {
    let ImportHeader { url, version, name } = header;
    let resource = object([
        ("resourceType", "CodeSystem".into()),
        ("url", url.as_str().into()),
        ("version", version.as_str().into()),
        ("name", name.replace(['-', ' '], "").into()),
        ("title", name.as_str().into()),
        ("status", "active".into()),
        ("content", "not-present".into()),
        ("count", Json::from(imported.concepts)),
    ]);
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let criteria = format!("url={}&version={}", escaped(url), escaped(version));
    let criteria = service.criteria(caller, "CodeSystem".parse()?, &criteria)?;
    service.update_where(caller, criteria, None, resource).await?;
    Ok(())
}
