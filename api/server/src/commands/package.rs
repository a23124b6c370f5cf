//! `seva package`: the conformance resources of FHIR packages, without a network
//! (<https://confluence.hl7.org/display/FHIR/NPM+Package+Specification>).

mod archive;

use std::path::Path;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::json::{Json, JsonObject, Limits, array, object, parse};
use seva_fhir::service::{Change, Existing, FhirError};
use seva_fhir::types::{ResourceKey, ResourceType};
use seva_postgres::Database;
use sha2::{Digest, Sha256};

use super::hospital;
use crate::cli::PackageAction;
use crate::offline;
use archive::Manifest;

/// The system of the tags that tell from which package a resource comes.
const SYSTEM: &str = "https://seva-arogya.org/fhir/package";
/// What a package brings that changes how others are read; examples and pages stay where they are.
const KINDS: &[&str] = &[
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    "ConceptMap",
    "NamingSystem",
    "SearchParameter",
    "OperationDefinition",
    "ImplementationGuide",
];
/// So many faults are shown; the rest is counted.
const SHOWN_FAULTS: usize = 20;

pub(super) async fn run(database: &Database, action: PackageAction) -> anyhow::Result<()> {
    let (PackageAction::Install { tenant, .. } | PackageAction::List { tenant } | PackageAction::Remove { tenant, .. }) =
        &action;
    let tenant = hospital::asked(database, tenant.as_deref()).await?;
    let caller = offline::program(tenant, "package");
    offline::with_service(database, async |service| match &action {
        PackageAction::Install { file, .. } => install(service, &caller, file).await,
        PackageAction::List { .. } => list(service, &caller).await,
        PackageAction::Remove { package, .. } => remove(service, &caller, package).await,
    })
    .await
}

/// What became of the resources.
#[derive(Default)]
struct Tally {
    stored: usize,
    present: usize,
    faults: Vec<String>,
}

async fn install(service: &FhirService, caller: &Caller, file: &Path) -> anyhow::Result<()> {
    let manifest = archive::manifest(file)?;
    let name = manifest.name();
    let style = ProgressStyle::with_template("{spinner} {msg} {pos} resources")?;
    let bar = ProgressBar::new_spinner().with_style(style).with_message(name.clone());
    let mut tally = Tally::default();
    let mut archive = archive::open(file)?;
    for entry in archive::resources(&mut archive)? {
        let (path, bytes) = entry?;
        match prepare(&bytes, &name) {
            Ok(Some((key, resource))) => match store(service, caller, (&key, &resource)).await {
                Ok(true) => tally.stored += 1,
                Ok(false) => tally.present += 1,
                Err(fault) => tally.faults.push(format!("{path}: {}", reason(fault)?)),
            },
            Ok(None) => {}
            Err(fault) => tally.faults.push(format!("{path}: {fault:#}")),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if tally.stored + tally.present == 0 {
        bail!("{} brings no conformance resource that could be stored", file.display());
    }
    let (key, record) = record(&manifest)?;
    store(service, caller, (&key, &record)).await?;
    for fault in tally.faults.iter().take(SHOWN_FAULTS) {
        eprintln!("not stored: {fault}");
    }
    let Tally { stored, present, faults } = tally;
    eprintln!("{name}: {stored} resources stored, {present} were there, {} not stored", faults.len());
    Ok(())
}

/// A fault of the resource is told; a fault of the store ends the command.
fn reason(fault: FhirError) -> anyhow::Result<String> {
    match fault {
        FhirError::Invalid(issues) => Ok(issues.first().map_or_else(String::new, ToString::to_string)),
        FhirError::Condition(text) => Ok(text),
        other => Err(other.into()),
    }
}

/// Gives a resource of a package its key and its tag; other files have none.
fn prepare(bytes: &[u8], package: &str) -> anyhow::Result<Option<(ResourceKey, Json)>> {
    let mut resource = parse(bytes, &Limits::default())?;
    let Some(kind) = resource.get_str("resourceType").filter(|kind| KINDS.contains(kind)).map(str::to_owned) else {
        return Ok(None);
    };
    // Packages reuse ids, and a hospital has its own: the identity of a definition is its URL and version.
    let canonical = resource.get_str("url").or_else(|| resource.get_str("id")).context("it has neither url nor id")?;
    let version = resource.get_str("version").unwrap_or_default();
    let key = key(&kind, &format!("{package} {canonical}|{version}"))?;
    let members = resource.as_object_mut().context("it isn't an object")?;
    members.insert("id", key.id().as_str());
    let mut meta = match members.remove("meta") {
        Some(Json::Object(meta)) => meta,
        _ => JsonObject::new(),
    };
    let mut tags = meta.remove("tag").map_or_else(Vec::new, |tags| tags.items().to_vec());
    tags.push(tag(package));
    meta.insert("tag", tags);
    members.insert("meta", meta);
    Ok(Some((key, resource)))
}

fn key(kind: &str, identity: &str) -> anyhow::Result<ResourceKey> {
    let digest = hex::encode(Sha256::digest(identity.as_bytes()));
    format!("{kind}/{}", digest.get(..40).unwrap_or(&digest)).parse().map_err(anyhow::Error::from)
}

fn tag(package: &str) -> Json {
    object([("system", SYSTEM.into()), ("code", package.into())])
}

/// The record of an installed package.
fn record(manifest: &Manifest) -> anyhow::Result<(ResourceKey, Json)> {
    let name = manifest.name();
    let key = key("Basic", &name)?;
    let coding = object([("system", SYSTEM.into()), ("code", "package".into())]);
    let code = object([("coding", array([coding]))]);
    let identifier = object([("system", SYSTEM.into()), ("value", name.as_str().into())]);
    let record = object([
        ("resourceType", "Basic".into()),
        ("id", key.id().as_str().into()),
        ("meta", object([("tag", array([tag(&name)]))])),
        ("identifier", array([identifier])),
        ("code", code),
    ]);
    Ok((key, record))
}

/// Writes a resource unless the same is there; tells whether it wrote.
async fn store(
    service: &FhirService,
    caller: &Caller,
    (key, resource): (&ResourceKey, &Json),
) -> Result<bool, FhirError> {
    match service.read(caller, key).await {
        Ok(found) => {
            let same = parse(&found.body, &Limits::default()).is_ok_and(|found| content(&found) == content(resource));
            if same {
                return Ok(false);
            }
        }
        Err(FhirError::NotFound(_) | FhirError::Gone { .. }) => {}
        Err(other) => return Err(other),
    }
    let body = resource.to_bytes();
    service.update(caller, Change { key, if_match: None, existing: Existing::Replaced, body: &body }).await?;
    Ok(true)
}

/// A resource without what the server writes itself; tags follow from the key.
fn content(resource: &Json) -> Vec<(&str, &Json)> {
    let members = resource.as_object().into_iter().flat_map(JsonObject::iter);
    let mut members: Vec<_> = members.filter(|(name, _)| *name != "meta").collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

async fn list(service: &FhirService, caller: &Caller) -> anyhow::Result<()> {
    let pairs = vec![("code".to_owned(), format!("{SYSTEM}|package")), ("_count".to_owned(), "1000".to_owned())];
    let query = service.strict_search(caller, "Basic".parse()?, &pairs).map_err(explain)?;
    let mut names = Vec::new();
    for found in service.search(caller, query).await?.matches {
        let record = parse(&found.body, &Limits::default())?;
        let identifier = record.get("identifier").and_then(|identifiers| identifiers.items().first());
        names.extend(identifier.and_then(|one| one.get_str("value")).map(str::to_owned));
    }
    names.sort();
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}

async fn remove(service: &FhirService, caller: &Caller, package: &str) -> anyhow::Result<()> {
    let mut removed = 0_usize;
    // The record goes last, so that an interrupted removal can be repeated.
    for kind in KINDS.iter().chain(&["Basic"]) {
        let kind: ResourceType = kind.parse()?;
        loop {
            let pairs =
                vec![("_tag".to_owned(), format!("{SYSTEM}|{package}")), ("_count".to_owned(), "500".to_owned())];
            let query = service.strict_search(caller, kind, &pairs).map_err(explain)?;
            let found = service.search(caller, query).await?.matches;
            if found.is_empty() {
                break;
            }
            for stored in found {
                service.delete(caller, &stored.key, None).await?;
                removed += 1;
            }
        }
    }
    if removed == 0 {
        bail!(
            "the package {package} isn't installed here; `seva package list` with the same --tenant, or none, shows what is"
        );
    }
    eprintln!("{package}: {} resources removed", removed - 1);
    Ok(())
}

fn explain(error: FhirError) -> anyhow::Error {
    match &error {
        FhirError::Invalid(issues) | FhirError::Unprocessable(issues) => {
            let lines: Vec<String> = issues.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", lines.join("; "))
        }
        _ => error.into(),
    }
}
