//! What speaks against signing: safety findings, each with its rule and source, and what is not done yet
//! (R4: <https://hl7.org/fhir/R4/detectedissue.html>).

use serde::Serialize;
use seva_fhir::json::Json;
use sha2::{Digest, Sha256};

use super::answers::{Answer, answer_to};
use super::contradictions::Contradicted;
use super::view::{self, MedicineView, SectionView};
use crate::dosage::{Dosage, regimen_from_fhir};
use crate::drafting::SectionKind;
use crate::encounter_record::{EncounterRecord, Held};
use crate::formulary::{Formulary, Medicine, Product};
use crate::lexicon::decimal::Decimal;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Signing is refused.
    Block,
    /// A reason is asked for.
    Reason,
    /// It is shown.
    Information,
}

/// A safety finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Names the finding while rule, medicine and words stay the same: another dose asks again.
    pub id: String,
    /// How much it weighs.
    pub tier: Tier,
    /// The rule's name.
    pub rule: &'static str,
    /// In words.
    pub text: String,
    /// Where the rule's data comes from.
    pub source: String,
    /// The medicine's id; empty when it concerns the whole prescription.
    pub medicine: String,
    /// The reason for which it is accepted.
    pub answer: Option<Answer>,
}

/// Something that must be done before signing.
#[derive(Clone, Debug, Serialize)]
pub struct Blocker {
    /// A code for programs.
    pub code: &'static str,
    /// In words.
    pub text: String,
    /// The section or medicine.
    pub target: String,
}

/// Finds what is unsafe about the medicines that are not rejected.
pub(super) fn findings(record: &EncounterRecord) -> Vec<Finding> {
    let mut findings = Vec::new();
    let active: Vec<(&Held, Vec<&Medicine>)> = record
        .medicines
        .iter()
        .filter(|held| view::is_listed(held) && view::review_state(&held.body) != "rejected")
        .filter_map(|held| Some((held, ingredients(held.body.get("medicationCodeableConcept")?))))
        .filter(|(_, medicines)| !medicines.is_empty())
        .collect();
    for (place, (held, medicines)) in active.iter().enumerate() {
        let id = held.key.id().as_str();
        let before = active.get(..place).unwrap_or_default();
        for medicine in medicines {
            let mut found =
                |tier, rule, text| findings.push(finding(record, (tier, rule), text, (id, medicine.source)));
            for allergy in record.allergies.iter().filter(|held| is_allergy(&held.body)) {
                if let Some(name) = crosses(&allergy.body, medicine) {
                    found(
                        Tier::Block,
                        "allergy-class",
                        format!("{}: the patient is allergic to {name}", medicine.generic),
                    );
                }
            }
            if before.iter().flat_map(|(_, others)| others).any(|other| other.generic == medicine.generic) {
                found(Tier::Reason, "duplicate-ingredient", format!("{} is prescribed twice", medicine.generic));
            }
            // How much of each ingredient a combination holds is not known.
            if let Some(text) = above_maximum(&held.body, medicine).filter(|_| medicines.len() == 1) {
                found(Tier::Block, "daily-maximum", text);
            }
        }
    }
    if !active.is_empty() && record.allergies.is_empty() {
        let text = "nobody has recorded whether the patient has allergies".to_owned();
        findings.push(finding(record, (Tier::Information, "allergies-not-asked"), text, ("", "the record")));
    }
    findings
}

fn finding(
    record: &EncounterRecord,
    (tier, rule): (Tier, &'static str),
    text: String,
    (medicine, source): (&str, &str),
) -> Finding {
    let mut digest = Sha256::new();
    for part in [rule, medicine, text.as_str()] {
        digest.update(part);
        digest.update([0]);
    }
    let id: String = hex::encode(digest.finalize()).chars().take(16).collect();
    let answer = answer_to(record, &id);
    Finding { id, tier, rule, text, source: source.to_owned(), medicine: medicine.to_owned(), answer }
}

/// What a medicine holds: all ingredients of a brand, which no code of one of them says.
fn ingredients(concept: &Json) -> Vec<&'static Medicine> {
    let named = concept.get_str("text").and_then(Product::named);
    let codings = concept.get("coding").map_or(&[][..], Json::items);
    let atc = codings.iter().filter(|coding| coding.get_str("system") == Some("http://www.whocc.no/atc"));
    let coded = atc.filter_map(|coding| Formulary::seed().find_atc(coding.get_str("code")?)).next();
    match (named, coded) {
        (Some(brand @ Product::Brand(_)), _) => brand.ingredients(),
        (_, Some(coded)) => vec![coded],
        (named, None) => named.map(Product::ingredients).unwrap_or_default(),
    }
}

fn is_allergy(body: &Json) -> bool {
    let status = body.get("verificationStatus").and_then(|status| status.get("coding")?.get_index(0)?.get_str("code"));
    !matches!(status, Some("refuted" | "entered-in-error"))
}

/// The allergen's name when the medicine is it, or is of its group.
fn crosses<'a>(allergy: &'a Json, medicine: &Medicine) -> Option<&'a str> {
    let code = allergy.get("code")?;
    let name = code.get_str("text").or_else(|| code.get("coding")?.get_index(0)?.get_str("display"))?;
    let lower = name.to_lowercase();
    let allergens = ingredients(code);
    let same = medicine.names().any(|own| own.eq_ignore_ascii_case(&lower))
        || allergens.iter().any(|allergen| allergen.generic == medicine.generic);
    let class = medicine.allergy_class.to_lowercase();
    let is_class =
        |group: &str| !class.is_empty() && class.trim_end_matches('s') == group.to_lowercase().trim_end_matches('s');
    let of_group = match allergens.as_slice() {
        [] => is_class(&lower),
        allergens => allergens.iter().any(|allergen| is_class(allergen.allergy_class)),
    };
    (same || of_group).then_some(name)
}

fn above_maximum(body: &Json, medicine: &Medicine) -> Option<String> {
    let maximum = medicine.maximum()?;
    for step in regimen_from_fhir(body.get("dosageInstruction")?).ok()? {
        let Some(daily) = daily(&step).filter(|daily| daily.1 == maximum.unit.code()) else { continue };
        if daily.0 > maximum.value {
            let unit = maximum.unit.display();
            let name = medicine.generic;
            return Some(format!("{name}: {} {unit} a day, the most is {} {unit}", daily.0, maximum.value));
        }
    }
    None
}

fn daily(step: &Dosage) -> Option<(Decimal, &'static str)> {
    let dose = step.substance()?;
    Some((dose.value.times(Decimal::whole(step.timing.per_day()?))?, dose.unit.code()))
}

/// Lists what must be done before signing.
pub(super) fn blockers(
    sections: &[SectionView],
    (medicines, contradicted): (&[MedicineView], &Contradicted),
    findings: &[Finding],
) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    let mut blocks = |code, text: String, target: &str| {
        blockers.push(Blocker { code, text, target: target.to_owned() });
    };
    for section in sections {
        let kind = SectionKind::from_code(section.code);
        if section.required && (section.state != "approved" || section.text.is_empty()) {
            let title = kind.map_or(section.code, SectionKind::title);
            blocks("section-not-approved", format!("{title} is not approved"), section.code);
        }
    }
    for medicine in medicines {
        if medicine.state == "pending" {
            blocks("medicine-undecided", format!("{} is neither approved nor rejected", medicine.name), &medicine.id);
        }
        if contradicted.contains(&medicine.id) {
            let text =
                format!("{} is ordered otherwise by a proposal that is neither accepted nor rejected", medicine.name);
            blocks("medicine-contradicted", text, &medicine.id);
        }
        if medicine.state != "rejected" && medicine.lacks_dose() {
            blocks("medicine-incomplete", format!("{} has no dose or no duration", medicine.name), &medicine.id);
        }
        if medicine.state != "rejected" && medicine.suggestion.is_some() {
            blocks("name-unverified", format!("it is not verified that {} was meant", medicine.name), &medicine.id);
        }
    }
    for finding in findings.iter().filter(|finding| finding.tier == Tier::Block) {
        blocks("safety", finding.text.clone(), &finding.medicine);
    }
    for finding in findings.iter().filter(|finding| finding.tier == Tier::Reason && finding.answer.is_none()) {
        blocks("reason-needed", format!("{}: a reason is needed", finding.text), &finding.id);
    }
    blockers
}
