//! A release of a code system, taken in by one transaction: lines are staged as they come, in tables that end with it, and
//! put together by the database, so that memory stays small whatever the size of the release.

use async_trait::async_trait;
use seva_fhir::index::fold;
use seva_fhir::terminology::{
    Concept, ConceptImport, Designation, ImportContent, ImportError, ImportHeader, ImportRow, Imported, Property,
};
use seva_fhir::types::TenantId;
use sqlx::{Postgres, Transaction};

use crate::Database;
use crate::failure::unavailable;
use statements::{ASSEMBLE, CHECKS, CLIMB, CYCLE, EDGES, KNOWN, PARENTS, STAGING};

mod statements;

/// More steps than this between a code and one above it are a fault of the release.
const DEEPEST: i16 = 200;

/// An import under way.
pub(super) struct Import {
    transaction: Transaction<'static, Postgres>,
    tenant: i32,
    header: ImportHeader,
    line: i64,
}

impl Import {
    pub(super) async fn begin(
        database: &Database,
        tenant: TenantId,
        header: &ImportHeader,
    ) -> Result<Self, ImportError> {
        let mut transaction = database.background.begin().await.map_err(unavailable)?;
        for statement in STAGING {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(unavailable)?;
        }
        Ok(Self { transaction, tenant: tenant.get(), header: header.clone(), line: 0 })
    }

    async fn stage_concepts(&mut self, rows: &[(i64, &str, &Concept)]) -> Result<(), ImportError> {
        let texts = |of: fn(&Concept) -> Option<&str>| -> Vec<Option<&str>> {
            rows.iter().map(|(_, _, concept)| of(concept)).collect()
        };
        let folded = |(_, _, concept): &(i64, &str, &Concept)| {
            fold(&format!("{}\n{}", concept.code, concept.display.as_deref().unwrap_or_default()))
        };
        sqlx::query(statements::STAGE_CONCEPTS)
            .bind(rows.iter().map(|(line, _, _)| *line).collect::<Vec<i64>>())
            .bind(rows.iter().map(|(_, place, _)| *place).collect::<Vec<&str>>())
            .bind(rows.iter().map(|(_, _, concept)| concept.code.as_str()).collect::<Vec<&str>>())
            .bind(texts(|concept| concept.display.as_deref()))
            .bind(rows.iter().map(folded).collect::<Vec<String>>())
            .bind(texts(|concept| concept.definition.as_deref()))
            .bind(rows.iter().map(|(_, _, concept)| concept.inactive).collect::<Vec<bool>>())
            .bind(rows.iter().map(|(_, _, concept)| concept.not_selectable).collect::<Vec<bool>>())
            .execute(&mut *self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn stage_names(&mut self, rows: &[(i64, &str, &str, &Designation, i16)]) -> Result<(), ImportError> {
        let usage = |name: &str| -> Vec<Option<&str>> {
            rows.iter().map(|row| row.3.usage.as_ref().and_then(|usage| usage.get_str(name))).collect()
        };
        sqlx::query(statements::STAGE_NAMES)
            .bind(rows.iter().map(|row| row.0).collect::<Vec<i64>>())
            .bind(rows.iter().map(|row| row.1).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.2).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.3.language.as_deref()).collect::<Vec<Option<&str>>>())
            .bind(usage("system"))
            .bind(usage("code"))
            .bind(usage("display"))
            .bind(rows.iter().map(|row| row.3.value.as_str()).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| fold(&row.3.value)).collect::<Vec<String>>())
            .bind(rows.iter().map(|row| row.4).collect::<Vec<i16>>())
            .execute(&mut *self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn stage_properties(&mut self, rows: &[(i64, &str, &str, &Property)]) -> Result<(), ImportError> {
        sqlx::query(statements::STAGE_PROPERTIES)
            .bind(rows.iter().map(|row| row.0).collect::<Vec<i64>>())
            .bind(rows.iter().map(|row| row.1).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.2).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.3.code.as_str()).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.3.kind.as_str()).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.3.text().unwrap_or_default()).collect::<Vec<String>>())
            .execute(&mut *self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn stage_edges(&mut self, rows: &[(i64, &str, &str, &str)]) -> Result<(), ImportError> {
        sqlx::query(statements::STAGE_EDGES)
            .bind(rows.iter().map(|row| row.0).collect::<Vec<i64>>())
            .bind(rows.iter().map(|row| row.1).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.2).collect::<Vec<&str>>())
            .bind(rows.iter().map(|row| row.3).collect::<Vec<&str>>())
            .execute(&mut *self.transaction)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Refuses a release that contradicts itself, naming the first line that does.
    async fn check(&mut self) -> Result<(), ImportError> {
        for (statement, fault) in CHECKS {
            let found: Option<(String, String)> =
                sqlx::query_as(*statement).fetch_optional(&mut *self.transaction).await.map_err(unavailable)?;
            if let Some((place, code)) = found {
                return Err(ImportError::Content(format!("{place}: {}", fault.replace("{}", &code))));
            }
        }
        Ok(())
    }

    /// Fills the table of what is above what, one step further each time.
    async fn climb(&mut self, system: i32) -> Result<u64, ImportError> {
        sqlx::query(PARENTS).bind(system).execute(&mut *self.transaction).await.map_err(unavailable)?;
        let run = sqlx::query(EDGES).bind(system).execute(&mut *self.transaction).await.map_err(unavailable)?;
        let (mut all, mut distance) = (run.rows_affected(), 1_i16);
        loop {
            for statement in KNOWN {
                sqlx::query(*statement).execute(&mut *self.transaction).await.map_err(unavailable)?;
            }
            let query = sqlx::query(CLIMB).bind(system).bind(distance);
            let added = query.execute(&mut *self.transaction).await.map_err(unavailable)?.rows_affected();
            all += added;
            distance += 1;
            if added == 0 {
                break;
            }
            if distance > DEEPEST {
                let text = format!("the hierarchy is more than {DEEPEST} steps high");
                return Err(ImportError::Content(text));
            }
        }
        let cycle: Option<String> =
            sqlx::query_scalar(CYCLE).bind(system).fetch_optional(&mut *self.transaction).await.map_err(unavailable)?;
        match cycle {
            Some(code) => Err(ImportError::Content(format!("the code {code} lies below itself"))),
            None => Ok(all),
        }
    }
}

#[async_trait]
impl ConceptImport for Import {
    async fn add(&mut self, rows: Vec<ImportRow>) -> Result<(), ImportError> {
        let (mut concepts, mut names, mut properties, mut edges) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            self.line += 1;
            let (line, place) = (self.line, row.place.as_str());
            match &row.content {
                ImportContent::Concept(concept) => {
                    concepts.push((line, place, concept));
                    let code = concept.code.as_str();
                    names.extend(concept.designations.iter().map(|one| (line, place, code, one, 0)));
                    properties.extend(concept.properties.iter().map(|one| (line, place, code, one)));
                    edges.extend(concept.parents.iter().map(|parent| (line, place, code, parent.as_str())));
                }
                ImportContent::Name { code, designation, rank } => {
                    names.push((line, place, code.as_str(), designation, *rank));
                }
                ImportContent::Property { code, property } => {
                    properties.push((line, place, code.as_str(), property));
                }
                ImportContent::IsA { child, parent } => edges.push((line, place, child.as_str(), parent.as_str())),
            }
        }
        if !concepts.is_empty() {
            self.stage_concepts(&concepts).await?;
        }
        if !names.is_empty() {
            self.stage_names(&names).await?;
        }
        if !properties.is_empty() {
            self.stage_properties(&properties).await?;
        }
        if !edges.is_empty() {
            self.stage_edges(&edges).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Imported, ImportError> {
        for statement in statements::PREPARE {
            sqlx::query(*statement).execute(&mut *self.transaction).await.map_err(unavailable)?;
        }
        self.check().await?;
        let before =
            sqlx::query(statements::REMOVE).bind(self.tenant).bind(&self.header.url).bind(&self.header.version);
        before.execute(&mut *self.transaction).await.map_err(unavailable)?;
        let system: i32 = sqlx::query_scalar(statements::BEGIN)
            .bind(self.tenant)
            .bind(&self.header.url)
            .bind(&self.header.version)
            .bind(&self.header.name)
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(unavailable)?;
        let mut counts = Vec::new();
        for statement in ASSEMBLE {
            let done = sqlx::query(*statement).bind(system).execute(&mut *self.transaction).await;
            counts.push(done.map_err(unavailable)?.rows_affected());
        }
        let ancestors = self.climb(system).await?;
        let query = sqlx::query("UPDATE concept_system SET hierarchy = $2 WHERE id = $1");
        query.bind(system).bind(ancestors > 0).execute(&mut *self.transaction).await.map_err(unavailable)?;
        for table in statements::ANALYSE {
            sqlx::query(*table).execute(&mut *self.transaction).await.map_err(unavailable)?;
        }
        self.transaction.commit().await.map_err(unavailable)?;
        let count = |place: usize| counts.get(place).copied().unwrap_or_default();
        Ok(Imported { concepts: count(0), designations: count(1), ancestors })
    }
}
