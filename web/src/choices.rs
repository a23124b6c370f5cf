//! The choice of language and colours, kept in cookies (RFC 6265, <https://www.rfc-editor.org/rfc/rfc6265>).

use poem::Response;

use crate::answers::{see, set_cookie};
use crate::asker::Theme;
use crate::language::Language;
use crate::routes::{Fields, Pages};
use crate::session::{LANGUAGE, Life, THEME, cookie};

/// Keeps what was chosen and leads back to the page.
pub(crate) fn submit(pages: &Pages, fields: &Fields) -> Response {
    let mut response = see(back(fields.get("place").map(String::as_str).unwrap_or_default()));
    if let Some(language) = fields.get("language").and_then(|tag| Language::of(tag)) {
        set_cookie(&mut response, &cookie((LANGUAGE, language.code()), Life::Choice, pages.url()));
    }
    if let Some(theme) = fields.get("theme") {
        set_cookie(&mut response, &cookie((THEME, Theme::of(theme).code()), Life::Choice, pages.url()));
    }
    response
}

/// An address of ours: a path, never another host.
fn back(place: &str) -> &str {
    let ours = place.starts_with('/') && !place.starts_with("//") && !place.contains(['\\', '\r', '\n']);
    if ours { place } else { "/worklist" }
}

#[cfg(test)]
mod tests {
    use super::back;

    #[test]
    fn a_choice_never_leads_to_another_site() {
        assert_eq!(back("/patients?name=x"), "/patients?name=x");
        for place in ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb"] {
            assert_eq!(back(place), "/worklist");
        }
    }
}
