//! Owns the list of secret formats that the generator can plant, made from the formats' own documentation.
//! It must never be derived from Terrasift's rules, or a missing rule would hide itself.

pub mod checksums;
mod connections;
mod keys;
mod personal;
mod tokens;

use super::canary::Category;
use super::dice::Dice;

/// A secret with the text that it stands in.
pub(crate) struct Made {
    /// What is written, for example a whole connection string.
    pub(crate) text: String,
    /// The secret spans in `text`; the first is the main one, further ones are told apart by a leak search as well.
    pub(crate) spans: Vec<(usize, usize)>,
}

impl Made {
    /// The whole text is secret.
    pub(crate) fn whole(text: String) -> Self {
        let end = text.len();
        Self { text, spans: vec![(0, end)] }
    }

    /// Only `secret` between `before` and `after` is.
    pub(crate) fn inside(before: &str, secret: &str, after: &str) -> Self {
        let start = before.len();
        Self { text: format!("{before}{secret}{after}"), spans: vec![(start, start + secret.len())] }
    }
}

/// Where a format may be planted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recognition {
    /// The text alone gives it away: any key, inside any text.
    Format,
    /// Only its key, its mark or its taint does.
    Key,
}

/// A secret format.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) category: Category,
    pub(crate) recognition: Recognition,
    pub(crate) make: fn(&mut Dice) -> Made,
}

const fn credential(name: &'static str, recognition: Recognition, make: fn(&mut Dice) -> Made) -> Family {
    Family { name, category: Category::Credential, recognition, make }
}

const fn pii(name: &'static str, recognition: Recognition, make: fn(&mut Dice) -> Made) -> Family {
    Family { name, category: Category::Pii, recognition, make }
}

use Recognition::{Format, Key};

/// Every format. The order is part of the determinism.
pub(crate) const FAMILIES: &[Family] = &[
    credential("aws-access-key-id", Format, tokens::aws_access_key_id),
    credential("aws-secret-access-key", Key, tokens::aws_secret_access_key),
    credential("github-classic-token", Format, tokens::github_classic),
    credential("github-oauth-token", Format, tokens::github_oauth),
    credential("github-app-token", Format, tokens::github_app),
    credential("github-fine-grained-token", Format, tokens::github_fine_grained),
    credential("gitlab-token", Format, tokens::gitlab),
    credential("slack-bot-token", Format, tokens::slack_bot),
    credential("slack-webhook", Format, tokens::slack_webhook),
    credential("stripe-live-key", Format, tokens::stripe),
    credential("sendgrid-key", Format, tokens::sendgrid),
    credential("twilio-api-key", Format, tokens::twilio),
    credential("npm-token", Format, tokens::npm),
    credential("pypi-token", Format, tokens::pypi),
    credential("google-api-key", Format, tokens::google_api),
    credential("azure-client-secret", Format, tokens::azure_client_secret),
    credential("azure-storage-key", Key, tokens::azure_storage_key),
    credential("digitalocean-token", Format, tokens::digitalocean),
    credential("datadog-api-key", Key, tokens::hex32),
    credential("datadog-app-key", Key, tokens::hex40),
    credential("new-relic-key", Format, tokens::new_relic),
    credential("pagerduty-key", Key, tokens::pagerduty),
    credential("vault-token", Format, tokens::vault),
    credential("terraform-cloud-token", Format, tokens::terraform_cloud),
    credential("doppler-token", Format, tokens::doppler),
    credential("consul-token", Key, tokens::consul),
    credential("shopify-token", Format, tokens::shopify),
    credential("square-secret", Format, tokens::square),
    credential("mailgun-key", Format, tokens::mailgun),
    credential("telegram-bot-token", Format, tokens::telegram),
    credential("discord-bot-token", Key, tokens::discord),
    credential("openai-key", Format, tokens::openai),
    credential("anthropic-key", Format, tokens::anthropic),
    credential("hugging-face-token", Format, tokens::hugging_face),
    credential("databricks-token", Format, tokens::databricks),
    credential("grafana-service-token", Format, tokens::grafana),
    credential("sentry-org-token", Format, tokens::sentry),
    credential("linear-key", Format, tokens::linear),
    credential("atlassian-token", Format, tokens::atlassian),
    credential("jwt", Format, keys::jwt),
    credential("password", Key, tokens::password),
    credential("token", Key, tokens::opaque),
    credential("bcrypt-hash", Key, tokens::bcrypt),
    credential("private-key-rsa", Format, keys::rsa),
    credential("private-key-ec", Format, keys::ec),
    credential("private-key-openssh", Format, keys::openssh),
    credential("private-key-pkcs8", Format, keys::pkcs8),
    credential("gcp-service-account", Format, keys::service_account),
    credential("azure-storage-connection", Format, connections::azure_storage),
    credential("postgres-url", Format, connections::postgres),
    credential("mysql-url", Format, connections::mysql),
    credential("mongodb-url", Format, connections::mongodb),
    credential("redis-url", Format, connections::redis),
    credential("amqp-url", Format, connections::amqp),
    credential("jdbc-url", Format, connections::jdbc),
    credential("sql-server-connection", Format, connections::sql_server),
    credential("basic-auth-url", Format, connections::basic_auth),
    credential("query-token", Format, connections::query_token),
    pii("email", Format, personal::email),
    pii("us-ssn", Format, personal::us_ssn),
    pii("iban", Format, personal::iban),
    pii("payment-card", Format, personal::payment_card),
    pii("phone", Format, personal::phone),
    pii("bank-account", Key, personal::bank_account),
    pii("person-name", Key, personal::person_name),
    pii("given-name", Key, personal::given_name),
    pii("family-name", Key, personal::family_name),
    pii("street-address", Key, personal::street_address),
];

/// The formats that need no key, for `<!any>`: short credentials that fit a line of any text.
pub(crate) fn is_any(family: &Family) -> bool {
    family.recognition == Format
        && family.category == Category::Credential
        && !family.name.starts_with("private-key")
        && !family.name.ends_with("-url")
        && !family.name.ends_with("-connection")
        && !matches!(family.name, "gcp-service-account" | "query-token")
}
