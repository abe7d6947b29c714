//! Issuers of tokens and certificates of clients, from the configuration to what checks them.
//!
//! Must never grant a permission of an unknown name: what it was meant to be would be denied without a word.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use terrasift_http::{CertificateGrant, CertificateMark, Grant, Permission};
use terrasift_identity::{Algorithm, Issuer, IssuerKind, KeysAt, Limits, Trust, Verifier};
use terrasift_schemas::config::{Certificate, Identity, TokenAlgorithm, TokenIssuer, TokenKind};

/// What checks the tokens of the configured issuers; `None` without any.
///
/// # Errors
/// Names the place in the file and its mend.
pub fn verifier(identity: &Identity) -> anyhow::Result<Option<Arc<Verifier>>> {
    if identity.issuers.is_empty() {
        return Ok(None);
    }
    let issuers = identity
        .issuers
        .iter()
        .enumerate()
        .map(|(index, declared)| issuer(declared).with_context(|| format!("identity.issuers[{index}]")));
    let limits = Limits { leeway_s: identity.leeway_s, lifetime_max_s: identity.lifetime_max_s };
    let verifier =
        Verifier::new(issuers.collect::<anyhow::Result<_>>()?, limits, terrasift_terraform_cloud::tls())
            .map_err(anyhow::Error::msg)?;
    Ok(Some(Arc::new(verifier)))
}

/// Whose client certificates open the API.
///
/// # Errors
/// Names the place in the file and its mend.
pub fn certificates(identity: &Identity) -> anyhow::Result<Vec<CertificateGrant>> {
    let declared = identity.certificates.iter().enumerate();
    let grants = declared
        .map(|(index, declared)| grant(declared).with_context(|| format!("identity.certificates[{index}]")));
    grants.collect()
}

fn grant(declared: &Certificate) -> anyhow::Result<CertificateGrant> {
    all_known(&declared.permissions)?;
    let mark = match (declared.fingerprint_digits(), &declared.dns, &declared.uri) {
        (Some(digits), _, _) => {
            let mut fingerprint = [0; 32];
            hex::decode_to_slice(digits, &mut fingerprint).context("fingerprint: not 64 hex digits")?;
            CertificateMark::Fingerprint(fingerprint)
        }
        (None, Some(dns), _) => CertificateMark::Dns(dns.clone()),
        (None, None, Some(uri)) => CertificateMark::Uri(uri.clone()),
        (None, None, None) => bail!("fingerprint, dns or uri is missing"),
    };
    let (name, tenant) = (declared.name.clone(), declared.tenant.clone());
    Ok(CertificateGrant { name, mark, tenant, permissions: declared.permissions.clone() })
}

fn all_known(permissions: &[String]) -> anyhow::Result<()> {
    if permissions.iter().any(|permission| Grant::parse(permission).is_none()) {
        let known = Permission::ALL.map(Permission::name).join(", ");
        bail!(
            "permissions: each is one of {known}; those of the catalog with a namespace, too: catalog:read@acme"
        );
    }
    Ok(())
}

fn issuer(declared: &TokenIssuer) -> anyhow::Result<Issuer> {
    all_known(&declared.permissions)?;
    let keys = match (&declared.keys_url, &declared.keys_file) {
        (Some(url), _) => KeysAt::Url(url.parse().context("keys_url is not a URL")?),
        (None, Some(file)) => KeysAt::File(PathBuf::from(file)),
        (None, None) => bail!("keys_url or keys_file is missing"),
    };
    let kind = match declared.kind {
        TokenKind::Standard => IssuerKind::Standard { issuer: declared.issuer.clone().unwrap_or_default() },
        TokenKind::Backstage => IssuerKind::Backstage,
    };
    let algorithm = |algorithm: &TokenAlgorithm| match algorithm {
        TokenAlgorithm::EdDsa => Algorithm::EdDsa,
        TokenAlgorithm::Es256 => Algorithm::Es256,
        TokenAlgorithm::Rs256 => Algorithm::Rs256,
    };
    Ok(Issuer {
        name: declared.name.clone(),
        kind,
        audience: declared.audience.clone(),
        keys,
        algorithms: declared.algorithms.iter().map(algorithm).collect(),
        trust: match &declared.tenant {
            Some(tenant) => Trust::One { tenant: tenant.clone(), permissions: declared.permissions.clone() },
            None => Trust::All,
        },
    })
}
