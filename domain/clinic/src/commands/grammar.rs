//! The grammar, in the notation of RFC 5234 (<https://www.rfc-editor.org/info/rfc5234>):
//!
//! ```text
//! utterance = [ "please" / "okay" ] command [ "please" ]
//! command   = ("prescribe" / "add medicine") medicine [dosage]
//!           / ("remove" / "cancel") medicine
//!           / ("scratch" / "strike" / "delete" / "undo") "that"
//!           / ("next" / "previous") ("field" / "section")
//!           / ("go to" / "open") section
//!           / "approve" [section / medicine / "this" / "that"]
//!           / "read" ("back" / "that back" / "it back") [section]
//!           / "sign" ["it" / "that" / "the prescription" / "prescription"]
//! ```
//! A medicine is a name of the formulary; a section is one of its usual names. The whole utterance must be a command.

use super::{Command, Target};
use crate::drafting::SectionKind;
use crate::formulary::Product;
use crate::lexicon::decimal::Decimal;
use crate::lexicon::tokens::{Token, TokenKind, tokenize};

/// Reads a whole utterance; nothing where it is no command.
#[must_use]
pub fn read(utterance: &str) -> Option<Command> {
    let tokens = tokenize(utterance);
    let end = tokens.iter().rposition(|token| token.kind != TokenKind::Stop && token.word != ",")? + 1;
    let mut words = tokens.get(..end)?;
    while let [first, rest @ ..] = words
        && matches!(first.word.as_str(), "please" | "okay" | ",")
    {
        words = rest;
    }
    while let [rest @ .., last] = words
        && matches!(last.word.as_str(), "please" | ",")
    {
        words = rest;
    }
    // An utterance of several sentences is no command: its first words may be one by chance.
    if words.iter().any(|token| token.kind == TokenKind::Stop) {
        return None;
    }
    let said: Vec<&str> = words.iter().map(|token| token.word.as_str()).collect();
    command(&said, words)
}

fn command(said: &[&str], tokens: &[Token]) -> Option<Command> {
    let after = |used: usize| tokens.get(used..).unwrap_or_default();
    match said {
        ["prescribe", ..] => prescribed(after(1)).map(Command::Prescribe),
        ["add", "medicine", ..] => prescribed(after(2)).map(Command::Prescribe),
        ["remove" | "cancel", name @ ..] => medicine(name).map(Command::Remove),
        ["scratch" | "strike" | "delete" | "undo", "that"] => Some(Command::ScratchThat),
        ["next", "field" | "section"] => Some(Command::NextField),
        ["previous", "field" | "section"] => Some(Command::PreviousField),
        ["go", "to", place @ ..] | ["open", place @ ..] => section(place).map(Command::GoTo),
        ["approve"] | ["approve", "this" | "that"] => Some(Command::Approve(None)),
        ["approve", what @ ..] => {
            let target = section(what).map(Target::Section).or_else(|| medicine(what).map(Target::Medicine));
            target.map(|target| Command::Approve(Some(target)))
        }
        ["read", "back"] | ["read", "that" | "it", "back"] => Some(Command::ReadBack(None)),
        ["read", "back", place @ ..] => section(place).map(|place| Command::ReadBack(Some(place))),
        ["sign"] | ["sign", "it" | "that" | "prescription"] | ["sign", "the", "prescription"] => Some(Command::Sign),
        _ => None,
    }
}

fn section(words: &[&str]) -> Option<SectionKind> {
    let words = match words {
        ["the", rest @ ..] => rest,
        words => words,
    };
    let words = match words {
        [rest @ .., "section" | "field"] => rest,
        words => words,
    };
    Some(match words.join(" ").as_str() {
        "complaint" | "complaints" | "chief complaint" => SectionKind::Complaint,
        "vitals" | "vital signs" => SectionKind::Vitals,
        "diagnosis" | "diagnoses" => SectionKind::Diagnosis,
        "medicines" | "medications" | "prescription" => SectionKind::Medications,
        "instructions" | "advice" => SectionKind::Instructions,
        "follow up" | "follow-up" | "review" => SectionKind::FollowUp,
        "tests" | "investigations" => SectionKind::Tests,
        "referral" => SectionKind::Referral,
        _ => return None,
    })
}

fn medicine(words: &[&str]) -> Option<String> {
    let name = words.join(" ");
    Product::named(&name).map(|_| name)
}

/// A line as it is typed: the name, then what was said of the dose. A bare number takes the unit of the only strength that
/// has it, as in dictation; where none has it, it stays bare and the dose stays open.
fn prescribed(tokens: &[Token]) -> Option<String> {
    let tokens = match tokens {
        [first, rest @ ..] if crate::dosage::form_named(&first.word).is_some() => rest,
        tokens => tokens,
    };
    let (used, name) = (1..=tokens.len().min(Product::LONGEST_NAME)).rev().find_map(|length| {
        let name = tokens.get(..length)?.iter().map(|token| token.word.as_str()).collect::<Vec<_>>().join(" ");
        Product::named(&name).map(|_| (length, name))
    })?;
    let known = Product::named(&name)?;
    let mut words = vec![name];
    for (place, token) in tokens.iter().enumerate().skip(used) {
        words.push(match &token.kind {
            TokenKind::Number(value) => value.to_string(),
            TokenKind::Slots(amounts) => amounts.iter().map(Decimal::to_string).collect::<Vec<_>>().join("-"),
            _ => token.word.clone(),
        });
        if place == used
            && let Some(value) = token.number()
            && is_bare(tokens.get(place + 1))
        {
            words.extend(known.unit_of(value).map(|unit| unit.display().to_owned()));
        }
    }
    Some(words.join(" "))
}

/// Whether the word behind a number says what it counts.
fn is_bare(next: Option<&Token>) -> bool {
    let Some(next) = next else { return true };
    let counts = crate::dosage::unit_named(&next.word).is_some() || crate::dosage::form_named(&next.word).is_some();
    let times = matches!(next.word.as_str(), "times" | "time" | "days" | "day" | "weeks" | "week");
    !counts && !times && next.number() != Some(Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prescription::TypedLine;

    #[test]
    fn whole_utterances_are_commands() {
        let line = |text: &str| Some(Command::Prescribe(text.to_owned()));
        for (said, command) in [
            (
                "Prescribe azithromycin five hundred once daily for three days.",
                line("azithromycin 500 mg once daily for 3 days"),
            ),
            ("please prescribe tab paracetamol 650 mg 1-0-1 for 5 days", line("paracetamol 650 mg 1-0-1 for 5 days")),
            ("add medicine metformin", line("metformin")),
            ("Scratch that.", Some(Command::ScratchThat)),
            ("undo that", Some(Command::ScratchThat)),
            ("Next field", Some(Command::NextField)),
            ("previous section, please", Some(Command::PreviousField)),
            ("go to the follow up section", Some(Command::GoTo(SectionKind::FollowUp))),
            ("open vital signs", Some(Command::GoTo(SectionKind::Vitals))),
            ("approve", Some(Command::Approve(None))),
            ("okay, approve diagnosis", Some(Command::Approve(Some(Target::Section(SectionKind::Diagnosis))))),
            ("approve azithromycin", Some(Command::Approve(Some(Target::Medicine("azithromycin".into()))))),
            ("remove paracetamol", Some(Command::Remove("paracetamol".into()))),
            ("read that back", Some(Command::ReadBack(None))),
            ("Read back medicines", Some(Command::ReadBack(Some(SectionKind::Medications)))),
            ("sign the prescription", Some(Command::Sign)),
        ] {
            assert_eq!(read(said), command, "{said}");
        }
    }

    #[test]
    fn what_is_no_command_stays_dictation() {
        for said in [
            "",
            ".",
            "Patient has fever for three days.",
            "I prescribe azithromycin five hundred.",
            "Prescribe rest and fluids.",
            "Prescribe azithromycn five hundred.",
            "Next field of vision is normal.",
            "The patient could not read back the letters.",
            "Approve of the plan.",
            "Remove the sutures.",
            "Scratch that itches.",
            "Sign of infection.",
            "Next field. The patient has fever.",
            "go to the toilet at night",
        ] {
            assert_eq!(read(said), None, "{said}");
        }
    }

    #[test]
    fn a_number_takes_a_unit_only_where_one_strength_has_it() {
        let said = |text: &str| read(text).map(|command| format!("{command:?}")).unwrap_or_default();
        assert!(said("prescribe azithromycin 500").contains("azithromycin 500 mg\""));
        assert!(said("prescribe paracetamol 651 once daily").contains("paracetamol 651 once daily\""));
        assert!(said("prescribe paracetamol two tablets twice daily").contains("paracetamol 2 tablets twice daily\""));
        assert!(said("prescribe paracetamol three times a day").contains("paracetamol 3 times a day\""));
        let line = match read("prescribe azithromycin five hundred once daily for three days") {
            Some(Command::Prescribe(line)) => line,
            _ => String::new(),
        };
        let line = TypedLine::read(&line).map(|line| (line.name, line.steps));
        let (name, steps) = line.unwrap_or_default();
        assert_eq!((name.as_str(), steps.len()), ("azithromycin", 1));
        assert!(steps.iter().all(|step| step.duration.is_some() && step.timing.frequency == Some(1)));
        assert!(steps.iter().all(|step| step.strength.or(step.dose).is_some()));
    }
}
