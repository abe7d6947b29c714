//! The published contract of the Kafka topics: JSON Schemas and an AsyncAPI document, generated from the types.
//!
//! `terrasift schemas` prints them; `schemas/generated/` holds them, and a test holds those files true. Nothing here is
//! written twice: descriptions come from the types' documentation.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::event::{
    SANITIZATION_FAILED_TOPIC, SANITIZATION_FAILED_TYPE, STATE_UPDATED_TOPIC, STATE_UPDATED_TYPE,
    SanitizationFailed, StateUpdated, WORKSPACE_DISCOVERED_TOPIC, WORKSPACE_DISCOVERED_TYPE,
    WorkspaceDiscovered,
};

/// A generated file: its name below `schemas/generated/` and its content.
pub struct GeneratedFile {
    /// File name.
    pub name: String,
    /// Pretty JSON with a final line feed.
    pub content: String,
}

struct TopicContract {
    topic: &'static str,
    summary: &'static str,
    event_type: &'static str,
    retention_days: u32,
    schema: Value,
}

/// All generated files, in a fixed order.
#[must_use]
pub fn generated_files() -> Vec<GeneratedFile> {
    let topics = topics();
    let mut files: Vec<GeneratedFile> =
        topics.iter().map(|t| file(format!("{}.schema.json", t.topic), &t.schema)).collect();
    files.push(file("rules.schema.json".into(), &schema_of::<crate::rules::RuleFile>()));
    files.push(file("report.schema.json".into(), &schema_of::<crate::detection::Report>()));
    files.push(file("changes-page.schema.json".into(), &schema_of::<crate::feed::ChangesPage>()));
    files.push(file("asyncapi.json".into(), &asyncapi(&topics)));
    files
}

fn file(name: String, value: &Value) -> GeneratedFile {
    GeneratedFile { name, content: format!("{value:#}\n") }
}

fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

fn topics() -> [TopicContract; 3] {
    [
        TopicContract {
            topic: WORKSPACE_DISCOVERED_TOPIC,
            summary: "A workspace was seen by a GitHub scan, a webhook or by hand",
            event_type: WORKSPACE_DISCOVERED_TYPE,
            retention_days: 7,
            schema: schema_of::<WorkspaceDiscovered>(),
        },
        TopicContract {
            topic: STATE_UPDATED_TOPIC,
            summary: "A workspace's state changed; its partition decides who works on the workspace",
            event_type: STATE_UPDATED_TYPE,
            retention_days: 7,
            schema: schema_of::<StateUpdated>(),
        },
        TopicContract {
            topic: SANITIZATION_FAILED_TOPIC,
            summary: "A dead letter: what failed, why, how often, where the original record is; never a payload",
            event_type: SANITIZATION_FAILED_TYPE,
            retention_days: 30,
            schema: schema_of::<SanitizationFailed>(),
        },
    ]
}

fn asyncapi(topics: &[TopicContract]) -> Value {
    let mut channels = serde_json::Map::new();
    let mut operations = serde_json::Map::new();
    for contract in topics {
        let channel = json!({
            "address": contract.topic,
            "description": contract.summary,
            "messages": { "event": {
                "name": contract.event_type,
                "contentType": "application/json",
                "headers": headers(contract.event_type),
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": contract.schema,
                },
                "bindings": { "kafka": { "key": {
                    "type": "string",
                    "description": "tenant/workspace: ids that never change, never names",
                    "pattern": "^[a-z0-9-]+/ws-[A-Za-z0-9]+$|^unrouted$",
                }, "bindingVersion": "0.5.0" } },
            } },
            "bindings": { "kafka": {
                "topic": contract.topic,
                "topicConfiguration": { "retention.ms": u64::from(contract.retention_days) * 86_400_000 },
                "bindingVersion": "0.5.0",
            } },
        });
        let action = if contract.topic == SANITIZATION_FAILED_TOPIC { "send" } else { "receive" };
        operations.insert(
            format!("{action}-{}", contract.topic),
            json!({ "action": action, "channel": { "$ref": format!("#/channels/{}", contract.topic) } }),
        );
        channels.insert(contract.topic.into(), channel);
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Terrasift events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka binary mode: attributes in `ce_` headers, JSON data in the value. \
                At-least-once: consumers and producers may repeat a record, its effect happens once.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
    })
}

fn headers(event_type: &str) -> Value {
    json!({
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type"],
        "properties": {
            "ce_specversion": { "const": "1.0" },
            "ce_id": { "type": "string", "minLength": 1 },
            "ce_source": { "type": "string", "format": "uri-reference", "minLength": 1 },
            "ce_type": { "const": event_type },
            "ce_time": { "type": "string", "format": "date-time" },
            "ce_subject": { "type": "string", "description": "the record's key" },
            "content-type": { "const": "application/json" },
            "traceparent": { "type": "string", "description": "W3C trace context" },
        },
    })
}
