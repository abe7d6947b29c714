//! Checks a token and tells who sent it.
//!
//! Must never answer before signature, algorithm, issuer, audience and dates were checked, all of them.

use jsonwebtoken::{DecodingKey, Validation};
use reqwest::Client;
use terrasift_schemas::{TenantId, TenantSlug};
use time::OffsetDateTime;

use crate::claims::{Claims, Header, unproven};
use crate::keys::{Keys, NoKey, may_be_read};
use crate::{Algorithm, Issuer, IssuerKind, Trust};

/// A token with a few claims has about one KiB.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Longest name of a sender that is kept: it stands in logs.
const SUBJECT_BYTES_MAX: usize = 256;
/// Types of tokens that name their issuer; RFC 9068 for the second.
const STANDARD_TYPES: [&str; 2] = ["JWT", "at+jwt"];
/// `tokenTypes.plugin.typParam` of `@backstage/plugin-auth-node`.
const BACKSTAGE_TYPE: &str = "vnd.backstage.plugin";

/// How dates are judged.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How far clocks may differ, in seconds.
    pub leeway_s: u32,
    /// Longest time from now to a token's end, in seconds.
    pub lifetime_max_s: u32,
}

/// Who sent a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For whom.
    pub tenant: TenantId,
    /// What the token calls the tenant; `None` where the issuer speaks for one tenant.
    pub slug: Option<TenantSlug>,
    /// The sender, for people: issuer and subject.
    pub subject: String,
    /// What it may do, as it stands in the token or the configuration.
    pub permissions: Vec<String>,
}

/// Why there is no identity. For logs and metrics, not for the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a token at all, or one that asks for what nobody here does.
    #[error("not a token that can be read here")]
    Malformed,
    /// No issuer of this name or kind is configured, or not for this algorithm.
    #[error("no configured issuer makes such tokens")]
    UnknownIssuer,
    /// The issuer has no such key.
    #[error("its issuer has no such key")]
    UnknownKey,
    /// The signature is not the key's, or the token is for somebody else.
    #[error("signature, issuer or audience do not fit")]
    NotProven,
    /// Too old, too young, or valid for too long.
    #[error("its dates do not fit")]
    Dates,
    /// Without a sender, or a tenant.
    #[error("sender or tenant are missing")]
    Incomplete,
    /// The issuer's keys cannot be read now.
    #[error("its issuer does not answer")]
    KeysUnavailable,
}

impl Refused {
    /// For labels.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::NotProven => "not_proven",
            Self::Dates => "dates",
            Self::Incomplete => "incomplete",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

struct Known {
    issuer: Issuer,
    keys: Keys,
}

/// Checks tokens of the configured issuers.
pub struct Verifier {
    issuers: Vec<Known>,
    limits: Limits,
    http: Client,
}

impl Verifier {
    /// `tls` is for the addresses of keys.
    ///
    /// # Errors
    /// A text for people: an address that is neither https nor a loopback one, or no HTTP client.
    pub fn new(issuers: Vec<Issuer>, limits: Limits, tls: rustls::ClientConfig) -> Result<Self, String> {
        if let Some(issuer) = issuers.iter().find(|issuer| !may_be_read(&issuer.keys)) {
            return Err(format!(
                "issuer {}: its keys have to be at an https address, or in a file",
                issuer.name
            ));
        }
        let http = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| "no HTTP client for the issuers' keys can be made".to_owned())?;
        let known = |issuer: Issuer| Known { keys: Keys::new(issuer.keys.clone()), issuer };
        Ok(Self { issuers: issuers.into_iter().map(known).collect(), limits, http })
    }

    /// Who sent `token`, at the time `now`.
    ///
    /// # Errors
    /// [`Refused`]; only `KeysUnavailable` may end otherwise when it is tried again.
    pub async fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Identity, Refused> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Malformed);
        }
        let (header, named) = unproven(token).ok_or(Refused::Malformed)?;
        let asks_too_much = header.crit.is_some() || header.b64.is_some() || header.zip.is_some();
        let id = header.kid.as_deref().filter(|_| !asks_too_much).ok_or(Refused::Malformed)?;
        let algorithm = Algorithm::of_name(&header.alg).ok_or(Refused::Malformed)?;
        let candidates = self.issuers.iter().filter(|known| {
            makes(&known.issuer, &header, named.iss.as_deref())
                && known.issuer.algorithms.contains(&algorithm)
        });
        let mut refused = Refused::UnknownIssuer;
        // Of several Backstage instances, the key tells which one it was.
        for known in candidates {
            match known.keys.find(&self.http, &known.issuer.name, id, algorithm).await {
                Ok(key) => return self.judge(&known.issuer, algorithm, &key, token, now),
                Err(NoKey::Unavailable) => refused = Refused::KeysUnavailable,
                Err(NoKey::Unknown) if refused == Refused::UnknownIssuer => refused = Refused::UnknownKey,
                Err(NoKey::Unknown) => {}
            }
        }
        Err(refused)
    }

    fn judge(
        &self,
        issuer: &Issuer,
        algorithm: Algorithm,
        key: &DecodingKey,
        token: &str,
        now: OffsetDateTime,
    ) -> Result<Identity, Refused> {
        let mut wanted = Validation::new(algorithm.into());
        wanted.set_audience(&[&issuer.audience]);
        let mut claims = vec!["exp", "aud", "sub"];
        if let IssuerKind::Standard { issuer } = &issuer.kind {
            wanted.set_issuer(&[issuer]);
            claims.push("iss");
        }
        wanted.set_required_spec_claims(&claims);
        // Dates are judged below, by a clock that is handed in.
        wanted.validate_exp = false;
        wanted.validate_nbf = false;
        let proven = jsonwebtoken::decode::<Claims>(token, key, &wanted).map_err(|_| Refused::NotProven)?;
        if !self.dates_fit(&proven.claims, now) {
            return Err(Refused::Dates);
        }
        identity(issuer, proven.claims)
    }

    fn dates_fit(&self, claims: &Claims, now: OffsetDateTime) -> bool {
        let leeway = f64::from(self.limits.leeway_s);
        let now = (now - OffsetDateTime::UNIX_EPOCH).as_seconds_f64();
        let begun = |date: Option<f64>| date.is_none_or(|date| date <= now + leeway);
        claims.exp > now - leeway
            && claims.exp <= now + f64::from(self.limits.lifetime_max_s) + leeway
            && begun(claims.nbf)
            && begun(claims.iat)
    }
}

/// Whether a token with this header, that names this issuer, may be of this one.
fn makes(issuer: &Issuer, header: &Header, named: Option<&str>) -> bool {
    let kind = header.typ.as_deref();
    match &issuer.kind {
        IssuerKind::Standard { issuer } => {
            named == Some(issuer)
                && kind.is_none_or(|kind| STANDARD_TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind)))
        }
        IssuerKind::Backstage => named.is_none() && kind == Some(BACKSTAGE_TYPE),
    }
}

fn identity(issuer: &Issuer, claims: Claims) -> Result<Identity, Refused> {
    if claims.sub.is_empty()
        || claims.sub.len() > SUBJECT_BYTES_MAX
        || claims.sub.chars().any(char::is_control)
    {
        return Err(Refused::Incomplete);
    }
    let subject = format!("{}: {}", issuer.name, claims.sub);
    match &issuer.trust {
        Trust::One { tenant, permissions } => {
            Ok(Identity { tenant: tenant.clone(), slug: None, subject, permissions: permissions.clone() })
        }
        Trust::All => {
            let tenant =
                claims.tenant_id.and_then(|id| TenantId::parse(&id).ok()).ok_or(Refused::Incomplete)?;
            let slug = claims
                .tenant_slug
                .and_then(|slug| TenantSlug::parse(&slug).ok())
                .ok_or(Refused::Incomplete)?;
            Ok(Identity { tenant, slug: Some(slug), subject, permissions: claims.permissions })
        }
    }
}
