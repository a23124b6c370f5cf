//! What a correction beside a medicine teaches the doctor's own lexicon: the name that was heard and the one that was meant
//! (R4: <https://hl7.org/fhir/R4/medicationrequest-definitions.html#MedicationRequest.medication_x_>).

use seva_fhir::access::Caller;
use seva_fhir::json::JsonObject;

use super::{PrescriptionService, view};
use crate::encounter_record::Held;
use crate::review::learning::is_learnable;

/// A name that was heard, and what was meant by it.
pub(super) struct Misheard {
    heard: String,
    meant: String,
}

impl PrescriptionService {
    /// Learns a name. The correction is written already and stands without it: a lexicon that is away fails nothing.
    pub(super) async fn learn(&self, caller: &Caller, name: &Misheard) {
        let Some(practitioner) = caller.practitioner_reference() else { return };
        let learnt = self.parts.lexicon.learn(caller.tenant, &practitioner, (&name.heard, &name.meant));
        if let Err(error) = learnt.await {
            tracing::warn!(%error, "a corrected name was not learnt");
        }
    }
}

/// The name of a medicine that was in doubt and is another one now; nothing that the lexicon does not take.
pub(super) fn misheard(before: &Held, after: &JsonObject) -> Option<Misheard> {
    let seen = view::medicine(before);
    seen.suggestion.as_ref()?;
    let meant = after.get("medicationCodeableConcept")?.get_str("text")?;
    is_learnable(&seen.name, meant).then(|| Misheard { heard: seen.name.to_lowercase(), meant: meant.to_lowercase() })
}
