//! FHIR's rules over a database without a server, for the commands that write (R4: <https://hl7.org/fhir/R4/http.html>).

use std::sync::Arc;

use seva_fhir::access::{Caller, Role};
use seva_fhir::clock::{RandomIds, SystemClock};
use seva_fhir::types::TenantId;
use seva_fhir::validation::ValidationLevel;
use seva_fhir::{FhirService, FhirServiceParts};
use seva_postgres::{Database, PostgresAudit, PostgresAuditEvents, PostgresConcepts, PostgresResources};

/// Gives the work a service, and waits until its audit records are written.
pub(crate) async fn with_service<T>(
    database: &Database,
    work: impl AsyncFnOnce(&FhirService) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (audit, writer) = PostgresAudit::start(database);
    let service = FhirService::new(FhirServiceParts {
        store: Arc::new(PostgresResources::new(database)),
        concepts: Arc::new(PostgresConcepts::new(database)),
        audit: Arc::new(audit),
        events: Arc::new(PostgresAuditEvents::new(database)),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        base_url: "http://localhost/fhir".to_owned(),
        level: ValidationLevel::default(),
    });
    let done = work(&service).await;
    drop(service);
    writer.await?;
    done
}

/// The program itself as caller; the audit log names it by its task.
pub(crate) fn program(tenant: TenantId, task: &str) -> Caller {
    Caller {
        tenant,
        account: task.into(),
        display: task.into(),
        roles: vec![Role::System],
        practitioner: None,
        patient: None,
        request: task.into(),
    }
}
