//! Google Secret Manager, by Google's own client.
//!
//! Must never format what the client gives back: its `Debug` shows payloads. Must never use a payload whose checksum is absent or wrong.

use std::time::Duration;

use google_cloud_auth::credentials::{
    Builder as DefaultCredentials, Credentials, external_account, service_account, user_account,
};
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_secretmanager_v1::client::SecretManagerService;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::reference::GoogleName;
use crate::{SECRET_BYTES_MAX, SecretError, SecretErrorKind, SecretRef, local, transport};

/// The polynomial of `data_crc32c`.
const CRC32C: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// How to reach Secret Manager. Holds references, no value.
#[derive(Debug, Clone, Default)]
pub struct GoogleConfig {
    /// Instead of Google's own address, such as a private endpoint.
    pub endpoint: Option<Url>,
    /// Credentials in Google's JSON; absent: the application's default credentials (workload identity, metadata server).
    pub credentials: Option<SecretRef>,
}

/// A client, made when it is first needed.
pub(crate) struct Google {
    config: GoogleConfig,
    wait: Duration,
    service: Mutex<Option<SecretManagerService>>,
}

const AWAY: Refusal =
    (SecretErrorKind::Unavailable, "secret manager does not answer, or not in a way that is understood");
const NO_CREDENTIALS: Refusal = (
    SecretErrorKind::Refused,
    "secret manager does not know who we are: look at secrets.google.credentials, or at the workload's identity",
);

impl Google {
    pub(crate) fn new(config: GoogleConfig, wait: Duration) -> Result<Self, SecretError> {
        if config.endpoint.as_ref().is_some_and(|endpoint| !transport::is_safe(endpoint)) {
            return Err(SecretError::configuration(
                "secrets.google.endpoint: https://host; http only to this machine",
            ));
        }
        Ok(Self { config, wait, service: Mutex::default() })
    }

    /// Reads a version's payload.
    pub(crate) async fn read(&self, name: &GoogleName) -> Result<Zeroizing<String>, Refusal> {
        match tokio::time::timeout(self.wait, self.access(name)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(refusal)) => {
                if refusal == NO_CREDENTIALS {
                    // Credentials may have changed where they stand: the next call reads them anew.
                    *self.service.lock().await = None;
                }
                Err(refusal)
            }
            Err(_) => Err((SecretErrorKind::Unavailable, "secret manager does not answer in time")),
        }
    }

    async fn access(&self, name: &GoogleName) -> Result<Zeroizing<String>, Refusal> {
        let service = self.service().await?;
        let call = service.access_secret_version().set_name(name.resource());
        // The caller asks again in its own time.
        let answer = call.with_retry_policy(NeverRetry).with_attempt_timeout(self.wait).send().await;
        let payload = answer.map_err(|error| refusal(&error))?.payload.ok_or(AWAY)?;
        if u64::try_from(payload.data.len()).map_or(true, |length| length > SECRET_BYTES_MAX) {
            return Err((SecretErrorKind::BadValue, "the value is longer than 64 KiB"));
        }
        // Google computes it for each version that is added without one.
        if payload.data_crc32c != Some(i64::from(CRC32C.checksum(&payload.data))) {
            return Err((
                SecretErrorKind::BadValue,
                "the value's CRC32C is absent or wrong: it was damaged on its way",
            ));
        }
        let text = std::str::from_utf8(&payload.data)
            .map_err(|_| (SecretErrorKind::BadValue, "the value is not UTF-8 text"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    async fn service(&self) -> Result<SecretManagerService, Refusal> {
        let mut held = self.service.lock().await;
        if let Some(service) = &*held {
            return Ok(service.clone());
        }
        // Google's client builds its TLS from the provider of the process; where there is one already, that one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = SecretManagerService::builder().with_credentials(self.credentials()?);
        if let Some(endpoint) = &self.config.endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        let service = builder.build().await.map_err(|_| NO_CREDENTIALS)?;
        *held = Some(service.clone());
        Ok(service)
    }

    fn credentials(&self) -> Result<Credentials, Refusal> {
        let Some(reference) = &self.config.credentials else {
            return DefaultCredentials::default().build().map_err(|_| NO_CREDENTIALS);
        };
        let unreadable = "what secrets.google.credentials names cannot be read";
        let text = local::resolve(reference).map_err(|error| (error.kind(), unreadable))?;
        let not_google =
            (SecretErrorKind::BadValue, "secrets.google.credentials: not one of Google's JSON files");
        let json: Value = serde_json::from_str(text.expose()).map_err(|_| not_google)?;
        let built = match json.get("type").and_then(Value::as_str) {
            Some("service_account") => service_account::Builder::new(json).build(),
            Some("external_account") => external_account::Builder::new(json).build(),
            Some("authorized_user") => user_account::Builder::new(json).build(),
            _ => return Err(not_google),
        };
        built.map_err(|_| not_google)
    }
}

/// What a failure means. Its text may quote anything, so none of it is kept.
fn refusal(error: &Error) -> Refusal {
    if error.is_authentication() {
        return NO_CREDENTIALS;
    }
    match error.status().map(|status| status.code) {
        Some(Code::NotFound) => (SecretErrorKind::Missing, "secret manager has no such secret or version"),
        Some(Code::FailedPrecondition) => {
            (SecretErrorKind::Refused, "this version is disabled or destroyed: enable it, or add a version")
        }
        Some(Code::PermissionDenied) => (
            SecretErrorKind::Refused,
            "secret manager denies it: grant roles/secretmanager.secretAccessor on the secret",
        ),
        Some(Code::Unauthenticated) => NO_CREDENTIALS,
        _ => AWAY,
    }
}
