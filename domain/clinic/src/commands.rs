//! Voice commands: a grammar of whole utterances, and no guess. What is no command stays dictation.
//!
//! What a command makes is a draft (R4: <https://hl7.org/fhir/R4/medicationrequest.html>); nothing is ever signed by voice.

mod grammar;
mod segments;

use serde::Serialize;

use crate::drafting::SectionKind;

pub use grammar::read;
pub use segments::sorted;

/// What a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A section of the note.
    Section(SectionKind),
    /// A medicine by its name.
    Medicine(String),
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds a medicine as a draft; the line is name and dosage.
    Prescribe(String),
    /// Rejects a drafted medicine.
    Remove(String),
    /// Takes the last thing back.
    ScratchThat,
    /// Goes to the next section.
    NextField,
    /// Goes to the previous one.
    PreviousField,
    /// Goes to a section.
    GoTo(SectionKind),
    /// Approves a section or a medicine; without one, where the doctor is.
    Approve(Option<Target>),
    /// Reads a section back, or the medicines.
    ReadBack(Option<SectionKind>),
    /// Asks to sign, which is refused.
    Sign,
}

/// A command without what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandKind {
    /// Adds a medicine.
    Prescribe,
    /// Rejects a medicine.
    Remove,
    /// Takes the last thing back.
    ScratchThat,
    /// Goes to the next section.
    NextField,
    /// Goes to the previous one.
    PreviousField,
    /// Goes to a section.
    GoTo,
    /// Approves.
    Approve,
    /// Reads back.
    ReadBack,
    /// Asks to sign.
    Sign,
}

impl CommandKind {
    const ALL: [Self; 9] = [
        Self::Prescribe,
        Self::Remove,
        Self::ScratchThat,
        Self::NextField,
        Self::PreviousField,
        Self::GoTo,
        Self::Approve,
        Self::ReadBack,
        Self::Sign,
    ];

    /// Returns the word for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Prescribe => "prescribe",
            Self::Remove => "remove",
            Self::ScratchThat => "scratch-that",
            Self::NextField => "next-field",
            Self::PreviousField => "previous-field",
            Self::GoTo => "go-to",
            Self::Approve => "approve",
            Self::ReadBack => "read-back",
            Self::Sign => "sign",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Command {
    /// Returns what kind of command it is.
    #[must_use]
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Prescribe(_) => CommandKind::Prescribe,
            Self::Remove(_) => CommandKind::Remove,
            Self::ScratchThat => CommandKind::ScratchThat,
            Self::NextField => CommandKind::NextField,
            Self::PreviousField => CommandKind::PreviousField,
            Self::GoTo(_) => CommandKind::GoTo,
            Self::Approve(_) => CommandKind::Approve,
            Self::ReadBack(_) => CommandKind::ReadBack,
            Self::Sign => CommandKind::Sign,
        }
    }
}
