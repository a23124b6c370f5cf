//! The narrative's `div`: JSON carries it as text, XML as elements (R4 <https://hl7.org/fhir/R4/narrative.html>).
//!
//! The text is taken over as it is, but it must be well-formed, or it would break the document around it.

use quick_xml::NsReader;
use quick_xml::escape::{resolve_html5_entity, resolve_xml_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::{XHTML, attribute, is_character};

/// Which names may stand between `&` and `;`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Entities {
    /// The five of XML.
    Xml,
    /// Those of HTML too, which JSON allows; XML gets the characters instead.
    Html,
}

/// What is wrong with a narrative, and after how many of its bytes.
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Checks that a text is one well-formed `div` of XHTML, and returns it with its namespace and without HTML's names.
pub(super) fn checked(text: &str, entities: Entities) -> Result<String, Fault> {
    unprefixed(text, entities, "")
}

/// The same of a `div` whose namespace the document binds to a prefix; it is returned without the prefix.
pub(super) fn unprefixed(text: &str, entities: Entities, prefix: &str) -> Result<String, Fault> {
    let text = text.trim();
    let output = String::with_capacity(text.len() + 48);
    let mut scan = Scan { text, entities, prefix, output, copied: 0, open: 0 };
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    loop {
        let start = position(reader.buffer_position());
        let at = |message: String| Fault { offset: start, message };
        let (space, event) = reader
            .read_resolved_event()
            .map(|(space, event)| (is_bound(&space), event))
            .map_err(|error| at(format!("the narrative is not well-formed: {error}")))?;
        if matches!(event, Event::Eof) {
            break;
        }
        scan.event(start, space, &event).map_err(at)?;
    }
    if scan.open > 0 || text.is_empty() {
        return Err(Fault { offset: text.len(), message: "the narrative ends before its div does".into() });
    }
    scan.copy_to(text.len());
    Ok(scan.output)
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn is_bound(space: &ResolveResult<'_>) -> Option<bool> {
    match space {
        ResolveResult::Bound(namespace) => Some(namespace.0 == XHTML.as_bytes()),
        ResolveResult::Unbound => Some(false),
        ResolveResult::Unknown(_) => None,
    }
}

struct Scan<'t> {
    text: &'t str,
    entities: Entities,
    /// What stands before the names of XHTML's elements; mostly nothing.
    prefix: &'t str,
    output: String,
    /// How much of the text stands in the output.
    copied: usize,
    open: usize,
}

impl Scan<'_> {
    fn event(&mut self, start: usize, space: Option<bool>, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(element) | Event::Empty(element) => {
                self.element(start, space, element)?;
                self.open += usize::from(matches!(event, Event::Start(_)));
                Ok(())
            }
            Event::End(_) => {
                self.open = self.open.saturating_sub(1);
                self.strip(start + 2);
                Ok(())
            }
            Event::GeneralRef(name) => self.reference(start, name),
            Event::Text(text) => {
                if self.open == 0 {
                    return Err("a narrative is one div; nothing stands beside it".into());
                }
                let text = std::str::from_utf8(text).unwrap_or_default();
                if text.chars().all(is_character) {
                    Ok(())
                } else {
                    Err("the narrative has a character that XML 1.0 does not allow".into())
                }
            }
            Event::CData(_) | Event::Comment(_) if self.open > 0 => Ok(()),
            _ => Err("a narrative has elements and text only".into()),
        }
    }

    fn element(&mut self, start: usize, space: Option<bool>, element: &BytesStart<'_>) -> Result<(), String> {
        let own = element.name().prefix().map_or(&b""[..], |prefix| prefix.into_inner());
        let space = if self.prefix.is_empty() {
            space
        } else if own != self.prefix.as_bytes() {
            return Err(format!("all elements of the narrative must be in the namespace {XHTML}"));
        } else {
            // The document around the narrative binds the prefix.
            Some(space == Some(true))
        };
        self.strip(start + 1);
        if self.open == 0 {
            if start > 0 || element.local_name().as_ref() != b"div" || own != self.prefix.as_bytes() {
                return Err("a narrative is one <div>".into());
            }
            if space == Some(false) || !self.prefix.is_empty() {
                if element.attributes().with_checks(false).flatten().any(|each| each.key.as_ref() == b"xmlns") {
                    return Err(format!("the div must be in the namespace {XHTML}"));
                }
                self.copy_to(self.copied.max(1) + 3);
                self.output.push_str(&format!(" xmlns=\"{XHTML}\""));
            }
        }
        if space.is_none() {
            return Err("the narrative has a prefix without a namespace".into());
        }
        for each in element.attributes() {
            let each = each.map_err(|error| format!("the narrative has a faulty attribute: {error}"))?;
            let bound = each.key.prefix().is_some_and(|own| own.into_inner() == self.prefix.as_bytes());
            if !self.prefix.is_empty() && (bound || each.key.as_ref() == b"xmlns") {
                return Err("attributes of XHTML have no prefix, and its elements one namespace".into());
            }
            let raw = std::str::from_utf8(&each.value).unwrap_or_default();
            attribute::read(raw).map_err(|message| format!("the narrative has a faulty attribute: {message}"))?;
        }
        Ok(())
    }

    /// A name of HTML becomes its character; XML knows five names only.
    fn reference(&mut self, start: usize, reference: &BytesRef<'_>) -> Result<(), String> {
        let name = std::str::from_utf8(reference).unwrap_or_default();
        let unknown = || format!("the narrative names a character that is not known: &{name};");
        if reference.is_char_ref() {
            let letter = reference.resolve_char_ref().ok().flatten().ok_or_else(unknown)?;
            return if is_character(letter) { Ok(()) } else { Err(unknown()) };
        }
        if resolve_xml_entity(name).is_some() {
            return Ok(());
        }
        if self.entities == Entities::Xml {
            return Err(unknown());
        }
        let letters = resolve_html5_entity(name).ok_or_else(unknown)?;
        self.copy_to(start);
        self.output.push_str(letters);
        self.copied = start + name.len() + 2;
        Ok(())
    }

    /// Leaves the prefix of a name out.
    fn strip(&mut self, name: usize) {
        if !self.prefix.is_empty() {
            self.copy_to(name);
            self.copied = name + self.prefix.len() + 1;
        }
    }

    fn copy_to(&mut self, end: usize) {
        self.output.push_str(self.text.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }
}
