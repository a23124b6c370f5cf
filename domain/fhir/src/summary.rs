//! The International Patient Summary as a document: its sections and what a reader sees of them
//! (IPS <https://hl7.org/fhir/uv/ips/>, R4 <https://hl7.org/fhir/R4/documents.html>).

use crate::json::{Json, JsonObject, array, object};

/// A section of the summary.
pub(crate) struct SummarySection {
    /// LOINC's code.
    pub(crate) code: &'static str,
    /// The title, which is LOINC's short name for it.
    pub(crate) title: &'static str,
    /// Whether it stands there even with nothing to say.
    pub(crate) required: bool,
    /// Where its entries come from: type, and search beside the patient.
    pub(crate) sources: &'static [(&'static str, &'static str)],
    /// Whether only the newest of each kind is shown.
    pub(crate) newest_only: bool,
}

const REAL: &str = "verification-status:not=refuted,entered-in-error";

/// In the order of the guide.
pub(crate) const SECTIONS: &[SummarySection] = &[
    section("11450-4", "Problem list", &[("Condition", "clinical-status:not=inactive,remission,resolved")], true),
    section(
        "48765-2",
        "Allergies and adverse reactions",
        &[("AllergyIntolerance", "clinical-status:not=inactive,resolved")],
        true,
    ),
    section(
        "10160-0",
        "Medication use",
        &[
            ("MedicationRequest", "status=active,on-hold"),
            ("MedicationStatement", "status=active,intended,on-hold,unknown"),
        ],
        true,
    ),
    section("11369-6", "Immunizations", &[("Immunization", "status=completed")], false),
    section(
        "30954-2",
        "Diagnostic results",
        &[
            ("Observation", "category=laboratory,imaging&status=final,amended,corrected"),
            ("DiagnosticReport", "status=final,amended,corrected"),
        ],
        false,
    ),
    section("47519-4", "Procedures", &[("Procedure", "status:not=entered-in-error,not-done")], false),
    section("46264-8", "Medical devices", &[("DeviceUseStatement", "")], false),
    SummarySection {
        newest_only: true,
        ..section(
            "8716-3",
            "Vital signs",
            &[("Observation", "category=vital-signs&status=final,amended,corrected")],
            false,
        )
    },
    section("11348-0", "Past illnesses", &[("Condition", "clinical-status=inactive,remission,resolved")], false),
    section(
        "29762-2",
        "Social history",
        &[("Observation", "category=social-history&status=final,amended,corrected")],
        false,
    ),
    section("18776-5", "Plan of care", &[("CarePlan", "status=active,on-hold")], false),
    section("42348-3", "Advance directives", &[("Consent", "status=active&scope=adr")], false),
];

const fn section(
    code: &'static str,
    title: &'static str,
    sources: &'static [(&'static str, &'static str)],
    required: bool,
) -> SummarySection {
    SummarySection { code, title, required, sources, newest_only: false }
}

/// Whether a resource stands in the summary, where no search parameter tells.
pub(crate) fn is_current(resource: &Json) -> bool {
    let status = resource.get_str("status");
    match resource.get_str("resourceType") {
        Some("DeviceUseStatement") => status == Some("active"),
        _ => status != Some("entered-in-error"),
    }
}

/// The search of a source: the patient's, and no statement that was taken back or refuted.
pub(crate) fn search_of(kind: &str, query: &str, patient: &str) -> Vec<(String, String)> {
    let real = if matches!(kind, "Condition" | "AllergyIntolerance") { REAL } else { "" };
    let pairs = query.split('&').chain(real.split('&').filter(|pair| !pair.is_empty()));
    let fixed = [("patient", patient), ("_sort", "-_lastUpdated"), ("_count", "100")];
    let own = pairs.filter_map(|pair| pair.split_once('='));
    fixed.into_iter().chain(own).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Why a section has no entries, of `http://terminology.hl7.org/CodeSystem/list-empty-reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// The record says nothing about it: that is not "none".
    Unavailable,
    /// The caller may not read it.
    Withheld,
}

/// Writes a section.
pub(crate) fn written(section: &SummarySection, entries: &[(String, Json)], empty: Empty) -> Json {
    let coding = object([("system", "http://loinc.org".into()), ("code", section.code.into())]);
    let mut members: JsonObject = [
        ("title", Json::from(section.title)),
        ("code", object([("coding", array([coding]))])),
        ("text", narrative(entries, empty)),
    ]
    .into_iter()
    .collect();
    if entries.is_empty() {
        let (code, display) = match empty {
            Empty::Unavailable => ("unavailable", "Unavailable"),
            Empty::Withheld => ("withheld", "Information Withheld"),
        };
        let system = "http://terminology.hl7.org/CodeSystem/list-empty-reason";
        let coding = object([("system", system.into()), ("code", code.into()), ("display", display.into())]);
        members.insert("emptyReason", object([("coding", array([coding]))]));
    } else {
        let references = entries.iter().map(|(key, _)| object([("reference", key.as_str().into())]));
        members.insert("entry", array(references));
    }
    members.into()
}

fn narrative(entries: &[(String, Json)], empty: Empty) -> Json {
    let mut div = String::from("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    if entries.is_empty() {
        div.push_str(match empty {
            Empty::Unavailable => "No information",
            Empty::Withheld => "Withheld",
        });
    } else {
        div.push_str("<ul>");
        for (_, resource) in entries {
            div.push_str("<li>");
            push_escaped(&mut div, &line(resource));
            div.push_str("</li>");
        }
        div.push_str("</ul>");
    }
    div.push_str("</div>");
    object([("status", "generated".into()), ("div", div.into())])
}

/// A summary's text for a resource: what, how much, when.
fn line(resource: &Json) -> String {
    let named = ["code", "medicationCodeableConcept", "vaccineCode", "title"].iter().find_map(|name| {
        let value = resource.get(name)?;
        value.as_str().map(str::to_owned).or_else(|| words(value))
    });
    let mut line = named.unwrap_or_else(|| resource.get_str("resourceType").unwrap_or_default().to_owned());
    if let Some(value) = result(resource) {
        line.push_str(": ");
        line.push_str(&value);
    }
    let when =
        ["effectiveDateTime", "onsetDateTime", "recordedDate", "occurrenceDateTime", "performedDateTime", "authoredOn"];
    if let Some(date) = when.iter().find_map(|name| resource.get_str(name)) {
        line.push_str(" (");
        line.extend(date.chars().take(10));
        line.push(')');
    }
    line
}

fn words(concept: &Json) -> Option<String> {
    let coding = || concept.get("coding")?.get_index(0);
    let text = concept.get_str("text").or_else(|| coding()?.get_str("display")).or_else(|| coding()?.get_str("code"));
    text.map(str::to_owned)
}

fn result(resource: &Json) -> Option<String> {
    let amount = |quantity: &Json| {
        let unit = quantity.get_str("unit").or_else(|| quantity.get_str("code")).unwrap_or_default();
        Some(format!("{} {unit}", quantity.get("value")?.as_number()?).trim_end().to_owned())
    };
    if let Some(quantity) = resource.get("valueQuantity") {
        return amount(quantity);
    }
    if let Some(concept) = resource.get("valueCodeableConcept") {
        return words(concept);
    }
    let parts = resource.get("component").map_or(&[][..], Json::items).iter();
    let values: Vec<String> = parts.filter_map(|part| amount(part.get("valueQuantity")?)).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn push_escaped(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::json::{Limits, parse};

    #[test]
    fn a_line_says_what_how_much_and_when() {
        let of = |text: &str| line(&parse(text.as_bytes(), &Limits::default()).unwrap());
        let weight = r#"{"code": {"coding": [{"display": "Body weight"}]}, "valueQuantity": {"value": 61.0, "unit": "kg"},
            "effectiveDateTime": "2026-07-14T10:00:00+05:30"}"#;
        assert_eq!(of(weight), "Body weight: 61.0 kg (2026-07-14)");
        assert_eq!(of(r#"{"resourceType": "CarePlan"}"#), "CarePlan");
    }

    #[test]
    fn an_empty_section_says_that_nothing_is_known() {
        let section = written(SECTIONS.first().unwrap(), &[], Empty::Unavailable).to_string();
        assert!(
            section.contains("unavailable") && section.contains("No information") && !section.contains("\"entry\"")
        );
        let hostile = parse(br#"{"code": {"text": "<b>&"}}"#, &Limits::default()).unwrap();
        let section =
            written(SECTIONS.first().unwrap(), &[("Condition/a".into(), hostile)], Empty::Unavailable).to_string();
        assert!(section.contains("&lt;b&gt;&amp;") && section.contains("Condition/a"), "{section}");
    }
}
