//! What is taken only when needed, and for what (R4 <https://hl7.org/fhir/R4/dosage-definitions.html#Dosage.asNeeded_x_>).

use super::{AsNeeded, parts::Cursor};

const ADVICE: [&str; 24] = [
    "persists",
    "persist",
    "continues",
    "continue",
    "does",
    "do",
    "not",
    "doesn't",
    "recurs",
    "returns",
    "increases",
    "worsens",
    "is",
    "come",
    "gets",
    "comes",
    "subsides",
    "settles",
    "goes",
    "stops",
    "improves",
    "reduces",
    "resolves",
    "has",
];

/// For what a dose may be taken when needed.
const REASONS: [&str; 44] = [
    "pain abdomen",
    "pain in abdomen",
    "stomach ache",
    "chest tightness",
    "heartburn",
    "runny nose",
    "sneezing",
    "seizures",
    "seizure",
    "gas",
    "chest pain",
    "abdominal pain",
    "stomach pain",
    "body ache",
    "severe pain",
    "high fever",
    "anxiety",
    "constipation",
    "cramps",
    "dizziness",
    "migraine",
    "palpitations",
    "wheeze",
    "spasm",
    "fever",
    "pain",
    "headache",
    "vomiting",
    "nausea",
    "cough",
    "itching",
    "breathlessness",
    "wheezing",
    "acidity",
    "loose motions",
    "giddiness",
    "sleep",
    "cold",
    "constipated",
    "burning",
    "bleeding",
    "swelling",
    "loose stools",
    "diarrhoea",
];

/// Other words for such reasons.
const SAID: [(&str, &str); 4] = [("temperature", "fever"), ("temp", "fever"), ("bukhar", "fever"), ("dard", "pain")];

/// How bad it has to be.
const SEVERITY: [&str; 18] = [
    "goes above",
    "goes beyond",
    "rises above",
    "crosses",
    "exceeds",
    "is beyond",
    "greater than",
    "is above",
    "is over",
    "is more than",
    "is more",
    "is severe",
    "is bad",
    "is there",
    "is present",
    "is high",
    "above",
    "more than",
];

/// Words of what the patient is to do instead of taking a dose.
pub const TOLD: [&str; 13] = [
    "come", "call", "report", "return", "visit", "review", "go", "inform", "consult", "contact", "follow", "rush",
    "see",
];

/// How it is said that a dose is taken when needed.
const NEEDED: [&str; 26] = [
    "sos",
    "s.o.s",
    "prn",
    "p.r.n",
    "as needed",
    "when needed",
    "if needed",
    "as required",
    "when required",
    "if required",
    "whenever required",
    "whenever needed",
    "if necessary",
    "when necessary",
    "as and when needed",
    "as and when required",
    "on need basis",
    "zaroorat padne par",
    "zarurat padne par",
    "zaroorat ho to",
    "sos thereafter",
    "sos afterwards",
    "sos later",
    "prn thereafter",
    "as needed thereafter",
    "when required thereafter",
];

/// Tells whether "SOS thereafter" stands here: what is taken when needed behind the days of a regular dose.
pub fn begins_need(cursor: &Cursor<'_>) -> bool {
    let mut after = *cursor;
    after.take_any(&NEEDED) && matches!(after.word_before(), "thereafter" | "afterwards" | "later")
}

/// Takes "as needed" with its reason.
pub fn take_as_needed(cursor: &mut Cursor<'_>) -> Option<AsNeeded> {
    // "for pain as needed"
    let mut before = *cursor;
    if before.take("for")
        && let Some(reason) = take_reason(&mut before)
        && before.take_any(&NEEDED)
    {
        *cursor = before;
        return Some(AsNeeded::For(reason.to_owned()));
    }
    let needed = cursor.take_any(&NEEDED);
    let mut attempt = *cursor;
    if !needed && let Some(reason) = take_reason(&mut attempt) {
        // "bukhar ho to": the condition stands behind its reason.
        let condition = attempt.take_any(&["ho to", "hone par", "aane par", "ho toh"]);
        if condition {
            *cursor = attempt;
        }
        return condition.then(|| AsNeeded::For(reason.to_owned()));
    }
    attempt.advance(usize::from(needed && attempt.word(0) == "," && matches!(attempt.word(1), "for" | "if" | "when")));
    let linked = if needed {
        attempt.take_any(&["for", "if", "in case of", "when"])
    } else {
        attempt.take_any(&["if", "in case of", "only for", "only if", "only when", "when", "whenever"])
    };
    if linked {
        attempt.take_any(&["there is", "you have", "he has", "she has", "having", "the"]);
        // "if fever persists, come back" is advice and must not turn a regular dose into one that is taken when needed.
        let reason = take_reason(&mut attempt);
        let mut severe = attempt;
        let is_severe = severe.take_any(&SEVERITY);
        let told = (0..8).any(|ahead| TOLD.contains(&attempt.word(ahead)));
        if is_severe && !told {
            severe.advance(usize::from(severe.number(0).is_some()));
            severe.take_any(&[
                "degrees fahrenheit",
                "degree fahrenheit",
                "degrees",
                "degree",
                "fahrenheit",
                "f",
                "celsius",
            ]);
            attempt = severe;
        }
        // "SOS for fever, not more than four times a day" says how often, and nothing of a fever that does not go.
        let limit = attempt.word(0) == "not" && matches!(attempt.word(1), "more" | "exceeding");
        let advice = (is_severe && told) || (ADVICE.contains(&attempt.word(0)) && !limit);
        if let Some(reason) = reason.filter(|_| !advice) {
            *cursor = attempt;
            return Some(AsNeeded::For(reason.to_owned()));
        }
    }
    needed.then_some(AsNeeded::Yes)
}

fn take_reason(cursor: &mut Cursor<'_>) -> Option<&'static str> {
    let reason = REASONS.iter().copied().find(|reason| cursor.take(reason));
    reason.or_else(|| SAID.iter().find(|(said, _)| cursor.take(said)).map(|(_, reason)| *reason))
}
