//! `Patient/$member-match` (HRex <http://hl7.org/fhir/us/davinci-hrex/OperationDefinition/member-match>): one payer asks
//! another by which number it knows a member; anything but one certain answer is none.

use super::matching::Match;
use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::date::date_range;
use crate::json::Json;
use crate::matching::Grade;
use crate::outcome::{Issue, IssueCode};
use crate::types::ResourceKey;

/// HL7's identifier types of members: of the plan, and unique across plans.
const MEMBER_NUMBERS: [&str; 2] = ["UMB", "MB"];
const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

/// Who is asked about.
pub struct MemberQuestion<'a> {
    /// `MemberPatient`.
    pub patient: &'a Json,
    /// `CoverageToMatch`.
    pub coverage: &'a Json,
    /// `Consent`.
    pub consent: &'a Json,
}

/// The member that was found.
pub struct Member {
    /// The number by which the member is known here.
    pub identifier: Json,
    /// The patient.
    pub key: ResourceKey,
}

impl FhirService {
    /// Finds the one member that is meant.
    pub async fn match_member(&self, caller: &Caller, asked: MemberQuestion<'_>) -> Result<Member, FhirError> {
        check_consent(asked.consent, self.now().micros())?;
        let mut members = Vec::new();
        for found in self.match_patient(caller, asked.patient).await? {
            if found.likeness.grade >= Grade::Probable && self.is_covered(caller, &found, asked.coverage).await? {
                members.push(found);
            }
        }
        let (Some(only), None) = (members.pop(), members.pop()) else {
            // HRex: no match and several are told apart by nobody who is not the member.
            return Err(refused("no single member matches the patient and the coverage"));
        };
        let patient = stored_json(&only.stored)?;
        let identifier =
            member_number(&patient).ok_or_else(|| refused("the member has no identifier with a system"))?;
        Ok(Member { identifier: identifier.clone(), key: only.stored.key })
    }

    /// Whether a coverage of the patient carries the number of the one that is asked about.
    async fn is_covered(&self, caller: &Caller, found: &Match, coverage: &Json) -> Result<bool, FhirError> {
        let kind = "Coverage".parse().map_err(|_| refused("the definitions know no Coverage"))?;
        let pairs = [("beneficiary", found.stored.key.to_string()), ("_count", "100".to_owned())];
        let pairs: Vec<(String, String)> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let query = self.strict_search(caller, kind, &pairs)?;
        for stored in self.search(caller, query).await?.matches {
            if is_same_coverage(&stored_json(&stored)?, coverage) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn refused(text: &'static str) -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::BusinessRule, text)])
}

fn member_number(patient: &Json) -> Option<&Json> {
    let identifiers = patient.get("identifier").map_or(&[][..], Json::items);
    let whole = |one: &&Json| one.get_str("system").is_some() && one.get_str("value").is_some();
    let of_kind = |kind: &str| {
        identifiers.iter().filter(whole).find(|one| {
            let codings = one.get("type").and_then(|own| own.get("coding")).map_or(&[][..], Json::items);
            codings.iter().any(|coding| coding.get_str("code") == Some(kind))
        })
    };
    MEMBER_NUMBERS.iter().find_map(|kind| of_kind(kind)).or_else(|| identifiers.iter().find(whole))
}

fn is_same_coverage(known: &Json, asked: &Json) -> bool {
    let numbers = |coverage: &Json| -> Vec<(String, String)> {
        let identifiers = coverage.get("identifier").map_or(&[][..], Json::items).iter();
        identifiers
            .filter_map(|one| Some((one.get_str("system")?.to_owned(), one.get_str("value")?.to_owned())))
            .chain(coverage.get_str("subscriberId").map(|number| ("subscriberId".to_owned(), number.to_owned())))
            .collect()
    };
    let ours = numbers(known);
    numbers(asked).iter().any(|number| ours.contains(number))
}

/// The consent must be one to sharing, in force now.
fn check_consent(consent: &Json, now: i64) -> Result<(), FhirError> {
    if consent.get_str("resourceType") != Some("Consent") || consent.get_str("status") != Some("active") {
        return Err(refused("Consent must be an active Consent"));
    }
    let scopes = consent.get("scope").and_then(|scope| scope.get("coding")).map_or(&[][..], Json::items);
    let private =
        |coding: &Json| coding.get_str("system") == Some(SCOPE) && coding.get_str("code") == Some("patient-privacy");
    if !scopes.iter().any(private) {
        return Err(refused("Consent.scope must be patient-privacy"));
    }
    let provision = consent.get("provision");
    if provision.and_then(|provision| provision.get_str("type")) == Some("deny") {
        return Err(refused("the Consent denies the sharing"));
    }
    let period = provision.and_then(|provision| provision.get("period"));
    let bound = |name: &str| period.and_then(|period| date_range(period.get_str(name)?));
    let begun = bound("start").is_none_or(|(low, _)| low <= now);
    let lasting = bound("end").is_none_or(|(_, high)| high >= now);
    if begun && lasting { Ok(()) } else { Err(refused("the Consent is not in force now")) }
}
