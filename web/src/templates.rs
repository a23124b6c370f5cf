//! The templates, compiled in; HTML is escaped (<https://html.spec.whatwg.org/>) and an unknown name is an error.

use std::sync::OnceLock;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

const TEMPLATES: &[(&str, &str)] = &[
    ("app.html", include_str!("../templates/app.html")),
    ("log-in.html", include_str!("../templates/log-in.html")),
    ("message.html", include_str!("../templates/message.html")),
    ("worklist.html", include_str!("../templates/worklist.html")),
    ("banner.html", include_str!("../templates/banner.html")),
    ("patient.html", include_str!("../templates/patient.html")),
    ("section.html", include_str!("../templates/section.html")),
    ("medicine.html", include_str!("../templates/medicine.html")),
    ("consultation.html", include_str!("../templates/consultation.html")),
];

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source).expect("the templates are compiled in and a test reads them");
        }
        environment
    })
}

/// Renders a page.
pub(crate) fn render(name: &str, context: &impl Serialize) -> Result<String, minijinja::Error> {
    environment().get_template(name)?.render(minijinja::value::Serde(context))
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::views::{Banner, ConsultationPage, LogInPage, Medicine, PatientPage, WorklistPage};

    fn banner() -> Banner {
        let word = |text: &str| text.to_owned();
        Banner {
            id: word("p"),
            name: word("<Rane>"),
            gender: word("female"),
            born: word("1974"),
            allergies: vec![],
            none_known: false,
        }
    }

    fn prescription() -> serde_json::Value {
        serde_json::json!({
            "state": "draft", "version": 3, "composition": "Composition/c", "signature": {"at": "2026-11-25"},
            "sections": [{"code": "diagnosis", "title": "Diagnosis", "required": true, "state": "pending", "text": "<b>"}],
            "medicines": [{"id": "m", "name": "paracetamol", "strength": null, "form": "tablet", "state": "pending",
                "text": "as said", "line": {"en": null, "hi": "सुबह"}, "suggestion": null}],
            "findings": [{"tier": "block", "text": "finding", "rule": "r", "source": "s"}],
            "blockers": [{"text": "Approve Diagnosis"}],
        })
    }

    #[test]
    fn every_page_renders_and_escapes() {
        render("log-in.html", &LogInPage { title: "Log in", problem: String::new() }).expect("log-in");
        render("worklist.html", &WorklistPage { title: "Worklist", visits: Vec::new() }).expect("worklist");
        let medicines =
            || vec![Medicine { name: "paracetamol".to_owned(), status: "draft".to_owned(), dosage: String::new() }];
        let page = PatientPage {
            title: "Patient",
            patient: banner(),
            problems: Vec::new(),
            medicines: medicines(),
            observations: Vec::new(),
        };
        assert!(render("patient.html", &page).expect("patient").contains("&lt;Rane&gt;"));
        for signed in [false, true] {
            let page = ConsultationPage {
                title: "Consultation",
                encounter: "e".to_owned(),
                patient: banner(),
                consent: true,
                working: true,
                dictations: Vec::new(),
                prescription: prescription(),
                signed,
                version: 3,
            };
            let html = render("consultation.html", &page).expect("consultation");
            assert_eq!(html.contains("Signing PIN"), !signed);
            assert_eq!(html.contains("name=\"version\" value=\"3\""), !signed);
            assert!(html.contains("सुबह") && html.contains("&lt;b&gt;"), "{html}");
        }
    }
}
