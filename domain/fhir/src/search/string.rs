//! Text (R4 search.html#string): folded by the same function that folds what is indexed.

/// How text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringMatch {
    /// Starts with it, ignoring case and accents.
    Prefix,
    /// `:exact`: the same text.
    Exact,
    /// `:contains`: somewhere in it, ignoring case and accents.
    Contains,
    /// `ew` of `_filter`: ends with it, ignoring case and accents.
    Suffix,
}
