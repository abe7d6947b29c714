//! What stands where a secret could and is none, beside what is one.

use super::{redact, rules};

const CRED: &str = "[REDACTED:credential]";

/// Under a password's key, whole.
const STAY: &[&str] = &[
    "op://prod/db/password",
    "vault:secret/data/db#password",
    "ref+awssecrets://prod/db#/password",
    "awssm://prod/db",
    "secretref:db-password",
    "file:/run/secrets/db_password",
    "{{resolve:ssm-secure:/prod/db/pw:1}}",
    "ci/npm:token:AWSCURRENT",
    "dev/vault-agent/db:password",
    "arn:aws:secretsmanager:eu-central-1:144577127077:secret:rds!cluster-02fd7352-fa81",
    "projects/acme/locations/eu/keyRings/k/cryptoKeys/app",
    "%env(DB_PASSWORD)%",
    "%(DB_PASSWORD)s",
    "#{DbPassword}#",
    "__DB_PASSWORD__",
    "env:DB_PASSWORD",
    "DB_PASSWORD",
    "x-api-key",
    "(known after apply)",
    "<%= ENV.fetch('DB_PASSWORD') %>",
    "[parameters('adminPassword')]",
    "$.credentials.password",
    "$dex.github.clientSecret",
    "$$NPM_TOKEN",
    "$newPassword",
    "!Ref DBPassword",
    "securestring",
    "Password",
];

/// As these, a sign or a word away from them.
const GO: &[&str] = &[
    "op://hunter2 Kp",
    "vault:hunter2",
    "file:hunter2-Kp",
    "%(hunter2)s",
    "#{hunter2}#",
    "$up3r.Secret",
    "$ecret.Winter",
    "$ummer-Rain",
    "db/hunter2:Kp",
    "Sommerregen",
    "hunter2-Kp(x)",
];

#[test]
fn what_names_a_secret_stays_and_what_resembles_a_name_goes() {
    let rules = rules();
    for text in STAY {
        assert_eq!(redact(&rules, "db_password", text), *text);
    }
    for text in GO {
        assert_eq!(redact(&rules, "db_password", text), CRED, "{text}");
    }
}

/// Texts of which nothing goes.
const TEXTS: &[&str] = &[
    "token = boto3.client(\"sts\").get_session_token()",
    "const password = configuration.DB_PASSWORD;",
    "password = credentials(\"db-password\")",
    "\"payload\":{\"password\":$util.toJson($ctx.args.password)}",
    "login(username: String!, password: String!): AuthPayload",
    "message Login { string username = 1; string password = 2; }",
    "ALTER USER app WITH PASSWORD :'app_password';",
    ": \"${DB_PASSWORD:?must be set}\"",
    "kubectl create secret generic x --from-file=tls.key=./tls.key",
    "postgresql://<user>:<password>@<host>:5432/<database>",
    "postgres://USER:PASSWORD@HOST:5432/DB",
    "input[type=\"password\"]:focus { color: red; }",
    "read -s -p \"Password: \" PASS\nexport PGUSER=\"app\"",
    "ghcr.io/acme/external-secrets:7f04c49",
    "acme/vault-secret:v0.9.2",
    "http://token:9090/metrics",
    "-----BEGIN (RSA |EC )?PRIVATE KEY-----",
    "Passwort: siehe Tresor der Plattform",
    "Mot de passe : voir le coffre-fort",
    "docker login -u user -p $$NPM_TOKEN",
    "artifacts/exk4BUvVKMPSOIMjSDZ7/sso/saml",
];

#[test]
fn code_and_prose_about_secrets_stay() {
    let rules = rules();
    for text in TEXTS {
        assert_eq!(redact(&rules, "content", text), *text);
    }
    for (text, left) in [
        ("x \"password:\\\"hunter2-Kp\\\"\"", format!("x \"password:\\\"{CRED}\\\"\"")),
        ("echo \"password: hunter2-Kp\"", format!("echo \"password: {CRED}\"")),
        ("acme/password:hunter2-Kp", format!("acme/password:{CRED}")),
        ("postgres://USER:Winter-2024@HOST:5432/DB", format!("postgres://USER:{CRED}@HOST:5432/DB")),
    ] {
        assert_eq!(redact(&rules, "content", text), left);
    }
}

#[test]
fn details_of_a_secret_stay_and_the_secret_goes() {
    let rules = rules();
    for (text, left) in [
        (r#"{"password":{"end_date":"2026-01-01T00:00:00Z","value":"hunter2-Kp"}}"#, 1),
        (r#"{"refresh_token":{"rotation_type":"rotating","leeway":0,"token":"hunter2-Kp"}}"#, 1),
        (r#"{"private_key":{"algorithm":"ECDSA","size":256,"encoding":"PKCS8"}}"#, 0),
        (r#"{"password":{"type":"string","format":"password","minLength":12}}"#, 0),
        (r#"{"encryption_key":{"type":"KMS","material":"hunter2-Kp"}}"#, 1),
    ] {
        let got = redact(&rules, "body", text);
        assert_eq!(got.matches(CRED).count(), left, "{got}");
        assert!(!got.contains("hunter2"), "{got}");
    }
}
