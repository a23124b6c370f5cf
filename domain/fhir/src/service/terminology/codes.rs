//! The codes that a search names by a value set or a hierarchy (R4 <https://hl7.org/fhir/R4/search.html#token>), found
//! before the store is asked.

use std::future::Future;
use std::pin::Pin;

use super::{FhirError, FhirService, KnownSystem, Named, unknown};
use crate::access::Caller;
use crate::outcome::{Issue, IssueCode};
use crate::search::{Clause, CodeSource, CodesTest, Handling, Membership, ReferenceTest, SearchQuery, Test, TokenTest};
use crate::terminology::{CodeSystem, Hierarchy, Relatives, Wanted};
use crate::types::ResourceKey;

/// A condition has so many codes at most: each one is a look into the index.
const MOST_CODES: usize = 10_000;

/// Why codes aren't found.
enum Missing {
    /// The server doesn't know them: lenient handling leaves the condition out.
    Unknown(String),
    /// They can't be used: that is never left out, because the answer would mean something else.
    Refused(IssueCode, String),
}

type Pinned<'a, T> = Pin<Box<dyn Future<Output = Result<T, FhirError>> + Send + 'a>>;

impl FhirService {
    /// Finds the codes that conditions name by a value set or a hierarchy; a search without such conditions is left alone.
    pub fn find_codes<'a>(&'a self, caller: &'a Caller, query: &'a mut SearchQuery) -> Pinned<'a, ()> {
        Box::pin(async move {
            if !query.has_unknown_codes() {
                return Ok(());
            }
            let mut issues = Vec::new();
            for mut clause in std::mem::take(&mut query.clauses) {
                match self.find_codes_of(caller, &mut clause).await? {
                    None => query.clauses.push(clause),
                    Some((name, Missing::Unknown(text))) if query.handling == Handling::Lenient => {
                        let text = format!("{text}; it was ignored");
                        query.warnings.push(Issue::warning(IssueCode::NotSupported, text).at(format!("http.{name}")));
                    }
                    Some((name, Missing::Unknown(text))) => {
                        issues.push(Issue::error(IssueCode::Value, text).at(format!("http.{name}")));
                    }
                    Some((name, Missing::Refused(code, text))) => {
                        issues.push(Issue::error(code, text).at(format!("http.{name}")));
                    }
                }
            }
            if issues.is_empty() { Ok(()) } else { Err(FhirError::Invalid(issues)) }
        })
    }

    /// Makes tokens of the codes of one condition; says what is missing.
    async fn find_codes_of(
        &self,
        caller: &Caller,
        clause: &mut Clause,
    ) -> Result<Option<(String, Missing)>, FhirError> {
        for test in clause.unknown_codes() {
            let codes = match test {
                Test::Codes(codes) => codes,
                Test::Parts(parts) => {
                    *test = Test::Reference(vec![ReferenceTest::Local(self.parts(caller, parts).await?)]);
                    continue;
                }
                _ => continue,
            };
            let (name, membership) = (codes.name.clone(), codes.membership);
            match self.tokens(caller, codes).await? {
                Ok(tokens) if tokens.len() > MOST_CODES => {
                    let text = format!("{name} names {} codes, {MOST_CODES} are allowed: narrow it", tokens.len());
                    return Ok(Some((name, Missing::Refused(IssueCode::TooCostly, text))));
                }
                Ok(tokens) => {
                    *test = match membership {
                        Membership::Among => Test::Token(tokens),
                        Membership::NotAmong => Test::NotToken(tokens),
                    }
                }
                Err(missing) => return Ok(Some((name, missing))),
            }
        }
        Ok(None)
    }

    async fn tokens(&self, caller: &Caller, codes: &CodesTest) -> Result<Result<Vec<TokenTest>, Missing>, FhirError> {
        let mut tokens = Vec::new();
        for source in &codes.sources {
            let found = match source {
                CodeSource::ValueSet(url) => self.codes_of_value_set(caller, url).await,
                CodeSource::Below(system, code) => self.relatives_of(caller, (system, code), Relatives::Below).await,
                CodeSource::Above(system, code) => self.relatives_of(caller, (system, code), Relatives::Above).await,
            };
            match found {
                Ok(found) => {
                    let letter_case = codes.letter_case;
                    let exact = |(system, code)| {
                        TokenTest::Exact { system, code }.or_implied(letter_case).comparable(letter_case)
                    };
                    tokens.extend(found.into_iter().map(exact));
                }
                Err(error) => match missing(error)? {
                    (code @ IssueCode::TooCostly, text) => return Ok(Err(Missing::Refused(code, text))),
                    (_, text) => return Ok(Err(Missing::Unknown(text))),
                },
            }
        }
        Ok(Ok(tokens))
    }

    async fn codes_of_value_set(&self, caller: &Caller, name: &str) -> Result<Vec<(String, String)>, FhirError> {
        let local = name.strip_prefix(self.base_url()).map_or(name, |rest| rest.trim_start_matches('/'));
        let key = local.parse::<ResourceKey>().ok().filter(|key| key.resource_type().as_str() == "ValueSet");
        let named = key.as_ref().map_or(Named::Url(name), Named::Key);
        let (_, expansion) = self.expand_value_set(caller, &named, &Wanted::default()).await?;
        Ok(expansion.concepts.into_iter().map(|one| (one.system, one.code)).collect())
    }

    async fn relatives_of(
        &self,
        caller: &Caller,
        (url, code): (&str, &str),
        relatives: Relatives,
    ) -> Result<Vec<(String, String)>, FhirError> {
        let system = self.code_system(caller, &Named::Url(url), None).await?;
        let system = system.ok_or_else(|| unknown(&format!("the code system {url}")))?;
        let codes = match &system {
            KnownSystem::Stored(stored) => {
                self.concepts.relatives(stored, code, relatives, MOST_CODES as u64 + 1).await?
            }
            KnownSystem::Resource(resource) => {
                let system = CodeSystem::of(resource);
                match relatives {
                    _ if system.find(code).is_none() => Vec::new(),
                    Relatives::Above => system.above(code),
                    Relatives::Children => system.children(code),
                    Relatives::Below => {
                        let codes = system.concepts().filter_map(|one| one.get_str("code"));
                        codes.filter(|own| system.is_a(code, own)).map(str::to_owned).collect()
                    }
                }
            }
        };
        if codes.is_empty() {
            return Err(unknown(&format!("the code {code:?} of {url}")));
        }
        let url = system.url();
        Ok(codes.into_iter().map(|code| (url.to_owned(), code)).collect())
    }
}

/// What a failed look-up says of the request; a refusal or a fault stays one.
fn missing(error: FhirError) -> Result<(IssueCode, String), FhirError> {
    match error {
        FhirError::Invalid(mut issues) if !issues.is_empty() => {
            let first = issues.remove(0);
            Ok((first.code, first.diagnostics))
        }
        FhirError::NotFound(_) | FhirError::Gone { .. } => Ok((IssueCode::NotFound, error.to_string())),
        other => Err(other),
    }
}
