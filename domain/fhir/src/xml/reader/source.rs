//! Elements one by one out of the text, without what FHIR does not allow in XML
//! (R4 <https://hl7.org/fhir/R4/xml.html>, <https://hl7.org/fhir/R4/security.html#narrative>).

use quick_xml::NsReader;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::super::{FHIR, XHTML, attribute};
use super::Fault;

/// More attributes than this has no element of FHIR, namespaces included.
const MAX_ATTRIBUTES: usize = 64;

/// Where an element's name comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    Fhir,
    Xhtml,
    Other,
}

/// An element that begins.
pub(super) struct Element<'t> {
    /// The name without its prefix.
    pub(super) name: &'t str,
    pub(super) namespace: Namespace,
    /// The attributes but for namespaces and the place of a schema.
    pub(super) attributes: Vec<(&'t str, String)>,
    /// Where it begins.
    pub(super) offset: usize,
    start: BytesStart<'t>,
}

/// The next thing of interest.
pub(super) enum Token<'t> {
    Open(Element<'t>),
    Close,
    End,
}

/// The text, read once.
pub(super) struct Source<'t> {
    text: &'t str,
    reader: NsReader<&'t [u8]>,
    /// What a byte order mark takes.
    skipped: usize,
    /// Where the thing in hand begins.
    offset: usize,
}

impl Element<'_> {
    /// The name, cut to what an answer can show.
    pub(super) fn shown(&self) -> &str {
        let end = self.name.char_indices().nth(64).map_or(self.name.len(), |(end, _)| end);
        self.name.get(..end).unwrap_or_default()
    }

    /// What stands before the colon of the name; mostly nothing.
    pub(super) fn prefix(&self) -> &str {
        let prefix = self.start.name().prefix().map(|prefix| prefix.into_inner());
        prefix.and_then(|prefix| std::str::from_utf8(prefix).ok()).unwrap_or_default()
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { offset: self.offset, message: message.into() }
    }

    pub(super) fn expect(&self, namespace: Namespace) -> Result<(), Fault> {
        if self.namespace == namespace {
            return Ok(());
        }
        let wanted = if namespace == Namespace::Xhtml { XHTML } else { FHIR };
        Err(self.fault(format!("<{}> must be in the namespace {wanted}", self.shown())))
    }
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let inner = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = NsReader::from_str(inner);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        Self { text: inner, reader, skipped: text.len() - inner.len(), offset: 0 }
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { offset: self.offset + self.skipped, message: message.into() }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// The next element that begins or ends.
    pub(super) fn next(&mut self) -> Result<Token<'t>, Fault> {
        loop {
            self.offset = self.position();
            let (namespace, event) = match self.reader.read_resolved_event() {
                Ok((space, event)) => (namespace(&space), event),
                Err(error) => return Err(self.fault(format!("the body isn't well-formed XML: {error}"))),
            };
            match event {
                Event::Start(start) => return self.element(start, namespace).map(Token::Open),
                Event::End(_) => return Ok(Token::Close),
                Event::Eof => return Ok(Token::End),
                // R4 xml.html: comments and processing instructions are no part of a resource.
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.iter().all(u8::is_ascii_whitespace) => {}
                Event::Decl(declaration) => self.declaration(&declaration)?,
                Event::DocType(_) => return Err(self.fault("a document type declaration is not read")),
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) | Event::Empty(_) => {
                    return Err(self.fault("no text stands between FHIR's elements; values are attributes"));
                }
            }
        }
    }

    fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), Fault> {
        if self.offset > 0 {
            return Err(self.fault("the XML declaration stands at the beginning only"));
        }
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(encoding)) if encoding.eq_ignore_ascii_case(b"utf-8") => Ok(()),
            Some(_) => Err(self.fault("only UTF-8 is read")),
        }
    }

    fn element(&self, start: BytesStart<'t>, namespace: Namespace) -> Result<Element<'t>, Fault> {
        let offset = self.offset + 1;
        let length = start.local_name().as_ref().len();
        let prefix = start.name().as_ref().len() - length;
        let name = self.text.get(offset + prefix..offset + prefix + length).unwrap_or_default();
        let mut attributes = Vec::new();
        // The attributes of a narrative are XHTML's, and are checked with it.
        let own = (namespace != Namespace::Xhtml).then(|| start.attributes()).into_iter().flatten();
        for (count, each) in own.enumerate() {
            let each = each.map_err(|error| self.fault(format!("the element has a faulty attribute: {error}")))?;
            if count >= MAX_ATTRIBUTES {
                return Err(self.fault(format!("the element has more than {MAX_ATTRIBUTES} attributes")));
            }
            let key = each.key;
            let is_schema = key.prefix().is_some() && key.local_name().as_ref() == b"schemaLocation";
            if is_schema || key.as_namespace_binding().is_some() {
                continue;
            }
            let value = std::str::from_utf8(&each.value).unwrap_or_default();
            let value = attribute::read(value).map_err(|message| self.fault(message))?;
            let known = ["value", "id", "url"].into_iter().find(|known| known.as_bytes() == key.as_ref());
            let Some(known) = known else {
                let shown = String::from_utf8_lossy(key.as_ref()).chars().take(64).collect::<String>();
                return Err(self.fault(format!("FHIR has no attribute {shown}")));
            };
            attributes.push((known, value));
        }
        Ok(Element { name, namespace, attributes, offset: self.offset + self.skipped, start })
    }

    /// Skips to the end of an element that just began, and returns all of it as it is written.
    pub(super) fn rest_of(&mut self, element: &Element<'t>) -> Result<&'t str, Fault> {
        let begin = self.offset;
        if let Err(error) = self.reader.read_to_end(element.start.name()) {
            self.offset = self.position();
            return Err(self.fault(format!("the narrative isn't well-formed: {error}")));
        }
        Ok(self.text.get(begin..self.position()).unwrap_or_default())
    }
}

fn namespace(space: &ResolveResult<'_>) -> Namespace {
    match space {
        ResolveResult::Bound(bound) if bound.0 == FHIR.as_bytes() => Namespace::Fhir,
        ResolveResult::Bound(bound) if bound.0 == XHTML.as_bytes() => Namespace::Xhtml,
        _ => Namespace::Other,
    }
}
