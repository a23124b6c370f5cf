//! LOINC: the table `Loinc.csv`, and the hierarchy of components where it lies beside it
//! (<https://loinc.org/kb/loinc-file-structure/>).

use std::collections::HashSet;
use std::path::Path;

use seva_fhir::json::object;
use seva_fhir::terminology::{Concept, Designation, ImportContent, Property};

use super::files::{Lines, Source, wrong};
use super::{ReleaseError, Rows, behind, row};

/// The columns that R4 makes properties of (<https://hl7.org/fhir/R4/loinc.html>), and the status.
const PROPERTIES: &[&str] = &[
    "STATUS",
    "COMPONENT",
    "PROPERTY",
    "TIME_ASPCT",
    "SYSTEM",
    "SCALE_TYP",
    "METHOD_TYP",
    "CLASS",
    "CLASSTYPE",
    "ORDER_OBS",
];
/// Longer records are a quotation mark that isn't closed.
const LONGEST: usize = 1 << 20;
/// Further names, with what they are used for.
const NAMES: &[&str] = &["SHORTNAME", "DisplayName", "CONSUMER_NAME"];

pub(super) fn version(path: &Path) -> Option<String> {
    behind(path, "loinc_").or_else(|| behind(path, "loinc-"))
}

pub(super) fn read(source: &Source, system: &str, rows: Rows<'_>) -> Result<(), ReleaseError> {
    let table = |name: &str| source.is_file() || name.eq_ignore_ascii_case("Loinc.csv");
    let mut seen: HashSet<String> = HashSet::new();
    source.one_at_least("Loinc.csv", &table, &mut |lines| {
        let mut records = Records::open(lines, &["LOINC_NUM", "LONG_COMMON_NAME"])?;
        while records.next(lines)? {
            let concept = concept(&records, system)?;
            seen.insert(concept.code.clone());
            rows(row(&records.place, ImportContent::Concept(concept)))?;
        }
        Ok(())
    })?;
    let hierarchy = |name: &str| name.eq_ignore_ascii_case("ComponentHierarchyBySystem.csv");
    source.each(&hierarchy, &mut |lines| {
        let mut records = Records::open(lines, &["IMMEDIATE_PARENT", "CODE", "CODE_TEXT"])?;
        while records.next(lines)? {
            let (code, parent) = (records.get("CODE"), records.get("IMMEDIATE_PARENT"));
            // Groups of components are no rows of the table.
            if seen.insert(code.to_owned()) {
                let display = Some(records.get("CODE_TEXT").to_owned());
                let concept = Concept { display, not_selectable: true, ..Concept::bare(system, code) };
                rows(row(&records.place, ImportContent::Concept(concept)))?;
            }
            if !parent.is_empty() {
                let (child, parent) = (code.to_owned(), parent.to_owned());
                rows(row(&records.place, ImportContent::IsA { child, parent }))?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn concept(record: &Records, system: &str) -> Result<Concept, ReleaseError> {
    let code = record.get("LOINC_NUM");
    if code.is_empty() {
        return Err(wrong(&record.place, "LOINC_NUM is empty"));
    }
    let mut concept = Concept::bare(system, code);
    let text = |name: &str| Some(record.get(name)).filter(|text| !text.is_empty());
    concept.display = text("LONG_COMMON_NAME").map(str::to_owned);
    concept.definition = text("DefinitionDescription").map(str::to_owned);
    concept.inactive = record.get("STATUS") == "DEPRECATED";
    for name in PROPERTIES {
        concept.properties.extend(text(name).map(|value| Property {
            code: (*name).to_owned(),
            kind: "valueString".to_owned(),
            value: value.into(),
        }));
    }
    for name in NAMES {
        concept.designations.extend(text(name).map(|value| Designation {
            language: Some("en".to_owned()),
            usage: Some(object([("code", (*name).into())])),
            value: value.to_owned(),
        }));
    }
    Ok(concept)
}

/// Records of a file of comma-separated values (RFC 4180) with a head.
struct Records {
    head: Vec<String>,
    values: Vec<String>,
    place: String,
}

impl Records {
    fn open(lines: &mut Lines<'_>, needed: &[&str]) -> Result<Self, ReleaseError> {
        let mut records = Self { head: Vec::new(), values: Vec::new(), place: String::new() };
        if !records.next(lines)? {
            return Err(wrong(&lines.place(), "the file is empty"));
        }
        records.head = std::mem::take(&mut records.values);
        match needed.iter().find(|name| !records.head.iter().any(|own| own == *name)) {
            Some(name) => Err(wrong(&records.place, &format!("the file has no column {name}"))),
            None => Ok(records),
        }
    }

    /// Reads the next record, over several lines when a quoted value has them; false at the end.
    fn next(&mut self, lines: &mut Lines<'_>) -> Result<bool, ReleaseError> {
        let Some(mut text) = lines.next()? else { return Ok(false) };
        self.place = lines.place();
        while text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
            let more = lines.next()?;
            let more = more.ok_or_else(|| wrong(&self.place, "a quotation mark is not closed"))?;
            if text.len() > LONGEST {
                return Err(wrong(&self.place, "a quotation mark is not closed"));
            }
            text.push('\n');
            text.push_str(&more);
        }
        self.values = values(&text);
        if !self.head.is_empty() && self.values.len() != self.head.len() {
            let (found, wanted) = (self.values.len(), self.head.len());
            return Err(wrong(&self.place, &format!("the record has {found} columns, the head has {wanted}")));
        }
        Ok(true)
    }

    fn get(&self, name: &str) -> &str {
        let place = self.head.iter().position(|own| own == name);
        place.and_then(|place| self.values.get(place)).map_or("", |value| value.trim())
    }
}

/// The values of a record; two quotation marks within a quoted value are one.
fn values(text: &str) -> Vec<String> {
    let (mut all, mut value, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => value.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut value)),
            other => value.push(other),
        }
    }
    all.push(value);
    all
}
