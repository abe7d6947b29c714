//! Reads the configuration: the commented default, over it the file, over it the environment.
//!
//! The one place that looks at environment variables. Must never repeat a value in an error.

use std::path::Path;

use anyhow::{Context, bail};
use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Serialized};
use terrasift_schemas::config::Config;
use terrasift_secrets::Secret;

use crate::secrets;

/// The commented file that holds the defaults.
pub const DEFAULT: &str = include_str!("terrasift.default.yaml");

/// Reads and checks a configuration.
///
/// # Errors
/// Every problem of the file at once, each with its place and its mend.
pub fn load(path: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let environment = Env::prefixed("TERRASIFT_").split("__").filter(|key| key.as_str().contains('.'));
    parse(&text, Some(environment))
        .with_context(|| format!("{} is not a valid configuration", path.display()))
}

/// The default configuration.
///
/// # Errors
/// Never, as a test holds.
pub fn defaults() -> anyhow::Result<Config> {
    parse("", None)
}

fn parse(text: &str, environment: Option<Env>) -> anyhow::Result<Config> {
    let mut figment =
        Figment::from(Serialized::defaults(yaml(DEFAULT)?)).merge(Serialized::defaults(yaml(text)?));
    if let Some(environment) = environment {
        figment = figment.merge(environment);
    }
    let config: Config = figment.extract().map_err(|error| anyhow::anyhow!("{}", explain(&error)))?;
    let problems = config.problems();
    if !problems.is_empty() {
        bail!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    Ok(config)
}

fn yaml(text: &str) -> anyhow::Result<serde_norway::Value> {
    let value: serde_norway::Value = serde_norway::from_str(text).map_err(|error| {
        // The parser's own message can quote the text.
        let place = error
            .location()
            .map_or(String::new(), |at| format!(" at line {}, column {}", at.line(), at.column()));
        anyhow::anyhow!("not valid YAML{place}")
    })?;
    Ok(match value {
        serde_norway::Value::Null => serde_norway::Value::Mapping(serde_norway::Mapping::new()),
        other => other,
    })
}

/// What is wrong and how to mend it, without the value that is wrong.
fn explain(errors: &figment::Error) -> String {
    let explained: Vec<String> = errors
        .clone()
        .into_iter()
        .map(|error| {
            let path = error.path.join(".");
            match &error.kind {
                Kind::UnknownField(field, known) => {
                    let nearest = nearest(field, known)
                        .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    let path = path.strip_suffix(field.as_str()).unwrap_or(&path).trim_end_matches('.');
                    let inside = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
                    format!("unknown key `{field}` in {inside}{nearest}")
                }
                Kind::UnknownVariant(_, known) => format!("`{path}`: not one of {}", known.join(", ")),
                Kind::MissingField(field) => format!("`{path}`: the key `{field}` is missing"),
                Kind::InvalidType(_, expected) => format!("`{path}`: expected {expected}"),
                Kind::InvalidValue(_, expected) => format!("`{path}`: expected {expected}"),
                Kind::InvalidLength(_, expected) => format!("`{path}`: expected {expected}"),
                // Messages of our own ids: they say what is expected and never the text.
                Kind::Message(message) => format!("`{path}`: {message}"),
                _ => format!("`{path}`: not valid here: compare with the commented default configuration"),
            }
        })
        .collect();
    explained.join("; ")
}

fn nearest<'a>(field: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(field, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(4) / 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A key of 32 bytes in hex.
///
/// # Errors
/// It is not 64 hex digits; names the place, never the value.
pub fn key(place: &str, text: &Secret) -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(text.expose().trim(), &mut key).map_err(|_| {
        anyhow::anyhow!("{place}: expected 64 hex digits; make one with `openssl rand -hex 32`")
    })?;
    Ok(key)
}

/// The key that signs checkpoints of the security audit, where there is one.
///
/// # Errors
/// As [`secrets::one`] and [`key`].
pub fn audit_signing(config: &Config) -> anyhow::Result<Option<[u8; 32]>> {
    const PLACE: &str = "keys.audit_signing";
    let reference = config.keys.audit_signing.as_ref();
    reference.map(|reference| key(PLACE, &secrets::one(config, PLACE, reference)?)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let error = parse(text, None).map(drop).expect_err(text);
        let message = format!("{error:#}");
        assert!(message.contains(expected), "{text}: {message}");
        assert!(!message.contains("hunter2"), "a value was repeated: {message}");
    }

    const TENANT: &str = "{id: acme, organizations: [acme], tokens: ['env:T']}";

    #[test]
    fn the_default_is_valid_and_an_empty_file_means_the_default() {
        assert!(parse(DEFAULT, None).is_ok());
        let config = parse("", None).expect("empty");
        assert_eq!(config.limits.user_requests_per_second, 30);
    }

    #[test]
    fn a_wrong_file_says_where_and_how_to_mend_it() {
        check("kafak: {}", "unknown key `kafak` in the file; did you mean `kafka`?");
        check("kafka: {bootstarp: hunter2}", "unknown key `bootstarp` in `kafka`; did you mean `bootstrap`?");
        check("kafka: {zzzzzzzz: hunter2}", "unknown key `zzzzzzzz` in `kafka`");
        check("roles: [api, hunter2]", "not one of api, worker, webhook");
        check("roles: []", "roles: empty");
        check("limits: {memory_mib: hunter2}", "`limits.memory_mib`: expected");
        check("limits: {memory_mib: 0}", "limits.memory_mib: too small");
        check("tenants: [{id: Hunter2, organizations: [], tokens: []}]", "not a valid tenant id");
        check(
            &format!("tenants: [{TENANT}, {TENANT}]"),
            "tenants[1].id: a tenant with this id is declared above",
        );
        check(
            "tenants: [{id: a, slug: b, organizations: [], tokens: ['env:T']}, {id: b, organizations: [], tokens: ['env:T']}]",
            "tenants[1].slug: a tenant with this slug is declared above",
        );
        check("tenants: [{id: a, organizations: [x], tokens: []}]", "tenants[0].tokens: empty");
        check("tenants: [{id: a, organisations: [x], tokens: ['env:T']}]", "did you mean `organizations`?");
        check("a: [", "not valid YAML at line");
    }

    #[test]
    fn a_kafka_that_would_not_be_as_safe_as_it_reads_is_refused() {
        check(
            "kafka: {security: {protocol: hunter2}}",
            "not one of plaintext, ssl, sasl_plaintext, sasl_ssl",
        );
        check("kafka: {security: {mechanism: hunter2}}", "not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512");
        check("kafka: {security: {protocol: sasl_ssl, username: a}}", "wants a username and a password");
        check("kafka: {security: {username: a, password: 'env:P'}}", "would not use the password");
        check("kafka: {security: {ca_file: /hunter2}}", "would not use the certificates");
        check("kafka: {security: {protocol: ssl, key: 'env:K'}}", "certificate_file and key belong together");
        check(
            "kafka: {properties: {sasl.password: hunter2}}",
            "kafka.properties.sasl.password: a secret in clear",
        );
        check("kafka: {drain_ms: 60001}", "kafka.drain_ms: more than a minute");
    }

    #[test]
    fn sources_that_could_not_be_asked_are_refused() {
        let vault =
            |fields: &str| format!("secrets: {{vault: {{address: 'https://hunter2:8200', {fields}}}}}");
        assert!(parse(&vault("token: 'env:T'"), None).is_ok());
        assert!(parse(&vault("kubernetes: {role: a}, kv_version: 1"), None).is_ok());
        assert!(parse(&vault("app_role: {role_id: a, secret_id: 'env:S'}"), None).is_ok());
        check(&vault(""), "secrets.vault: exactly one of");
        check(&vault("token: hunter2, kubernetes: {role: hunter2}"), "secrets.vault: exactly one of");
        check(&vault("token: 'env:T', kv_version: 3"), "secrets.vault.kv_version: not 1 or 2");
        check(&vault("tokne: hunter2"), "did you mean `token`?");
        check("secrets: {refresh_s: 4}", "secrets.refresh_s: not within");
        check("secrets: {overlap_s: 2592001}", "secrets.overlap_s: more than 30 days");
        let sources = |text: &str| {
            let error = secrets::sources(&parse(text, None).expect(text)).err().expect(text);
            format!("{error:#}")
        };
        let far = vault("token: 'vault:secret/hunter2#a'");
        assert!(sources(&far).starts_with("secrets.vault.token: what opens a source"), "{}", sources(&far));
        let clear = vault("token: 'env:T'").replace("https", "http");
        assert!(sources(&clear).starts_with("secrets.vault.address: https"), "{}", sources(&clear));
        let pasted = sources("secrets: {google: {credentials: hunter2}}");
        assert!(pasted.starts_with("secrets.google.credentials") && !pasted.contains("hunter2"), "{pasted}");
    }

    #[test]
    fn issuers_whose_tokens_could_not_be_judged_are_refused() {
        let issuer = |fields: &str| {
            format!("tenants: [{TENANT}]\nidentity: {{issuers: [{{name: a, audience: hunter2, {fields}}}]}}")
        };
        let good = "issuer: 'https://hunter2.example', keys_url: 'https://hunter2.example/keys'";
        assert!(parse(&issuer(good), None).is_ok());
        assert!(
            parse(
                &issuer("kind: backstage, keys_file: k, tenant: acme, permissions: ['catalog:read']"),
                None
            )
            .is_ok()
        );
        check(&issuer("keys_file: hunter2"), "identity.issuers[0].issuer: missing");
        check(&issuer("issuer: hunter2"), "identity.issuers[0].keys_url: exactly one");
        check(&issuer(&format!("{good}, keys_file: hunter2")), "identity.issuers[0].keys_url: exactly one");
        check(&issuer(&format!("{good}, algorithms: [HS256]")), "not one of EdDSA, ES256, RS256");
        check(&issuer(&format!("{good}, algorithms: []")), "identity.issuers[0].algorithms: empty");
        check(&issuer(&format!("{good}, tenant: hunter")), "identity.issuers[0].tenant: not declared");
        check(&issuer(&format!("{good}, tenant: acme")), "identity.issuers[0].permissions: empty");
        check(
            &issuer(&format!("{good}, permissions: [hunter2]")),
            "identity.issuers[0].permissions: without a tenant",
        );
        check(&issuer("kind: backstage, keys_file: k"), "identity.issuers[0].tenant: missing");
        check(
            &issuer(&format!("kind: backstage, {good}")),
            "identity.issuers[0].issuer: Backstage's tokens name no issuer",
        );
        check(
            &issuer(&format!("{good}}}, {{name: a, audience: b, {good}")),
            "identity.issuers[1].name: empty, above 64 bytes, or that of",
        );
        check("identity: {leeway_s: 301}", "identity.leeway_s: more than five minutes");
        check("identity: {lifetime_max_s: 86401}", "identity.lifetime_max_s: not within");
        check("identity: {isuers: []}", "did you mean `issuers`?");
    }

    #[test]
    fn doors_that_would_not_be_as_safe_as_they_read_are_refused() {
        let tls = "certificate_file: c, key: 'env:K'";
        check(
            &format!("http: {{tls: {{{tls}, client_certificates: required}}}}"),
            "http.tls.client_ca_file: missing",
        );
        check(
            &format!("http: {{tls: {{{tls}, client_certificates: hunter2}}}}"),
            "not one of optional, required",
        );
        check(&format!("http: {{tls: {{{tls}, reload_s: 0}}}}"), "http.tls.reload_s: not within");
        check("http: {tls: {certificate_file: hunter2}}", "the key `key` is missing");
        check(
            "http: {operations_listen: '127.0.0.1:8080'}",
            "http.operations_listen: the same as http.listen",
        );
        check("limits: {tenant_webhooks_per_hour: 0}", "limits.tenant_webhooks_per_hour: too small");
        check("limits: {tenant_webhooks_per_hour: 100001}", "limits.tenant_webhooks_per_hour: above 100000");
        check("http: {connections_max: 0}", "http.connections_max: too small");
        let with = |http: &str, fields: &str| {
            format!(
                "tenants: [{TENANT}]\nhttp: {{{http}}}\nidentity: {{certificates: [{{name: a, {fields}}}]}}"
            )
        };
        let asked = format!("tls: {{{tls}, client_ca_file: c}}");
        let good = "tenant: acme, permissions: ['catalog:read']";
        assert!(parse(&with(&asked, &format!("{good}, uri: 'spiffe://hunter2/x'")), None).is_ok());
        let digits = "aB:".repeat(31) + "ab";
        assert!(parse(&with(&asked, &format!("{good}, fingerprint: '{digits}'")), None).is_ok());
        check(
            &with("", &format!("{good}, dns: hunter2")),
            "identity.certificates: clients are asked for no certificate",
        );
        check(&with(&asked, good), "identity.certificates[0].fingerprint: exactly one");
        check(&with(&asked, &format!("{good}, dns: hunter2, uri: 'a:b'")), "fingerprint: exactly one");
        check(&with(&asked, &format!("{good}, fingerprint: hunter2")), "fingerprint: not 64 hex digits");
        check(&with(&asked, &format!("{good}, dns: '*.hunter2'")), "dns: not the name of a host");
        check(&with(&asked, &format!("{good}, uri: hunter2")), "uri: not a URI");
        check(&with(&asked, "tenant: hunter, permissions: [x], dns: a"), "tenant: not declared");
        check(&with(&asked, "tenant: acme, permissions: [], dns: a"), "permissions: empty");
        let twice = format!("{good}, dns: a.example}}, {{name: b, {good}, dns: A.example");
        check(&with(&asked, &twice), "identity.certificates[1].name: a certificate above");
    }

    #[test]
    fn a_missing_secret_names_its_place_and_reference_only() {
        let cases = [
            ("env:TERRASIFT_TEST_NO_SUCH_VARIABLE", "TERRASIFT_TEST_NO_SUCH_VARIABLE"),
            ("file:/no/such/file", "/no/such/file"),
            ("vault:x", "MOUNT/PATH#FIELD"),
            ("vault:secret/a#b", "secret vault:secret/a#b: no vault is configured"),
            ("hunter2", "never the value itself"),
        ];
        let config = defaults().expect("defaults");
        for (reference, expected) in cases {
            let error =
                secrets::one(&config, "tenants[0].tokens[0]", reference).map(drop).expect_err(reference);
            let message = format!("{error:#}");
            assert!(message.contains("tenants[0].tokens[0]") && message.contains(expected), "{message}");
            assert!(!message.contains("hunter2"), "a value was repeated: {message}");
        }
    }
}
