//! Puts the blocks of a MedicationRequest (<https://hl7.org/fhir/R4/medicationrequest.html>) on A4 pages.

use krilla::Document;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use seva_clinic::printing::PrintError;

use super::text::{Shaped, Shaper, Weight};

// A4 in points, ISO 216.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 45.0;
const FOOT: f32 = 40.0;
const GAP: f32 = 8.0;

/// The width between the margins.
pub(super) const TEXT_WIDTH: f32 = WIDTH - 2.0 * MARGIN;

/// The line around a block.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    None,
    Light,
    Heavy,
}

impl Frame {
    pub(super) fn inset(self) -> f32 {
        match self {
            Self::None => 0.0,
            Self::Light => 6.0,
            Self::Heavy => 9.0,
        }
    }

    fn stroke(self) -> Option<f32> {
        match self {
            Self::None => None,
            Self::Light => Some(0.5),
            Self::Heavy => Some(3.0),
        }
    }
}

/// Texts that stay together on one page.
pub(super) struct Block {
    pub(super) texts: Vec<Shaped>,
    pub(super) frame: Frame,
}

impl Block {
    fn height(&self) -> f32 {
        self.texts.iter().map(Shaped::height).sum::<f32>() + 2.0 * self.frame.inset()
    }
}

/// Writes the pages with the foot on each.
pub(super) fn write(shaper: &mut Shaper, blocks: Vec<Block>, foot: &str) -> Result<Vec<u8>, PrintError> {
    let pages = paginate(blocks)?;
    let mut document = Document::new();
    for (index, blocks) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT)
            .ok_or_else(|| PrintError::Rendering("the page size is invalid".to_owned()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        let mut y = MARGIN;
        for block in blocks {
            draw_block(shaper, &mut surface, block, y)?;
            y += block.height() + GAP;
        }
        let text = format!("page {} of {}\n{foot}", index + 1, pages.len());
        let foot = shaper.shape(text, 8.0, Weight::Regular, TEXT_WIDTH);
        // Measured from the bottom: a long foot grows upwards, into the reserved strip.
        let corner = Point::from_xy(MARGIN, HEIGHT - MARGIN / 2.0 - foot.height());
        fill(&mut surface);
        shaper.draw(&mut surface, &foot, corner)?;
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| PrintError::Rendering(format!("{error:?}")))
}

fn paginate(blocks: Vec<Block>) -> Result<Vec<Vec<Block>>, PrintError> {
    let room = HEIGHT - 2.0 * MARGIN - FOOT;
    let mut pages = Vec::new();
    let mut current = Vec::new();
    let mut used = 0.0;
    for block in blocks {
        let height = block.height();
        if height > room {
            return Err(PrintError::EntryTooLong);
        }
        if used + height > room {
            pages.push(std::mem::take(&mut current));
            used = 0.0;
        }
        used += height + GAP;
        current.push(block);
    }
    pages.push(current);
    Ok(pages)
}

fn draw_block(shaper: &mut Shaper, surface: &mut Surface<'_>, block: &Block, top: f32) -> Result<(), PrintError> {
    if let Some(width) = block.frame.stroke() {
        let mut outline = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(MARGIN, top, TEXT_WIDTH, block.height()) {
            outline.push_rect(rect);
        }
        surface.set_fill(None);
        surface.set_stroke(Some(Stroke { width, ..Stroke::default() }));
        if let Some(path) = outline.finish() {
            surface.draw_path(&path);
        }
    }
    fill(surface);
    let inset = block.frame.inset();
    let mut y = top + inset;
    for text in &block.texts {
        shaper.draw(surface, text, Point::from_xy(MARGIN + inset, y))?;
        y += text.height();
    }
    Ok(())
}

fn fill(surface: &mut Surface<'_>) {
    surface.set_stroke(None);
    surface.set_fill(Some(Fill::default()));
}
