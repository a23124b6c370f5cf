//! Marking a stop: the words are right, or others were meant. A correction goes into the draft, and a medicine's into the
//! doctor's lexicon too; what was heard stays beside it (R4: <https://hl7.org/fhir/R4/medicationrequest.html>).

use seva_fhir::access::{Caller, Refusal};
use seva_fhir::service::FhirError;
use uuid::Uuid;

use super::ReviewService;
use super::learning::is_learnable;
use super::ports::{Mark, MarkAct};
use super::view::{LearntView, WalkView};
use super::walk::{Danger, Stop};
use crate::dictation::{Dictation, DictationState};
use crate::failure::ClinicError;
use crate::prescription::Correction;

/// A correction has no more characters.
const LONGEST: usize = 200;

/// What is done at a stop.
pub struct NewMark {
    /// heard or corrected.
    pub act: String,
    /// What was meant, where it is corrected.
    pub meant: Option<String>,
}

impl ReviewService {
    /// Marks a stop of one's own dictation; done twice, it is done once.
    pub async fn mark(&self, caller: &Caller, (id, stop): (Uuid, &str), new: NewMark) -> Result<WalkView, ClinicError> {
        let (act, meant) = read(new)?;
        let dictation = self.parts.dictations.own(caller, id).await?;
        if matches!(dictation.state, DictationState::Reviewed | DictationState::Withdrawn) {
            return Err(ClinicError::Conflict(format!("the dictation is {}: nothing is marked", dictation.state)));
        }
        let stops = self.stops(caller, &dictation).await?;
        let found = stops.iter().find(|one| one.id == stop).ok_or(ClinicError::NotFound("the stop"))?;
        let marks = self.parts.marks.marks(caller.tenant, id).await?;
        let done = |mark: &Mark| mark.stop == stop && mark.act == act && mark.meant == meant;
        if marks.iter().any(done) {
            return Ok(WalkView::of(&dictation, &stops, &marks));
        }
        let mut mark = Mark {
            stop: stop.to_owned(),
            act,
            meant,
            applied: false,
            learnt: false,
            account: caller.account.to_string(),
            at: self.parts.clock.now().to_milliseconds(),
        };
        mark.applied = self.apply(caller, (&dictation, found), &mark).await?;
        mark.learnt = self.learn(caller, found, &mark).await?;
        self.parts.marks.mark(caller.tenant, id, &mark).await?;
        self.walked(caller, (&dictation, &self.stops(caller, &dictation).await?)).await
    }

    /// Brings a mark into the drafted medicine; false where there is none, or where it has other words by now.
    async fn apply(
        &self,
        caller: &Caller,
        (dictation, stop): (&Dictation, &Stop),
        mark: &Mark,
    ) -> Result<bool, ClinicError> {
        let medicine = stop.resource.as_deref().and_then(|resource| resource.strip_prefix("MedicationRequest/"));
        let Some(medicine) = medicine else { return Ok(false) };
        let correction = match (&mark.meant, stop.danger) {
            (None, Danger::Drug) => Correction::NameAsHeard,
            (Some(meant), Danger::Drug) => Correction::Name { heard: &stop.text, meant },
            (Some(meant), Danger::Dose | Danger::Number | Danger::Unit) => {
                Correction::Words { heard: &stop.text, drafted: stop.drafted.as_deref(), meant }
            }
            _ => return Ok(false),
        };
        self.parts.prescriptions.correct_medicine(caller, &dictation.encounter, (medicine, correction)).await
    }

    async fn learn(&self, caller: &Caller, stop: &Stop, mark: &Mark) -> Result<bool, ClinicError> {
        let (Some(meant), Danger::Drug) = (&mark.meant, stop.danger) else { return Ok(false) };
        let Some(practitioner) = caller.practitioner_reference() else { return Ok(false) };
        if !is_learnable(&stop.text, meant) {
            return Ok(false);
        }
        let name = (stop.text.to_lowercase(), meant.to_lowercase());
        self.parts.lexicon.learn(caller.tenant, &practitioner, (&name.0, &name.1)).await?;
        Ok(true)
    }

    /// Lists the caller's own lexicon.
    pub async fn lexicon(&self, caller: &Caller) -> Result<Vec<LearntView>, ClinicError> {
        let learnt = self.parts.lexicon.learnt(caller.tenant, &practitioner(caller)?).await?;
        Ok(learnt.into_iter().map(LearntView::from).collect())
    }

    /// Forgets a name of the caller's own lexicon.
    pub async fn forget(&self, caller: &Caller, heard: &str) -> Result<(), ClinicError> {
        let known = self.parts.lexicon.forget(caller.tenant, &practitioner(caller)?, &heard.to_lowercase()).await?;
        if known { Ok(()) } else { Err(ClinicError::NotFound("the name in your lexicon")) }
    }
}

fn practitioner(caller: &Caller) -> Result<String, ClinicError> {
    let refusal = FhirError::Refused(Refusal::NoPractitioner { action: "a lexicon" });
    caller.practitioner_reference().ok_or_else(|| refusal.into())
}

/// A correction says what was meant; hearing says nothing more.
fn read(new: NewMark) -> Result<(MarkAct, Option<String>), ClinicError> {
    let act = MarkAct::from_code(&new.act);
    let act = act.ok_or_else(|| ClinicError::Invalid("a mark is heard or corrected".to_owned()))?;
    let meant = new.meant.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match (act, meant) {
        (MarkAct::Heard, None) => Ok((act, None)),
        (MarkAct::Heard, Some(_)) => Err(ClinicError::Invalid("what was heard right is not corrected".to_owned())),
        (MarkAct::Corrected, Some(meant)) if meant.chars().count() <= LONGEST => Ok((act, Some(meant))),
        (MarkAct::Corrected, _) => {
            Err(ClinicError::Invalid(format!("a correction says what was meant, in 1 to {LONGEST} characters")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_says_what_was_meant_and_hearing_does_not() {
        let mark = |act: &str, meant: Option<&str>| read(NewMark { act: act.into(), meant: meant.map(str::to_owned) });
        assert!(matches!(mark("heard", None), Ok((MarkAct::Heard, None))));
        assert!(
            matches!(mark("corrected", Some(" metformin ")), Ok((MarkAct::Corrected, Some(meant))) if meant == "metformin")
        );
        let long = "x".repeat(LONGEST + 1);
        for (act, meant) in [
            ("heard", Some("x")),
            ("corrected", None),
            ("corrected", Some(" ")),
            ("seen", None),
            ("corrected", Some(&long)),
        ] {
            assert!(matches!(mark(act, meant), Err(ClinicError::Invalid(_))), "{act} {meant:?}");
        }
    }
}
