//! One element of a type (R4 <https://hl7.org/fhir/R4/elementdefinition.html>).

/// A type that an element may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementType {
    /// The type's name, such as `Reference`.
    pub name: &'static str,
    /// The resource types or profiles that a reference or canonical may point at; empty means any.
    pub targets: Vec<&'static str>,
}

/// The definition of an element.
#[derive(Debug, Clone)]
pub struct ElementDefinition {
    /// The name without `[x]`.
    pub name: &'static str,
    /// The place from the root type, such as `Observation.component.value`.
    pub path: &'static str,
    /// The smallest number of values.
    pub min: u32,
    /// The largest number of values; `None` means any number.
    pub max: Option<u32>,
    /// The types that a value may have.
    pub types: Vec<ElementType>,
    /// Whether the name ends in `[x]`, so that JSON adds the type's name to it.
    pub is_choice: bool,
    /// The path whose children this element shares.
    pub content_reference: Option<&'static str>,
    /// The value set of a required binding.
    pub binding: Option<&'static str>,
    /// Whether `_summary=true` shows it.
    pub is_summary: bool,
}

impl ElementDefinition {
    /// Tells whether JSON writes the values as an array.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.max != Some(1)
    }

    /// Tells whether a value must exist.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.min > 0
    }

    /// Reads a line of `elements.tsv`.
    pub(crate) fn parse(line: &'static str, type_name: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let own_path = fields.next()?;
        let min = fields.next()?.parse().ok()?;
        let max = fields.next()?;
        let types = fields.next()?;
        let content_reference = fields.next()?;
        let binding = fields.next()?;
        let is_summary = fields.next()? == "s";
        let is_choice = own_path.ends_with("[x]");
        let own_path = own_path.strip_suffix("[x]").unwrap_or(own_path);
        let path = crate::keep(format!("{type_name}.{own_path}"));
        Some(Self {
            name: path.rsplit('.').next()?,
            path,
            min,
            max: if max == "*" { None } else { Some(max.parse().ok()?) },
            types: types.split(',').filter(|text| !text.is_empty()).map(ElementType::parse).collect(),
            is_choice,
            content_reference: Some(content_reference).filter(|reference| !reference.is_empty()),
            binding: Some(binding)
                .filter(|url| !url.is_empty())
                .map(|url| crate::expand(url, "http://hl7.org/fhir/ValueSet/")),
            is_summary,
        })
    }
}

impl ElementType {
    fn parse(text: &'static str) -> Self {
        match text.split_once('(') {
            Some((name, targets)) => Self { name, targets: targets.trim_end_matches(')').split('|').collect() },
            None => Self { name: text, targets: Vec::new() },
        }
    }
}
