//! The platform: one request in, one response out; everything it knows, in one value.

pub mod clicks;
mod desk_events;
mod lines;
mod stage;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::sim::{
    app::App,
    auth::Auth,
    calendar, chats,
    dice::Dice,
    directory::Directory,
    events::Events,
    faults::{Fault, Faults},
    helpdesk::Helpdesks,
    im::{Messages, Scene},
    knobs::Knobs,
    limits::Windows,
    lines::Lines,
    outside::Outside,
    platform::{
        clicks::{Click, Shown},
        lines::Bell,
    },
    route::{Found, Route},
    urgent,
    webhook::Hooks,
    wire::{Answer, Cut, Refusal, Request, Response},
};

/// Calls remembered.
const CALLS_MAX: usize = 100_000;

/// The part of the seed that decides what people's words bring along; no request has this number.
const CHATTER: u64 = u64::MAX - 1;

/// The tenant's month begins by Beijing time.
const MONTH_SHIFT_MS: i64 = 8 * 3_600_000;

/// One request that arrived, for assertions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When, milliseconds.
    pub at_ms: i64,
    /// The endpoint; none: an unknown path.
    pub route: Option<Route>,
    /// The path.
    pub path: String,
    /// The query.
    pub query: Vec<(String, String)>,
    /// HTTP status of the response.
    pub status: u16,
    /// `code` of the response, if its body has one.
    pub code: Option<i64>,
    /// Whether the connection was dropped instead of answered.
    pub cut: Cut,
}

/// The fake platform.
#[derive(Debug)]
pub struct Platform {
    seed: u64,
    requests: u64,
    dice: Dice,
    /// What people write draws from here, so that a word more moves no ticket's id.
    chatter: Dice,
    app: App,
    knobs: Knobs,
    faults: Faults,
    auth: Auth,
    helpdesks: Helpdesks,
    directory: Directory,
    messages: Messages,
    hooks: Hooks,
    outside: Outside,
    events: Events,
    /// What the app asked helpdesks for.
    subscribed: BTreeSet<(String, &'static str)>,
    lines: Lines,
    /// Clicks that went over a line, and what whoever clicked sees.
    clicks: Vec<(Click, Option<Shown>)>,
    bell: Bell,
    windows: Windows,
    used: BTreeMap<(i64, i64), u64>,
    calls: VecDeque<Call>,
}

impl Platform {
    /// A tenant with one app and nothing else. The same seed and the same requests give the same answers.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            requests: 0,
            dice: Dice::part(seed, 0),
            chatter: Dice::part(seed, CHATTER),
            app: App::default(),
            knobs: Knobs::default(),
            faults: Faults::default(),
            auth: Auth::default(),
            helpdesks: Helpdesks::default(),
            directory: Directory::default(),
            messages: Messages::default(),
            hooks: Hooks::default(),
            outside: Outside::default(),
            events: Events::default(),
            subscribed: BTreeSet::new(),
            lines: Lines::default(),
            clicks: Vec::new(),
            bell: Bell::default(),
            windows: Windows::default(),
            used: BTreeMap::new(),
            calls: VecDeque::new(),
        }
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        if let Some(response) = self.outside.handle(request, now_ms) {
            return response;
        }
        self.requests += 1;
        let mut dice = Dice::part(self.seed, self.requests);
        let found = Route::find(&request.method, &request.path);
        let route = if let Found::Route(route, _) = found { Some(route) } else { None };
        let fault = self.faults.draw(route, &mut dice, now_ms);
        let log_id = format!("{:014}{}", now_ms / 1000, dice.hex(18).to_uppercase());
        let (answer, code) = self.decide(found, request, fault, &mut dice, now_ms);
        let mut response = match answer {
            Decided::Page(status, text) => page(status, text),
            Decided::Answer(answer) => respond(answer, &log_id),
        };
        if route == Some(Route::Handshake)
            && let Some(code) = code.filter(|_| response.line.is_none())
        {
            refuse_handshake(&mut response, code, self.knobs.handshake_refused_status);
        }
        response.headers.push(("X-Tt-Logid".to_string(), log_id));
        response.headers.push(("Date".to_string(), calendar::http_date(now_ms + self.knobs.clock_ahead_ms)));
        match fault {
            Some(Fault::Slow(ms)) => response.delay_ms = ms,
            Some(Fault::CutBefore) => response.cut = Cut::BeforeActing,
            Some(Fault::CutAfter) => response.cut = Cut::AfterActing,
            _ => {}
        }
        if self.calls.len() == CALLS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back(Call {
            at_ms: now_ms,
            route,
            path: request.path.clone(),
            query: request.query.clone(),
            status: response.status,
            code,
            cut: response.cut,
        });
        response
    }

    /// What is answered, and its code.
    fn decide(
        &mut self,
        found: Found<'_>,
        request: &Request,
        fault: Option<Fault>,
        dice: &mut Dice,
        now_ms: i64,
    ) -> (Decided, Option<i64>) {
        let (route, id) = match found {
            Found::Nothing => return (Decided::Page(404, "404 page not found"), None),
            Found::WrongMethod => {
                return refused(Refusal::new(405, 99_991_301, "The request method is not supported"));
            }
            Found::Route(route, id) => (route, id),
        };
        match fault {
            Some(Fault::CutBefore) => return (Decided::Page(503, ""), None),
            Some(Fault::BadGateway) => {
                return (Decided::Page(502, "<html><body><h1>502 Bad Gateway</h1></body></html>"), None);
            }
            Some(Fault::TokenRevoked) => self.auth.revoke_all(),
            Some(fault) => {
                if let Some(refusal) = refusal_of(fault, route) {
                    return refused(refusal);
                }
            }
            None => {}
        }
        let busy_ms = if let Some(Fault::Slow(ms)) = fault { ms } else { 0 };
        let answer = match self.admit(route, request, now_ms) {
            Ok(helpdesk_id) => self.act(route, id, &helpdesk_id, request, (dice, busy_ms, now_ms)),
            Err(refusal) => Answer::Refused(refusal),
        };
        let code = match &answer {
            Answer::Refused(refusal) => refusal.code,
            Answer::Whole(whole) => whole.get("code").and_then(Value::as_i64).unwrap_or_default(),
            Answer::Data(_) | Answer::Written(_) | Answer::Begun(_) => 0,
        };
        if code == 0 && route.is_counted() {
            *self.used.entry(month(now_ms)).or_default() += 1;
        }
        (Decided::Answer(answer), Some(code))
    }

    /// What the gateway checks before an endpoint sees the request; the helpdesk, if one is asked for.
    fn admit(&mut self, route: Route, request: &Request, now_ms: i64) -> Result<String, Refusal> {
        if matches!(route, Route::Token | Route::Hook | Route::LongConnection | Route::Handshake) {
            return Ok(String::new());
        }
        self.auth.admit(request.header_value("Authorization"), &self.knobs, now_ms)?;
        self.check_scope(route)?;
        let used = self.used.get(&month(now_ms)).copied().unwrap_or_default();
        if route.is_counted() && self.knobs.quota_per_month.is_some_and(|quota| used >= quota) {
            return Err(quota_used_up());
        }
        if self.knobs.limits {
            let admitted = self.windows.admit(&format!("{route:?}"), route.limits(), now_ms);
            admitted.map_err(|full| {
                let seconds = u32::try_from((full.wait_ms + 999) / 1000).unwrap_or(1).max(1);
                rate_limited(seconds, full.calls)
            })?;
        }
        if route.is_helpdesk() { self.helpdesks.admit(request) } else { Ok(String::new()) }
    }

    fn check_scope(&self, route: Route) -> Result<(), Refusal> {
        let scopes = route.scopes();
        if scopes.is_empty() || scopes.iter().any(|scope| !self.knobs.scopes_missing.contains(*scope)) {
            return Ok(());
        }
        let violation = |scope: &&str| json!({ "type": "action_scope_required", "subject": scope });
        let violations: Vec<Value> = scopes.iter().map(violation).collect();
        let text = format!("Access denied. One of the following scopes is required: [{}]", scopes.join(", "));
        let help = json!([{ "url": "https://open.feishu.cn/app", "description": "apply for the scope" }]);
        let refusal = Refusal::new(400, 99_991_672, text);
        Err(refusal.with("permission_violations", json!(violations)).with("helps", help))
    }

    fn act(
        &mut self,
        route: Route,
        id: &str,
        helpdesk_id: &str,
        request: &Request,
        (dice, busy_ms, now_ms): (&mut Dice, i64, i64),
    ) -> Answer {
        let tenant_key = self.app.tenant_key.clone();
        match route {
            Route::Token => return self.auth.issue(&self.app, request, &self.knobs, dice, now_ms),
            Route::LongConnection => {
                return self.lines.discover(&self.app, request, &self.knobs, (dice, now_ms));
            }
            Route::Handshake => {
                return self.lines.shake(request, &self.knobs, now_ms).map_or_else(Answer::Refused, Answer::Begun);
            }
            Route::TicketList => return self.helpdesks.list(helpdesk_id, request, &self.knobs, dice, now_ms),
            Route::TicketGet => return self.helpdesks.get(helpdesk_id, id, &self.knobs),
            Route::TicketMessages => return self.helpdesks.messages(helpdesk_id, id, request, &self.knobs),
            Route::TicketCustomizedFields => {
                return self.helpdesks.paged_fields(helpdesk_id, request, &self.knobs);
            }
            Route::CustomizedFields => return self.helpdesks.fields(helpdesk_id, request, &self.knobs),
            Route::EventsSubscribe => return self.subscribe(helpdesk_id, request, true).into(),
            Route::EventsUnsubscribe => return self.subscribe(helpdesk_id, request, false).into(),
            Route::ChatList => return chats::list(&self.directory, &tenant_key, request).into(),
            Route::ChatGet => return chats::get(&self.directory, &tenant_key, id).into(),
            Route::ChatMembers => return chats::members(&self.directory, &tenant_key, id, request).into(),
            Route::UserIds => return chats::user_ids(&self.directory, request).into(),
            Route::BotInfo => return Answer::Whole(self.bot_info()),
            Route::Hook => {
                let setting = (dice, self.knobs.limits, now_ms);
                return self.hooks.post(id, request, &mut self.messages, &self.directory, setting);
            }
            _ => {}
        }
        let mut scene = Scene {
            directory: &mut self.directory,
            knobs: &self.knobs,
            dice,
            app_id: &self.app.app_id,
            tenant_key: &tenant_key,
            now_ms,
            busy_until_ms: now_ms + busy_ms,
        };
        match route {
            Route::MessageCreate => self.messages.create(request, &mut scene).into(),
            Route::MessageReply => self.messages.reply(id, request, &mut scene).into(),
            Route::MessagePatch => self.messages.patch(id, request, &mut scene).into(),
            Route::UrgentApp | Route::UrgentSms | Route::UrgentPhone => {
                urgent::urge(&mut self.messages, urgent::way_of(route), id, request, &scene).into()
            }
            Route::MessageGet => self.messages.read(id, request, &scene).into(),
            _ => self.messages.history(request, &scene).into(),
        }
    }

    fn bot_info(&self) -> Value {
        json!({ "code": 0, "msg": "ok", "bot": {
            "activate_status": 2, "app_name": self.app.bot_name, "avatar_url": "https://example.com/a.png",
            "ip_white_list": [], "open_id": self.app.bot_open_id,
        } })
    }
}

/// What goes out: an answer of an endpoint, or a page of something else.
enum Decided {
    Answer(Answer),
    Page(u16, &'static str),
}

fn refused(refusal: Refusal) -> (Decided, Option<i64>) {
    let code = refusal.code;
    (Decided::Answer(Answer::Refused(refusal)), Some(code))
}

fn refusal_of(fault: Fault, route: Route) -> Option<Refusal> {
    match fault {
        Fault::InternalError if route.is_helpdesk() => Some(Refusal::new(500, 155_000, "Internal error")),
        Fault::InternalError => Some(Refusal::new(500, 2200, "Internal Error")),
        Fault::RateLimited(seconds) => Some(rate_limited(seconds, 50)),
        Fault::ChatLimited if route.is_send() => {
            Some(Refusal::im(230_020, "This operation triggers the frequency limit, ext=chat rate limit"))
        }
        Fault::QuotaUsedUp => Some(quota_used_up()),
        Fault::Refused(status, code) => Some(Refusal::new(status, code, "refused by order")),
        _ => None,
    }
}

fn rate_limited(seconds: u32, calls: usize) -> Refusal {
    let mut refusal = Refusal::new(429, 99_991_400, "request trigger frequency limit");
    refusal.headers.push(("x-ogw-ratelimit-limit".to_string(), calls.to_string()));
    refusal.headers.push(("x-ogw-ratelimit-reset".to_string(), seconds.to_string()));
    refusal
}

/// A handshake is refused in headers (`facts/feishu.md §6.2`); its HTTP status says little.
fn refuse_handshake(response: &mut Response, code: i64, status: u16) {
    let text = response.json().get("msg").and_then(Value::as_str).unwrap_or_default().to_string();
    let headers = [
        ("Handshake-Status", response.status.to_string()),
        ("Handshake-Msg", text),
        ("Handshake-Autherrcode", code.to_string()),
    ];
    response.headers.extend(headers.map(|(name, value)| (name.to_string(), value)));
    response.status = status;
}

fn quota_used_up() -> Refusal {
    Refusal::new(429, 99_991_403, "This month's API call quota has been exceeded")
}

fn month(now_ms: i64) -> (i64, i64) {
    let (year, month, _) = calendar::civil(now_ms + MONTH_SHIFT_MS);
    (year, month)
}

fn respond(answer: Answer, log_id: &str) -> Response {
    let (status, body, mut headers) = match answer {
        Answer::Data(data) => (200, json!({ "code": 0, "msg": "success", "data": data }).to_string(), Vec::new()),
        Answer::Whole(whole) => (200, whole.to_string(), Vec::new()),
        Answer::Written(body) => (200, body, Vec::new()),
        Answer::Begun(line) => return Response { line: Some(line), ..page(101, "") },
        Answer::Refused(refusal) => {
            let mut error = refusal.error;
            error.insert("log_id".to_string(), json!(log_id));
            let body = json!({ "code": refusal.code, "msg": refusal.message, "error": error });
            (refusal.status, body.to_string(), refusal.headers)
        }
    };
    headers.push(("Content-Type".to_string(), "application/json; charset=utf-8".to_string()));
    Response { status, headers, body: Bytes::from(body), delay_ms: 0, cut: Cut::None, line: None }
}

fn page(status: u16, text: &'static str) -> Response {
    let kind = if text.starts_with('<') { "text/html" } else { "text/plain" };
    let headers = vec![("Content-Type".to_string(), kind.to_string())];
    Response { status, headers, body: Bytes::from_static(text.as_bytes()), delay_ms: 0, cut: Cut::None, line: None }
}

#[cfg(test)]
mod tests;
