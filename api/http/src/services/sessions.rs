//! Logging in and out, refreshing tokens, the public keys.

use std::sync::Arc;

use poem::http::header;
use poem::{Request, web};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::Value;
use seva_fhir::access::Session;
use seva_fhir::types::Instant;

use super::Services;
use crate::authentication::{LIFETIME, LogIn, PinProof, RequestId};
use crate::failure::Failure;

/// What is typed at log-in.
#[derive(Object)]
struct LogInRequest {
    /// The username.
    username: String,
    /// The password.
    password: String,
    /// The hospital's name; needed by accounts of several.
    tenant: Option<String>,
}

/// Who is logged in.
#[derive(Object)]
struct User {
    /// The name to show.
    name: String,
    /// What was typed at log-in.
    username: String,
    /// The roles in this tenant.
    roles: Vec<String>,
    /// The reference to the Practitioner that the account acts as.
    #[oai(skip_serializing_if_is_none)]
    practitioner: Option<String>,
    /// The hospital's name.
    tenant: String,
}

/// A new session.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct NewSession {
    /// The opaque session token.
    token: String,
    /// A short-lived JWT for the same session.
    access_token: String,
    /// When the session ends.
    expires: String,
    /// Who.
    user: User,
}

/// The session of the request.
#[derive(Object)]
struct CurrentSession {
    /// When the session ends.
    expires: String,
    /// Who.
    user: User,
}

/// A new access token.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct AccessToken {
    /// The JWT.
    access_token: String,
    /// Its lifetime in seconds.
    expires_in: i64,
}

/// Credentials for AWS clients, as a `credential_process` prints them.
#[derive(Object)]
#[oai(rename_all = "PascalCase")]
struct StreamCredentials {
    /// The version of this form, 1.
    version: i32,
    /// Names the credentials.
    access_key_id: String,
    /// Signs.
    secret_access_key: String,
    /// Says for whom.
    session_token: String,
    /// When they end.
    expiration: String,
}

/// A password in exchange for another.
#[derive(Object)]
struct NewPassword {
    /// The password until now.
    current: String,
    /// The password from now on.
    new: String,
}

/// A signing PIN, with what shows that the owner sets it.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct NewPin {
    /// The PIN from now on.
    pin: String,
    /// The account's password; this or the PIN until now.
    #[oai(skip_serializing_if_is_none)]
    password: Option<String>,
    /// The PIN until now.
    #[oai(skip_serializing_if_is_none)]
    current_pin: Option<String>,
}

#[derive(ApiResponse)]
enum ChangeResponse {
    /// The secret was changed.
    #[oai(status = 204)]
    Changed,
}

#[derive(ApiResponse)]
enum LogInResponse {
    /// The session is open.
    #[oai(status = 201)]
    Created(Json<NewSession>),
}

#[derive(ApiResponse)]
enum LogOutResponse {
    /// The session has ended.
    #[oai(status = 204)]
    Ended,
}

/// The handlers.
pub struct SessionApi {
    pub(crate) services: Arc<Services>,
}

#[OpenApi]
impl SessionApi {
    /// Opens a session.
    #[oai(path = "/v1/sessions", method = "post", operation_id = "logIn")]
    async fn log_in(&self, id: web::Data<&RequestId>, body: Json<LogInRequest>) -> poem::Result<LogInResponse> {
        let Json(LogInRequest { username, password, tenant }) = body;
        let asked = LogIn { username, password, tenant };
        let opened = self.services.authenticator.log_in(asked, id.0.origin()).await?;
        Ok(LogInResponse::Created(Json(NewSession {
            token: opened.token,
            access_token: opened.access_token,
            expires: opened.session.expires.to_string(),
            user: user(&opened.session),
        })))
    }

    /// Says who is logged in.
    #[oai(path = "/v1/session", method = "get", operation_id = "readSession")]
    async fn read_session(&self, request: &Request) -> poem::Result<Json<CurrentSession>> {
        let session = self.session(request).await?;
        Ok(Json(CurrentSession { expires: session.expires.to_string(), user: user(&session) }))
    }

    /// Signs a new access token for the session.
    #[oai(path = "/v1/session/token", method = "post", operation_id = "refreshToken")]
    async fn refresh_token(&self, request: &Request) -> poem::Result<Json<AccessToken>> {
        let access_token = self.services.authenticator.refresh(authorization(request)).await?;
        Ok(Json(AccessToken { access_token, expires_in: LIFETIME }))
    }

    /// Makes credentials with which an AWS client signs streams to this server.
    #[oai(path = "/v1/session/stream-credentials", method = "post", operation_id = "createStreamCredentials")]
    async fn create_stream_credentials(&self, request: &Request) -> poem::Result<Json<StreamCredentials>> {
        let authenticator = &self.services.authenticator;
        let session_token = authenticator.refresh(authorization(request)).await?;
        let (keys, now) = (&authenticator.parts.keys, authenticator.parts.clock.now());
        Ok(Json(StreamCredentials {
            version: 1,
            access_key_id: keys.stream_key_id(&session_token),
            secret_access_key: keys.stream_secret(&session_token),
            expiration: Instant::from_micros((now.seconds() + LIFETIME) * 1_000_000).to_string(),
            session_token,
        }))
    }

    /// Ends the session.
    #[oai(path = "/v1/session", method = "delete", operation_id = "logOut")]
    async fn log_out(&self, request: &Request, id: web::Data<&RequestId>) -> poem::Result<LogOutResponse> {
        self.services.authenticator.log_out(authorization(request), id.0.origin()).await?;
        Ok(LogOutResponse::Ended)
    }

    /// Changes the own password; every other session of the account ends.
    #[oai(path = "/v1/session/password", method = "put", operation_id = "changePassword")]
    async fn change_password(
        &self,
        request: &Request,
        id: web::Data<&RequestId>,
        body: Json<NewPassword>,
    ) -> poem::Result<ChangeResponse> {
        let secrets = (body.0.current.as_str(), body.0.new.as_str());
        self.services.authenticator.change_password(authorization(request), secrets, id.0.origin()).await?;
        Ok(ChangeResponse::Changed)
    }

    /// Changes the own signing PIN, or sets the first.
    #[oai(path = "/v1/session/pin", method = "put", operation_id = "changePin")]
    async fn change_pin(
        &self,
        request: &Request,
        id: web::Data<&RequestId>,
        body: Json<NewPin>,
    ) -> poem::Result<ChangeResponse> {
        let NewPin { pin, password, current_pin } = &body.0;
        let proof = match (password, current_pin) {
            (Some(password), None) => PinProof::Password(password),
            (None, Some(pin)) => PinProof::Pin(pin),
            _ => {
                let text = "give either the password or the PIN until now (currentPin)".to_owned();
                return Err(Failure::Unprocessable(text).into());
            }
        };
        let change = (proof, pin.as_str());
        self.services.authenticator.change_pin(authorization(request), change, id.0.origin()).await?;
        Ok(ChangeResponse::Changed)
    }

    /// The public keys of our access tokens.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "readKeys")]
    async fn read_keys(&self) -> Json<Value> {
        Json(self.services.authenticator.jwks())
    }
}

impl SessionApi {
    async fn session(&self, request: &Request) -> Result<Session, Failure> {
        self.services.authenticator.session_of(authorization(request)).await
    }
}

fn authorization(request: &Request) -> Option<&str> {
    request.header(header::AUTHORIZATION)
}

fn user(session: &Session) -> User {
    User {
        name: session.account.display.clone(),
        username: session.account.username.clone(),
        roles: session.membership.roles.iter().map(ToString::to_string).collect(),
        practitioner: session.membership.practitioner.as_ref().map(|id| format!("Practitioner/{id}")),
        tenant: session.membership.tenant_name.clone(),
    }
}
