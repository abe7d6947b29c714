//! What a Terraform Cloud notification means, as a pure function of its signed body.
//!
//! Payload shapes: <https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations>.
//! Parsing is open: unknown triggers, unknown members, wrong types, nulls and repeated keys are tolerated (the last
//! one counts), because a 4xx makes Terraform Cloud drop what it could have told. Must never believe the
//! organization or workspace *names* in a payload: the tenant is the one whose secret signed it.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use terrasift_schemas::{RunId, WorkspaceId};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Most notifications in one payload. Terraform Cloud sends one; the bound keeps a body of 1 MiB from being work.
pub const NOTIFICATIONS_MAX: usize = 100;

/// A delivery, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What to do.
    pub meaning: Meaning,
    /// What makes two deliveries the same one: SHA-256 over configuration, run, triggers, times and the body.
    pub digest: [u8; 32],
}

/// What a delivery asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The ping when a configuration is enabled: answer 2xx, or it cannot be saved.
    Verification,
    /// A state may have changed.
    StateChanged {
        /// The workspace to look at.
        workspace: WorkspaceId,
        /// The run that did it, where the payload names one.
        run: Option<RunId>,
        /// When, where the payload tells.
        time: Option<OffsetDateTime>,
    },
    /// Nothing that concerns a state.
    Ignored(Why),
}

/// Why a delivery is accepted and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No trigger that changes a state.
    Trigger,
    /// A trigger that changes a state, without a workspace id to look at.
    NoWorkspace,
}

/// Why a signed body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Not a JSON object, or nested deeper than 128.
    NotAnObject,
    /// More than [`NOTIFICATIONS_MAX`].
    TooMany,
}

/// Understands a signed body.
///
/// # Errors
/// [`Unreadable`] when it is no JSON object, or holds too many notifications.
pub fn read_delivery(body: &[u8]) -> Result<Delivery, Unreadable> {
    let Ok(Value::Object(payload)) = serde_json::from_slice::<Value>(body) else {
        return Err(Unreadable::NotAnObject);
    };
    let notices = notices(&payload)?;
    Ok(Delivery { meaning: meaning(&payload, &notices), digest: digest(&payload, &notices, body) })
}

/// One entry of v1's `notifications[]`, or the whole of a v2 payload.
struct Notice<'a> {
    trigger: &'a str,
    status: &'a str,
    time: &'a str,
}

fn notices(payload: &Map<String, Value>) -> Result<Vec<Notice<'_>>, Unreadable> {
    match payload.get("notifications") {
        Some(Value::Array(entries)) if entries.len() > NOTIFICATIONS_MAX => Err(Unreadable::TooMany),
        Some(Value::Array(entries)) => Ok(entries
            .iter()
            .filter_map(Value::as_object)
            .map(|entry| Notice {
                trigger: text(entry, "trigger"),
                status: text(entry, "run_status"),
                time: text(entry, "run_updated_at"),
            })
            .collect()),
        _ => {
            let details = details(payload);
            let status = details.map_or("", |details| text(details, "run_status"));
            Ok(vec![Notice { trigger: text(payload, "trigger"), status, time: "" }])
        }
    }
}

fn meaning(payload: &Map<String, Value>, notices: &[Notice<'_>]) -> Meaning {
    // `planned_and_finished` and every other status of `run:completed` changed no state.
    let applied = |n: &&Notice<'_>| n.trigger == "run:completed" && n.status == "applied";
    // A deleted workspace has no state to read: the engine looks, finds it gone, and decides.
    let deleted = |n: &&Notice<'_>| n.trigger == "workspace:deleted";
    let changing: Vec<_> = notices.iter().filter(|n| applied(n) || deleted(n)).collect();
    if changing.is_empty() {
        let ping = !notices.is_empty() && notices.iter().all(|n| n.trigger == "verification");
        return if ping { Meaning::Verification } else { Meaning::Ignored(Why::Trigger) };
    }
    let id = |name| match text(payload, name) {
        "" => details(payload).map_or("", |details| text(details, name)),
        id => id,
    };
    let Ok(workspace) = WorkspaceId::parse(id("workspace_id")) else {
        return Meaning::Ignored(Why::NoWorkspace);
    };
    // One payload tells of one run of one workspace: its newest notification is the one event.
    let time = changing.iter().filter_map(|n| OffsetDateTime::parse(n.time, &Rfc3339).ok()).max();
    Meaning::StateChanged { workspace, run: RunId::parse(id("run_id")).ok(), time }
}

fn details(payload: &Map<String, Value>) -> Option<&Map<String, Value>> {
    payload.get("details").and_then(Value::as_object)
}

/// The text member, or empty when it is absent, null or of another type.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn digest(payload: &Map<String, Value>, notices: &[Notice<'_>], body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        // Lengths keep neighbours apart: ("ab", "c") is not ("a", "bc").
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    part(text(payload, "notification_configuration_id").as_bytes());
    part(text(payload, "run_id").as_bytes());
    for notice in notices {
        part(notice.trigger.as_bytes());
        part(notice.time.as_bytes());
    }
    part(&Sha256::digest(body));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn v1(notifications: &Value) -> Value {
        json!({"payload_version": 1, "notification_configuration_id": "nc-1", "run_id": "run-A", "workspace_id": "ws-A",
            "workspace_name": "w", "organization_name": "o", "notifications": notifications})
    }

    fn notice(trigger: &str, status: &str) -> Value {
        json!({"message": "m", "trigger": trigger, "run_status": status, "run_updated_at": "2026-01-02T03:04:05Z"})
    }

    fn v2(trigger: &str, details: &Value) -> Value {
        json!({"payload_version": "2", "notification_configuration_id": "nc-1", "trigger_scope": "workspace",
            "trigger": trigger, "details": details})
    }

    fn changed(run: Option<&str>, time: Option<&str>) -> Meaning {
        Meaning::StateChanged {
            workspace: WorkspaceId::parse("ws-A").unwrap(),
            run: run.map(|run| RunId::parse(run).unwrap()),
            time: time.map(|time| OffsetDateTime::parse(time, &Rfc3339).unwrap()),
        }
    }

    fn check(name: &str, body: &str, expected: Result<Meaning, Unreadable>) {
        assert_eq!(read_delivery(body.as_bytes()).map(|delivery| delivery.meaning), expected, "{name}");
    }

    #[test]
    fn payloads_of_version_1() {
        const TIME: &str = "2026-01-02T03:04:05Z";
        let ignored = || Ok(Meaning::Ignored(Why::Trigger));
        let applied = || notice("run:completed", "applied");
        let whole = Ok(changed(Some("run-A"), Some(TIME)));
        check("applied", &v1(&json!([applied()])).to_string(), whole.clone());
        check(
            "planned and finished",
            &v1(&json!([notice("run:completed", "planned_and_finished")])).to_string(),
            ignored(),
        );
        for trigger in [
            "run:created",
            "run:planning",
            "run:needs_attention",
            "run:applying",
            "run:errored",
            "run:new",
            "",
        ] {
            check(trigger, &v1(&json!([notice(trigger, "applied")])).to_string(), ignored());
        }
        check("no notifications", &v1(&json!([])).to_string(), ignored());
        check("null notifications", &v1(&Value::Null).to_string(), ignored());
        check("notifications of nulls", &v1(&json!([null, 1, "x", []])).to_string(), ignored());
        check(
            "several, one counts",
            &v1(&json!([notice("run:planning", "x"), applied()])).to_string(),
            whole.clone(),
        );
        let mut later = applied();
        later["run_updated_at"] = json!("2026-02-01T00:00:00Z");
        let two = v1(&json!([later, applied()])).to_string();
        check("the newest counts", &two, Ok(changed(Some("run-A"), Some("2026-02-01T00:00:00Z"))));
        let mut nulls = v1(&json!([notice("run:completed", "applied")]));
        nulls["workspace_id"] = Value::Null;
        check("null workspace", &nulls.to_string(), Ok(Meaning::Ignored(Why::NoWorkspace)));
        for bad in [json!(7), json!({}), json!(""), json!("my-workspace"), json!("ws-"), json!("ws-a/../b")] {
            nulls["workspace_id"] = bad;
            check("bad workspace", &nulls.to_string(), Ok(Meaning::Ignored(Why::NoWorkspace)));
        }
        nulls["workspace_id"] = json!("ws-A");
        nulls["run_id"] = json!(["run-A"]);
        nulls["notifications"][0]["run_updated_at"] = json!(1_700_000_000);
        check("bad run and time", &nulls.to_string(), Ok(changed(None, None)));
        nulls["payload_version"] = json!("one");
        check("unknown version", &nulls.to_string(), Ok(changed(None, None)));
        let twice = r#"{"workspace_id":"ws-Z","workspace_id":"ws-A","run_id":"run-A","notifications":[],"notifications":
            [{"trigger":"x","trigger":"run:completed","run_status":"applied","run_updated_at":"2026-01-02T03:04:05Z"}]}"#;
        check("repeated keys: the last counts", twice, whole);
    }

    #[test]
    fn verification_pings() {
        let ping = r#"{"payload_version":1,"notification_configuration_id":"nc-1","run_url":null,"run_id":null,
            "run_message":null,"run_created_at":null,"run_created_by":null,"workspace_id":null,"workspace_name":null,
            "organization_name":null,"notifications":[{"message":"Verification of test","trigger":"verification",
            "run_status":null,"run_updated_at":null,"run_updated_by":null}]}"#;
        check("as documented", ping, Ok(Meaning::Verification));
        check("version 2", &v2("verification", &Value::Null).to_string(), Ok(Meaning::Verification));
        let mixed = v1(&json!([notice("verification", ""), notice("run:planning", "")])).to_string();
        check("with another trigger", &mixed, Ok(Meaning::Ignored(Why::Trigger)));
    }

    #[test]
    fn payloads_of_version_2() {
        let ignored = || Ok(Meaning::Ignored(Why::Trigger));
        let workspace = json!({"workspace_id": "ws-A"});
        for trigger in
            ["assessment:drifted", "assessment:check_failure", "assessment:failed", "assessment:new"]
        {
            check(trigger, &v2(trigger, &workspace).to_string(), ignored());
        }
        let nameless = json!({"run_status": "applied", "run_external_id": "run-A", "workspace_name": "w"});
        for trigger in ["workspace:auto_destroy_reminder", "workspace:auto_destroy_run_results"] {
            check(trigger, &v2(trigger, &nameless).to_string(), ignored());
        }
        check("deleted", &v2("workspace:deleted", &workspace).to_string(), Ok(changed(None, None)));
        let gone = v2("workspace:deleted", &json!({"workspace_name": "w"})).to_string();
        check("deleted, nameless", &gone, Ok(Meaning::Ignored(Why::NoWorkspace)));
        check(
            "details of another type",
            &v2("workspace:deleted", &json!([1])).to_string(),
            Ok(Meaning::Ignored(Why::NoWorkspace)),
        );
        check("trigger of another type", r#"{"payload_version":"2","trigger":{"a":1}}"#, ignored());
        check("empty object", "{}", ignored());
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let deep_member = format!("{{\"a\":{deep}}}");
        let cases = [
            "",
            " ",
            "null",
            "[]",
            "1",
            "\"text\"",
            "{",
            "{}x",
            "{\"a\":1,}",
            "\u{feff}{}",
            "{'a':1}",
            &deep,
            &deep_member,
        ];
        for body in cases {
            check("not an object", body, Err(Unreadable::NotAnObject));
        }
        assert_eq!(read_delivery(b"{\"a\":\"\xff\"}"), Err(Unreadable::NotAnObject));
        let many =
            v1(&Value::Array(vec![notice("run:completed", "applied"); NOTIFICATIONS_MAX + 1])).to_string();
        check("too many", &many, Err(Unreadable::TooMany));
    }

    #[test]
    fn the_digest_tells_deliveries_apart_and_replays_together() {
        let digest = |body: &str| read_delivery(body.as_bytes()).unwrap().digest;
        let one = v1(&json!([notice("run:completed", "applied")])).to_string();
        assert_eq!(digest(&one), digest(&one));
        for other in [
            one.replace("run-A", "run-B"),
            one.replace("nc-1", "nc-2"),
            one.replace("04:05", "04:06"),
            format!("{one} "),
        ] {
            assert_ne!(digest(&one), digest(&other));
        }
    }
}
