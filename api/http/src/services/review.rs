//! What helps the reviewing doctor: the verify walk, the doctor's own lexicon, the omission meter, reconciliation, voice commands.

use std::sync::Arc;

use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::Value;
use seva_clinic::{commands, review as help};
use seva_fhir::access::{AuditAction, Caller, prescription_of};
use uuid::Uuid;

use super::{Services, shown};
use crate::failure::Failure;

/// What is done at a stop.
#[derive(Object)]
struct NewMark {
    /// heard or corrected.
    act: String,
    /// What was meant, where it is corrected.
    meant: Option<String>,
}

/// What is decided about a proposal.
#[derive(Object)]
struct NewDecision {
    /// accepted or rejected.
    decision: String,
}

/// What was said as a command.
#[derive(Object)]
struct NewCommand {
    /// A whole utterance.
    text: String,
    /// The code of the section in which the doctor is.
    field: Option<String>,
}

#[derive(ApiResponse)]
enum Forgotten {
    /// It is forgotten.
    #[oai(status = 204)]
    Done,
}

/// The handlers.
pub struct ReviewApi {
    pub(crate) services: Arc<Services>,
}

#[OpenApi]
impl ReviewApi {
    /// Reads the dangerous words of a dictation.
    #[oai(path = "/v1/dictations/:id/walk", method = "get", operation_id = "readWalk")]
    async fn read_walk(&self, request: &Request, id: Path<Uuid>) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let walk = self.services.review.walk(&caller, id.0).await.map_err(Failure::from)?;
        self.audit(&caller, (&walk.patient, &format!("dictation/{}", id.0))).await?;
        Ok(shown(&walk)?)
    }

    /// Marks a stop.
    #[oai(path = "/v1/dictations/:id/walk/:stop", method = "post", operation_id = "markStop")]
    async fn mark_stop(
        &self,
        request: &Request,
        id: Path<Uuid>,
        stop: Path<String>,
        body: Json<NewMark>,
    ) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let mark = help::NewMark { act: body.0.act, meant: body.0.meant };
        let walk = self.services.review.mark(&caller, (id.0, &stop.0), mark).await.map_err(Failure::from)?;
        self.record(&caller, AuditAction::Dictation, (&walk.patient, &format!("dictation/{}", id.0))).await?;
        Ok(shown(&walk)?)
    }

    /// Reads what is missing from the note of an encounter.
    #[oai(path = "/v1/encounters/:encounter/omissions", method = "get", operation_id = "readOmissions")]
    async fn read_omissions(&self, request: &Request, encounter: Path<String>) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let encounter = super::encounter(&encounter)?;
        let found = self.services.review.omissions(&caller, &encounter).await.map_err(Failure::from)?;
        self.audit(&caller, (&found.patient, &prescription_of(&found.encounter))).await?;
        Ok(shown(&found)?)
    }

    /// Reads what further recordings of an encounter propose.
    #[oai(path = "/v1/encounters/:encounter/proposals", method = "get", operation_id = "listProposals")]
    async fn list_proposals(&self, request: &Request, encounter: Path<String>) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let encounter = super::encounter(&encounter)?;
        let found = self.services.review.proposals(&caller, &encounter).await.map_err(Failure::from)?;
        self.audit(&caller, (&found.patient, &prescription_of(&found.encounter))).await?;
        Ok(shown(&found)?)
    }

    /// Accepts or rejects a proposal.
    #[oai(path = "/v1/dictations/:id/proposals/:number", method = "post", operation_id = "decideProposal")]
    async fn decide_proposal(
        &self,
        request: &Request,
        id: Path<Uuid>,
        number: Path<u32>,
        body: Json<NewDecision>,
    ) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let decided = self.services.review.decide(&caller, (id.0, number.0), &body.0.decision).await;
        let decided = decided.map_err(Failure::from)?;
        self.record(&caller, AuditAction::Dictation, (&decided.patient, &format!("dictation/{}", id.0))).await?;
        Ok(shown(&decided)?)
    }

    /// Carries out a voice command.
    #[oai(path = "/v1/encounters/:encounter/commands", method = "post", operation_id = "carryOutCommand")]
    async fn carry_out_command(
        &self,
        request: &Request,
        encounter: Path<String>,
        body: Json<NewCommand>,
    ) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let encounter = super::encounter(&encounter)?;
        let command = commands::NewCommand { text: body.0.text, field: body.0.field };
        let outcome = self.services.commands.carry_out(&caller, &encounter, command).await.map_err(Failure::from)?;
        self.audit(&caller, (&outcome.patient, &prescription_of(&encounter.to_string()))).await?;
        Ok(shown(&outcome)?)
    }

    /// Reads the caller's own lexicon.
    #[oai(path = "/v1/lexicon", method = "get", operation_id = "readLexicon")]
    async fn read_lexicon(&self, request: &Request) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let names = self.services.review.lexicon(&caller).await.map_err(Failure::from)?;
        Ok(Json(serde_json::json!({ "names": shown(&names)?.0 })))
    }

    /// Forgets a name of the caller's own lexicon.
    #[oai(path = "/v1/lexicon/:heard", method = "delete", operation_id = "forgetName")]
    async fn forget_name(&self, request: &Request, heard: Path<String>) -> poem::Result<Forgotten> {
        let caller = self.services.authenticator.caller(request).await?;
        self.services.review.forget(&caller, &heard.0).await.map_err(Failure::from)?;
        Ok(Forgotten::Done)
    }
}

impl ReviewApi {
    async fn audit(&self, caller: &Caller, what: (&str, &str)) -> Result<(), Failure> {
        self.record(caller, AuditAction::Read, what).await
    }

    async fn record(&self, caller: &Caller, action: AuditAction, what: (&str, &str)) -> Result<(), Failure> {
        super::audit(&self.services, caller, action, what).await
    }
}
