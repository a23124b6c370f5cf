//! Who may come in, and who has looked: accounts, sessions, tickets, the audit log.

/// Tokens and tickets are kept as SHA-256 only: a stolen backup opens no session.
pub(crate) const UP: &str = r#"
CREATE TABLE account (
    id uuid PRIMARY KEY,
    username text NOT NULL UNIQUE,
    display text NOT NULL,
    password text NOT NULL,
    pin text,
    created timestamptz NOT NULL DEFAULT now()
);

-- A user of two hospitals has two rows and picks one at log-in. No row means no access.
CREATE TABLE membership (
    account uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    tenant int4 NOT NULL REFERENCES tenant,
    roles text[] NOT NULL,
    practitioner text,
    patient text,
    active boolean NOT NULL DEFAULT true,
    PRIMARY KEY (account, tenant)
);

CREATE TABLE session (
    token bytea PRIMARY KEY,
    account uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    tenant int4 NOT NULL REFERENCES tenant,
    created timestamptz NOT NULL DEFAULT now(),
    expires timestamptz NOT NULL
);
CREATE INDEX session_account ON session (account);

CREATE TABLE ticket (
    token bytea PRIMARY KEY,
    account uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    tenant int4 NOT NULL REFERENCES tenant,
    dictation uuid NOT NULL,
    expires timestamptz NOT NULL
);

CREATE TABLE idempotency (
    tenant int4 NOT NULL,
    account text NOT NULL,
    key text NOT NULL,
    request bytea NOT NULL,
    status int2,
    body bytea,
    created timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, account, key)
);

CREATE TABLE audit (
    seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at int8 NOT NULL,
    tenant int4 NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    target text NOT NULL,
    patients text[] NOT NULL,
    request text NOT NULL
);
CREATE INDEX audit_patient ON audit USING gin (patients);
"#;

pub(crate) const DOWN: &str = "DROP TABLE audit, idempotency, ticket, session, membership, account;";
