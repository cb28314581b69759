//! What operators do: `POST` with a small JSON body, answered with what became of it. One deed is done once: a request
//! that comes again with the same `Idempotency-Key` does nothing more.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use utoipa::ToSchema;

use crate::{
    adapters::yaml::duration::read_span,
    domain::{
        actor::Actor,
        command::{Command, verb::day},
        deed::{Act, Deed, Place, Rest, Tone, Which},
        id::MessageId,
        text::{Locale, Message, fold},
        ticket::Text,
    },
    engine::{asks::Ask, replies::ApiQuestion},
    web::{
        alerts::AlertDocument,
        operators::{Operators, name},
        problem::Problem,
        status::Sentence,
        tokens::{Caller, Scope},
    },
};

/// The header whose value tells a repeated request from a new one.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Characters of who did it that are kept.
const BY_CHARS_MAX: usize = 60;

/// Who did it where neither the request nor the token's name says.
const BY_DEFAULT: &str = "API";

/// What the next working day is called.
const NEXT_WORKDAY: [&str; 2] = ["next_workday", "下个工作日"];

/// What a deed without further words says.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Deed)]
#[serde(deny_unknown_fields)]
pub struct Plain {
    /// Who does it, for the journal and the card; absent: the name of the token.
    by: Option<String>,
}

impl Plain {
    /// Who does it.
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }
}

/// How long something is put off.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Snooze)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// Who does it, for the journal and the card; absent: the name of the token.
    by: Option<String>,
    /// For how long: `30m`, `2h`, `1d`, `tomorrow`, `next workday`.
    r#for: Option<String>,
}

/// What became of a deed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// `done`; `already`, where nothing had to change; `refused`; `missing`.
    pub tone: String,
    /// A sentence for whoever did it.
    pub words: Sentence,
    /// The alert as it is now, where the deed was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertDocument>,
}

/// A request to do something.
pub struct Asked {
    id: MessageId,
    body: Bytes,
    caller: Option<SmolStr>,
    scope: Scope,
}

impl FromRequest<Operators> for Asked {
    type Rejection = Problem;

    /// What is asked, and how repeats of it are told: the same key on the same request is the same deed.
    async fn from_request(request: Request, state: &Operators) -> Result<Self, Problem> {
        let key = match request.headers().get(IDEMPOTENCY_KEY).map(|value| value.to_str()) {
            Some(Ok(key)) => name("Idempotency-Key", key.to_string())?,
            Some(Err(_)) => {
                let message = Message::new("Idempotency-Key 只能是 ASCII", "Idempotency-Key must be ASCII");
                return Err(Problem::bad("Idempotency-Key", message));
            }
            None => format!("{:032x}", rand::random::<u128>()),
        };
        let caller = request.extensions().get::<Caller>();
        let (caller, scope) = (caller.and_then(|it| it.name.clone()), caller.map_or(Scope::Read, |it| it.scope));
        let mut hash = Sha256::new();
        hash.update(format!("{key}\u{1f}{} {}\u{1f}", request.method(), request.uri().path()));
        let body = Bytes::from_request(request, state).await.map_err(|error| Problem {
            status: error.status().as_u16(),
            ..Problem::bad("body", Message::new("请求体太长，或没有传完", "the body is too long, or broke off"))
        })?;
        hash.update(&body);
        let digits: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id: MessageId::new(format!("api:{digits}")), body, caller, scope })
    }
}

impl Asked {
    /// The body; without one, its defaults.
    pub fn read<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(T::default());
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let place = format!("body:{}:{}", error.line(), error.column());
            Problem::bad(
                place,
                Message::new(format!("请求体读不懂：{error}"), format!("the body cannot be read: {error}")),
            )
        })
    }

    /// What the token opens.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The deed as it is done.
    pub fn act(self, by: Option<&str>, deed: Deed) -> Act {
        let (by, place) = (Actor::Operator(self.who(by)), Place::Admin);
        Act { id: self.id, by, place, clicked: None, deed, locale: Locale::En }
    }

    /// The same for what someone would type in a chat.
    pub fn question(self, by: Option<&str>, command: Command, locale: Locale) -> ApiQuestion {
        let by = self.who(by);
        ApiQuestion { id: self.id, by, command, locale }
    }

    /// Whoever asks: the name they give, and the token's.
    fn who(&self, by: Option<&str>) -> Text {
        let by: String = by.unwrap_or_default().chars().filter(|c| !c.is_control()).take(BY_CHARS_MAX).collect();
        let by = match (by.trim(), self.caller.as_deref()) {
            ("", None) => BY_DEFAULT.to_string(),
            ("", Some(token)) => token.to_string(),
            (by, None) => by.to_string(),
            (by, Some(token)) => format!("{by} ({token})"),
        };
        by.as_str().into()
    }
}

/// Takes an alert.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{reference}/take",
    operation_id = "take_alert",
    tag = "alerts",
    params(("reference" = String, Path, description = "The alert's reference (`4F7A2C`)")),
    request_body = Option<Plain>,
    responses((status = 200, description = "It is so", body = Done))
)]
pub async fn take(
    State(operators): State<Operators>,
    Path(reference): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    on_alert(&operators, reference, asked, Deed::Take).await
}

/// Gives an alert back.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{reference}/release",
    operation_id = "release_alert",
    tag = "alerts",
    params(("reference" = String, Path, description = "The alert's reference (`4F7A2C`)")),
    request_body = Option<Plain>,
    responses((status = 200, description = "It is so", body = Done))
)]
pub async fn release(
    State(operators): State<Operators>,
    Path(reference): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    on_alert(&operators, reference, asked, Deed::Release).await
}

/// Says that an alert is handled.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{reference}/done",
    operation_id = "done_alert",
    tag = "alerts",
    params(("reference" = String, Path, description = "The alert's reference (`4F7A2C`)")),
    request_body = Option<Plain>,
    responses((status = 200, description = "It is so", body = Done))
)]
pub async fn done(
    State(operators): State<Operators>,
    Path(reference): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    on_alert(&operators, reference, asked, Deed::Done).await
}

/// Puts an alert off.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{reference}/snooze",
    operation_id = "snooze_alert",
    tag = "alerts",
    params(("reference" = String, Path, description = "The alert's reference (`4F7A2C`)")),
    request_body = Later,
    responses((status = 200, description = "It is so", body = Done))
)]
pub async fn snooze(
    State(operators): State<Operators>,
    Path(reference): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let later: Later = asked.read()?;
    let rest = rest("for", later.r#for.as_deref())?;
    let reference = name("reference", reference)?;
    let act = asked.act(later.by.as_deref(), Deed::Snooze(Which::Reference(reference.clone()), rest));
    answer(&operators, act, Some(reference)).await
}

/// Tries a notice once more.
#[utoipa::path(
    post,
    path = "/api/v1/outbox/{name}/retry",
    operation_id = "retry_notice",
    tag = "outbox",
    params(("name" = String, Path, description = "The notice's name, as the list gives it")),
    request_body = Option<Plain>,
    responses((status = 200, description = "It goes out again", body = Done))
)]
pub async fn retry(
    State(operators): State<Operators>,
    Path(letter): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    on_letter(&operators, letter, asked, Deed::Retry).await
}

/// Gives a notice up for good.
#[utoipa::path(
    post,
    path = "/api/v1/outbox/{name}/drop",
    operation_id = "drop_notice",
    tag = "outbox",
    params(("name" = String, Path, description = "The notice's name, as the list gives it")),
    request_body = Option<Plain>,
    responses((status = 200, description = "It is given up", body = Done))
)]
pub async fn forget(
    State(operators): State<Operators>,
    Path(letter): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    on_letter(&operators, letter, asked, Deed::Forget).await
}

async fn on_alert(
    operators: &Operators,
    reference: String,
    asked: Asked,
    deed: fn(Which) -> Deed,
) -> Result<Response, Problem> {
    let plain: Plain = asked.read()?;
    let reference = name("reference", reference)?;
    let act = asked.act(plain.by.as_deref(), deed(Which::Reference(reference.clone())));
    answer(operators, act, Some(reference)).await
}

async fn on_letter(
    operators: &Operators,
    letter: String,
    asked: Asked,
    deed: fn(String) -> Deed,
) -> Result<Response, Problem> {
    let plain: Plain = asked.read()?;
    let act = asked.act(plain.by.as_deref(), deed(name("name", letter)?));
    answer(operators, act, None).await
}

/// Does it, and says what became of it.
pub async fn answer(operators: &Operators, act: Act, reference: Option<String>) -> Result<Response, Problem> {
    let acted = operators.act(act).await?;
    let status = match acted.tone {
        Tone::Done | Tone::Already => StatusCode::OK,
        Tone::Refused => StatusCode::CONFLICT,
        Tone::Missing => StatusCode::NOT_FOUND,
    };
    let alert = match reference {
        // Gone meanwhile, or too many ask: the deed is done all the same.
        Some(reference) => operators.ask(|reply| Ask::Alert(reference, reply)).await.ok().map(AlertDocument::from),
        None => None,
    };
    let tone = tone_name(acted.tone).to_string();
    if status == StatusCode::OK {
        return Ok((status, Json(Done { tone, words: acted.words.into(), alert })).into_response());
    }
    Err(Problem::new(status, acted.words))
}

/// The word of a tone.
pub const fn tone_name(tone: Tone) -> &'static str {
    match tone {
        Tone::Done => "done",
        Tone::Already => "already",
        Tone::Refused => "refused",
        Tone::Missing => "missing",
    }
}

/// How long from now: `30m`, `2h`, `next workday`.
pub fn rest(place: &str, text: Option<&str>) -> Result<Rest, Problem> {
    let hint = || {
        Message::new("例如 30m、2h、1d、明天，或 next workday", "for example 30m, 2h, 1d, tomorrow, or `next workday`")
    };
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        let message = Message::new("要写多久", "how long is not said");
        return Err(Problem::bad(place, message).with_hint(hint()));
    };
    if NEXT_WORKDAY.contains(&&*fold(text)) {
        return Ok(Rest::NextWorkday);
    }
    if let Some(rest) = day(&fold(text)) {
        return Ok(rest);
    }
    read_span(text).map(Rest::For).map_err(|message| Problem::bad(place, message).with_hint(hint()))
}
