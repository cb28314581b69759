//! What operators see: health, readiness, metrics, status. Listens on loopback unless told otherwise.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::web::{explain, metrics, operators, state::Admin};

/// The admin's routes.
pub fn router(admin: Admin) -> Router {
    let mut api = Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/explain", get(explain::answer))
        .route("/-/reload", post(reload))
        .with_state(admin.clone());
    if let Some(operators) = &admin.operators {
        api = api.merge(operators::routes(operators.clone()));
    }
    let api = api.route_layer(middleware::from_fn_with_state(admin.clone(), ask_for_token));
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin)
        .merge(api)
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

async fn status(State(admin): State<Admin>) -> Response {
    Json((admin.status)()).into_response()
}

/// Reads rules and templates again, as a hang-up signal does.
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

async fn ask_for_token(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let Some(token) = &admin.api_token else {
        let error = json!({ "error": "server.api_token is not set in the configuration" });
        return (StatusCode::FORBIDDEN, Json(error)).into_response();
    };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    if given.is_some_and(|given| is_same(given, token)) {
        return next.run(request).await;
    }
    let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, ask, Json(json!({ "error": "a bearer token is needed" }))).into_response()
}

/// Compares in constant time; hashed, so that the lengths tell nothing either.
fn is_same(given: &str, token: &SecretString) -> bool {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(given).as_slice().ct_eq(digest(token.expose_secret()).as_slice()).into()
}
