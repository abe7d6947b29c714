//! Owns what looks like a secret and is none: identifiers, digests, public halves, references, times, public addresses.
//! It must never hold something that opens a door or tells of a person.

use super::checks;
use super::format;
use super::leaf::Base64;
use crate::generator::checksums::luhn_digit;
use crate::generator::dice::{BASE64, DIGITS, Dice};

/// A kind of look-alike.
#[derive(Clone, Copy)]
pub(super) struct LookAlike {
    pub(super) name: &'static str,
    make: Make,
    /// Names under which it stands.
    pub(super) names: &'static [&'static str],
    /// It may also stand under a name that says nothing, and inside a sentence.
    pub(super) anywhere: bool,
}

#[derive(Clone, Copy)]
enum Make {
    Pattern(&'static str),
    Text(&'static str),
    Function(fn(&mut Dice) -> String),
}

impl LookAlike {
    pub(super) fn sample(&self, dice: &mut Dice) -> String {
        match self.make {
            Make::Pattern(pattern) => format::sample(dice, pattern).text,
            Make::Text(text) => text.to_owned(),
            Make::Function(make) => make(dice),
        }
    }
}

const fn free(name: &'static str, pattern: &'static str, names: &'static [&'static str]) -> LookAlike {
    LookAlike { name, make: Make::Pattern(pattern), names, anywhere: true }
}

const fn keyed(name: &'static str, pattern: &'static str, names: &'static [&'static str]) -> LookAlike {
    LookAlike { name, make: Make::Pattern(pattern), names, anywhere: false }
}

const fn text(name: &'static str, text: &'static str, names: &'static [&'static str]) -> LookAlike {
    LookAlike { name, make: Make::Text(text), names, anywhere: true }
}

const fn made(
    name: &'static str,
    make: fn(&mut Dice) -> String,
    names: &'static [&'static str],
) -> LookAlike {
    LookAlike { name, make: Make::Function(make), names, anywhere: true }
}

pub(super) const LOOK_ALIKES: &[LookAlike] = &[
    free("arn-role", "arn:aws:iam::{dig:12}:role/{word}-{hex:6}", &["role_arn", "arn"]),
    free("arn-key", "arn:aws:kms:eu-west-1:{dig:12}:key/{uuid}", &["kms_key_arn", "kms_key_id"]),
    free(
        "arn-secret",
        "arn:aws:secretsmanager:eu-west-1:{dig:12}:secret:prod/{word}-{b62:6}",
        &["secret_arn", "password_secret_arn"],
    ),
    free(
        "arn-load-balancer",
        "arn:aws:elasticloadbalancing:us-east-1:{dig:12}:loadbalancer/app/{word}/{hex:16}",
        &["load_balancer_arn"],
    ),
    free("uuid", "{uuid}", &["id", "tenant_id", "subscription_id", "request_id"]),
    free("uuid-upper", "{UUID}", &["object_id", "correlation_id"]),
    free("md5", "{hex:32}", &["md5", "checksum", "content_md5_hex"]),
    free("sha1", "{hex:40}", &["sha1", "commit", "commit_sha"]),
    free("sha256", "{hex:64}", &["sha256", "content_sha256", "digest", "user_data_hash"]),
    free("sha512", "{hex:128}", &["sha512", "checksum_sha512"]),
    keyed("sha256-base64", "{b64:42}E=", &["source_code_hash", "code_sha256", "content_base64sha256"]),
    keyed("md5-base64", "{b64:21}A==", &["md5_hash", "content_md5"]),
    keyed("sha512-base64", "{b64:85}Q==", &["content_base64sha512", "sha512_hash"]),
    free("integrity", "sha512-{b64:85}Q==", &["integrity"]),
    free("etag", "\"{hex:32}\"", &["etag"]),
    free("etag-parts", "{hex:32}-{dig:1}2", &["etag", "multipart_etag"]),
    keyed("etag-weak", "W/\"{b64u:27}\"", &["etag"]),
    keyed("fingerprint-short", "{b64u:11}=", &["fingerprint", "label_fingerprint", "metadata_fingerprint"]),
    free("git-sha", "{hex:40}", &["git_sha", "revision", "source_version"]),
    free("git-describe", "v{dig:1}.{dig:2}.{dig:1}-{dig:2}-g{hex:7}", &["release", "build_version"]),
    free("git-ref", "refs/heads/feature/{word}-{dig:4}", &["ref", "branch"]),
    free("git-ssh-address", "git@github.com:acme-{word}/{word}.git", &["repository", "git_url"]),
    free("module-source", "git::https://github.com/acme/{word}.git?ref=v{dig:1}.{dig:1}.0", &["source"]),
    free("ami", "ami-0{hex:16}", &["ami", "image_id"]),
    free("instance-id", "i-0{hex:16}", &["instance_id", "id"]),
    free("vpc-id", "vpc-0{hex:16}", &["vpc_id"]),
    free("subnet-id", "subnet-0{hex:16}", &["subnet_id"]),
    free("security-group-id", "sg-0{hex:16}", &["security_group_id"]),
    free("allocation-id", "eipalloc-0{hex:16}", &["allocation_id"]),
    free("aws-role-id", "AROA{b32:17}", &["unique_id", "role_id"]),
    free("aws-user-id", "AIDA{b32:17}", &["user_id", "principal_id"]),
    free("hosted-zone", "Z0{up:19}", &["zone_id", "hosted_zone_id"]),
    free("distribution-id", "E{up:13}", &["distribution_id"]),
    free("canonical-user", "{hex:64}", &["canonical_user_id", "owner_id"]),
    free("image-digest", "registry.prod.internal/{word}@sha256:{hex:64}", &["image", "image_uri"]),
    free(
        "image-tag",
        "ghcr.io/acme/{word}:{dig:1}.{dig:2}.{dig:1}-alpine3.20",
        &["image", "container_image"],
    ),
    free(
        "self-link",
        "https://www.googleapis.com/compute/v1/projects/{word}-{dig:6}/zones/europe-west1-b/instances/{word}",
        &["self_link"],
    ),
    free(
        "azure-id",
        "/subscriptions/{uuid}/resourceGroups/{word}/providers/Microsoft.Network/virtualNetworks/{word}",
        &["id", "resource_id"],
    ),
    free(
        "azure-vault-id",
        "https://{word}-{hex:4}.vault.azure.net/secrets/{word}/{hex:32}",
        &["key_vault_secret_id", "secret_id"],
    ),
    free("oauth-client-id", "{dig:12}-{low:32}.apps.googleusercontent.com", &["client_id"]),
    free("kubernetes-pod", "{word}-{hex:10}-x2k4q", &["pod_name", "name"]),
    free(
        "kubernetes-account",
        "system:serviceaccount:{word}:{word}-runner",
        &["subject", "service_account_name"],
    ),
    free("kubernetes-label", "app.kubernetes.io/instance={word}-{hex:5}", &["selector"]),
    free(
        "ssh-public-ed25519",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b64:43} ops",
        &["public_key", "ssh_public_key"],
    ),
    free(
        "ssh-public-rsa",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{b64:343}== deploy",
        &["public_key_openssh", "ssh_authorized_key"],
    ),
    free("ssh-fingerprint", "SHA256:{b64:43}", &["public_key_fingerprint_sha256", "host_key_fingerprint"]),
    free(
        "md5-fingerprint",
        "{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}",
        &["public_key_fingerprint_md5"],
    ),
    made(
        "public-key-pem",
        |dice| pem(dice, "PUBLIC KEY", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA", 392),
        &["public_key_pem"],
    ),
    made(
        "certificate",
        |dice| pem(dice, "CERTIFICATE", "MIIDdzCCAl+gAwIBAgIE", 1180),
        &["certificate_pem", "ca_cert", "cluster_ca_certificate"],
    ),
    made(
        "certificate-request",
        |dice| pem(dice, "CERTIFICATE REQUEST", "MIICvDCCAaQCAQAwdzEL", 900),
        &["cert_request_pem"],
    ),
    made(
        "certificate-base64",
        |dice| {
            let text = pem(dice, "CERTIFICATE", "MIIDdzCCAl+gAwIBAgIE", 700);
            Base64::Standard.encode(text.as_bytes())
        },
        &["certificate_authority_data", "cluster_ca_certificate"],
    ),
    free("age-recipient", "age1{bechlow:58}", &["recipient"]),
    keyed("wireguard-public-key", "{b64:42}E=", &["public_key", "peer_public_key"]),
    text(
        "policy",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\"],\"Resource\":\"arn:aws:s3:::x/*\"}]}",
        &["policy", "assume_role_policy"],
    ),
    free(
        "semantic-version",
        "{dig:1}.{dig:2}.{dig:1}-rc.{dig:1}+build.{dig:4}",
        &["version", "chart_version"],
    ),
    keyed("four-part-version", "10.{dig:1}.{dig:2}.{dig:1}", &["engine_version_actual", "platform_version"]),
    free("version-constraint", "~> {dig:1}.{dig:2}", &["version_constraint", "required_version"]),
    free("go-pseudo-version", "v0.0.0-20240{d1:1}11{dig:6}-{hex:12}", &["module_version"]),
    free("timestamp", "2025-0{d1:1}-1{dig:1}T08:{dig:1}0:12.{dig:3}Z", &["created_at", "last_modified"]),
    free("epoch", "17{dig:8}", &["created_time", "epoch"]),
    free("epoch-milliseconds", "17{dig:11}", &["timestamp_ms"]),
    made(
        "account-id",
        |dice| format!("{}{}", dice.between(1, 9), dice.text(DIGITS, 11)),
        &["account_id", "owner_account_id"],
    ),
    made("order-number", |dice| failing_luhn(dice, "4", 15), &["order_number", "invoice_id"]),
    made(
        "project-number",
        |dice| format!("{}{}", dice.between(1, 9), dice.text(DIGITS, 11)),
        &["project_number"],
    ),
    made(
        "iban-shape",
        |dice| {
            let account = dice.text(DIGITS, 18);
            let right = 98 - crate::generator::checksums::iban_remainder("DE", 0, &account);
            format!("DE{}{account}", if right == 50 { 51 } else { 50 })
        },
        &["part_number", "serial"],
    ),
    made("public-ipv4", public_v4, &["public_ip", "ip_address", "nat_ip"]),
    made("public-cidr", |dice| format!("{}/24", public_v4(dice)), &["cidr_block", "source_range"]),
    free("documentation-ip", "203.0.113.{d1:2}", &["public_ip"]),
    free("public-ipv6", "2600:1f18:{hex:4}:{hex:4}::{hex:4}", &["ipv6_address"]),
    free("any-cidr", "0.0.0.0/0", &["cidr"]),
    free("database-host", "{word}.c{low:11}.eu-west-1.rds.amazonaws.com", &["endpoint", "address"]),
    free("service-host", "{word}-{hex:8}.{word}.svc.cluster.local", &["hostname", "service_name"]),
    free("url", "https://{word}.example.com/v1/{word}?page=2&version={dig:1}", &["url", "endpoint_url"]),
    free(
        "database-url-without-password",
        "postgres://{host}:5432/{word}?sslmode=require",
        &["jdbc_host", "database_url"],
    ),
    free("path", "/etc/ssl/private/{word}-{hex:6}.pem", &["private_key_path", "file_path", "filename"]),
    free("windows-path", "C:\\Program Files\\{word}\\{word}.exe", &["path"]),
    free("s3-address", "s3://{word}-artifacts/{word}/{hex:8}/bundle.zip", &["s3_uri", "artifact"]),
    free("cron", "*/5 {dig:1} * * 1-5", &["schedule", "cron_expression"]),
    free("schedule", "cron(0 {dig:1} ? * MON-FRI *)", &["schedule_expression"]),
    free("locale", "de_DE.UTF-8", &["locale", "lang"]),
    free("media-type", "application/vnd.{word}.v{dig:1}+json; charset=utf-8", &["content_type"]),
    made(
        "base64-settings",
        |dice| {
            let text = format!(
                "{{\"region\":\"eu-west-1\",\"replicas\":{},\"name\":\"{}\"}}",
                dice.below(9),
                format::word(dice)
            );
            Base64::Standard.encode(text.as_bytes())
        },
        &["config_base64", "metadata"],
    ),
    made(
        "base64-script",
        |dice| {
            let text = format!("#!/bin/sh\nset -eu\nsystemctl restart {}\necho done\n", format::word(dice));
            Base64::Standard.encode(text.as_bytes())
        },
        &["user_data_base64", "startup_script"],
    ),
    made(
        "gzip-script",
        |dice| {
            let text =
                format!("#!/bin/sh\napt-get update\napt-get install -y nginx\necho {}\n", format::word(dice));
            Base64::Standard.encode(&super::leaf::gzip(text.as_bytes()))
        },
        &["user_data_base64"],
    ),
    free("ulid", "01J{crock:23}", &["run_ulid", "event_id"]),
    free("workspace-id", "ws-{b62:16}", &["workspace_id"]),
    free("run-id", "run-{b62:16}", &["run_id"]),
    free("user-pool", "eu-west-1_{b62:9}", &["user_pool_id"]),
    free("analytics-id", "G-{up:10}", &["measurement_id"]),
    free("slack-channel", "C0{up:9}", &["channel_id", "slack_channel"]),
    free("publishable-key", "pk_live_51{b62:97}", &["stripe_publishable_key"]),
    free("node-id", "R_kgDO{b64u:6}", &["node_id"]),
    free("firebase-app", "1:{dig:12}:web:{hex:22}", &["app_id"]),
    free("reference-vault", "vault:secret/data/{word}#password", &["secret_ref", "password_ref"]),
    text("reference-env", "${DB_PASSWORD}", &["connection_template"]),
    free("reference-ssm", "/prod/{word}/db/password", &["password_parameter_name", "secret_name"]),
    text("reference-helm", "{{ .Values.auth.existingSecret }}", &["template"]),
    free(
        "reference-kubernetes",
        "{word}-credentials",
        &["secret_name", "existing_secret", "credentials_secret_name"],
    ),
    keyed("token-type", "bearer", &["token_type"]),
    keyed("key-algorithm", "RSA_{dig:4}", &["key_algorithm", "key_spec", "signing_algorithm"]),
    keyed("password-policy", "at least {d1:2} characters, one digit", &["password_policy", "password_rules"]),
    keyed("key-name", "{word}-deployer", &["key_name", "key_pair_name"]),
    keyed("token-url", "https://{word}.example.com/oauth2/token", &["token_endpoint", "token_url"]),
    free("action", "actions/checkout@v{dig:1}", &["uses"]),
    free("package", "@acme/{word}@{dig:1}.{dig:2}.{dig:1}", &["package"]),
    free("terraform-address", "module.{word}[\"blue\"].aws_instance.{word}[0]", &["address"]),
    free("provider", "provider[\"registry.terraform.io/hashicorp/aws\"].{word}", &["provider_config"]),
    free("regular-expression", "^[a-z0-9]([-a-z0-9]{dig:0}*[a-z0-9])?$", &["pattern", "validation_regex"]),
    free(
        "query",
        "SELECT id, status FROM {word} WHERE updated_at > now() - interval '1 day'",
        &["query", "statement"],
    ),
    free(
        "sentence",
        "Rolls {word} out to the {word} cluster every weekday at nine",
        &["description", "comment"],
    ),
    free(
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/1{dig:2}.0.0.0",
        &["user_agent"],
    ),
    free(
        "serial-number",
        "{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}",
        &["serial_number"],
    ),
    made(
        "jwk-public",
        |dice| {
            let made = format::sample(dice, "{b64u:43} {b64u:43}").text;
            let (x, y) = made.split_once(' ').unwrap_or_default();
            format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{x}\",\"y\":\"{y}\",\"kid\":\"k1\"}}")
        },
        &["jwk", "public_jwk"],
    ),
    made(
        "tax-id-shape",
        |dice| {
            let body = format!("{}{}", dice.between(1, 9), dice.text(DIGITS, 9));
            format!("{body}{}", (checks::mod_11_10(&body) + 3) % 10)
        },
        &["ticket_number", "sequence_number"],
    ),
    free("part-number", "{d1:1}{dig:2}-{dig:4}-{dig:2}", &["part_number", "article"]),
    free("queue-url", "https://sqs.eu-west-1.amazonaws.com/{dig:12}/{word}", &["queue_url", "url"]),
    free("log-group", "/aws/lambda/{word}-{hex:8}", &["log_group_name"]),
    free("stack-id", "arn:aws:cloudformation:eu-west-1:{dig:12}:stack/{word}/{uuid}", &["stack_id"]),
    keyed("vault-address", "op://prod/{word}/password", &["db_password", "api_key", "client_secret"]),
    keyed("vault-path", "vault:secret/data/{word}#password", &["db_password", "auth_token"]),
    keyed("secret-resource", "projects/acme-{dig:6}/secrets/{word}/versions/latest", &["secret", "password"]),
    keyed("crypto-key", "projects/acme/locations/eu/keyRings/{word}/cryptoKeys/app", &["encryption_key"]),
    keyed("variable-name", "DB_PASSWORD", &["password_env", "secret_env", "password_env_var"]),
    keyed("unique-id", "terraform-2025{dig:18}", &["client_token", "creation_token"]),
    free("okta-app", "https://acme.okta.com/app/{word}/exk{b62:17}/sso/saml", &["sso_url", "metadata_url"]),
    free("object-of-revision", "artifacts/{hex:40}/bundle.tar.gz", &["key", "object_key"]),
    free("image-of-secrets", "ghcr.io/acme/external-secrets:{hex:6}f", &["image"]),
    text(
        "schema-of-password",
        r#"{"password":{"type":"string","format":"password","minLength":12}}"#,
        &["body", "schema"],
    ),
    made(
        "password-dates",
        |dice| {
            let made = format::sample(dice, "2026-0{d1:1}-11T10:{dig:1}2:33Z {word}").text;
            let (date, word) = made.split_once(' ').unwrap_or_default();
            format!("{{\"password\":{{\"end_date\":\"{date}\",\"display_name\":\"{word}\"}}}}")
        },
        &["content"],
    ),
    text("key-of-issuer", r#"{"privateKey":{"algorithm":"ECDSA","size":256,"encoding":"PKCS8"}}"#, &["spec"]),
    text("selector", "input[type=\"password\"]:focus { outline: none; }", &["css"]),
    text("call", "token = boto3.client(\"sts\").get_session_token()", &["script"]),
    text("psql-variable", "ALTER USER app WITH PASSWORD :'app_password';", &["sql"]),
];

fn pem(dice: &mut Dice, label: &str, head: &str, length: usize) -> String {
    let body = format!("{head}{}=", dice.text(BASE64, length - head.len() - 1));
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// As long as a card's number, with a wrong last digit.
fn failing_luhn(dice: &mut Dice, head: &str, count: usize) -> String {
    let body = format!("{head}{}", dice.text(DIGITS, count - head.len()));
    format!("{body}{}", (luhn_digit(&body) + 1 + dice.below(9)) % 10)
}

/// Global unicast outside of every special range.
fn public_v4(dice: &mut Dice) -> String {
    let first = *dice.pick(&[3, 8, 13, 18, 34, 35, 52, 54, 63, 99, 104, 140]);
    format!("{first}.{}.{}.{}", dice.between(1, 254), dice.between(1, 254), dice.between(1, 254))
}
