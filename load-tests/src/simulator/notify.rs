//! Owns notifications: payloads (version 1 for runs and the verification, version 2 for assessments and auto-destroy), their
//! signature and their delivery. It must never sign with anything but HMAC-SHA512 over the exact bytes sent.

use super::bodies::timestamp;
use super::world::{NotificationConfiguration, Run};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha512;
use std::time::Duration;
use time::OffsetDateTime;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "X-TFE-Notification-Signature";
/// How long a delivery waits for its answer.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Lower-case hexadecimal HMAC-SHA512 of a body, 128 characters.
#[must_use]
pub fn sign(token: &str, body: &[u8]) -> String {
    // INVARIANT: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha512>::new_from_slice(token.as_bytes()).expect("any key length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// What came of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which configuration.
    pub configuration_id: String,
    /// The receiver's status; `None` when it did not answer.
    pub status: Option<u16>,
    /// The bytes that were sent, to replay them.
    pub body: Vec<u8>,
    /// The signature that was sent.
    pub signature: String,
}

impl Delivery {
    /// Whether the receiver took it.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Names that a payload carries.
pub(crate) struct Subject<'a> {
    pub(crate) origin: &'a str,
    pub(crate) organization: &'a str,
    pub(crate) workspace: &'a str,
    pub(crate) workspace_name: &'a str,
    pub(crate) user: &'a str,
}

pub(crate) fn run_payload(configuration: &str, subject: &Subject<'_>, run: &Run, trigger: &str) -> Value {
    let now = timestamp(OffsetDateTime::now_utc());
    json!({
        "payload_version": 1,
        "notification_configuration_id": configuration,
        "run_url": format!(
            "{}/app/{}/{}/runs/{}", subject.origin, subject.organization, subject.workspace_name, run.id
        ),
        "run_id": run.id,
        "run_message": run.message,
        "run_created_at": timestamp(run.created_at),
        "run_created_by": subject.user,
        "workspace_id": subject.workspace,
        "workspace_name": subject.workspace_name,
        "organization_name": subject.organization,
        "notifications": [{
            "message": message(trigger),
            "trigger": trigger,
            "run_status": run.status,
            "run_updated_at": now,
            "run_updated_by": subject.user,
        }],
    })
}

fn message(trigger: &str) -> &'static str {
    match trigger {
        "run:created" => "Run Created",
        "run:planning" => "Run Planning",
        "run:needs_attention" => "Run Needs Attention",
        "run:applying" => "Run Applying",
        "run:completed" => "Run Completed",
        "run:errored" => "Run Errored",
        _ => "Run Changed",
    }
}

pub(crate) fn verification_payload(configuration: &str, name: &str) -> Value {
    json!({
        "payload_version": 1,
        "notification_configuration_id": configuration,
        "run_url": null,
        "run_id": null,
        "run_message": null,
        "run_created_at": null,
        "run_created_by": null,
        "workspace_id": null,
        "workspace_name": null,
        "organization_name": null,
        "notifications": [{
            "message": format!("Verification of {name}"),
            "trigger": "verification",
            "run_status": null,
            "run_updated_at": null,
            "run_updated_by": null,
        }],
    })
}

/// Version 2: `assessment:…` tells two assessments and the workspace, `workspace:auto_destroy…` only names.
pub(crate) fn version_2_payload(configuration: &str, subject: &Subject<'_>, trigger: &str) -> Value {
    let now = timestamp(OffsetDateTime::now_utc());
    let scope = trigger.split(':').next().unwrap_or(trigger);
    let details = if scope == "assessment" {
        let result = |id: &str| {
            json!({
                "id": id,
                "url": format!("{}/api/v2/assessment-results/{id}", subject.origin),
                "succeeded": true,
                "drifted": trigger == "assessment:drifted",
                "all_checks_succeeded": true,
                "resources_drifted": 4,
                "resources_undrifted": 55,
                "checks_passed": 33,
                "checks_failed": 0,
                "checks_errored": 0,
                "checks_unknown": 0,
                "created_at": now,
            })
        };
        json!({
            "new_assessment_result": result("asmtres-vRVQxpqq64EA9V5a"),
            "prior_assessment_result": result("asmtres-A6zEbpGArqP74fdL"),
            "workspace_id": subject.workspace,
            "workspace_name": subject.workspace_name,
            "organization_name": subject.organization,
        })
    } else {
        json!({
            "auto_destroy_at": now,
            "run_created_at": null,
            "run_status": null,
            "run_external_id": null,
            "run_create_error_message": null,
            "trigger_type": if trigger.ends_with("reminder") { "reminder" } else { "results" },
            "workspace_name": subject.workspace_name,
            "organization_name": subject.organization,
        })
    };
    json!({
        "payload_version": "2",
        "notification_configuration_id": configuration,
        "notification_configuration_url":
            format!("{}/api/v2/notification-configurations/{configuration}", subject.origin),
        "trigger_scope": scope,
        "trigger": trigger,
        "message": "Workspace Notification",
        "details": details,
    })
}

/// Posts a payload to a configuration's URL. The record has the shape of `delivery-responses`.
pub(crate) async fn deliver(
    http: &reqwest::Client,
    configuration: &NotificationConfiguration,
    payload: &Value,
) -> (Delivery, Value) {
    let body = payload.to_string().into_bytes();
    let signature = configuration.token.as_deref().map(|token| sign(token, &body)).unwrap_or_default();
    let sent = http
        .post(&configuration.url)
        .timeout(DELIVERY_TIMEOUT)
        .header("Content-Type", "application/json")
        .header("User-Agent", "HCP Terraform Notification")
        .header(SIGNATURE_HEADER, &signature)
        .body(body.clone())
        .send()
        .await;
    let (status, text) = match sent {
        Ok(response) => {
            let status = response.status().as_u16();
            (Some(status), response.text().await.unwrap_or_default())
        }
        Err(_) => (None, "no answer".to_owned()),
    };
    let delivery = Delivery { configuration_id: configuration.id.clone(), status, body, signature };
    let record = json!({
        "url": configuration.url,
        "body": text.chars().take(200).collect::<String>(),
        "code": status.map(|status| status.to_string()),
        "headers": {},
        "sent-at": timestamp(OffsetDateTime::now_utc()),
        "successful": delivery.accepted().to_string(),
    });
    (delivery, record)
}
