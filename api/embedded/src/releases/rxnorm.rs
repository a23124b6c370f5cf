//! RxNorm in Rich Release Format: names in `RXNCONSO.RRF`, relationships in `RXNREL.RRF`
//! (<https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html>).

use std::collections::{HashMap, HashSet};
use std::path::Path;

use seva_fhir::json::object;
use seva_fhir::terminology::{Concept, Designation, ImportContent, Property};

use super::files::{Columns, Source};
use super::{ReleaseError, Rows, behind, row};

/// Names of the vocabulary itself; the others are its sources'.
const OWN: &str = "RXNORM";
/// Types of name that stand beside the concept's own one.
const SYNONYMS: &[&str] = &["SY", "TMSY", "PSN", "ET"];

pub(super) fn version(path: &Path) -> Option<String> {
    ["full_weekly_", "full_", "prescribe_weekly_", "prescribe_"].iter().find_map(|word| behind(path, word))
}

pub(super) fn read(source: &Source, system: &str, rows: Rows<'_>) -> Result<(), ReleaseError> {
    let names = |name: &str| name.eq_ignore_ascii_case("RXNCONSO.RRF");
    // A concept is in use while one of its own names is: that is known at the end of the file only.
    let mut in_use: HashMap<u64, bool> = HashMap::new();
    each(source, ("RXNCONSO.RRF", 17), &names, &mut |columns| {
        if columns.get(11) == OWN {
            let used = columns.get(16) == "N" && !SYNONYMS.contains(&columns.get(12));
            *in_use.entry(columns.number(0, "RXCUI")?).or_default() |= used;
        }
        Ok(())
    })?;
    let mut seen: HashSet<u64> = HashSet::new();
    each(source, ("RXNCONSO.RRF", 17), &names, &mut |columns| {
        if columns.get(11) != OWN {
            return Ok(());
        }
        let number = columns.number(0, "RXCUI")?;
        if seen.insert(number) {
            let inactive = !in_use.get(&number).copied().unwrap_or_default();
            let concept = Concept { inactive, ..Concept::bare(system, columns.get(0)) };
            rows(row(columns.place(), ImportContent::Concept(concept)))?;
        }
        name(columns, rows)
    })?;
    let relations = |name: &str| name.eq_ignore_ascii_case("RXNREL.RRF");
    each(source, ("RXNREL.RRF", 15), &relations, &mut |columns| {
        if columns.get(10) == OWN && columns.get(2) == "CUI" && !matches!(columns.get(14), "O" | "Y") {
            return relation(columns, rows);
        }
        Ok(())
    })
}

fn each(
    source: &Source,
    (file, least): (&str, usize),
    fits: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&Columns<'_>) -> Result<(), ReleaseError>,
) -> Result<(), ReleaseError> {
    source.one_at_least(file, fits, &mut |lines| {
        while let Some(line) = lines.next()? {
            if !line.is_empty() {
                take(&Columns::of(lines.place(), &line, ('|', least))?)?;
            }
        }
        Ok(())
    })
}

fn name(columns: &Columns<'_>, rows: Rows<'_>) -> Result<(), ReleaseError> {
    let (code, kind) = (columns.get(0).to_owned(), columns.get(12));
    let is_own = !SYNONYMS.contains(&kind);
    let rank = match (is_own, columns.get(16)) {
        (true, "N") => 3,
        (true, _) => 2,
        (false, _) => 1,
    };
    let usage = object([("code", kind.into())]);
    let value = columns.get(14).to_owned();
    let designation = Designation { language: Some("en".to_owned()), usage: Some(usage), value };
    rows(row(columns.place(), ImportContent::Name { code: code.clone(), designation, rank }))?;
    if is_own {
        let property = Property { code: "TTY".to_owned(), kind: "valueCode".to_owned(), value: kind.into() };
        rows(row(columns.place(), ImportContent::Property { code, property }))?;
    }
    Ok(())
}

/// The second concept has the relationship to the first one; what isn't a hierarchy is a property.
fn relation(columns: &Columns<'_>, rows: Rows<'_>) -> Result<(), ReleaseError> {
    let (first, second, kind) = (columns.get(0).to_owned(), columns.get(4).to_owned(), columns.get(7));
    let content = match kind {
        // Said in both directions: one suffices.
        "" | "inverse_isa" => return Ok(()),
        "isa" => ImportContent::IsA { child: second, parent: first },
        _ => {
            let property = Property { code: kind.to_owned(), kind: "valueCode".to_owned(), value: first.into() };
            ImportContent::Property { code: second, property }
        }
    };
    rows(row(columns.place(), content))
}
