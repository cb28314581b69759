//! What operators see: health, readiness, metrics, status. Listens on loopback unless told otherwise.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::web::{
    explain, metrics, openapi,
    operators::{self, BODY_BYTES_MAX},
    state::Admin,
    status::Status,
    tokens::{ask_for_act, ask_for_token},
};

/// The admin's routes.
pub fn router(admin: Admin) -> Router {
    let mut questions = Router::from(reads()).with_state(admin.clone());
    let mut deeds = Router::from(acts()).with_state(admin.clone());
    if let Some(operators) = &admin.operators {
        questions = questions.merge(Router::from(operators::reads()).with_state(operators.clone()));
        deeds = deeds.merge(Router::from(operators::acts()).with_state(operators.clone()));
    }
    let deeds = deeds.route_layer(middleware::from_fn(ask_for_act));
    let ask = middleware::from_fn_with_state(admin.tokens.clone(), ask_for_token);
    let api = questions.merge(deeds).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).route_layer(ask);
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/v1/openapi.json", get(|| async { Json(openapi::document()) }))
        .with_state(admin)
        .merge(api)
}

/// The questions about the service itself.
pub fn reads() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(explain::answer))
}

/// What is done to the service itself.
pub fn acts() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(reload))
}

async fn ready(State(admin): State<Admin>) -> Response {
    let reasons = (admin.status)().not_ready;
    if reasons.is_empty() {
        return "ready".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "not_ready": reasons }))).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let text = metrics::text(&(admin.status)(), &admin.counts);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

/// How the service stands.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    operation_id = "get_status",
    tag = "service",
    responses((status = 200, description = "Sources, rules, queues, counters", body = Status))
)]
async fn status(State(admin): State<Admin>) -> Response {
    Json((admin.status)()).into_response()
}

/// Reads rules and templates again, as a hang-up signal does.
#[utoipa::path(
    post,
    path = "/-/reload",
    operation_id = "reload",
    tag = "service",
    responses(
        (status = 200, description = "They are in force", body = Object),
        (status = 422, description = "They are not: the faults", body = Object)
    )
)]
async fn reload(State(admin): State<Admin>) -> Response {
    let Some(reload) = &admin.reload else { return StatusCode::NOT_FOUND.into_response() };
    match reload().await {
        Some(Ok(())) => Json(json!({ "loaded": true })).into_response(),
        Some(Err(faults)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "loaded": false, "faults": faults }))).into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
