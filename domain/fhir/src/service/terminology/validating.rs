//! `$validate-code` (R4 <https://hl7.org/fhir/R4/valueset-operation-validate-code.html>,
//! <https://hl7.org/fhir/R4/codesystem-operation-validate-code.html>).

use super::{FhirError, FhirService, KnownSystem, Named, invalid};
use crate::access::Caller;
use crate::date::date_range;
use crate::outcome::IssueCode;
use crate::terminology::{Concept, Detail, Wanted};

/// A code as a request names it.
#[derive(Clone, Debug, Default)]
pub struct AskedCode {
    /// Its system.
    pub system: Option<String>,
    /// The version of the system.
    pub version: Option<String>,
    /// The code.
    pub code: String,
    /// What the request calls it.
    pub display: Option<String>,
}

/// Against what codes are checked.
#[derive(Clone, Debug)]
pub enum ValidationPlace<'a> {
    /// A value set.
    ValueSet(Named<'a>),
    /// A code system, in a version when one is named.
    CodeSystem(Named<'a>, Option<&'a str>),
}

/// What is checked; one of the codes must be valid.
#[derive(Clone, Debug)]
pub struct ValidationAsked<'a> {
    /// The codes.
    pub codes: Vec<AskedCode>,
    /// Against what.
    pub place: ValidationPlace<'a>,
    /// Whether a concept that only groups others is valid; the caller's word, when there is one.
    pub allows_abstract: Option<bool>,
    /// The date on which it must be valid.
    pub date: Option<&'a str>,
    /// The language of names.
    pub language: Option<&'a str>,
}

/// Whether a code is valid.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Whether it is.
    pub result: bool,
    /// What is wrong, or is to be known.
    pub message: Option<String>,
    /// The concept that was found.
    pub concept: Option<Concept>,
    /// Its name in the language that was asked for.
    pub display: Option<String>,
    /// The version of the code system.
    pub version: Option<String>,
}

/// A concept with the version of its system.
type Versioned = (Concept, Option<String>);

/// What was found of the codes, each with the version of its system, and which systems are known in part only.
struct Looked {
    codes: Vec<(AskedCode, Option<Versioned>)>,
    incomplete: Vec<String>,
}

impl FhirService {
    /// Checks codes against a value set or a code system.
    pub async fn validate_code(&self, caller: &Caller, asked: &ValidationAsked<'_>) -> Result<Verdict, FhirError> {
        let day =
            asked.date.map(|date| date_range(date).ok_or_else(|| invalid(format!("date: {date:?} is not a date"))));
        let day = day.transpose()?.map(|(_, last)| last);
        let mut first = None;
        let looked = match self.look(caller, asked).await {
            // A code of another version than the one that counts is not valid; that is an answer.
            Err(FhirError::Invalid(issues)) if issues.iter().all(|issue| issue.code == IssueCode::Value) => {
                let message = issues.first().map(|issue| issue.diagnostics.clone());
                return Ok(Verdict { message, ..Verdict::default() });
            }
            other => other?,
        };
        for (code, found) in looked.codes {
            let Some((concept, version)) = found else { continue };
            let verdict = judge(concept, version, (&code, asked, day));
            if verdict.result {
                return Ok(verdict);
            }
            first.get_or_insert(verdict);
        }
        Ok(first.unwrap_or_else(|| absent(asked, &looked.incomplete)))
    }

    async fn look(&self, caller: &Caller, asked: &ValidationAsked<'_>) -> Result<Looked, FhirError> {
        match &asked.place {
            ValidationPlace::ValueSet(named) => {
                let codes = asked.codes.iter().map(|one| one.code.clone());
                let versions = asked
                    .codes
                    .iter()
                    .filter_map(|one| Some(format!("{}|{}", one.system.as_deref()?, one.version.as_deref()?)));
                let wanted =
                    Wanted { detail: Detail::Full, checked_versions: versions.collect(), ..Wanted::about(codes) };
                let (_, expansion) = self.expand_value_set(caller, named, &wanted).await?;
                let version = |system: &str| {
                    let start = format!("{system}|");
                    expansion.used.iter().find_map(|used| used.strip_prefix(&start)).map(str::to_owned)
                };
                let find = |one: &AskedCode| {
                    let concept = expansion.find(one.system.as_deref(), &one.code)?.clone();
                    let version = version(&concept.system);
                    Some((concept, version))
                };
                let codes = asked.codes.iter().map(|one| (one.clone(), find(one))).collect();
                Ok(Looked { codes, incomplete: expansion.incomplete })
            }
            ValidationPlace::CodeSystem(named, version) => {
                let version = version.or_else(|| asked.codes.iter().find_map(|one| one.version.as_deref()));
                let system = self.known_system(caller, named, version).await?;
                let mut codes = Vec::new();
                for one in &asked.codes {
                    codes.push((one.clone(), self.of_system(&system, one).await?));
                }
                let incomplete = if system.is_complete() { Vec::new() } else { vec![system.url().to_owned()] };
                Ok(Looked { codes, incomplete })
            }
        }
    }

    async fn of_system(&self, system: &KnownSystem, one: &AskedCode) -> Result<Option<Versioned>, FhirError> {
        if one.system.as_deref().is_some_and(|own| own != system.url()) {
            return Ok(None);
        }
        let concept = self.concept_of(system, &one.code).await?;
        Ok(concept.map(|concept| (concept, system.version().map(str::to_owned))))
    }
}

fn absent(asked: &ValidationAsked<'_>, incomplete: &[String]) -> Verdict {
    let names: Vec<String> = asked.codes.iter().map(name_of).collect();
    let place = match &asked.place {
        ValidationPlace::ValueSet(Named::Url(url)) | ValidationPlace::CodeSystem(Named::Url(url), _) => {
            format!("the codes of {url}")
        }
        ValidationPlace::ValueSet(_) => "the codes of the value set".to_owned(),
        ValidationPlace::CodeSystem(..) => "the codes of the code system".to_owned(),
    };
    let mut message = match names.is_empty() {
        true => format!("without a code it is not among {place}"),
        false => format!("{} is not among {place}", names.join(", ")),
    };
    for system in incomplete {
        message.push_str(&format!("; {system} is known here in part only"));
    }
    Verdict { message: Some(message), ..Verdict::default() }
}

fn name_of(code: &AskedCode) -> String {
    match &code.system {
        Some(system) => format!("{system}|{}", code.code),
        None => code.code.clone(),
    }
}

/// Judges a concept that is there: by its name, by whether it may be chosen, and by when it was in use.
fn judge(
    concept: Concept,
    version: Option<String>,
    (code, asked, day): (&AskedCode, &ValidationAsked<'_>, Option<i64>),
) -> Verdict {
    let display = concept.display_in(asked.language).map(str::to_owned);
    let mut wrong = Vec::new();
    let mut notes = Vec::new();
    if let (Some(given), Some(own)) = (&code.display, &display)
        && !concept.is_called(given)
    {
        wrong.push(format!("the display of {} is {own:?}", concept.code));
    }
    if concept.not_selectable && asked.allows_abstract == Some(false) {
        wrong.push(format!("{} is abstract: choose a code below it", concept.code));
    }
    let before = |names: &[&str]| {
        let mut dates = names.iter().flat_map(|name| concept.values(name));
        dates.find(|date| day.is_some_and(|day| date_range(date).is_some_and(|(first, _)| first <= day)))
    };
    let begins = concept.values("effectiveDate").into_iter().next();
    if let Some(begins) = begins
        && day.is_some_and(|day| date_range(&begins).is_some_and(|(first, _)| first > day))
    {
        wrong.push(format!("{} is in use from {begins} on only", concept.code));
    }
    if let Some(date) = before(&["retirementDate", "inactivationDate"]) {
        wrong.push(format!("{} is no longer in use since {date}", concept.code));
    } else if concept.inactive {
        notes.push(format!("{} is no longer in use", concept.code));
    }
    if let Some(date) = before(&["deprecated", "deprecationDate"]) {
        notes.push(format!("{} is deprecated since {date}", concept.code));
    }
    let result = wrong.is_empty();
    wrong.append(&mut notes);
    let message = (!wrong.is_empty()).then(|| wrong.join("; "));
    Verdict { result, message, display, version, concept: Some(concept) }
}
