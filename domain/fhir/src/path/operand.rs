//! FHIR values as the System types that functions and operators work on (N1 <http://hl7.org/fhirpath/N1/#literals>,
//! R4 <https://hl7.org/fhir/R4/fhirpath.html#types>).

use rust_decimal::Decimal;
use seva_fhir_profiles::definitions;

use super::moment::Moment;
use super::node::PathNode;
use super::quantity::{Quantity, decimal};
use crate::json::{Json, object};

/// A value by its System type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand<'n> {
    Boolean(bool),
    Integer(Decimal),
    Decimal(Decimal),
    Text(&'n str),
    Moment(Moment),
    Quantity(Quantity),
    /// A value with parts, or one that no System type can hold.
    Other,
}

impl<'n> Operand<'n> {
    /// Reads a node.
    pub(super) fn of(node: &'n PathNode<'_>) -> Self {
        let (json, name) = (node.json(), node.type_name());
        let moment = |parse: fn(&str) -> Option<Moment>| json.as_str().and_then(parse).map(Self::Moment);
        let typed = match name {
            "date" | "Date" => moment(Moment::parse),
            "dateTime" | "instant" | "DateTime" => moment(Moment::parse).map(|operand| operand.into_date_time()),
            "time" | "Time" => moment(Moment::parse_time),
            "decimal" | "Decimal" => json.as_number().and_then(decimal).map(Self::Decimal),
            _ => None,
        };
        if let Some(typed) = typed {
            return typed;
        }
        match json {
            Json::Bool(value) => Self::Boolean(*value),
            Json::String(text) => Self::Text(text),
            Json::Number(text) => match decimal(text) {
                Some(value) if text.contains(['.', 'e', 'E']) => Self::Decimal(value),
                Some(value) => Self::Integer(value),
                None => Self::Other,
            },
            Json::Object(_) if name == "Quantity" || definitions().is_subtype(name, "Quantity") => {
                Quantity::of_fhir(json).map_or(Self::Other, Self::Quantity)
            }
            _ => Self::Other,
        }
    }

    fn into_date_time(self) -> Self {
        match self {
            Self::Moment(moment) => Self::Moment(moment.to_date_time()),
            other => other,
        }
    }

    /// Returns a number.
    pub(super) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(value) | Self::Decimal(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns a quantity; a number has the unit 1.
    pub(super) fn quantity(&self) -> Option<Quantity> {
        match self {
            Self::Quantity(quantity) => Some(quantity.clone()),
            other => other.number().map(Quantity::plain),
        }
    }
}

/// Makes a node of a whole number.
pub(super) fn integer<'r>(value: Decimal) -> PathNode<'r> {
    PathNode::of_system_type(Json::Number(value.trunc().normalize().to_string().into()), "Integer")
}

/// Makes a node of a decimal.
pub(super) fn decimal_node<'r>(value: Decimal) -> PathNode<'r> {
    PathNode::of_system_type(Json::Number(value.to_string().into()), "Decimal")
}

/// Makes a node of a date, dateTime or time.
pub(super) fn moment_node<'r>(moment: Moment) -> PathNode<'r> {
    PathNode::of_system_type(moment.to_text(), moment.type_name())
}

/// Makes a node of a quantity.
pub(super) fn quantity_node<'r>(quantity: Quantity) -> PathNode<'r> {
    let number = Json::Number(quantity.value.to_string().into());
    PathNode::of_system_type(object([("value", number), ("code", quantity.unit.into())]), "Quantity")
}
