//! Guests: what is kept of one is deleted on request.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::deed::Deed,
    web::{
        acts::{Asked, Done, answer},
        operators::{Operators, name},
        problem::Problem,
    },
};

/// Whose data is deleted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetGuest {
    /// The guest: their open id (`ou_…`) or email, as tickets have it.
    #[serde(default)]
    guest: String,
    /// Who does it, for the journal; absent: the name of the token.
    by: Option<String>,
}

/// Deletes what is kept of a guest.
#[utoipa::path(
    post,
    path = "/api/v1/guests/forget",
    operation_id = "forget_guest",
    tag = "guests",
    request_body = ForgetGuest,
    responses((status = 200, description = "It is deleted, in numbers", body = Done))
)]
pub async fn forget(State(operators): State<Operators>, asked: Asked) -> Result<Response, Problem> {
    let wanted: ForgetGuest = asked.read()?;
    let guest = name("guest", wanted.guest)?;
    let act = asked.act(wanted.by.as_deref(), Deed::ForgetGuest(guest));
    answer(&operators, act, None).await
}
