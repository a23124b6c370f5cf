//! Shapes and draws the text of a MedicationRequest (<https://hl7.org/fhir/R4/medicationrequest.html>).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use krilla::geom::Point;
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use parley::fontique::{Blob, Collection, CollectionOptions};
use parley::style::{FontFamily, FontFamilyName, FontWeight, LineHeight, StyleProperty};
use parley::{FontContext, Layout, LayoutContext};
use seva_clinic::printing::PrintError;

const FONTS: [&[u8]; 4] = [
    include_bytes!("../../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../../fonts/NotoSansDevanagari-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansDevanagari-Bold.ttf"),
];

/// How heavy a text is.
#[derive(Clone, Copy)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// A shaped and broken text.
pub(super) struct Shaped {
    text: String,
    layout: Layout<()>,
}

impl Shaped {
    pub(super) fn height(&self) -> f32 {
        self.layout.height()
    }
}

/// The fonts with the caches of shaping and drawing.
pub(super) struct Shaper {
    fonts: FontContext,
    layouts: LayoutContext<()>,
    embedded: HashMap<u64, Font>,
}

impl Shaper {
    pub(super) fn new() -> Self {
        let mut fonts = FontContext::new();
        fonts.collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
        for data in FONTS {
            fonts.collection.register_fonts(Blob::new(Arc::new(data)), None);
        }
        Self { fonts, layouts: LayoutContext::new(), embedded: HashMap::new() }
    }

    pub(super) fn shape(&mut self, text: String, size: f32, weight: Weight, width: f32) -> Shaped {
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, &text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::List(Cow::Borrowed(&[
            FontFamilyName::Named(Cow::Borrowed("Noto Sans")),
            FontFamilyName::Named(Cow::Borrowed("Noto Sans Devanagari")),
        ]))));
        builder.push_default(StyleProperty::LineHeight(LineHeight::FontSizeRelative(1.4)));
        builder.push_default(StyleProperty::FontSize(size));
        builder.push_default(StyleProperty::FontWeight(match weight {
            Weight::Regular => FontWeight::NORMAL,
            Weight::Bold => FontWeight::BOLD,
        }));
        let mut layout = builder.build(&text);
        layout.break_all_lines(Some(width));
        Shaped { text, layout }
    }

    pub(super) fn draw(&mut self, surface: &mut Surface<'_>, shaped: &Shaped, corner: Point) -> Result<(), PrintError> {
        for line in shaped.layout.lines() {
            let mut x = corner.x;
            let y = corner.y + line.metrics().baseline;
            for run in line.runs() {
                let source = run.font().clone();
                let (data, id) = source.data.into_raw_parts();
                let font = match self.embedded.get(&id) {
                    Some(font) => font.clone(),
                    None => {
                        let font = Font::new(data.into(), source.index)
                            .ok_or_else(|| PrintError::Rendering("a font is unreadable".to_owned()))?;
                        self.embedded.insert(id, font.clone());
                        font
                    }
                };
                let size = run.font_size();
                let (glyphs, advance) = glyphs(&run, size);
                if !glyphs.is_empty() {
                    let start = Point::from_xy(x, y);
                    surface.draw_glyphs(start, &glyphs, font, &shaped.text, size, false);
                }
                x += advance;
            }
        }
        Ok(())
    }
}

fn glyphs(run: &parley::layout::Run<'_, ()>, size: f32) -> (Vec<KrillaGlyph>, f32) {
    let mut glyphs = Vec::<KrillaGlyph>::new();
    let mut advance = 0.0;
    for cluster in run.visual_clusters() {
        if cluster.is_ligature_continuation() {
            // The text of a conjunct belongs to its one glyph, or copying it would lose letters.
            if let Some(glyph) = glyphs.last_mut() {
                glyph.text_range.end = cluster.text_range().end;
            }
            continue;
        }
        for glyph in cluster.glyphs() {
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(glyph.id),
                glyph.advance / size,
                glyph.x / size,
                glyph.y / size,
                0.0,
                cluster.text_range(),
                None,
            ));
            advance += glyph.advance;
        }
    }
    (glyphs, advance)
}
