use super::Templates;
use crate::language::LANGUAGES;

#[test]
fn every_template_compiles_in_every_language() {
    let templates = Templates::new(chrono_tz::Asia::Kolkata);
    for language in LANGUAGES {
        let rendered =
            templates.render("partials/token.html", language, &serde_json::json!({"frame": {"form_token": "<t>"}}));
        assert!(rendered.expect("a template").contains("&lt;t&gt;"));
    }
}
