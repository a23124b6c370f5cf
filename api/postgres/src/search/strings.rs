//! Text: a prefix is a range of the B-tree, because the column's collation is "C".

use seva_fhir::index::fold;
use seva_fhir::search::StringMatch;

use super::clauses::{close, open};
use super::sql::{Bind, Sql};
use crate::rows::{AS_WRITTEN, cut, string_row};

/// The largest character: every text that starts with a prefix sorts below prefix and this.
const HIGHEST: char = '\u{10FFFF}';

pub(super) fn push(sql: &mut Sql, parameters: &[i32], how: StringMatch, words: &[String]) {
    open(sql, "index_string", parameters);
    push_match(sql, how, words);
    close(sql, "index_string");
}

/// Appends that the text of a row `x` fits one of the words.
pub(super) fn push_match(sql: &mut Sql, how: StringMatch, words: &[String]) {
    sql.any(words, |sql, word| match how {
        StringMatch::Prefix => {
            let low = cut(&fold(word)).to_owned();
            let high = format!("{low}{HIGHEST}");
            sql.push("(x.value >= ").bind(Bind::Text(low)).push(" AND x.value < ").bind(Bind::Text(high)).push(")");
        }
        StringMatch::Exact => {
            sql.push("x.value = ").bind(Bind::Text(string_row(word)));
        }
        StringMatch::Contains => {
            // Only the folded text counts, not the text as written behind it.
            sql.push("strpos(split_part(x.value, ").bind(Bind::Text(AS_WRITTEN.to_string())).push(", 1), ");
            sql.bind(Bind::Text(cut(&fold(word)).to_owned())).push(") > 0");
        }
        StringMatch::Suffix => {
            let end = fold(word);
            let letters = i64::try_from(end.chars().count()).unwrap_or(i64::MAX);
            sql.push("right(split_part(x.value, ").bind(Bind::Text(AS_WRITTEN.to_string())).push(", 1), ");
            sql.bind(Bind::Int8(letters)).push("::int4) = ").bind(Bind::Text(end));
        }
    });
}
