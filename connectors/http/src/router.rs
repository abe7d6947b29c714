//! Which route leads where, and in which order a request passes the middlewares.
//!
//! Must never add a route without a door: the API's routes are all behind [`auth::authenticate`], the webhook checks
//! its signature itself.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::auth::{
    AUDIT_READ_SCOPE, ApiDoor, CATALOG_READ_SCOPE, DEAD_LETTERS_READ_SCOPE, DEAD_LETTERS_WRITE_SCOPE,
};
use crate::config::{Doors, HttpConfig, HttpError, Routes};
use crate::gate::{Gate, observe};
use crate::problem::{Code, Problem};
use crate::{audit, auth, dead_letters, entities, feed, operations, status, webhook};

/// The one route that may take longer.
pub(crate) const CHANGES_ROUTE: &str = "/v1/changes";

/// Builds the routes of a process.
///
/// # Errors
/// [`HttpError`] when two tenants share a slug or two routers a registry.
pub fn router(doors: Doors, routes: Routes, config: &HttpConfig) -> Result<Router, HttpError> {
    let gate = Arc::new(Gate::new(doors, routes, config.clone())?);
    let mut router = Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics));
    if routes.webhook {
        router = router.route("/v1/webhooks/terraform-cloud/{tenant_slug}", post(webhook::receive));
    }
    if routes.api {
        let door = |scope| ApiDoor { gate: Arc::clone(&gate), scope };
        let api = Router::new()
            .route(CHANGES_ROUTE, get(feed::changes))
            .route("/v1/snapshot", get(feed::snapshot))
            .route("/v1/entities", get(entities::list))
            .route("/v1/entities/by-ref/{kind}/{namespace}/{name}", get(entities::by_ref))
            .route("/v1/workspaces", get(status::workspaces))
            .route_layer(from_fn_with_state(door(CATALOG_READ_SCOPE), auth::authenticate));
        let audit = Router::new()
            .route("/v1/audit", get(audit::list))
            .route("/v1/audit/{id}", get(audit::by_id))
            .route_layer(from_fn_with_state(door(AUDIT_READ_SCOPE), auth::authenticate));
        let letters = Router::new()
            .route("/v1/dead-letters", get(dead_letters::list))
            .route("/v1/dead-letters/{id}", get(dead_letters::by_id))
            .route_layer(from_fn_with_state(door(DEAD_LETTERS_READ_SCOPE), auth::authenticate));
        let decisions = Router::new()
            .route("/v1/dead-letters/{id}/retry", post(dead_letters::retry))
            .route("/v1/dead-letters/{id}/discard", post(dead_letters::discard))
            .route_layer(from_fn_with_state(door(DEAD_LETTERS_WRITE_SCOPE), auth::authenticate));
        router = router.merge(api).merge(audit).merge(letters).merge(decisions);
    }
    Ok(router
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&gate), observe))
        .with_state(gate))
}

async fn route_not_found() -> Response {
    Problem::new(Code::RouteNotFound, "there is no such route on this server: see the OpenAPI document")
        .into_response()
}

async fn method_not_allowed() -> Response {
    Problem::new(Code::MethodNotAllowed, "the `Allow` header names the methods of this route").into_response()
}
