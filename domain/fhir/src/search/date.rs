//! Date values: a prefix and a range (R4 search.html#date).

use crate::date::date_range;

/// How a value is compared with what the caller gave (R4 search.html#prefix).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Within the given range.
    Equal,
    /// Not within it.
    NotEqual,
    /// Something of it above.
    Greater,
    /// Something of it below.
    Less,
    /// At or above.
    GreaterOrEqual,
    /// At or below.
    LessOrEqual,
    /// Wholly after.
    StartsAfter,
    /// Wholly before.
    EndsBefore,
    /// Near it: within a tenth.
    Approximately,
}

impl Prefix {
    /// Takes the prefix off a value; none means equal.
    pub(super) fn take(text: &str) -> (Self, &str) {
        let Some((head, rest)) = text.split_at_checked(2) else { return (Self::Equal, text) };
        let prefix = match head {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "lt" => Self::Less,
            "ge" => Self::GreaterOrEqual,
            "le" => Self::LessOrEqual,
            "sa" => Self::StartsAfter,
            "eb" => Self::EndsBefore,
            "ap" => Self::Approximately,
            _ => return (Self::Equal, text),
        };
        (prefix, rest)
    }
}

/// A comparison with a range of UTC microseconds, both ends within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTest {
    /// How.
    pub prefix: Prefix,
    /// The first microsecond of the given value.
    pub low: i64,
    /// The last one.
    pub high: i64,
}

impl DateTest {
    /// Reads `ge2020-01`, `2020-01-01T10:00:00Z`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (prefix, rest) = Prefix::take(text);
        // A zone's plus sign arrives as a space when the client did not encode it.
        let rest = rest.replace(' ', "+");
        let (low, high) = date_range(&rest).ok_or_else(|| {
            format!("{rest:?} is not a date: write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz")
        })?;
        Ok(Self { prefix, low, high })
    }
}
