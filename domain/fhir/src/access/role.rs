//! The roles of clinical life in a hospital.

use std::fmt;
use std::str::FromStr;

/// What an account is in one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sees patients, prescribes, signs.
    Doctor,
    /// Reads the record, writes observations.
    Nurse,
    /// Registers patients and visits.
    Reception,
    /// Reads prescriptions, records dispensing.
    Pharmacist,
    /// Runs one hospital's account of the system.
    HospitalAdmin,
    /// Runs the installation.
    PlatformAdmin,
    /// Reads their own record.
    Patient,
    /// Reads who did what.
    Auditor,
    /// A connected system of the hospital, such as its EHR.
    System,
}

/// A role name that nobody defined.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not a role: use one of doctor, nurse, reception, pharmacist, hospital-admin, platform-admin, patient, auditor, system"
)]
pub struct UnknownRole(String);

const NAMES: &[(Role, &str)] = &[
    (Role::Doctor, "doctor"),
    (Role::Nurse, "nurse"),
    (Role::Reception, "reception"),
    (Role::Pharmacist, "pharmacist"),
    (Role::HospitalAdmin, "hospital-admin"),
    (Role::PlatformAdmin, "platform-admin"),
    (Role::Patient, "patient"),
    (Role::Auditor, "auditor"),
    (Role::System, "system"),
];

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(role, _)| role == self).map_or("", |(_, name)| name);
        formatter.write_str(name)
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(role, _)| *role).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}
