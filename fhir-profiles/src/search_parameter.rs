//! The search parameters of R4 (<https://hl7.org/fhir/R4/searchparameter-registry.html>).

/// How the values of a search parameter compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchParameterType {
    /// A number by its significant digits.
    Number,
    /// A date or period.
    Date,
    /// Folded text.
    String,
    /// A code with its system.
    Token,
    /// A link to a resource.
    Reference,
    /// Several parameters at once.
    Composite,
    /// A number with a unit.
    Quantity,
    /// A URI as it is written.
    Uri,
    /// Anything with rules of its own, such as `near` and `_text`.
    Special,
}

impl SearchParameterType {
    /// Returns FHIR's code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Composite => "composite",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Special => "special",
        }
    }

    /// Reads FHIR's code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Some(match code {
            "number" => Self::Number,
            "date" => Self::Date,
            "string" => Self::String,
            "token" => Self::Token,
            "reference" => Self::Reference,
            "composite" => Self::Composite,
            "quantity" => Self::Quantity,
            "uri" => Self::Uri,
            "special" => Self::Special,
            _ => return None,
        })
    }
}

/// One part of a composite parameter.
#[derive(Debug, Clone)]
pub struct Component {
    /// The code of the parameter that the part is like.
    pub code: &'static str,
    /// How its values compare.
    pub kind: SearchParameterType,
    /// The FHIRPath from a value of the composite's expression.
    pub expression: &'static str,
}

/// A search parameter at one base type.
#[derive(Debug, Clone)]
pub struct SearchParameter {
    /// The number in the store: the position in the pack sorted by base and code, from one.
    pub id: u32,
    /// The type that declares it; `Resource` and `DomainResource` stand for all.
    pub base: &'static str,
    /// The name in a query.
    pub code: &'static str,
    /// How its values compare.
    pub kind: SearchParameterType,
    /// The FHIRPath of its values; empty if it has none in the resource.
    pub expression: &'static str,
    /// The types that a reference may point at; empty means any.
    pub targets: Vec<&'static str>,
    /// The parts of a composite.
    pub components: Vec<Component>,
    /// The canonical URL.
    pub url: &'static str,
}

impl SearchParameter {
    pub(crate) fn parse_all(table: &'static str) -> Vec<Self> {
        crate::lines(table).zip(1_u32..).filter_map(|(line, id)| Self::parse(line, id)).collect()
    }

    fn parse(line: &'static str, id: u32) -> Option<Self> {
        let mut fields = line.split('\t');
        let base = fields.next()?;
        let code = fields.next()?;
        let kind = SearchParameterType::parse(fields.next()?)?;
        let expression = fields.next()?;
        let targets = fields.next()?;
        let components = fields.next()?.split(';').filter_map(parse_component).collect();
        let targets = targets.split(',').filter(|target| !target.is_empty() && *target != "*").collect();
        let url = crate::expand(fields.next()?, "http://hl7.org/fhir/SearchParameter/");
        Some(Self { id, base, code, kind, expression, targets, components, url })
    }
}

fn parse_component(text: &'static str) -> Option<Component> {
    let mut fields = text.split('~');
    let (code, kind, expression) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Component { code, kind: SearchParameterType::parse(kind)?, expression })
}
