//! Everything that can be wrong with a resource (R4 <https://hl7.org/fhir/R4/validation.html>): profiles and value sets
//! are found among the hospital's resources, then among those that all share.

use std::collections::HashMap;
use std::sync::Arc;

use super::update::stored_json;
use super::{FhirError, FhirService, Named};
use crate::access::Caller;
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;
use crate::profile::{self, CodeQuestion, Compiled, Profile, Profiles, Report, Source, base_of};
use crate::structure;
use crate::terminology::{Expansion, Wanted};
use crate::types::TenantId;
use crate::validation::{self, ValidationLevel};

/// Profiles that name further profiles are followed to this depth.
const ROUNDS: usize = 12;
/// So many profiles are looked for while one resource is checked.
const MOST_PROFILES: usize = 200;
/// So many value sets are expanded while one resource is checked.
const MOST_VALUE_SETS: usize = 60;
/// Definitions without snapshot are followed through so many bases.
const MOST_BASES: usize = 12;

impl FhirService {
    /// Checks structure, rules, the profiles that are asked for or claimed, extensions and bindings.
    pub async fn validate(&self, caller: &Caller, resource: &Json, asked: &[String]) -> Result<Vec<Issue>, FhirError> {
        let mut issues = validation::check(resource, self.now());
        if structure::check(resource).iter().any(Issue::is_error) {
            return Ok(issues);
        }
        let mut profiles = Profiles::default();
        let mut report = Report::default();
        for _ in 0..ROUNDS {
            report = profile::check(resource, asked, &profiles, self.now());
            if report.unknown.is_empty() || profiles.len() >= MOST_PROFILES {
                break;
            }
            for url in &report.unknown {
                let found = self.profile(caller, url, &mut issues).await?;
                profiles.insert(url, found);
            }
        }
        if let Some(url) = asked.iter().find(|url| profiles.is_missing(url)) {
            // R4 resource-operation-validate.html: a profile that is nominated and can't be checked is an error.
            let text =
                format!("the profile {url} isn't known here, so nothing was checked; store its StructureDefinition");
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::NotSupported, text)]));
        }
        issues.append(&mut report.issues);
        for url in &report.unknown {
            let text = format!("the profile {url} wasn't checked: the resource names too many profiles");
            issues.push(Issue::warning(IssueCode::TooCostly, text));
        }
        self.judge_codes(caller, &report.codes, &mut issues).await?;
        Ok(issues)
    }

    /// Refuses a resource that breaks what the configured level asks of writes; its structure was checked on reading.
    pub(super) async fn accept(&self, caller: &Caller, resource: &Json) -> Result<(), FhirError> {
        let issues = match self.level {
            ValidationLevel::Structure => return Ok(()),
            ValidationLevel::Rules => validation::check_rules(resource, self.now()),
            ValidationLevel::Profiles => self.validate(caller, resource, &[]).await?,
        };
        let errors: Vec<Issue> = issues.into_iter().filter(Issue::is_error).collect();
        if errors.is_empty() { Ok(()) } else { Err(FhirError::Unprocessable(errors)) }
    }

    /// Finds a profile with the bases that it is built on; compiled before, when none of them has changed since.
    async fn profile(
        &self,
        caller: &Caller,
        url: &str,
        issues: &mut Vec<Issue>,
    ) -> Result<Option<Arc<Profile>>, FhirError> {
        if let Some(kept) = self.profiles.get(caller.tenant, url)
            && self.is_current(caller, &kept).await?
        {
            return Ok(Some(kept.profile));
        }
        let (mut chain, mut sources, mut next) = (Vec::new(), Vec::new(), url.to_owned());
        loop {
            let found = if chain.len() < MOST_BASES { self.definition(caller, &next).await? } else { None };
            let Some((tenant, stored)) = found else {
                if !chain.is_empty() {
                    let text = format!("the profile {url} needs its base {next}, which isn't on this server; store it");
                    issues.push(Issue::warning(IssueCode::NotFound, text));
                }
                return Ok(None);
            };
            let definition = stored_json(&stored)?;
            let base = base_of(&definition).map(str::to_owned);
            chain.push(definition);
            sources.push(Source { url: next, tenant, key: stored.key, version: stored.version });
            match base {
                Some(base) => next = base,
                None => break,
            }
        }
        chain.reverse();
        match Profile::build(&chain) {
            Ok(profile) => {
                let profile = Arc::new(profile);
                self.profiles.put(caller.tenant, url, Compiled { sources, profile: Arc::clone(&profile) });
                Ok(Some(profile))
            }
            Err(error) => {
                issues.push(Issue::warning(IssueCode::Invalid, format!("the profile {url} can't be used: {error}")));
                Ok(None)
            }
        }
    }

    /// Tells whether a compiled profile's definitions still are the newest ones, and the caller's to read.
    async fn is_current(&self, caller: &Caller, compiled: &Compiled) -> Result<bool, FhirError> {
        for source in &compiled.sources {
            let found = self.definition(caller, &source.url).await?;
            let same = found.is_some_and(|(tenant, stored)| {
                (tenant, stored.version) == (source.tenant, source.version) && stored.key == source.key
            });
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Who may not read definitions is told that they aren't known.
    async fn definition(&self, caller: &Caller, url: &str) -> Result<Option<(TenantId, Stored)>, FhirError> {
        match self.stored_by_url(caller, "StructureDefinition", url).await {
            Err(FhirError::Refused(_)) => Ok(None),
            answer => answer,
        }
    }

    async fn judge_codes(
        &self,
        caller: &Caller,
        questions: &[CodeQuestion],
        issues: &mut Vec<Issue>,
    ) -> Result<(), FhirError> {
        let mut expansions: HashMap<&str, Option<Expansion>> = HashMap::new();
        for question in questions {
            let url = question.value_set.as_str();
            if !expansions.contains_key(url) {
                let expansion = if expansions.len() < MOST_VALUE_SETS {
                    self.expansion(caller, url, questions).await?
                } else {
                    Err("too many value sets are named".to_owned())
                };
                if let Err(reason) = &expansion {
                    let text = format!("codes of {url} weren't checked: {reason}");
                    issues.push(Issue::information(text).at(question.path.as_str()));
                }
                expansions.insert(url, expansion.ok());
            }
            issues.extend(expansions.get(url).and_then(Option::as_ref).and_then(|known| question.judge(known)));
        }
        Ok(())
    }

    /// Expands a value set as far as the questions go, or says why that can't be done.
    async fn expansion(
        &self,
        caller: &Caller,
        url: &str,
        questions: &[CodeQuestion],
    ) -> Result<Result<Expansion, String>, FhirError> {
        let own = questions.iter().filter(|question| question.value_set == url);
        let wanted = Wanted::about(own.flat_map(CodeQuestion::codes));
        match self.expand_value_set(caller, &Named::Url(url), &wanted).await {
            Ok((_, expansion)) => Ok(Ok(expansion)),
            Err(FhirError::Invalid(found)) => {
                Ok(Err(found.first().map_or_else(String::new, |issue| issue.diagnostics.clone())))
            }
            Err(FhirError::Refused(refusal)) => Ok(Err(refusal.to_string())),
            Err(other) => Err(other),
        }
    }
}
