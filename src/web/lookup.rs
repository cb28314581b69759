//! `POST /api/v1/lookup`: what someone would type in a chat, answered here instead. What looks needs a token that reads,
//! what acts one that acts.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        card::Turn,
        command::{Command, TEXT_CHARS_MAX, language, oncall, silence, verb::Verb},
        text::{Locale, Message},
    },
    engine::replies::Answered,
    web::{
        acts::Asked,
        operators::Operators,
        problem::Problem,
        status::Sentence,
        ticket::TicketDocument,
        tokens::{Scope, needs_act},
    },
};

/// A command or a phrase.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// As it would be typed to the bot: `/ticket 6626871355780366331`, `/alerts`, `谁值班`.
    #[serde(default)]
    text: String,
    /// Who asks, for the journal; absent: the name of the token.
    by: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = LookedUp)]
pub struct LookedUp {
    /// What would stand in the chat; of a ticket, its card in words.
    pub text: Sentence,
    /// The ticket, read a moment ago, where one was asked for and found.
    pub ticket: Option<TicketDocument>,
    /// Of a list: what to ask for its other pages.
    pub further: Vec<Further>,
}

/// A further page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Further {
    /// Which.
    pub words: Sentence,
    /// The `text` that asks for it.
    pub text: String,
}

/// Answers what someone would type in a chat.
#[utoipa::path(
    post,
    path = "/api/v1/lookup",
    operation_id = "look_up",
    tag = "tickets",
    request_body = Lookup,
    responses((status = 200, description = "The answer; `/take` and its like need a token that may act", body = LookedUp))
)]
pub async fn answer(State(operators): State<Operators>, asked: Asked) -> Result<Response, Problem> {
    let wanted: Lookup = asked.read()?;
    let text = wanted.text.trim().to_string();
    if text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
        let message = Message::new(
            format!("text 要写 1 到 {TEXT_CHARS_MAX} 个字，例如 /ticket 6626871355780366331"),
            format!("`text` has 1 to {TEXT_CHARS_MAX} characters, for example /ticket 6626871355780366331"),
        );
        return Err(Problem::bad("text", message));
    }
    let command = match Command::parse(&text) {
        Command::Nothing => Command::Help, // thanks need no answer; whoever asks here waits for one
        command => command,
    };
    if acts(&command) && asked.scope() < Scope::Act {
        return Ok(needs_act());
    }
    let locale = language(&text).unwrap_or(Locale::En);
    let answered = operators.look_up(asked.question(wanted.by.as_deref(), command, locale)).await?;
    Ok(Json(LookedUp::from(answered)).into_response())
}

/// Whether a command changes anything.
fn acts(command: &Command) -> bool {
    match command {
        Command::Said(Verb::Silence, behind) => {
            !matches!(silence::Asked::read(behind), silence::Asked::List | silence::Asked::Usage)
        }
        Command::Said(Verb::Oncall, behind) => !matches!(oncall::Asked::read(behind), oncall::Asked::Look(_)),
        Command::Said(verb, _) | Command::Overheard(verb, _) => verb.acts(),
        _ => false,
    }
}

impl From<Answered> for LookedUp {
    fn from(answered: Answered) -> Self {
        let further = |turn: Turn| Further { words: turn.words.into(), text: turn.asks.text };
        Self {
            text: answered.words.into(),
            ticket: answered.ticket.map(|view| TicketDocument::from(&*view)),
            further: answered.turns.into_iter().map(further).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_needs_less_than_what_acts() {
        for (text, expected) in [
            ("/ticket 6626871355780366331", false),
            ("/alerts", false),
            ("/why 366331", false),
            ("/oncall", false),
            ("/silence list", false),
            ("/silence", false),
            ("/help", false),
            ("/silence 366331 2h", true),
            ("/silence end S7", true),
            ("/take #4F7A2C", true),
            ("/done #4F7A2C", true),
            ("/snooze #4F7A2C 2h", true),
            ("/release #4F7A2C", true),
            ("我来处理 #4F7A2C", true),
        ] {
            assert_eq!(acts(&Command::parse(text)), expected, "{text}");
        }
    }
}
