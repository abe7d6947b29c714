//! Owns notification configurations: list, create, show, update, delete, verify. It must never save an enabled one whose URL did not
//! answer the verification ping with 2xx.

use super::Shared;
use super::api::{Asked, document, failure, not_found};
use super::bodies::{self, Paging};
use super::notify;
use super::world::NotificationConfiguration;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use time::OffsetDateTime;

pub(crate) async fn serve(
    shared: &Shared,
    asked: &Asked,
    method: &str,
    segments: &[&str],
    body: &[u8],
) -> Response {
    match (method, segments) {
        ("GET", ["workspaces", id, "notification-configurations"]) => list(shared, asked, id),
        ("POST", ["workspaces", id, "notification-configurations"]) => create(shared, asked, id, body).await,
        (_, ["notification-configurations", id, rest @ ..]) => {
            let Some(found) = owned(shared, asked, id) else { return not_found() };
            match (method, rest) {
                ("GET", []) => one(StatusCode::OK, &found),
                ("PATCH", []) => update(shared, found, body).await,
                ("DELETE", []) => {
                    shared.world().notifications.remove(*id);
                    StatusCode::NO_CONTENT.into_response()
                }
                ("POST", ["actions", "verify"]) => save(shared, found, StatusCode::OK, true).await,
                ("POST", ["actions", "enable"]) => {
                    let enabled = NotificationConfiguration { enabled: true, ..found };
                    save(shared, enabled, StatusCode::OK, true).await
                }
                _ => not_found(),
            }
        }
        _ => not_found(),
    }
}

fn one(status: StatusCode, found: &NotificationConfiguration) -> Response {
    document(status, &json!({"data": bodies::notification_configuration(found)}))
}

fn owned(shared: &Shared, asked: &Asked, id: &str) -> Option<NotificationConfiguration> {
    let world = shared.world();
    let found = world.notifications.get(id)?;
    world.visible(&asked.user, &found.workspace)?;
    Some(found.clone())
}

fn list(shared: &Shared, asked: &Asked, workspace: &str) -> Response {
    let world = shared.world();
    if world.visible(&asked.user, workspace).is_none() {
        return not_found();
    }
    let found: Vec<_> = world.notifications.values().filter(|it| it.workspace == workspace).collect();
    let base = format!("{}/api/v2/workspaces/{workspace}/notification-configurations", shared.api_origin);
    let paging = Paging { number: 1, size: found.len().max(20) };
    let (page, links, meta) = paging.cut(&found, &base, shared.config.without_totals);
    let data: Vec<_> = page.iter().map(|it| bodies::notification_configuration(it)).collect();
    document(StatusCode::OK, &json!({"data": data, "links": links, "meta": meta}))
}

fn attributes(body: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(body).ok()?;
    value["data"]["attributes"].is_object().then(|| value["data"]["attributes"].clone())
}

fn invalid(detail: &str) -> Response {
    failure(StatusCode::UNPROCESSABLE_ENTITY, "invalid attribute", detail)
}

async fn create(shared: &Shared, asked: &Asked, workspace: &str, body: &[u8]) -> Response {
    if shared.world().visible(&asked.user, workspace).is_none() {
        return not_found();
    }
    let Some(given) = attributes(body) else { return invalid("data.attributes is missing") };
    let now = OffsetDateTime::now_utc();
    let mut made = NotificationConfiguration {
        id: shared.world().notification_id(),
        workspace: workspace.to_owned(),
        name: String::new(),
        url: String::new(),
        token: None,
        enabled: false,
        destination: "generic".to_owned(),
        triggers: Vec::new(),
        responses: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    merge(&mut made, &given);
    if made.name.is_empty() {
        return invalid("name can't be blank");
    }
    if made.destination == "generic" && made.url.is_empty() {
        return invalid("url can't be blank");
    }
    let ping = made.enabled && made.destination == "generic";
    save(shared, made, StatusCode::CREATED, ping).await
}

async fn update(shared: &Shared, mut found: NotificationConfiguration, body: &[u8]) -> Response {
    let Some(given) = attributes(body) else { return invalid("data.attributes is missing") };
    let (enabled_before, url_before) = (found.enabled, found.url.clone());
    merge(&mut found, &given);
    found.updated_at = OffsetDateTime::now_utc();
    let ping = found.enabled && (!enabled_before || found.url != url_before);
    save(shared, found, StatusCode::OK, ping).await
}

fn merge(into: &mut NotificationConfiguration, given: &Value) {
    let text = |key: &str| given[key].as_str().map(str::to_owned);
    if let Some(name) = text("name") {
        into.name = name;
    }
    if let Some(url) = text("url") {
        into.url = url;
    }
    if let Some(destination) = text("destination-type") {
        into.destination = destination;
    }
    if given.get("token").is_some() {
        into.token = text("token").filter(|token| !token.is_empty());
    }
    if let Some(enabled) = given["enabled"].as_bool() {
        into.enabled = enabled;
    }
    if let Some(triggers) = given["triggers"].as_array() {
        into.triggers = triggers.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
    }
}

/// Saves, after the verification ping where one is due.
async fn save(
    shared: &Shared,
    mut it: NotificationConfiguration,
    status: StatusCode,
    ping: bool,
) -> Response {
    if ping {
        let payload = notify::verification_payload(&it.id, &it.name);
        let (delivery, record) = notify::deliver(&shared.http, &it, &payload).await;
        it.responses = vec![record];
        if !delivery.accepted() {
            let told = delivery.status.map_or_else(|| "no answer".to_owned(), |code| code.to_string());
            return failure(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid attribute",
                &format!("verification failed: the url answered {told}, a 2xx is needed"),
            );
        }
    }
    shared.world().notifications.insert(it.id.clone(), it.clone());
    one(status, &it)
}
