//! Corrections of single words of a drafted medicine, as the verify walk makes them
//! (R4: <https://hl7.org/fhir/R4/medicationrequest.html>): what was heard stays beside what was meant.

use seva_fhir::access::Caller;
use seva_fhir::json::{Json, JsonObject};
use seva_fhir::types::ResourceKey;
use seva_models::ExtensionValue;

use super::editing::{edit, find_medicine, name, verify, write_line};
use super::line::TypedLine;
use super::{Prescription, PrescriptionService, verifying, view};
use crate::drafting::elements::{extension_value, set_extension};
use crate::drafting::{SectionContent, SectionKind, put, section_text, set_section};
use crate::encounter_record::Held;
use crate::failure::ClinicError;

/// What is corrected.
#[derive(Clone, Copy)]
pub enum Correction<'a> {
    /// The name is the one that was heard, though another was proposed.
    NameAsHeard,
    /// Another medicine was meant.
    Name {
        /// What was heard.
        heard: &'a str,
        /// What was meant.
        meant: &'a str,
    },
    /// Another dose, frequency or length was meant.
    Words {
        /// What was heard.
        heard: &'a str,
        /// What was drafted for it.
        drafted: Option<&'a str>,
        /// What was meant.
        meant: &'a str,
    },
}

impl PrescriptionService {
    /// Takes a medicine back that was added by a line; the line goes with it.
    pub async fn withdraw_medicine(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        (medicine, line): (&str, &str),
    ) -> Result<Prescription, ClinicError> {
        let record = self.record(caller, encounter).await?;
        let current = record.composition.as_ref().map_or(0, |held| held.version);
        let held = self.draft(&record, current)?;
        let target = find_medicine(&record, medicine)?;
        let mut request = target.body.as_object().cloned().unwrap_or_default();
        // Nobody ordered it: it was never more than a draft.
        request.insert("status", "entered-in-error");
        let reference = target.key.to_string();
        let note = edit(&held.body, SectionKind::Medications, |section| without(section, line, &reference));
        self.write(caller, encounter, vec![put(target, request.into()), put(held, note)]).await
    }

    /// Corrects a medicine of a draft and returns it to pending; false where it no longer has the words that were heard.
    pub async fn correct_medicine(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        (medicine, correction): (&str, Correction<'_>),
    ) -> Result<bool, ClinicError> {
        let record = self.record(caller, encounter).await?;
        let current = record.composition.as_ref().map_or(0, |held| held.version);
        let held = self.draft(&record, current)?;
        let target = find_medicine(&record, medicine)?;
        let Some(mut request) = corrected(target, correction)? else { return Ok(false) };
        set_extension(&mut request, "review-state", ExtensionValue::Code("pending".to_owned()));
        let mut entries = vec![put(target, request.into()), put(held, held.body.clone())];
        entries.extend(self.act(caller, target));
        self.write(caller, encounter, entries).await?;
        Ok(true)
    }
}

/// A section without a line and the resource of it.
fn without(section: &mut JsonObject, line: &str, reference: &str) {
    let text = section_text(&Json::Object(section.clone()));
    let mut lines: Vec<&str> = text.lines().collect();
    if let Some(last) = lines.iter().rposition(|one| *one == line) {
        lines.remove(last);
    }
    let content = SectionContent { text: &lines.join("\n"), state: "pending", entries: Vec::new() };
    set_section(section, SectionKind::Medications, content);
    let Some(Json::Array(mut entries)) = section.remove("entry") else { return };
    entries.retain(|entry| entry.get_str("reference") != Some(reference));
    // FHIR has no empty lists.
    if !entries.is_empty() {
        section.insert("entry", entries);
    }
}

fn corrected(target: &Held, correction: Correction<'_>) -> Result<Option<JsonObject>, ClinicError> {
    let seen = view::medicine(target);
    let mut request = target.body.as_object().cloned().unwrap_or_default();
    match correction {
        Correction::NameAsHeard if seen.suggestion.is_none() => return Ok(None),
        Correction::NameAsHeard => verify(&mut request, "as-heard")?,
        Correction::Name { heard, meant } => {
            if !seen.name.eq_ignore_ascii_case(heard) {
                return Ok(None);
            }
            name(&mut request, meant);
            verifying::edited(&mut request);
            note_heard(&mut request, &target.body, heard);
        }
        Correction::Words { heard, drafted, meant } => {
            // A line has one step; a regimen of several is edited as a whole.
            let steps = target.body.get("dosageInstruction").map_or(&[][..], Json::items);
            let words = [drafted, Some(heard)].into_iter().flatten();
            let line = words.filter_map(|words| replaced(&seen.text, words, meant)).next();
            let read = line.filter(|_| steps.len() == 1).and_then(|line| TypedLine::read(&line));
            let Some(line) = read.filter(|line| !line.steps.is_empty()) else { return Ok(None) };
            let doubted = extension_value(&target.body, "suggested-name", "valueString").cloned();
            write_line(&mut request, &line);
            verifying::edited(&mut request);
            // A corrected dose says nothing about the name.
            if let Some(doubted) = doubted.as_ref().and_then(Json::as_str) {
                set_extension(&mut request, "suggested-name", ExtensionValue::Text(doubted.to_owned()));
            }
        }
    }
    Ok(Some(request))
}

/// What the engine heard first is kept, however often it is corrected.
fn note_heard(request: &mut JsonObject, before: &Json, heard: &str) {
    if extension_value(before, "heard-name", "valueString").is_none() {
        set_extension(request, "heard-name", ExtensionValue::Text(heard.to_owned()));
    }
}

/// A line with words in the place of others, whatever their case; nothing where they do not stand there as whole words.
fn replaced(line: &str, words: &str, meant: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let wanted = words.trim().to_ascii_lowercase();
    let free = |neighbour: Option<char>| neighbour.is_none_or(|neighbour| !neighbour.is_alphanumeric());
    let whole = |begin: usize| {
        let before = lower.get(..begin).and_then(|before| before.chars().next_back());
        let after = lower.get(begin + wanted.len()..).and_then(|after| after.chars().next());
        free(before) && free(after)
    };
    let mut places = lower.match_indices(&wanted).map(|(begin, _)| begin).filter(|begin| whole(*begin));
    let begin = places.next().filter(|_| !wanted.is_empty())?;
    Some(format!("{}{}{}", line.get(..begin)?, meant.trim(), line.get(begin + wanted.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prescription::tests::medicine_of;

    const TEXT: &str = "No fever. BP 120 over 80. It is a throat infection. Tab paracetamol one tablet twice a day for \
                        five days. Allergic to penicillin.";

    #[test]
    fn a_corrected_name_keeps_the_dose_and_what_was_heard() {
        let held = medicine_of(TEXT);
        let correction = Correction::Name { heard: "Paracetamol", meant: "ibuprofen" };
        let request = corrected(&held, correction).ok().flatten().map(Json::Object).unwrap_or(Json::Null);
        let after = Held { body: request, key: held.key.clone(), version: 2 };
        let seen = view::medicine(&after);
        assert_eq!((seen.name.as_str(), seen.lacks_dose()), ("ibuprofen", false));
        assert_eq!(
            extension_value(&after.body, "heard-name", "valueString").and_then(Json::as_str),
            Some("Paracetamol")
        );
        let again = Correction::Name { heard: "paracetamol", meant: "aspirin" };
        assert!(matches!(corrected(&after, again), Ok(None)), "it has another name by now");
        assert!(matches!(corrected(&after, Correction::NameAsHeard), Ok(None)), "nothing is in doubt");
    }

    #[test]
    fn corrected_words_are_read_into_the_dosage() {
        let held = medicine_of(TEXT);
        let correction = Correction::Words { heard: "for five days", drafted: None, meant: "for seven days" };
        let request = corrected(&held, correction).ok().flatten().map(Json::Object).unwrap_or(Json::Null);
        let text = request.to_string();
        assert!(text.contains("\"boundsDuration\":{\"value\":7") && text.contains("\"value\":14"), "{text}");
        let unknown = Correction::Words { heard: "at night", drafted: None, meant: "in the morning" };
        assert!(matches!(corrected(&held, unknown), Ok(None)));
    }

    #[test]
    fn words_are_replaced_where_they_stand_whole() {
        assert_eq!(replaced("x 5 mg, 50 MG daily", "50 mg", "50 mcg").as_deref(), Some("x 5 mg, 50 mcg daily"));
        assert_eq!(replaced("x 150 mg", "50 mg", "1"), None);
        assert_eq!(replaced("x", " ", "1"), None);
    }
}
