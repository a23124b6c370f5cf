//! The order file of ICD-10-CM: fixed columns, every code behind the ones above it
//! (<https://www.cms.gov/medicare/coding-billing/icd-10-codes>).

use std::path::Path;

use seva_fhir::json::object;
use seva_fhir::terminology::{Concept, Designation, ImportContent};

use super::files::{Lines, Source, wrong};
use super::{ReleaseError, Rows, behind, row};

pub(super) fn version(path: &Path) -> Option<String> {
    behind(path, "order_").or_else(|| behind(path, "order-"))
}

pub(super) fn read(source: &Source, system: &str, rows: Rows<'_>) -> Result<(), ReleaseError> {
    let is_order = |name: &str| name.contains("order") && name.ends_with(".txt");
    let fits = |name: &str| source.is_file() || is_order(&name.to_lowercase());
    source.one_at_least("order file (icd10cm_order_YYYY.txt)", &fits, &mut |lines| file(lines, system, rows))
}

fn file(lines: &mut Lines<'_>, system: &str, rows: Rows<'_>) -> Result<(), ReleaseError> {
    // The codes above the present one, without dots: the file is sorted so that they come just before.
    let mut above: Vec<String> = Vec::new();
    while let Some(line) = lines.next()? {
        if line.trim().is_empty() {
            continue;
        }
        let place = lines.place();
        let (plain, mut concept) = concept(&line, &place, system)?;
        while above.last().is_some_and(|last| !plain.starts_with(last.as_str())) {
            above.pop();
        }
        if above.last() == Some(&plain) {
            return Err(wrong(&place, &format!("the code {} is there already", concept.code)));
        }
        concept.parents = above.last().map(|parent| dotted(parent)).into_iter().collect();
        above.push(plain);
        rows(row(&place, ImportContent::Concept(concept)))?;
    }
    Ok(())
}

/// Columns 7 to 13 hold the code, 15 whether it may be billed, 17 to 76 the short and from 78 on the long description.
fn concept(line: &str, place: &str, system: &str) -> Result<(String, Concept), ReleaseError> {
    let columns = |from: usize, to: usize| line.get(from..to.min(line.len())).unwrap_or_default().trim();
    let plain = columns(6, 13);
    let billable = match columns(14, 15) {
        "0" => false,
        "1" => true,
        other => return Err(wrong(place, &format!("column 15: {other:?} is neither 0 nor 1"))),
    };
    if plain.len() < 3 || !plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(wrong(place, &format!("columns 7 to 13: {plain:?} is not a code")));
    }
    let (short, long) = (columns(16, 76), columns(77, usize::MAX));
    let display = if long.is_empty() { short } else { long };
    if display.is_empty() {
        return Err(wrong(place, &format!("{plain} has no description")));
    }
    let mut concept = Concept::bare(system, &dotted(plain));
    concept.display = Some(display.to_owned());
    concept.not_selectable = !billable;
    if short != display {
        let usage = object([("code", "short".into()), ("display", "short description".into())]);
        concept.designations.push(Designation {
            language: Some("en".to_owned()),
            usage: Some(usage),
            value: short.to_owned(),
        });
    }
    Ok((plain.to_owned(), concept))
}

/// Codes are written with a dot behind the category (<https://terminology.hl7.org/ICD.html>).
fn dotted(plain: &str) -> String {
    match plain.split_at_checked(3) {
        Some((category, rest)) if !rest.is_empty() => format!("{category}.{rest}"),
        _ => plain.to_owned(),
    }
}
