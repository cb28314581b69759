//! Why a request of an operator is not done, for people and programs: where, what is wrong, what to do.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{domain::text::Message, engine::doors::Refused, web::status::Sentence};

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What is wrong.
    pub error: Sentence,
    /// Where in the request, where it is in one place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Box<Sentence>>,
    /// The answer's status.
    #[serde(skip)]
    pub status: u16,
}

impl Problem {
    /// A problem that is said with this status.
    pub fn new(status: StatusCode, message: Message) -> Self {
        Self { error: message.into(), place: None, hint: None, status: status.as_u16() }
    }

    /// Something in the request is not as it must be.
    pub fn bad(place: impl Into<String>, message: Message) -> Self {
        Self { place: Some(place.into()), ..Self::new(StatusCode::BAD_REQUEST, message) }
    }

    /// There is no such thing.
    pub fn missing(message: Message) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// With what to do.
    #[must_use]
    pub fn with_hint(self, hint: Message) -> Self {
        Self { hint: Some(Box::new(hint.into())), ..self }
    }

    /// Too many ask at once, or the service stops.
    pub fn busy() -> Self {
        let message = Message::new("服务正忙或正在停止，请稍后再试", "the service is busy or stopping; try again soon");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refused.message())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}
