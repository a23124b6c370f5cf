//! What leaves this machine is in the audit log before it leaves.

use seva_fhir::access::{AuditAction, AuditLog, AuditRecord, Caller};
use seva_fhir::clock::Clock;

use crate::failure::ClinicError;

/// Records that something of these patients is about to leave, and for where; without the record it must not.
pub(crate) async fn disclose(
    (audit, clock): (&dyn AuditLog, &dyn Clock),
    caller: &Caller,
    target: String,
    patients: Vec<Box<str>>,
) -> Result<(), ClinicError> {
    let record = AuditRecord::of(caller, AuditAction::Disclose, target, clock.now()).naming(patients);
    audit.record_now(record).await.map_err(|error| ClinicError::Unavailable(error.to_string()))
}
