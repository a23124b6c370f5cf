//! Whether a narrative keeps to the elements and attributes allowed (R4 <https://hl7.org/fhir/R4/narrative.html#xhtml>).

/// Elements of chapters 7-11 and 15 of HTML 4.0, and what the specification adds.
const ELEMENTS: [&str; 56] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "map",
    "area",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "kbd",
    "center",
];

/// Tells whether a text is one well-formed `div` of allowed elements that holds something to see.
pub(super) fn is_narrative(text: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text.trim();
    let mut has_content = false;
    let mut has_root = false;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        if !before.trim().is_empty() {
            if open.is_empty() {
                return false;
            }
            has_content = true;
        }
        if let Some(comment) = tag.strip_prefix("<!--") {
            let Some((_, after)) = comment.split_once("-->") else { return false };
            rest = after;
            continue;
        }
        let Some(end) = end_of_tag(tag) else { return false };
        let (inside, after) = (tag.get(1..end).unwrap_or_default(), tag.get(end + 1..).unwrap_or_default());
        rest = after;
        if let Some(name) = inside.strip_prefix('/') {
            if open.pop() != Some(name.trim()) {
                return false;
            }
            continue;
        }
        let (inside, is_closed) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let name = inside.split_whitespace().next().unwrap_or_default();
        if !ELEMENTS.contains(&name)
            || !attributes_are_allowed(inside)
            || (open.is_empty() && (has_root || name != "div"))
        {
            return false;
        }
        has_root = true;
        has_content |= name == "img";
        if !is_closed {
            open.push(name);
        }
    }
    rest.trim().is_empty() && open.is_empty() && has_content
}

/// A `>` inside quotes doesn't end a tag.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (index, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(index),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(own), byte) if own == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Events and scripts are not.
fn attributes_are_allowed(tag: &str) -> bool {
    let lower = tag.to_ascii_lowercase();
    let names = lower.split(['"', '\'']).step_by(2).flat_map(str::split_whitespace).skip(1);
    let has_event = names.filter_map(|part| part.strip_suffix('=')).any(|name| name.starts_with("on"));
    !has_event && !lower.contains("javascript:")
}
