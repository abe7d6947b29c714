//! Owns the proof that the simulator's bodies are Terraform Cloud's: they validate against HashiCorp's published OpenAPI document and
//! have every key of the documentation's samples. It must never be weakened to fit the simulator.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![allow(clippy::print_stdout, reason = "says why it is skipped")]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use support::{Receiver, World, config, start};

fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    #[expect(clippy::disallowed_methods, reason = "a test finds its corpus by the environment")]
    let dir = std::env::var_os("TERRASIFT_SHARED").map_or(root, PathBuf::from);
    if dir.join("tfe-openapi.json").is_file() {
        return Some(dir);
    }
    println!("skipped: ../shared is absent");
    None
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, write-only and other annotations mean nothing to a validator.
fn to_json_schema(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(to_json_schema);
            if members.remove("nullable") == Some(Value::Bool(true)) {
                let inner = Value::Object(std::mem::take(members));
                members.insert("anyOf".to_owned(), json!([{"type": "null"}, inner]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(to_json_schema),
        _ => {}
    }
}

struct OpenApi(Value);

impl OpenApi {
    fn check(&self, path: &str, method: &str, status: &str, body: &Value) {
        let content = &self.0["paths"][path][method]["responses"][status]["content"];
        let schema = &content["application/vnd.api+json"]["schema"];
        assert!(schema.is_object(), "{method} {path} has no schema");
        let whole = json!({"allOf": [schema], "components": self.0["components"]});
        let validator = jsonschema::validator_for(&whole).unwrap();
        let faults: Vec<_> =
            validator.iter_errors(body).map(|it| format!("{}: {it}", it.instance_path())).collect();
        assert!(faults.is_empty(), "{method} {path}: {faults:#?}");
    }
}

/// Paths of all members, array elements taken together; what is below a list of names (resources, headers) is data.
fn keys(value: &Value, at: &str, out: &mut BTreeSet<String>) {
    const DATA: &[&str] =
        &["/modules", "/providers", "/resources", "/variables", "/headers", "/delivery-responses"];
    if DATA.iter().any(|end| at.ends_with(end)) {
        return;
    }
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let path = format!("{at}/{key}");
                out.insert(path.clone());
                keys(member, &path, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, &format!("{at}/0"), out)),
        _ => {}
    }
}

/// Where the simulator has null, an empty list or a relationship to nothing, the sample's inner keys cannot be there.
fn is_excused(path: &str, body: &Value) -> bool {
    let ancestors = path.match_indices('/').map(|(at, _)| &path[..at]);
    ancestors.filter_map(|up| body.pointer(up)).any(|it| match it {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.get("data") == Some(&Value::Null),
        _ => false,
    })
}

fn check_sample(sample: &Value, body: &Value, name: &str) {
    let (mut wanted, mut got) = (BTreeSet::new(), BTreeSet::new());
    keys(sample, "", &mut wanted);
    keys(body, "", &mut got);
    let missing: Vec<_> = wanted.difference(&got).filter(|path| !is_excused(path, body)).collect();
    assert!(missing.is_empty(), "{name}: {missing:#?}");
}

async fn with_configuration(world: &World) -> (String, Value) {
    let id = world.workspace(0);
    let receiver = Receiver::start(200).await;
    let order = json!({"data": {"type": "notification-configuration", "attributes": {
        "destination-type": "generic", "enabled": true, "name": "t", "url": receiver.url, "triggers": ["run:completed"],
    }}});
    let (status, made) =
        world.send("POST", &format!("workspaces/{id}/notification-configurations"), &order).await;
    assert_eq!(status, 201);
    (made["data"]["id"].as_str().unwrap().to_owned(), made)
}

#[tokio::test]
async fn bodies_validate_against_the_published_openapi_document_and_the_samples() {
    let Some(shared) = shared() else { return };
    let mut document = read(shared.join("tfe-openapi.json"));
    to_json_schema(&mut document);
    let openapi = OpenApi(document);
    let world = start(config(3)).await;
    let id = world.workspace(0);
    let (configuration, made) = with_configuration(&world).await;
    openapi.check("/workspaces/{workspace_id}/notification-configurations", "post", "201", &made);
    let run = world.simulator.bump(&id).unwrap().run_id;
    for (template, path, sample) in [
        (
            "/account/details",
            "account/details".to_owned(),
            "account__get-your-account-details__sample-response",
        ),
        ("/organizations", "organizations".to_owned(), "organizations__list-organizations__sample-response"),
        (
            "/organizations/{organization_name}",
            "organizations/acme".to_owned(),
            "organizations__show-an-organization__sample-response",
        ),
        (
            "/organizations/{organization_name}/workspaces",
            "organizations/acme/workspaces".to_owned(),
            "website-docs-partials-api-code-blocks-workspaces-list____sample",
        ),
        (
            "/organizations/{organization_name}/workspaces",
            "organizations/acme/workspaces?include=current_state_version&page[size]=2".to_owned(),
            "website-docs-partials-api-code-blocks-workspaces-list____sample",
        ),
        (
            "/organizations/{organization_name}/workspaces/{workspace_name}",
            "organizations/acme/workspaces/workspace-0".to_owned(),
            "website-docs-partials-api-code-blocks-workspace____sample",
        ),
        (
            "/workspaces/{workspace_id}",
            format!("workspaces/{id}"),
            "website-docs-partials-api-code-blocks-workspace____sample",
        ),
        (
            "/workspaces/{workspace_id}/current-state-version",
            format!("workspaces/{id}/current-state-version"),
            "state-versions__fetch-the-current-state-version-for-a-workspace__sample-response",
        ),
        (
            "/workspaces/{workspace_id}/runs",
            format!("workspaces/{id}/runs"),
            "run__list-runs-in-a-workspace__sample-response",
        ),
        ("/runs/{run_id}", format!("runs/{run}"), "run__get-run-details__sample-response"),
        (
            "/workspaces/{workspace_id}/vars",
            format!("workspaces/{id}/vars"),
            "workspace-variables__list-variables__sample-response",
        ),
        (
            "/workspaces/{workspace_id}/notification-configurations",
            format!("workspaces/{id}/notification-configurations"),
            "notification-configurations__list-notification-configurations__sample-response",
        ),
        (
            "/notification-configurations/{notification_configuration_id}",
            format!("notification-configurations/{configuration}"),
            "notification-configurations__create-a-notification-configuration__sample-response",
        ),
    ] {
        let (status, body) = world.get(&path).await;
        assert_eq!(status, 200, "{path}");
        let template =
            if openapi.0["paths"][template].is_object() { template } else { "/workspaces/{workspace_id}" };
        openapi.check(template, "get", "200", &body);
        check_sample(&read(shared.join(format!("corpus/tfc/docs/{sample}.json"))), &body, &path);
    }
    let (_, refused) = world.get("organizations/nowhere").await;
    openapi.check("/organizations/{organization_name}", "get", "default", &refused);
}

#[tokio::test]
async fn payloads_have_the_keys_of_the_samples() {
    let Some(shared) = shared() else { return };
    let world = start(config(1)).await;
    let id = world.workspace(0);
    let receiver = Receiver::start(200).await;
    let order = json!({"data": {"attributes": {
        "destination-type": "generic", "enabled": true, "name": "t", "url": receiver.url,
        "triggers": ["run:completed", "assessment:drifted", "workspace:auto_destroy_reminder"],
    }}});
    world.send("POST", &format!("workspaces/{id}/notification-configurations"), &order).await;
    for trigger in ["run:completed", "assessment:drifted", "workspace:auto_destroy_reminder"] {
        world.simulator.send_notification(&id, None, trigger, "applied").await.unwrap();
    }
    let samples = [
        "change-request-notification-payload",
        "run-notification-payload",
        "workspace-notification-payload",
        "workspace-notification-payload-2",
    ];
    let received = receiver.take();
    assert_eq!(received.len(), samples.len());
    for (sample, (_, bytes)) in samples.into_iter().zip(received) {
        let file =
            format!("corpus/tfc/docs/notification-configurations__notification-payload__{sample}.json");
        let (mut wanted, mut got) = (BTreeSet::new(), BTreeSet::new());
        keys(&read(shared.join(file)), "", &mut wanted);
        keys(&serde_json::from_slice(&bytes).unwrap(), "", &mut got);
        assert_eq!(wanted, got, "{sample}");
    }
}
