//! How a setting names a secret: its ARN (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html>)
//! or `secretsmanager:<name>`, and after `#` the member of a secret that is a JSON object.

/// What names of secrets begin with where there is no ARN.
const NAMED: &str = "secretsmanager:";
/// What every ARN begins with.
const ARN: &str = "arn:";

/// A text that begins like a reference, and is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The ARN of something else, or with more than a secret.
    #[error(
        "must be the ARN of a secret, such as arn:aws:secretsmanager:ap-south-1:111122223333:secret:<name>, with #<member> at its end if it is a JSON object"
    )]
    Arn,
    /// Signs that no name has.
    #[error("names of secrets have 1 to 512 letters, digits and /_+=.@-")]
    Name,
    /// Nothing after `#`.
    #[error("must name a member of the secret after #")]
    Member,
}

/// Which secret, and which member of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretReference {
    secret: String,
    member: Option<String>,
    region: Option<String>,
}

impl SecretReference {
    /// Reads a setting's text; nothing when it is no reference, but the value itself.
    pub fn find(text: &str) -> Result<Option<Self>, ReferenceError> {
        if !text.starts_with(ARN) && !text.starts_with(NAMED) {
            return Ok(None);
        }
        let (place, member) = match text.split_once('#') {
            Some((_, "")) => return Err(ReferenceError::Member),
            Some((place, member)) => (place, Some(member.to_owned())),
            None => (text, None),
        };
        let (secret, name, region) = match place.strip_prefix(NAMED) {
            Some(name) => (name, name, None),
            None => {
                arn(place).map(|(region, name)| (place, name, Some(region.to_owned()))).ok_or(ReferenceError::Arn)?
            }
        };
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
        if name.is_empty() || name.len() > 512 || !name.bytes().all(legal) {
            return Err(ReferenceError::Name);
        }
        Ok(Some(Self { secret: secret.to_owned(), member, region }))
    }

    /// The ARN or name of the secret, as the service wants it.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The member of a secret that is a JSON object.
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// The region that an ARN names.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// The region and the name in a secret's ARN.
fn arn(text: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "secretsmanager", region, account, "secret", name]
            if partition.starts_with("aws")
                && !region.is_empty()
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some((region, name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_are_told_from_values() {
        for value in ["", "postgres://seva:arn:@host/seva", "00ff", "Secretsmanager:x", "sk-arn:aws"] {
            assert_eq!(SecretReference::find(value), Ok(None), "{value}");
        }
        let named = SecretReference::find("secretsmanager:seva/speech#key").expect("legal").expect("a reference");
        assert_eq!((named.secret(), named.member(), named.region()), ("seva/speech", Some("key"), None));
        let text = "arn:aws:secretsmanager:ap-south-1:111122223333:secret:seva/url-a1B2c3";
        let whole = SecretReference::find(text).expect("legal").expect("a reference");
        assert_eq!((whole.secret(), whole.member(), whole.region()), (text, None, Some("ap-south-1")));
        let member = SecretReference::find(&format!("{text}#url")).expect("legal").expect("a reference");
        assert_eq!((member.secret(), member.member()), (text, Some("url")));
    }

    #[test]
    fn what_begins_like_a_reference_and_is_none_is_refused() {
        for (text, error) in [
            ("secretsmanager:", ReferenceError::Name),
            ("secretsmanager:a b", ReferenceError::Name),
            ("secretsmanager:a#", ReferenceError::Member),
            ("arn:aws:s3:::bucket", ReferenceError::Arn),
            ("arn:aws:secretsmanager:ap-south-1:111122223333:secret:a:key::", ReferenceError::Arn),
            ("arn:aws:secretsmanager::111122223333:secret:a", ReferenceError::Arn),
            ("arn:aws:secretsmanager:ap-south-1:1:secret:a", ReferenceError::Arn),
            ("arn:aws:secretsmanager:ap-south-1:111122223333:secret:", ReferenceError::Name),
        ] {
            assert_eq!(SecretReference::find(text), Err(error), "{text}");
        }
    }
}
