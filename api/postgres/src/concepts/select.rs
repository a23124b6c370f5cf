//! Reading concepts: every filter is a condition on the concept's row (R4 valueset-filter-operator).

use std::collections::HashMap;

use sea_orm::sea_query::{Condition, Expr, ExprTrait, LikeExpr, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use seva_fhir::json::{Json, object};
use seva_fhir::ports::StoreError;
use seva_fhir::terminology::{
    Concept, ConceptPage, ConceptQuery, Designation, Detail, Filter, Operator, Property, Relatives, StoredSystem,
};

use crate::Database;
use crate::entities::{concept, concept_ancestor, concept_designation, concept_property};
use crate::failure::orm_unavailable;

/// So much of a property's value is in its index.
const INDEXED: usize = 200;

pub(super) async fn page(
    database: &Database,
    system: &StoredSystem,
    query: &ConceptQuery,
) -> Result<ConceptPage, StoreError> {
    let select = matching(system.id, query);
    let rows = select
        .clone()
        .order_by_asc(concept::Column::Id)
        .offset(query.offset)
        .limit(query.limit)
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)?;
    // A first page that isn't full is all there is.
    let all_here = query.offset == 0 && (rows.len() as u64) < query.limit;
    let total =
        if all_here { rows.len() as u64 } else { select.count(&database.orm).await.map_err(orm_unavailable)? };
    let ids: Vec<i32> = rows.iter().map(|row| row.id).collect();
    let mut concepts: Vec<Concept> = rows.into_iter().map(|row| concept_of(&system.url, row)).collect();
    if query.detail == Detail::Full && !ids.is_empty() {
        add_details(database, system.id, &ids, &mut concepts).await?;
    }
    Ok(ConceptPage { concepts, total })
}

fn concept_of(url: &str, row: concept::Model) -> Concept {
    let concept::Model { code, display, definition, inactive, not_selectable, .. } = row;
    Concept { display, definition, inactive, not_selectable, ..Concept::bare(url, &code) }
}

fn matching(system: i32, query: &ConceptQuery) -> Select<concept::Entity> {
    let mut select = concept::Entity::find().filter(concept::Column::System.eq(system));
    if let Some(codes) = &query.codes {
        select = select.filter(concept::Column::Code.is_in(codes.iter().map(String::as_str)));
    }
    if query.active_only {
        select = select.filter(concept::Column::Inactive.eq(false));
    }
    if query.selectable_only {
        select = select.filter(concept::Column::NotSelectable.eq(false));
    }
    for word in &query.words {
        let escaped = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        select = select.filter(concept::Column::Folded.like(LikeExpr::new(format!("%{escaped}%"))));
    }
    query.filters.iter().fold(select, |select, filter| select.filter(condition(system, filter)))
}

fn condition(system: i32, filter: &Filter) -> Condition {
    let value = filter.value.as_str();
    let related = |relatives| {
        let own = concept::Column::Code.eq(value);
        Condition::any().add(own).add(concept::Column::Id.in_subquery(relatives_of(system, value, relatives)))
    };
    match &filter.operator {
        Operator::IsA => related(Relatives::Below),
        Operator::IsNotA => related(Relatives::Below).not(),
        Operator::Generalizes => related(Relatives::Above),
        Operator::DescendentOf => {
            Condition::all().add(concept::Column::Id.in_subquery(relatives_of(system, value, Relatives::Below)))
        }
        Operator::Equals => Condition::all().add(has(system, &filter.property, &[value])),
        Operator::In => Condition::all().add(has(system, &filter.property, &filter.values().collect::<Vec<&str>>())),
        Operator::NotIn => {
            Condition::all().add(has(system, &filter.property, &filter.values().collect::<Vec<&str>>())).not()
        }
        Operator::Exists => {
            let there = Condition::all().add(exists(system, &filter.property));
            if value == "false" { there.not() } else { there }
        }
        // A pattern is the caller's: here it leaves nothing out.
        Operator::Regex(_) => Condition::all(),
    }
}

/// The ids above or below a code, without its own.
fn relatives_of(system: i32, code: &str, relatives: Relatives) -> SelectStatement {
    use concept_ancestor::Column;
    let (wanted, known) = match relatives {
        Relatives::Above => (Column::Ancestor, Column::Descendant),
        Relatives::Below | Relatives::Children => (Column::Descendant, Column::Ancestor),
    };
    let mut select = Query::select();
    select
        .column(wanted)
        .from(concept_ancestor::Entity)
        .and_where(Expr::col(Column::System).eq(system))
        .and_where(Expr::col(known).in_subquery(ids_of(system, &[code])));
    if relatives == Relatives::Children {
        select.and_where(Expr::col(Column::Distance).eq(1));
    }
    select
}

fn ids_of(system: i32, codes: &[&str]) -> SelectStatement {
    Query::select()
        .column(concept::Column::Id)
        .from(concept::Entity)
        .and_where(Expr::col(concept::Column::System).eq(system))
        .and_where(Expr::col(concept::Column::Code).is_in(codes.iter().copied()))
        .to_owned()
}

/// The concept has one of the values.
fn has(system: i32, property: &str, values: &[&str]) -> Expr {
    let all = || values.iter().copied();
    match property {
        "code" | "concept" => concept::Column::Code.is_in(all()),
        "display" => concept::Column::Display.is_in(all()),
        "definition" => concept::Column::Definition.is_in(all()),
        "inactive" => concept::Column::Inactive.is_in(values.iter().map(|value| *value == "true")),
        "parent" => {
            use concept_ancestor::Column;
            let parents = Query::select()
                .column(Column::Descendant)
                .from(concept_ancestor::Entity)
                .and_where(Expr::col(Column::System).eq(system))
                .and_where(Expr::col(Column::Distance).eq(1))
                .and_where(Expr::col(Column::Ancestor).in_subquery(ids_of(system, values)))
                .to_owned();
            concept::Column::Id.in_subquery(parents)
        }
        other => {
            use concept_property::Column;
            let cut = |value: &str| value.chars().take(INDEXED).collect::<String>();
            let indexed = Expr::cust("left(value, 200)").is_in(values.iter().map(|value| cut(value)));
            let owners = of_property(system, other)
                .and_where(indexed)
                .and_where(Expr::col(Column::Value).is_in(all()))
                .to_owned();
            concept::Column::Id.in_subquery(owners)
        }
    }
}

fn exists(system: i32, property: &str) -> Expr {
    match property {
        "code" | "concept" | "inactive" => Expr::value(true),
        "display" => concept::Column::Display.is_not_null(),
        "definition" => concept::Column::Definition.is_not_null(),
        "parent" => {
            let all = Query::select()
                .column(concept_ancestor::Column::Descendant)
                .from(concept_ancestor::Entity)
                .and_where(Expr::col(concept_ancestor::Column::System).eq(system))
                .to_owned();
            concept::Column::Id.in_subquery(all)
        }
        other => concept::Column::Id.in_subquery(of_property(system, other)),
    }
}

fn of_property(system: i32, property: &str) -> SelectStatement {
    use concept_property::Column;
    Query::select()
        .column(Column::Concept)
        .from(concept_property::Entity)
        .and_where(Expr::col(Column::System).eq(system))
        .and_where(Expr::col(Column::Code).eq(property))
        .to_owned()
}

pub(super) async fn relatives(
    database: &Database,
    (system, code): (i32, &str),
    relatives: Relatives,
    limit: u64,
) -> Result<Vec<String>, StoreError> {
    let far = concept::Column::Id.in_subquery(relatives_of(system, code, relatives));
    let mut wanted = Condition::any().add(far);
    if relatives != Relatives::Children {
        wanted = wanted.add(concept::Column::Code.eq(code));
    }
    concept::Entity::find()
        .select_only()
        .column(concept::Column::Code)
        .filter(concept::Column::System.eq(system))
        .filter(wanted)
        .order_by_asc(concept::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)
}

/// Names, properties and parents of a page, one statement each whatever its length.
async fn add_details(
    database: &Database,
    system: i32,
    ids: &[i32],
    concepts: &mut [Concept],
) -> Result<(), StoreError> {
    let places: HashMap<i32, usize> = ids.iter().copied().zip(0..).collect();
    let names = concept_designation::Entity::find()
        .filter(concept_designation::Column::System.eq(system))
        .filter(among("concept", ids.iter().copied()))
        .order_by_asc(concept_designation::Column::Number)
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)?;
    for row in names {
        if let Some(own) = places.get(&row.concept).and_then(|place| concepts.get_mut(*place)) {
            own.designations.push(designation(row));
        }
    }
    let properties = concept_property::Entity::find()
        .filter(concept_property::Column::System.eq(system))
        .filter(among("concept", ids.iter().copied()))
        .order_by_asc(concept_property::Column::Number)
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)?;
    for row in properties {
        if let Some(own) = places.get(&row.concept).and_then(|place| concepts.get_mut(*place)) {
            own.properties.push(property(row));
        }
    }
    add_parents(database, system, &places, concepts).await
}

/// Ids in one array: a page has more concepts than a statement has places for values.
fn among(column: &str, ids: impl IntoIterator<Item = i32>) -> Expr {
    Expr::cust_with_values(format!("{column} = ANY($1)"), [ids.into_iter().collect::<Vec<i32>>()])
}

async fn add_parents(
    database: &Database,
    system: i32,
    places: &HashMap<i32, usize>,
    concepts: &mut [Concept],
) -> Result<(), StoreError> {
    let parents: Vec<(i32, i32)> = concept_ancestor::Entity::find()
        .select_only()
        .columns([concept_ancestor::Column::Descendant, concept_ancestor::Column::Ancestor])
        .filter(concept_ancestor::Column::System.eq(system))
        .filter(concept_ancestor::Column::Distance.eq(1))
        .filter(among("descendant", places.keys().copied()))
        .order_by_asc(concept_ancestor::Column::Ancestor)
        .into_tuple()
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)?;
    let codes: HashMap<i32, String> = concept::Entity::find()
        .select_only()
        .columns([concept::Column::Id, concept::Column::Code])
        .filter(concept::Column::System.eq(system))
        .filter(among("id", parents.iter().map(|(_, parent)| *parent)))
        .into_tuple()
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)?
        .into_iter()
        .collect();
    for (child, parent) in parents {
        if let (Some(place), Some(code)) = (places.get(&child), codes.get(&parent))
            && let Some(own) = concepts.get_mut(*place)
        {
            own.parents.push(code.clone());
        }
    }
    Ok(())
}

fn designation(row: concept_designation::Model) -> Designation {
    let concept_designation::Model { language, use_system, use_code, use_display, value, .. } = row;
    let usage = use_code.map(|code| {
        let mut coding = object([]);
        if let Some(members) = coding.as_object_mut() {
            for (name, text) in [("system", use_system), ("code", Some(code)), ("display", use_display)] {
                if let Some(text) = text {
                    members.insert(name, text);
                }
            }
        }
        coding
    });
    Designation { language, usage, value }
}

fn property(row: concept_property::Model) -> Property {
    let concept_property::Model { code, kind, value, .. } = row;
    let value = match kind.as_str() {
        "valueBoolean" => (value == "true").into(),
        "valueInteger" | "valueDecimal" => Json::Number(value.into()),
        _ => value.into(),
    };
    Property { code, kind, value }
}
