//! Carrying commands out on the draft of an encounter; the last one can be taken back
//! (R4: <https://hl7.org/fhir/R4/composition.html>).

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use seva_fhir::access::Caller;
use seva_fhir::clock::{Clock, IdSource};
use seva_fhir::types::{Instant, ResourceKey, TenantId};
use uuid::Uuid;

use super::{Command, CommandKind, Target, grammar};
use crate::dictation::StoreResult;
use crate::drafting::{SECTIONS, SectionKind};
use crate::failure::ClinicError;
use crate::prescription::{MedicineChange, MedicineView, Prescription, PrescriptionService, SectionChange};

/// An utterance has no more characters.
const LONGEST: usize = 500;

/// What takes a command back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Undo {
    /// The medicine was added by this line.
    Withdraw {
        /// Its id.
        medicine: String,
        /// The line.
        line: String,
    },
    /// The medicine had this state.
    Medicine {
        /// Its id.
        medicine: String,
        /// The state.
        state: String,
    },
    /// The section had this state.
    Section {
        /// Its code.
        section: String,
        /// The state.
        state: String,
    },
}

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoneCommand {
    /// Its number.
    pub id: Uuid,
    /// The encounter.
    pub encounter: String,
    /// Who said it.
    pub account: String,
    /// What it was.
    pub kind: CommandKind,
    /// What takes it back.
    pub undo: Undo,
    /// When.
    pub at: Instant,
}

/// Keeps what was carried out.
#[async_trait]
pub trait CommandLog: Send + Sync {
    /// Notes a command.
    async fn done(&self, tenant: TenantId, command: &DoneCommand) -> StoreResult<()>;

    /// Finds the last one of an account in an encounter that was not taken back.
    async fn last(&self, tenant: TenantId, of: (&str, &str)) -> StoreResult<Option<DoneCommand>>;

    /// Notes that it was taken back.
    async fn undone(&self, tenant: TenantId, id: Uuid) -> StoreResult<()>;
}

/// What the service works with.
pub struct CommandParts {
    /// Prescriptions.
    pub prescriptions: PrescriptionService,
    /// What was carried out.
    pub log: Arc<dyn CommandLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
}

/// Carries commands out in the name of checked callers.
#[derive(Clone)]
pub struct CommandService {
    parts: Arc<CommandParts>,
}

/// What was said.
pub struct NewCommand {
    /// A whole utterance.
    pub text: String,
    /// The code of the section in which the doctor is.
    pub field: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    /// Nothing.
    #[default]
    None,
    /// A medicine was drafted.
    Drafted,
    /// A medicine was rejected.
    Rejected,
    /// A section or medicine was approved.
    Approved,
    /// The last command was taken back.
    Undone,
    /// The doctor goes to a section.
    Moved,
    /// Something is read back.
    Read,
    /// It is not done by voice.
    Refused,
}

/// A command with what came of it.
#[derive(Default, Serialize)]
pub struct CommandOutcome {
    /// The patient, for the audit log.
    #[serde(skip)]
    pub patient: String,
    recognised: bool,
    command: Option<CommandKind>,
    effect: Effect,
    field: Option<&'static str>,
    medicine: Option<String>,
    say: Option<String>,
}

impl CommandService {
    /// Wires the service.
    #[must_use]
    pub fn new(parts: CommandParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Carries an utterance out if it is a command; what is none changes nothing.
    pub async fn carry_out(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        new: NewCommand,
    ) -> Result<CommandOutcome, ClinicError> {
        if new.text.chars().count() > LONGEST {
            return Err(ClinicError::Invalid(format!("an utterance has {LONGEST} characters at most")));
        }
        let field = new.field.as_deref().map(|code| {
            SectionKind::from_code(code).ok_or_else(|| ClinicError::Invalid("there is no such section".to_owned()))
        });
        let field = field.transpose()?;
        let seen = self.parts.prescriptions.load(caller, encounter).await?;
        let patient = seen.patient.clone();
        let Some(command) = grammar::read(&new.text) else {
            return Ok(CommandOutcome { patient, ..CommandOutcome::default() });
        };
        let kind = command.kind();
        let at = At { caller, encounter, seen: &seen, kind };
        let outcome = match command {
            Command::Prescribe(line) => self.prescribe(&at, &line).await?,
            Command::Remove(name) => self.decide(&at, &name, ("rejected", Effect::Rejected)).await?,
            Command::ScratchThat => self.scratch(&at).await?,
            Command::NextField => moved(beside(field, 1)),
            Command::PreviousField => moved(beside(field, -1)),
            Command::GoTo(section) => moved(section),
            Command::Approve(Some(Target::Medicine(name))) => {
                self.decide(&at, &name, ("approved", Effect::Approved)).await?
            }
            Command::Approve(Some(Target::Section(section))) => self.approve(&at, section).await?,
            Command::Approve(None) => {
                let here = field.ok_or_else(|| ClinicError::Invalid("say which section is approved".to_owned()))?;
                self.approve(&at, here).await?
            }
            Command::ReadBack(section) => read_back(&seen, section.or(field).unwrap_or(SectionKind::Medications)),
            Command::Sign => CommandOutcome {
                effect: Effect::Refused,
                say: Some("nothing is signed by voice: sign with your PIN".to_owned()),
                ..CommandOutcome::default()
            },
        };
        Ok(CommandOutcome { patient, recognised: true, command: Some(kind), ..outcome })
    }

    async fn prescribe(&self, at: &At<'_>, line: &str) -> Result<CommandOutcome, ClinicError> {
        let now = self.parts.prescriptions.add_medicine(at.caller, at.encounter, line).await?;
        let known = |one: &&MedicineView| at.seen.medicines.iter().any(|before| before.id == one.id);
        let added = now.medicines.iter().find(|one| !known(one)).ok_or(ClinicError::NotFound("the new medicine"))?;
        let undo = Undo::Withdraw { medicine: added.id.clone(), line: line.to_owned() };
        self.note(at, undo).await?;
        Ok(about(Effect::Drafted, added, SectionKind::Medications))
    }

    /// Approves or rejects the medicine of a name; of two it is not clear which is meant.
    async fn decide(
        &self,
        at: &At<'_>,
        name: &str,
        (state, effect): (&str, Effect),
    ) -> Result<CommandOutcome, ClinicError> {
        let mut named = at.seen.medicines.iter().filter(|one| one.name.eq_ignore_ascii_case(name));
        let (found, other) = (named.next(), named.next());
        let found = found.ok_or_else(|| ClinicError::Invalid("the draft has no medicine of that name".to_owned()))?;
        if other.is_some() {
            return Err(ClinicError::Invalid("the draft has that medicine twice: choose by hand".to_owned()));
        }
        self.set_medicine(at, (&found.id, state)).await?;
        let undo = Undo::Medicine { medicine: found.id.clone(), state: found.state.clone() };
        self.note(at, undo).await?;
        Ok(about(effect, found, SectionKind::Medications))
    }

    async fn approve(&self, at: &At<'_>, kind: SectionKind) -> Result<CommandOutcome, ClinicError> {
        let section = at.seen.sections.iter().find(|section| section.code == kind.code());
        let section = section.ok_or(ClinicError::NotFound("the section"))?;
        let empty =
            if kind == SectionKind::Medications { at.seen.medicines.is_empty() } else { section.text.is_empty() };
        if empty {
            return Err(ClinicError::Invalid(format!("{} is empty: there is nothing to approve", kind.title())));
        }
        self.set_section(at, (kind, "approved")).await?;
        let undo = Undo::Section { section: kind.code().to_owned(), state: section.state.clone() };
        self.note(at, undo).await?;
        Ok(CommandOutcome { effect: Effect::Approved, ..moved(kind) })
    }

    async fn scratch(&self, at: &At<'_>) -> Result<CommandOutcome, ClinicError> {
        let of = (at.encounter.to_string(), at.caller.account.to_string());
        let last = self.parts.log.last(at.caller.tenant, (&of.0, &of.1)).await?;
        let last = last.ok_or_else(|| ClinicError::Invalid("there is no command to take back".to_owned()))?;
        let (medicine, field) = match &last.undo {
            Undo::Withdraw { medicine, line } => {
                let taken = (medicine.as_str(), line.as_str());
                self.parts.prescriptions.withdraw_medicine(at.caller, at.encounter, taken).await?;
                (Some(medicine.clone()), SectionKind::Medications)
            }
            Undo::Medicine { medicine, state } => {
                self.set_medicine(at, (medicine, state)).await?;
                (Some(medicine.clone()), SectionKind::Medications)
            }
            Undo::Section { section, state } => {
                let kind = SectionKind::from_code(section).ok_or(ClinicError::NotFound("the section"))?;
                self.set_section(at, (kind, state)).await?;
                (None, kind)
            }
        };
        self.parts.log.undone(at.caller.tenant, last.id).await?;
        Ok(CommandOutcome { effect: Effect::Undone, medicine, ..moved(field) })
    }

    async fn set_medicine(&self, at: &At<'_>, (medicine, state): (&str, &str)) -> Result<(), ClinicError> {
        let change = MedicineChange { state: Some(state.to_owned()), ..MedicineChange::default() };
        let seen = (at.seen.version, medicine);
        self.parts.prescriptions.update_medicine(at.caller, at.encounter, seen, change).await.map(drop)
    }

    async fn set_section(&self, at: &At<'_>, (kind, state): (SectionKind, &str)) -> Result<(), ClinicError> {
        let change = SectionChange { text: None, state: Some(state.to_owned()) };
        let seen = (at.seen.version, kind);
        self.parts.prescriptions.update_section(at.caller, at.encounter, seen, change).await.map(drop)
    }

    async fn note(&self, at: &At<'_>, undo: Undo) -> Result<(), ClinicError> {
        let done = DoneCommand {
            id: self.parts.ids.new_uuid(),
            encounter: at.encounter.to_string(),
            account: at.caller.account.to_string(),
            kind: at.kind,
            undo,
            at: self.parts.clock.now(),
        };
        Ok(self.parts.log.done(at.caller.tenant, &done).await?)
    }
}

/// Where and by whom a command was said.
struct At<'a> {
    caller: &'a Caller,
    encounter: &'a ResourceKey,
    /// The draft as it was then.
    seen: &'a Prescription,
    kind: CommandKind,
}

fn moved(to: SectionKind) -> CommandOutcome {
    CommandOutcome { effect: Effect::Moved, field: Some(to.code()), ..CommandOutcome::default() }
}

fn about(effect: Effect, medicine: &MedicineView, section: SectionKind) -> CommandOutcome {
    CommandOutcome { effect, medicine: Some(medicine.id.clone()), ..moved(section) }
}

/// The section behind or before another; from nowhere it is the first, and the last one is followed by the first.
fn beside(field: Option<SectionKind>, step: isize) -> SectionKind {
    let count = SECTIONS.len();
    let here = field.and_then(|field| SECTIONS.iter().position(|kind| *kind == field));
    let place = here.map_or(0, |here| here.saturating_add(count).saturating_add_signed(step) % count);
    SECTIONS.get(place).copied().unwrap_or(SectionKind::Complaint)
}

fn read_back(seen: &Prescription, kind: SectionKind) -> CommandOutcome {
    let text = if kind == SectionKind::Medications {
        let lines = seen.medicines.iter().filter(|one| one.state != "rejected");
        let line = |one: &MedicineView| {
            let strength = one.strength.as_deref().unwrap_or_default();
            let dose = one.line.en.as_deref().unwrap_or(&one.text);
            format!("{} {strength}: {dose}", one.name).replace(" :", ":")
        };
        lines.map(line).collect::<Vec<_>>().join(". ")
    } else {
        let found = seen.sections.iter().find(|section| section.code == kind.code());
        found.map(|section| section.text.clone()).unwrap_or_default()
    };
    let say = if text.is_empty() { format!("{} is empty", kind.title()) } else { text };
    CommandOutcome { effect: Effect::Read, say: Some(say), ..moved(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_each_other_round() {
        let steps = |from, step| beside(from, step).code();
        assert_eq!(steps(None, 1), "complaint");
        assert_eq!(steps(Some(SectionKind::Complaint), 1), "vitals");
        assert_eq!(steps(Some(SectionKind::Referral), 1), "complaint");
        assert_eq!(steps(Some(SectionKind::Complaint), -1), "referral");
    }
}
