//! SNOMED CT in Release Format 2: the snapshot of concepts, descriptions, relationships and language preferences
//! (<https://confluence.ihtsdotools.org/display/DOCRELFMT>).

use std::collections::HashMap;

use seva_fhir::json::object;
use seva_fhir::terminology::{Concept, Designation, ImportContent, Property};

use super::files::{Columns, Lines, Source};
use super::{ReleaseError, Rows, row};

const SYSTEM: &str = "http://snomed.info/sct";
/// The module of the International Edition.
const INTERNATIONAL: &str = "900000000000207008";
const FULLY_SPECIFIED: &str = "900000000000003001";
const IS_A: &str = "116680003";
const SUFFICIENTLY_DEFINED: &str = "900000000000073002";
const PREFERRED: &str = "900000000000548007";
/// The language reference set of United States English, which is preferred as display.
const US_ENGLISH: &str = "900000000000509007";

/// The release date stands in the names; only of the International Edition the module is known by its name.
pub(super) fn version(source: &Source) -> Option<String> {
    let names = source.names().ok()?;
    let file = names.iter().find(|name| is_snapshot(name, "sct2_concept_"))?;
    let stem = file.rsplit_once('.')?.0;
    let (rest, date) = stem.rsplit_once('_')?;
    let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    (is_date && rest.ends_with("_INT")).then(|| format!("{SYSTEM}/{INTERNATIONAL}/version/{date}"))
}

fn is_snapshot(name: &str, start: &str) -> bool {
    let name = name.to_lowercase();
    // Files that aren't released for good begin with x.
    let plain = name.strip_prefix('x').unwrap_or(&name);
    plain.starts_with(start) && plain.contains("snapshot") && plain.ends_with(".txt")
}

pub(super) fn read(source: &Source, system: &str, rows: Rows<'_>) -> Result<(), ReleaseError> {
    let mut preferred: HashMap<u64, i16> = HashMap::new();
    source.each(&|name| is_snapshot(name, "der2_crefset_") && name.contains("Language"), &mut |lines| {
        each(lines, 7, &mut |columns| {
            if columns.get(2) == "1" && columns.get(6) == PREFERRED {
                let rank = if columns.get(4) == US_ENGLISH { 3 } else { 2 };
                let own = preferred.entry(columns.number(5, "referencedComponentId")?).or_default();
                *own = rank.max(*own);
            }
            Ok(())
        })
    })?;
    let of = |start: &'static str| move |name: &str| is_snapshot(name, start);
    source.one_at_least("snapshot of concepts (sct2_Concept_Snapshot…)", &of("sct2_concept_"), &mut |lines| {
        each(lines, 5, &mut |columns| rows(row(columns.place(), ImportContent::Concept(concept(system, columns)?))))
    })?;
    source.one_at_least("snapshot of descriptions", &of("sct2_description_"), &mut |lines| {
        each(lines, 9, &mut |columns| match name(columns, &preferred)? {
            Some(content) => rows(row(columns.place(), content)),
            None => Ok(()),
        })
    })?;
    source.one_at_least("snapshot of relationships", &of("sct2_relationship_"), &mut |lines| {
        each(lines, 10, &mut |columns| {
            if columns.get(2) != "1" || columns.get(7) != IS_A {
                return Ok(());
            }
            let (child, parent) = (columns.get(4).to_owned(), columns.get(5).to_owned());
            rows(row(columns.place(), ImportContent::IsA { child, parent }))
        })
    })
}

/// The lines behind the head.
fn each(
    lines: &mut Lines<'_>,
    least: usize,
    take: &mut dyn FnMut(&Columns<'_>) -> Result<(), ReleaseError>,
) -> Result<(), ReleaseError> {
    lines.next()?;
    while let Some(line) = lines.next()? {
        if !line.is_empty() {
            take(&Columns::of(lines.place(), &line, ('\t', least))?)?;
        }
    }
    Ok(())
}

fn concept(system: &str, columns: &Columns<'_>) -> Result<Concept, ReleaseError> {
    columns.number(0, "id")?;
    let mut concept = Concept::bare(system, columns.get(0));
    concept.inactive = columns.get(2) != "1";
    let property = |code: &str, kind: &str, value: seva_fhir::json::Json| Property {
        code: code.to_owned(),
        kind: kind.to_owned(),
        value,
    };
    concept.properties = vec![
        property("moduleId", "valueCode", columns.get(3).into()),
        property("sufficientlyDefined", "valueBoolean", (columns.get(4) == SUFFICIENTLY_DEFINED).into()),
        property("effectiveTime", "valueString", columns.get(1).into()),
    ];
    Ok(concept)
}

/// The preferred synonym is the display; without preferences it is the fully specified name.
fn name(columns: &Columns<'_>, preferred: &HashMap<u64, i16>) -> Result<Option<ImportContent>, ReleaseError> {
    if columns.get(2) != "1" {
        return Ok(None);
    }
    let id = columns.number(0, "id")?;
    let kind = columns.get(6);
    let (display, rank) = match kind {
        FULLY_SPECIFIED => ("Fully specified name", 1),
        _ => ("Synonym", preferred.get(&id).copied().unwrap_or_default()),
    };
    let usage = object([("system", SYSTEM.into()), ("code", kind.into()), ("display", display.into())]);
    let (language, value) = (Some(columns.get(5).to_owned()), columns.get(7).to_owned());
    let designation = Designation { language, usage: Some(usage), value };
    Ok(Some(ImportContent::Name { code: columns.get(4).to_owned(), designation, rank }))
}
