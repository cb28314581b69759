//! `/api/v1/oncall`: who is on call now or at another instant, what comes, where nobody is; someone who stands in.
//! Instants are milliseconds since the Unix epoch.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use utoipa::{IntoParams, ToSchema};

use crate::{
    adapters::yaml::{map::did_you_mean, nearest::nearest},
    domain::{
        deed::{Deed, NewCover},
        desk::{
            covers::{REASON_CHARS_MAX, check_span},
            duties::Duties,
        },
        receiver::PersonId,
        rota::{Basis, Cover, Duty, OnCall, Rota, words},
        text::{Message, fold},
        time::{Span, Timestamp},
    },
    engine::asks::Ask,
    web::{
        acts::{self, Asked, Done},
        alerts::unreadable,
        instants,
        operators::{Operators, PATIENCE, name},
        problem::Problem,
        status::Sentence,
    },
};

/// Days ahead that are told of where nothing is said of it.
pub const DAYS: u16 = 7;

/// Days ahead that are told of at most.
pub const DAYS_MAX: u16 = 92;

/// Pages made at once; who comes while there are so many waits for [`PATIENCE`], and is told to come again.
pub const PAGES_MAX: usize = 2;

/// What may be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OncallQuery {
    /// Only this rota.
    rota: Option<String>,
    /// At this instant (`2026-11-20 18:00`, or RFC 3339); now unless it says so.
    at: Option<String>,
    /// How many days the list of what comes reaches (7; 1 to 92).
    days: Option<u16>,
}

/// Who is on call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OncallPage {
    /// The instant that is told of.
    pub at: i64,
    /// Whether those who stand in are known: not where the configuration alone was read.
    pub with_covers: bool,
    /// The rotas, by name.
    pub rotas: Vec<RotaDocument>,
}

/// One rota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotaDocument {
    /// Its name.
    pub rota: String,
    /// Who is on call: one entry a person and shift on duty, in the order of the shifts; none where nobody is.
    pub on_call: Vec<SeatDocument>,
    /// Who is called where nobody is on call or whoever is has left; absent: the team.
    pub backup: Option<String>,
    /// Until when the list below reaches.
    pub until: i64,
    /// Who is on call from `at` on, stretch by stretch; nobody in a gap.
    pub coming: Vec<StretchDocument>,
    /// When nobody is on call.
    pub gaps: Vec<GapDocument>,
    /// Who stands in now or later.
    pub covers: Vec<CoverDocument>,
    /// The same as `on_call`, in words.
    pub lines: Vec<Sentence>,
}

/// Someone on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatDocument {
    /// The shift.
    pub shift: String,
    /// Who, as the rota writes them.
    pub person: String,
    /// What they are called.
    pub name: String,
    /// Why: `turn`, `date`, `cover`.
    pub by: String,
    /// Since when; absent where that goes back further than two months.
    pub from: Option<i64>,
    /// Until when; absent where nothing that is known ends it.
    pub until: Option<i64>,
    /// Why they are passed over: they left, or their account is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Sentence>,
    /// Who takes over then; absent where nobody does.
    pub next: Option<DutyDocument>,
}

/// A stretch in which the same people are on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StretchDocument {
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
    /// Who.
    pub on_call: Vec<DutyDocument>,
}

/// Someone on a shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyDocument {
    /// The shift.
    pub shift: String,
    /// Who, as the rota writes them.
    pub person: String,
    /// What they are called.
    pub name: String,
    /// Why: `turn`, `date`, `cover`.
    pub by: String,
}

/// A time when nobody is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GapDocument {
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
}

/// Someone who stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoverDocument {
    /// The shift.
    pub shift: String,
    /// Who, as the rota writes them.
    pub person: String,
    /// What they are called.
    pub name: String,
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
    /// Who said so.
    pub by: Sentence,
}

/// Someone who is to stand in.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = NewCover)]
#[serde(deny_unknown_fields)]
pub struct NewDocument {
    /// Which rota; it may be left out where there is one.
    rota: Option<String>,
    /// Which of its shifts; without it the one on duty at `from`.
    shift: Option<String>,
    /// Who stands in: an email, a mobile number, an open id, or a name.
    person: Option<String>,
    /// From when (`2026-11-20 18:00`, or RFC 3339); without it from now on.
    from: Option<String>,
    /// Until when; without it until the shift is over.
    until: Option<String>,
    /// Why: whoever stands in reads it.
    reason: Option<String>,
    /// Who asks for it.
    by: Option<String>,
}

/// Who is on call.
#[utoipa::path(
    get,
    path = "/api/v1/oncall",
    operation_id = "get_oncall",
    tag = "oncall",
    params(OncallQuery),
    responses((status = 200, description = "Per rota who is on call, who comes, when nobody is", body = OncallPage))
)]
pub async fn list(
    State(operators): State<Operators>,
    query: Result<Query<OncallQuery>, QueryRejection>,
) -> Result<Json<OncallPage>, Problem> {
    let Query(OncallQuery { rota, at, days }) = query.map_err(|error| unreadable(&error))?;
    let now = operators.clock.now();
    let at = at.map(|text| instants::read("at", &text, operators.zone, now)).transpose()?.unwrap_or(now);
    let days = days_of(days)?;
    let duties = only(operators.ask(Ask::Oncall).await?, rota.as_deref())?;
    beside(&operators.pages, move || page(&duties, at, days, true)).await.map(Json)
}

/// Makes a page beside the threads that answer everyone: three months of many shifts take a while. Its place is free
/// when it is made, though whoever asked has gone.
///
/// # Errors
/// No place became free in time.
async fn beside<T: Send + 'static>(
    places: &Arc<Semaphore>,
    make: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let place = timeout(PATIENCE.to_std(), Arc::clone(places).acquire_owned()).await;
    let place = place.ok().and_then(Result::ok).ok_or_else(Problem::busy)?;
    let made = spawn_blocking(move || {
        let made = make();
        drop(place);
        made
    });
    made.await.map_err(|_| Problem::busy())
}

/// Someone stands in.
#[utoipa::path(
    post,
    path = "/api/v1/oncall/cover",
    operation_id = "add_cover",
    tag = "oncall",
    request_body = NewDocument,
    responses((status = 200, description = "They are on call then", body = Done))
)]
pub async fn cover(State(operators): State<Operators>, asked: Asked) -> Result<Response, Problem> {
    let new: NewDocument = asked.read()?;
    let duties = only(operators.ask(Ask::Oncall).await?, new.rota.as_deref())?;
    let rota = match duties.rotas.as_slice() {
        [only] => Arc::clone(only),
        [] => return Err(no_rotas()),
        several => {
            let message = Message::new("要写明哪个值班表", "say which rota");
            return Err(Problem::bad("rota", message).with_hint(names(several)));
        }
    };
    let Some(person) = new.person else {
        return Err(Problem::bad("person", Message::new("要写明由谁来值班", "say who stands in")));
    };
    let (person, meant) = (name("person", person)?, rota.name.clone());
    let person = operators.ask(|reply| Ask::Person(meant, person, reply)).await;
    let person = person.map_err(|problem| Problem { place: Some("person".to_string()), ..problem })?;
    let now = operators.clock.now();
    let moment = |place, text: &Option<String>| {
        text.as_deref().map(|text| instants::coming(place, text, operators.zone, now)).transpose()
    };
    let (from, until) = (moment("from", &new.from)?, moment("until", &new.until)?);
    if let Some(until) = until {
        check_span(from.unwrap_or(now), until, now).map_err(|message| Problem::bad("until", message))?;
    }
    let reason = new.reason.filter(|reason| !reason.trim().is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
        let message = Message::new(
            format!("原因最多 {REASON_CHARS_MAX} 个字"),
            format!("a reason has at most {REASON_CHARS_MAX} characters"),
        );
        return Err(Problem::bad("reason", message));
    }
    let cover = NewCover {
        rota: Some(rota.name.clone()),
        shift: new.shift.map(|shift| name("shift", shift)).transpose()?.map(Arc::from),
        person: Some(person),
        from,
        until,
        in_return: false,
        reason: reason.map(Arc::from),
    };
    let act = asked.act(new.by.as_deref(), Deed::Cover(Box::new(cover)));
    acts::answer(&operators, act, None).await
}

fn days_of(days: Option<u16>) -> Result<u16, Problem> {
    let days = days.unwrap_or(DAYS);
    if (1..=DAYS_MAX).contains(&days) {
        return Ok(days);
    }
    Err(Problem::bad("days", Message::new(format!("天数要在 1 到 {DAYS_MAX} 之间"), format!("days: 1 to {DAYS_MAX}"))))
}

/// What there is to know of the rota that is named; of all where none is.
///
/// # Errors
/// There is no such rota, with the nearest name.
pub fn only(mut duties: Duties, rota: Option<&str>) -> Result<Duties, Problem> {
    let Some(rota) = rota.map(str::trim).filter(|rota| !rota.is_empty()) else { return Ok(duties) };
    let shown: String = rota.chars().filter(|c| !c.is_control()).take(60).collect();
    let found = duties.rotas.iter().find(|known| fold(known.name.as_str()) == fold(rota)).cloned();
    if let Some(found) = found {
        duties.rotas = vec![found];
        return Ok(duties);
    }
    if duties.rotas.is_empty() {
        return Err(no_rotas());
    }
    let near = nearest(&shown, duties.rotas.iter().map(|rota| rota.name.as_str()));
    let hint = near.map_or_else(|| names(&duties.rotas), did_you_mean);
    let message = Message::new(format!("没有值班表“{shown}”"), format!("there is no rota `{shown}`"));
    Err(Problem { place: Some("rota".to_string()), ..Problem::missing(message).with_hint(hint) })
}

fn no_rotas() -> Problem {
    Problem::missing(Message::new("没有值班表。在配置的 rotas 里写", "there is no rota: write one in `rotas`"))
}

fn names(rotas: &[Arc<Rota>]) -> Message {
    let names: Vec<&str> = rotas.iter().map(|rota| rota.name.as_str()).collect();
    Message::new(format!("有 {}", names.join("、")), format!("there is {}", names.join(", ")))
}

/// Who is on call at `at`, and for so many days from then on.
pub fn page(duties: &Duties, at: Timestamp, days: u16, with_covers: bool) -> OncallPage {
    let until = at.plus(Span::from_days(i64::from(days)));
    let rotas = duties.rotas.iter().map(|rota| document(duties, rota, at, until)).collect();
    OncallPage { at: at.as_ms(), with_covers, rotas }
}

fn document(duties: &Duties, rota: &Rota, at: Timestamp, until: Timestamp) -> RotaDocument {
    let called = |person: &PersonId| called(duties, person);
    let stretches = words::stretches(rota, &duties.covers, at, until);
    let is_gap = |stretch: &&words::Stretch| stretch.duties.is_empty();
    let gap = |stretch: &words::Stretch| GapDocument { from: stretch.from.as_ms(), until: stretch.until.as_ms() };
    let on_duty = |duty: &Duty| DutyDocument {
        shift: words::shift_of(rota, duty).to_string(),
        person: duty.person.as_str().to_string(),
        name: called(&duty.person),
        by: basis(duty.by).to_string(),
    };
    let coming = |stretch: &words::Stretch| StretchDocument {
        from: stretch.from.as_ms(),
        until: stretch.until.as_ms(),
        on_call: stretch.duties.iter().map(on_duty).collect(),
    };
    let covers = duties.covers.iter().filter(|cover| cover.rota == rota.name);
    let seats = rota.on_call(&duties.covers, at);
    RotaDocument {
        rota: rota.name.to_string(),
        backup: rota.backup.as_ref().map(|name| name.as_str().trim_start_matches("person:").to_string()),
        on_call: seats.iter().map(|one| seat(duties, rota, one)).collect(),
        // A list that is cut short says how far it reaches.
        until: stretches.last().map_or(until, |stretch| stretch.until).as_ms(),
        coming: stretches.iter().map(coming).collect(),
        gaps: stretches.iter().filter(is_gap).map(gap).collect(),
        covers: covers.map(|it| cover_document(duties, it)).collect(),
        lines: words::lines(rota, &duties.covers, at, &called).into_iter().map(Sentence::from).collect(),
    }
}

fn called(duties: &Duties, person: &PersonId) -> String {
    duties.names.get(person).cloned().unwrap_or_else(|| person.as_str().to_string())
}

fn seat(duties: &Duties, rota: &Rota, one: &OnCall) -> SeatDocument {
    let next = rota.next_on_call(&duties.covers, one);
    SeatDocument {
        shift: one.shift.to_string(),
        person: one.person.as_str().to_string(),
        name: called(duties, &one.person),
        by: basis(one.by).to_string(),
        from: (one.from != Timestamp::MIN).then(|| one.from.as_ms()),
        until: (!one.until.is_never()).then(|| one.until.as_ms()),
        gone: duties.gone.get(&one.person).cloned().map(Sentence::from),
        next: next.map(|next| DutyDocument {
            shift: next.shift.to_string(),
            person: next.person.as_str().to_string(),
            name: called(duties, &next.person),
            by: basis(next.by).to_string(),
        }),
    }
}

fn cover_document(duties: &Duties, cover: &Cover) -> CoverDocument {
    CoverDocument {
        shift: cover.shift.to_string(),
        person: cover.person.as_str().to_string(),
        name: called(duties, &cover.person),
        from: cover.from.as_ms(),
        until: cover.until.as_ms(),
        by: cover.by.words().into(),
    }
}

/// The word of why someone is on call.
pub const fn basis(by: Basis) -> &'static str {
    match by {
        Basis::Turn => "turn",
        Basis::Date => "date",
        Basis::Cover => "cover",
    }
}

/// Why someone is on call, by its word.
pub fn basis_named(word: &str) -> Basis {
    [Basis::Date, Basis::Cover].into_iter().find(|by| basis(*by) == word).unwrap_or(Basis::Turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_pages_are_made_at_once_than_there_are_places() {
        let places = Arc::new(Semaphore::new(PAGES_MAX));
        assert_eq!(beside(&places, || 1).await.ok(), Some(1));
        let taken = Arc::clone(&places).acquire_many_owned(2).await.unwrap();
        assert!(beside(&places, || 2).await.is_err(), "all places are taken");
        drop(taken);
        assert_eq!(beside(&places, || 3).await.ok(), Some(3));
        assert!(beside(&places, || -> u8 { panic!("on purpose") }).await.is_err());
        assert_eq!(places.available_permits(), PAGES_MAX, "every place is free again");
    }
}
