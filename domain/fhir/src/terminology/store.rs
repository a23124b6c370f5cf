//! Code systems too large for one resource: their concepts lie in tables, and a CodeSystem resource without concepts stands
//! beside them (R4 <https://hl7.org/fhir/R4/codesystem.html>, `content` `not-present`).

use async_trait::async_trait;

use super::{Concept, Designation, Filter, Property};
use crate::ports::StoreError;
use crate::types::TenantId;

/// A code system in tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSystem {
    /// Its number in the store.
    pub id: i32,
    /// The canonical URL.
    pub url: String,
    /// The version; it may be empty.
    pub version: String,
    /// The name.
    pub name: String,
    /// Whether every code of the system is there.
    pub is_complete: bool,
    /// Whether any concept has another one above it.
    pub has_hierarchy: bool,
}

/// Which concepts of a stored system are wanted.
#[derive(Clone, Debug, Default)]
pub struct ConceptQuery {
    /// What must hold, all of it.
    pub filters: Vec<Filter>,
    /// Only these codes.
    pub codes: Option<Vec<String>>,
    /// All of these folded words stand in the code or one of the names.
    pub words: Vec<String>,
    /// Only what is in use.
    pub active_only: bool,
    /// Only what may be chosen.
    pub selectable_only: bool,
    /// So many are left out at the beginning.
    pub offset: u64,
    /// So many come at most.
    pub limit: u64,
    /// How much is read of each.
    pub detail: Detail,
}

/// How much is read of each concept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Code and display, and whether it is in use.
    #[default]
    Brief,
    /// Designations, properties and parents too.
    Full,
}

/// What was found.
#[derive(Debug, Default)]
pub struct ConceptPage {
    /// In the order of the system.
    pub concepts: Vec<Concept>,
    /// How many there are on all pages.
    pub total: u64,
}

/// Relatives in the hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relatives {
    /// The code and everything above it.
    Above,
    /// The code and everything below it.
    Below,
    /// What is directly below it.
    Children,
}

/// A code of a closure table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClosureCode {
    /// The code system.
    pub system: String,
    /// The code.
    pub code: String,
}

/// One line of a closure table: the first code lies below the second one, or means the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosureLine {
    /// The version of the table that brought it.
    pub version: i32,
    /// The code system of both.
    pub system: String,
    /// The narrower code.
    pub narrow: String,
    /// The broader code.
    pub broad: String,
}

/// Whether codes were added to a closure table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosureAdded {
    /// They were, as this version.
    As(i32),
    /// The table was changed meanwhile.
    Changed,
}

/// What is known of a system before its first concept.
#[derive(Clone, Debug)]
pub struct ImportHeader {
    /// The canonical URL.
    pub url: String,
    /// The version.
    pub version: String,
    /// The name.
    pub name: String,
}

/// One line of a release, with the place where it stands for messages.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// File and line.
    pub place: String,
    /// What it says.
    pub content: ImportContent,
}

/// What a line of a release says; lines may come in any order.
#[derive(Clone, Debug)]
pub enum ImportContent {
    /// A concept.
    Concept(Concept),
    /// A name of a concept; the preferred one becomes the display.
    Name {
        /// The concept's code.
        code: String,
        /// The name.
        designation: Designation,
        /// How much it is preferred as display; zero is not at all.
        rank: i16,
    },
    /// A property of a concept.
    Property {
        /// The concept's code.
        code: String,
        /// The property.
        property: Property,
    },
    /// The first code lies directly below the second one.
    IsA {
        /// The narrower code.
        child: String,
        /// The broader code.
        parent: String,
    },
}

/// Why a release was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The release contradicts itself; the text names the line.
    #[error("{0}")]
    Content(String),
}

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// So many concepts.
    pub concepts: u64,
    /// So many names beside the displays.
    pub designations: u64,
    /// So many pairs of a code and one above it, at any distance.
    pub ancestors: u64,
}

/// An import under way; dropped, nothing of it remains.
#[async_trait]
pub trait ConceptImport: Send {
    /// Takes lines.
    async fn add(&mut self, rows: Vec<ImportRow>) -> Result<(), ImportError>;

    /// Puts the version in the place of what was there, all at once.
    async fn finish(self: Box<Self>) -> Result<Imported, ImportError>;
}

/// Keeps code systems and closure tables.
#[async_trait]
pub trait ConceptStore: Send + Sync {
    /// Finds a system: the tenant's own before the one that all share; the latest version when none is named.
    async fn find(
        &self,
        tenant: TenantId,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<StoredSystem>, StoreError>;

    /// The systems that all tenants share, sorted by URL and version.
    async fn shared(&self) -> Result<Vec<StoredSystem>, StoreError>;

    /// Reads concepts. A filter by pattern can't be part of the query: it is the caller's.
    async fn select(&self, system: &StoredSystem, query: &ConceptQuery) -> Result<ConceptPage, StoreError>;

    /// The codes above or below a code, in the order of the system; none when the code is unknown.
    async fn relatives(
        &self,
        system: &StoredSystem,
        code: &str,
        relatives: Relatives,
        limit: u64,
    ) -> Result<Vec<String>, StoreError>;

    /// Begins a version of a system anew; nothing of it is seen before it is finished.
    async fn import(&self, tenant: TenantId, header: &ImportHeader) -> Result<Box<dyn ConceptImport>, ImportError>;

    /// Begins a closure table anew.
    async fn closure_begin(&self, tenant: TenantId, name: &str) -> Result<(), StoreError>;

    /// The version of a closure table and its codes; none when it was never begun.
    async fn closure(&self, tenant: TenantId, name: &str) -> Result<Option<(i32, Vec<ClosureCode>)>, StoreError>;

    /// Adds codes and lines as the version after the one that was read; a conflict when someone else was faster.
    async fn closure_add(
        &self,
        tenant: TenantId,
        (name, read): (&str, i32),
        codes: &[ClosureCode],
        lines: &[ClosureLine],
    ) -> Result<ClosureAdded, StoreError>;

    /// The lines that came after a version.
    async fn closure_lines(&self, tenant: TenantId, name: &str, after: i32) -> Result<Vec<ClosureLine>, StoreError>;
}
