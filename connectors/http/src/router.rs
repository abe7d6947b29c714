//! Which route leads where, and in which order a request passes the middlewares.
//!
//! Must never add a route without a door: the table names one for each, the API's are all behind [`auth::authenticate`], and the
//! webhook checks its signature itself.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use crate::access::{AUDIT_READ, CATALOG_READ, DEAD_LETTERS_READ, DEAD_LETTERS_WRITE, Permission};
use crate::auth::ApiDoor;
use crate::config::{Doors, HttpConfig, HttpError, Routes};
use crate::gate::{Gate, observe};
use crate::problem::{Code, Problem};
use crate::{audit, auth, dead_letters, entities, feed, operations, status, webhook};

/// The one route that may take longer.
pub(crate) const CHANGES_ROUTE: &str = "/v1/changes";

const WEBHOOK_ROUTE: &str = "/v1/webhooks/terraform-cloud/{tenant_slug}";

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// Everybody: probes and metrics, which stand on an inner port.
    Open,
    /// Who signs with the tenant's secret; the handler looks.
    Webhook,
    /// Who is allowed this.
    Api(Permission),
    /// Who is allowed this, in some namespaces at least: the handler shows no others.
    ApiByNamespace(Permission),
}

/// A route: method, path, door. `GET` answers `HEAD`, too.
pub type RouteDoor = (Method, &'static str, Door);

/// All routes there are.
#[must_use]
pub fn route_doors() -> Vec<RouteDoor> {
    table().into_iter().map(|(method, path, door, _)| (method, path, door)).collect()
}

type Row = (Method, &'static str, Door, MethodRouter<Arc<Gate>>);

fn table() -> Vec<Row> {
    let open = |path, handler| (Method::GET, path, Door::Open, handler);
    let read = |path, wanted, handler| (Method::GET, path, Door::Api(wanted), handler);
    let write = |path, wanted, handler| (Method::POST, path, Door::Api(wanted), handler);
    let shown = |path, handler| (Method::GET, path, Door::ApiByNamespace(CATALOG_READ), handler);
    vec![
        open("/healthz", get(operations::healthz)),
        open("/readyz", get(operations::readyz)),
        open("/metrics", get(operations::metrics)),
        (Method::POST, WEBHOOK_ROUTE, Door::Webhook, post(webhook::receive)),
        shown(CHANGES_ROUTE, get(feed::changes)),
        shown("/v1/snapshot", get(feed::snapshot)),
        shown("/v1/entities", get(entities::list)),
        shown("/v1/entities/by-ref/{kind}/{namespace}/{name}", get(entities::by_ref)),
        read("/v1/workspaces", CATALOG_READ, get(status::workspaces)),
        read("/v1/audit", AUDIT_READ, get(audit::list)),
        read("/v1/audit/{id}", AUDIT_READ, get(audit::by_id)),
        read("/v1/dead-letters", DEAD_LETTERS_READ, get(dead_letters::list)),
        read("/v1/dead-letters/{id}", DEAD_LETTERS_READ, get(dead_letters::by_id)),
        write("/v1/dead-letters/{id}/retry", DEAD_LETTERS_WRITE, post(dead_letters::retry)),
        write("/v1/dead-letters/{id}/discard", DEAD_LETTERS_WRITE, post(dead_letters::discard)),
    ]
}

/// Builds the routes of a process.
///
/// # Errors
/// [`HttpError`] when two tenants share a slug or two routers a registry.
pub fn router(doors: Doors, routes: Routes, config: &HttpConfig) -> Result<Router, HttpError> {
    let gate = Arc::new(Gate::new(doors, routes, config.clone())?);
    Ok(assemble(&gate, |_| true))
}

/// Builds them as two: what is for everybody outside, and probes and metrics, which then are on the second only.
///
/// # Errors
/// As [`router`].
pub fn routers_apart(
    doors: Doors,
    routes: Routes,
    config: &HttpConfig,
) -> Result<(Router, Router), HttpError> {
    let gate = Arc::new(Gate::new(doors, routes, config.clone())?);
    Ok((assemble(&gate, |door| door != Door::Open), assemble(&gate, |door| door == Door::Open)))
}

/// The routes of the doors that are wanted and that this process serves.
fn assemble(gate: &Arc<Gate>, wanted: impl Fn(Door) -> bool) -> Router {
    let mut router = Router::new();
    for (_, path, door, handler) in table().into_iter().filter(|(_, _, door, _)| wanted(*door)) {
        router = match door {
            Door::Open => router.route(path, handler),
            Door::Webhook if gate.routes.webhook => router.route(path, handler),
            Door::Api(wanted) | Door::ApiByNamespace(wanted) if gate.routes.api => {
                let by_namespace = matches!(door, Door::ApiByNamespace(_));
                let door = ApiDoor { gate: Arc::clone(gate), wanted, by_namespace };
                router.route(path, handler.route_layer(from_fn_with_state(door, auth::authenticate)))
            }
            Door::Webhook | Door::Api(_) | Door::ApiByNamespace(_) => router,
        };
    }
    router
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(gate), observe))
        .with_state(Arc::clone(gate))
}

async fn route_not_found() -> Response {
    Problem::new(Code::RouteNotFound, "there is no such route on this server: see the OpenAPI document")
        .into_response()
}

async fn method_not_allowed() -> Response {
    Problem::new(Code::MethodNotAllowed, "the `Allow` header names the methods of this route").into_response()
}
