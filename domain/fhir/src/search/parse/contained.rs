//! `_contained` and `_containedType` (R4 <https://hl7.org/fhir/R4/search.html#contained>).

use super::{Parser, Problem};
use crate::search::contained::leads_elsewhere;
use crate::search::{ContainedSearch, Returned, Searched};
use crate::types::ResourceType;

impl Parser<'_> {
    pub(super) fn contained(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let contained = &mut self.query.contained;
        match (name, value) {
            ("_contained", "false") => contained.searched = Searched::Outside,
            ("_contained", "true") => contained.searched = Searched::Contained,
            ("_contained", "both") => contained.searched = Searched::Both,
            ("_contained", _) => return Err(Problem::Bad("use true, false or both".to_owned())),
            (_, "container") => contained.returned = Returned::Container,
            (_, "contained") => contained.returned = Returned::Contained,
            _ => return Err(Problem::Bad("use container or contained".to_owned())),
        }
        Ok(())
    }

    /// Names what doesn't go together with a search in contained resources; lenient handling searches outside then.
    pub(super) fn check_contained(&mut self) {
        let query = &self.query;
        if query.contained.searched == Searched::Outside {
            return;
        }
        let problem = if query.resource_types.contains(&ResourceType::audit_event()) {
            "AuditEvents come from the audit log, which contains nothing"
        } else if !query.sort.is_empty() {
            "contained resources have no order: leave _sort out"
        } else if query.clauses.iter().any(leads_elsewhere) {
            "chains, _has and _list are not offered for contained resources"
        } else if query.contained.returned == Returned::Contained && !query.includes.is_empty() {
            "nothing is included with contained resources: use _containedType=container"
        } else {
            return;
        };
        self.query.contained = ContainedSearch::default();
        self.report("_contained", Problem::Unknown(problem.to_owned()));
    }
}
