//! The values of one card, laid out as `shape` says: whatever is not known stays null, texts and lists are bounded.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::{
    adapters::templates::{
        digest, frame,
        library::Surroundings,
        shape::{self, ROOT, Shape},
        standing, words,
    },
    domain::{
        actor::Actor,
        alert::AlertState,
        card::cut,
        clocks::Run,
        conversation::Said,
        field::{Code, FIELDS, Kind, Value},
        id::Subject,
        notice::{AlertLine, AlertView, AnswerView, Content, DigestView, Send, Step, TicketView},
        rule::Severity,
        text::{Locale, Words},
        ticket::{Comment, CustomField, I18nText, Known, Person, Tag, Text},
        time::{Span, Timestamp},
        waiting::{Waiting, Waits},
    },
};

/// Characters of one text a template sees; cut before anything is escaped.
pub(crate) const TEXT_CHARS_MAX: usize = 2_000;

/// Items of one list a template sees.
pub(crate) const LIST_ITEMS_MAX: usize = 50;

/// Under the context's names, but not among them: the reader's language and zone, for helpers.
pub(crate) const READER: &str = "·reader";

/// Under a person's parts, but not among them: nobody knows whether there is one.
pub(crate) const UNKNOWN: &str = "·unknown";

/// The same: there is one, and the name may not be shown.
pub(crate) const HIDDEN: &str = "·hidden";

/// What the ticket stands under as it is, where the configuration allows that.
pub(crate) const RAW: &str = "raw";

/// Between firing and sending: within this the card shows its times as of the firing, so that the same decision
/// makes the same card.
const SETTLED: Span = Span::from_mins(1);

/// Messages of a ticket that are shown, the last ones.
pub(crate) const MESSAGES_MAX: usize = 5;

/// Who said something on a ticket.
const GUEST: Words = Words { zh: "客户", en: "guest" };
const AGENT: Words = Words { zh: "客服", en: "agent" };

/// Values by their names.
pub(crate) type Object = Map<String, Json>;

/// The context that says nothing, for a template with this text: without the parts it never mentions, which are most of a
/// ticket and would be laid out for every card.
pub(crate) fn blank(text: &str) -> Object {
    let mut blank = ROOT.blank();
    blank.remove(RAW);
    let mentioned = |name: &str| text.contains(name) || (name == "customized_fields" && text.contains("field"));
    for part in blank.values_mut() {
        if let Json::Object(part) = part {
            part.retain(|name, _| mentioned(name));
        }
    }
    blank
}

/// The context of a send, laid out in a [`blank`] one.
pub(crate) fn of(mut root: Object, send: &Send, around: &Surroundings) -> Json {
    let locale = send.locale;
    match &send.content {
        Content::Alert(view) => alert_root(&mut root, view, locale, around),
        Content::Digest(view) => {
            root.insert("digest".into(), Json::Object(digest(view, locale, around)));
            if let Some(source) = view.source.as_ref().or(view.of.source()) {
                root.insert("source".into(), text(source.as_str()));
            }
        }
        Content::Answer(view) => {
            if let AnswerView::Ticket(view) = view.as_ref() {
                let blank = part_of(&mut root, "ticket");
                root.insert("ticket".into(), Json::Object(ticket(blank, view, locale, around.now)));
                root.insert("source".into(), text(view.ticket.key.source.as_str()));
            }
        }
        Content::Trouble(_) | Content::Announcement(_) => {}
    }
    root.insert("now".into(), json!(around.now.as_ms()));
    let locale = if locale == Locale::Zh { "zh" } else { "en" };
    root.insert(READER.into(), json!({ "locale": locale, "zone": around.zone.0.name() }));
    Json::Object(root)
}

/// The ticket of a send as it is, nothing hidden, masked or cut for privacy's sake; blank where there is none, or where
/// people of other companies read.
pub(crate) fn raw(send: &Send, around: &Surroundings) -> Json {
    let blank = ROOT.part(RAW).map(Shape::blank).unwrap_or_default();
    let view = match &send.content {
        Content::Alert(view) => view.ticket.as_ref(),
        Content::Answer(view) => match view.as_ref() {
            AnswerView::Ticket(view) => Some(view.as_ref()),
            AnswerView::Text(_) | AnswerView::Page(..) => None,
        },
        Content::Digest(_) | Content::Trouble(_) | Content::Announcement(_) => None,
    };
    Json::Object(match view.filter(|view| view.labels.privacy.raw) {
        Some(view) => ticket(blank, &view.bare(), send.locale, around.now),
        None => blank,
    })
}

/// A ticket's subject line, never empty: the first subject field with a value, else the guest's name and the id's
/// tail, because a card without a subject is a number.
pub(crate) fn subject(view: &TicketView, locale: Locale) -> String {
    let ticket = &view.ticket;
    if let Some(subject) = &view.subject {
        return cut(subject, TEXT_CHARS_MAX);
    }
    let tail = words::tail(ticket.key.id.as_str());
    let guest = ticket.guest.present().and_then(|guest| words::told(&guest.name));
    match (guest, locale) {
        (Some(guest), _) => format!("{} {tail}", cut(guest, TEXT_CHARS_MAX)),
        (None, Locale::Zh) => format!("工单 {tail}"),
        (None, Locale::En) => format!("ticket {tail}"),
    }
}

fn alert_root(root: &mut Object, view: &AlertView, locale: Locale, around: &Surroundings) {
    let alert = &view.alert;
    let mut rule = Object::new();
    rule.insert("name".into(), text(view.rule_name()));
    rule.insert("severity".into(), json!(alert.severity.name()));
    rule.insert("summary".into(), shared(view.rule.as_ref().and_then(|rule| rule.summary.as_ref())));
    rule.insert("advice".into(), shared(view.rule.as_ref().and_then(|rule| rule.advice.as_ref())));
    rule.insert("runbook".into(), shared(view.rule.as_ref().and_then(|rule| rule.runbook.as_ref())));
    root.insert("rule".into(), Json::Object(rule));
    let blank = part_of(root, "alert");
    root.insert("alert".into(), Json::Object(alert_values(blank, view, locale)));
    if let Some(source) = alert.key.subject.source() {
        root.insert("source".into(), text(source.as_str()));
    }
    if let Some(view) = &view.ticket {
        let blank = part_of(root, "ticket");
        root.insert("ticket".into(), Json::Object(ticket(blank, view, locale, around.now)));
    } else if let Some(key) = alert.key.subject.ticket()
        && let Some(Json::Object(ticket)) = root.get_mut("ticket")
    {
        ticket.insert("ticket_id".into(), text(key.id.as_str()));
        ticket.insert("subject".into(), text(key.id.as_str()));
    }
    if let Some(clock) = clock(view, around.now) {
        root.insert("clock".into(), clock);
    }
}

/// The rule's clock, counted as the rule counts it: as of the firing while that is fresh, of the ending when it is over,
/// else of now.
fn clock(view: &AlertView, now: Timestamp) -> Option<Json> {
    let at = match &view.alert.state {
        AlertState::Pending => now,
        AlertState::Firing { fired_at, .. } if now.since(*fired_at) <= SETTLED => *fired_at,
        AlertState::Firing { .. } => now,
        AlertState::Ended { ended_at, .. } => *ended_at,
    };
    let seen = view.ticket.as_ref().map(TicketView::whole);
    let clock = frame::clock_of(view.rule.as_ref()?, seen.as_ref(), at)?;
    let elapsed = seen.and_then(|seen| Run::of(clock.clock, clock.pauses, &seen).elapsed(clock.pace, at));
    let left = clock.target.zip(elapsed).filter(|(target, elapsed)| target > elapsed);
    let left = left.map(|(target, elapsed)| Span::from_ms(target.as_ms() - elapsed.as_ms()));
    Some(json!({
        "name": clock.clock.name(),
        "elapsed": elapsed.map(|span| span_json(span, frame::at_least(view))),
        "target": clock.target.map(|span| span_json(span, false)),
        "left": left.map(|span| span_json(span, false)),
    }))
}

/// A part of the root, taken out of it to be filled.
fn part_of(root: &mut Object, name: &str) -> Object {
    match root.get_mut(name).map(Json::take) {
        Some(Json::Object(part)) => part,
        _ => Object::new(),
    }
}

/// The alert's values, in the part of the root that is blank.
fn alert_values(mut out: Object, view: &AlertView, locale: Locale) -> Object {
    let alert = &view.alert;
    out.insert("ref".into(), json!(alert.reference()));
    out.insert("severity".into(), json!(alert.severity.name()));
    out.insert("since".into(), instant(alert.since));
    out.insert("fired_at".into(), alert.fired_at().map_or(Json::Null, instant));
    out.insert("why".into(), text(alert.why.get(locale)));
    out.insert("episode".into(), json!(alert.episode));
    out.insert("trial".into(), json!(alert.trial));
    if let Subject::Group(value) = &alert.key.subject {
        out.insert("group".into(), text(value));
    }
    out.insert("stale_as_of".into(), frame::stale(view).map_or(Json::Null, instant));
    if view.step == Step::Repeated {
        out.insert("repeat".into(), json!(view.ordinal));
    }
    if let Some(taken) = &alert.taken {
        out.insert("taken_by".into(), actor(&taken.by, locale));
        out.insert("taken_until".into(), instant(taken.until));
    }
    if let Some(snoozed) = &alert.snoozed {
        out.insert("snoozed_by".into(), actor(&snoozed.by, locale));
        out.insert("snoozed_until".into(), instant(snoozed.until));
    }
    if let Some(by) = standing::acted_by(alert).filter(|_| !alert.is_firing()) {
        out.insert("acted_by".into(), actor(by, locale));
    }
    let state = match &alert.state {
        AlertState::Pending => "pending",
        AlertState::Firing { .. } => "firing",
        AlertState::Ended { fired_at, ended_at, reason } => {
            out.insert("ended_at".into(), instant(*ended_at));
            out.insert("end_reason".into(), text(reason.words().get(locale)));
            out.insert("took".into(), span_json(ended_at.since(fired_at.unwrap_or(alert.since)), false));
            "ended"
        }
    };
    out.insert("state".into(), json!(state));
    out
}

/// A ticket as templates see it, in the part of the root that is blank.
fn ticket(mut out: Object, view: &TicketView, locale: Locale, now: Timestamp) -> Object {
    let ticket = &view.ticket;
    let seen = view.seen();
    for field in FIELDS {
        let Some(place) = out.get_mut(field.name) else { continue };
        let read = (field.read)(&seen);
        if read == Value::Unknown
            && let Json::Object(person) = place
        {
            person.insert(UNKNOWN.into(), Json::Bool(true));
        }
        if let Some(value) = value(read, field.kind, locale) {
            *place = value;
        }
    }
    let facts = &view.facts;
    out.insert("ticket_id".into(), text(ticket.key.id.as_str()));
    out.insert("subject".into(), json!(subject(view, locale)));
    out.insert("priority".into(), shared(view.priority.as_ref()));
    out.insert("team".into(), view.team.as_ref().map_or(Json::Null, |team| text(team.as_str())));
    if view.hides_guest
        && let Some(Json::Object(guest)) = out.get_mut("guest")
    {
        guest.insert(HIDDEN.into(), Json::Bool(true));
    }
    if let Known::Present(conversation) = &facts.conversation {
        for (name, message) in [
            ("first_guest_message", conversation.first_guest.as_ref()),
            ("last_guest_message", conversation.guest.last()),
        ] {
            if let Some(said) = message {
                out.insert(name.into(), json!({ "at": said.at.as_ms(), "text": cut(&said.text, TEXT_CHARS_MAX) }));
            }
        }
    }
    said(&mut out, view, locale, now);
    out.insert("closed".into(), ticket.is_closed().map_or(Json::Null, Json::Bool));
    out.insert("status_since".into(), instant(facts.status_since));
    out.insert("status_since_estimated".into(), json!(facts.status_since_estimated));
    out.insert("reopened_count".into(), json!(facts.reopened_count));
    out.insert("first_seen".into(), instant(facts.first_seen));
    out.insert("as_of".into(), instant(view.as_of));
    if let Some(place) = out.get_mut("alerts") {
        *place = list(&view.alerts, |entry| line(entry, locale));
    }
    out
}

/// Who waits for whom, and what was said last, oldest first.
fn said(out: &mut Object, view: &TicketView, locale: Locale, now: Timestamp) {
    if let Some(waiting) = Waiting::of(&view.whole()) {
        let (long, since) = match waiting.who {
            Waits::Guest => ("guest_waits", "guest_waits_since"),
            Waits::Agents => ("agents_wait", "agents_wait_since"),
        };
        out.insert(long.into(), span_json(now.since(waiting.since), false));
        out.insert(since.into(), instant(waiting.since));
    }
    out.insert("messages_unread".into(), json!(view.facts.conversation.is_unknown()));
    let (Known::Present(talk), true) = (&view.facts.conversation, out.contains_key("messages")) else { return };
    let by_guest = talk.guest.iter().map(|said| (said, GUEST));
    let mut last: Vec<_> = by_guest.chain(talk.agent.iter().map(|said| (said, AGENT))).collect();
    last.sort_by_key(|(said, _)| said.at);
    let skip = last.len().saturating_sub(MESSAGES_MAX);
    let one = |(said, by): &(&Said, Words)| json!({ "at": said.at.as_ms(), "by": by.get(locale), "text": cut(&said.text, TEXT_CHARS_MAX) });
    out.insert("messages".into(), list(last.get(skip..).unwrap_or_default(), one));
}

fn digest(view: &DigestView, locale: Locale, around: &Surroundings) -> Object {
    let mut out = Object::new();
    let rules: Vec<(&str, usize)> = view.by_rule.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    out.insert("cause".into(), text(view.cause.words().get(locale)));
    out.insert("total".into(), json!(view.total));
    out.insert("firing".into(), json!(view.firing));
    out.insert("taken".into(), json!(view.taken));
    out.insert("waiting".into(), json!(view.waiting()));
    out.insert(
        "rules".into(),
        list(&rules, |(name, count)| json!({ "name": cut(name, TEXT_CHARS_MAX), "count": count })),
    );
    out.insert("lines".into(), list(&view.lines, |entry| line(entry, locale)));
    out.insert("more".into(), json!(view.total.saturating_sub(view.lines.len())));
    out.insert("storm".into(), json!(view.cause.gathers()));
    out.insert("lead".into(), text(digest::lead(view.cause, locale)));
    out.insert("opening".into(), text(&digest::opening(view, locale, around)));
    out.insert("next".into(), digest::next(view, locale).map_or(Json::Null, |next| text(&next)));
    out.insert("critical".into(), json!(view.severity == Some(Severity::Critical)));
    out.insert("severity".into(), view.severity.map_or(Json::Null, |severity| json!(severity.name())));
    out.insert("rule".into(), view.rule.as_ref().map_or(Json::Null, |rule| text(rule.as_str())));
    out.insert("began_at".into(), instant(view.began_at));
    out.insert("closed_at".into(), view.closed_at.map_or(Json::Null, instant));
    out.insert("longest".into(), longest(view, around).map_or(Json::Null, |span| span_json(span, false)));
    out.insert("shared".into(), view.shared.as_ref().map_or(Json::Null, |shared| text(shared.get(locale))));
    out
}

/// How long the one has held that has held longest of those that nobody has, else of those that still ring; nothing where
/// all are over.
pub(crate) fn longest(view: &DigestView, around: &Surroundings) -> Option<Span> {
    let oldest = view.lines.first().filter(|line| line.firing)?;
    Some(around.now.since(oldest.since))
}

fn line(entry: &AlertLine, locale: Locale) -> Json {
    let mut out = shape::line().blank();
    let id = entry.subject.ticket().map(|key| key.id.as_str());
    out.insert("ref".into(), text(&entry.reference));
    out.insert("rule".into(), text(entry.rule.as_str()));
    out.insert("title".into(), entry.title.as_deref().map_or(Json::Null, text));
    out.insert("ticket_id".into(), id.map_or(Json::Null, text));
    out.insert("since".into(), instant(entry.since));
    out.insert("firing".into(), json!(entry.firing));
    out.insert("severity".into(), json!(entry.severity.name()));
    out.insert("why".into(), text(entry.why.get(locale)));
    out.insert("taken_by".into(), entry.taken_by.as_ref().map_or(Json::Null, |who| text(who.get(locale))));
    Json::Object(out)
}

/// A field's value; nothing where it is empty or unknown.
fn value(value: Value<'_>, kind: Kind, locale: Locale) -> Option<Json> {
    Some(match value {
        Value::Unknown | Value::Empty => return None,
        Value::Text(value) => text(value),
        Value::Number(value) => number(value),
        Value::Code(code) => match kind {
            Kind::Code(codes) => json!(code_name(codes, code)),
            _ => json!(code),
        },
        Value::Instant(at) => instant(at),
        Value::Person(value) => person(value),
        Value::Persons(values) => list(values, |value| person(value)),
        Value::I18n(values) => i18n(values, locale),
        Value::Comments(values) => list(values, comment),
        Value::Tags(values) => list(values, tag),
        Value::CustomFields(values) => list(values, custom_field),
        Value::Messages(values) => list(values, |said| text(&said.text)),
    })
}

/// The name of an enumeration's number; a number nobody knows as itself.
fn code_name(codes: &[Code], number: i64) -> String {
    codes.iter().find(|code| code.code == number).map_or_else(|| number.to_string(), |code| code.name.to_string())
}

fn person(person: &Person) -> Json {
    let parts = [
        ("id", &person.id),
        ("name", &person.name),
        ("email", &person.email),
        ("department", &person.department),
        ("city", &person.city),
        ("country", &person.country),
        ("avatar_url", &person.avatar_url),
    ];
    Json::Object(parts.into_iter().map(|(name, part)| (name.to_string(), told(part))).collect())
}

/// Who did something, as a person: always with a name that can be shown.
fn actor(actor: &Actor, locale: Locale) -> Json {
    let mut parts = Shape::Person.blank();
    parts.insert("id".into(), actor.open_id().map_or(Json::Null, |id| text(id.as_str())));
    parts.insert("name".into(), text(actor.words().get(locale)));
    Json::Object(parts)
}

fn comment(comment: &Comment) -> Json {
    json!({
        "id": comment.id.present().map(ToString::to_string),
        "content": known(&comment.content),
        "created_at": comment.created_at.present().map(|at| at.as_ms()),
        "user_name": known(&comment.user_name),
        "user_id": known(&comment.user_id),
        "user_avatar_url": known(&comment.user_avatar_url),
    })
}

fn tag(tag: &Tag) -> Json {
    json!({ "id": known(&tag.id), "name": known(&tag.name) })
}

fn custom_field(field: &CustomField) -> Json {
    json!({
        "id": known(&field.id),
        "value": known(&field.value),
        "key_name": known(&field.key_name),
        "display_name": known(&field.display_name),
        "position": field.position.present(),
        "required": field.required.present(),
        "editable": field.editable.present(),
    })
}

/// Each text in the reader's language, or the one there is.
fn i18n(values: &[I18nText], locale: Locale) -> Json {
    let one = |value: &I18nText| {
        let order = match locale {
            Locale::Zh => [&value.zh_cn, &value.en_us, &value.ja_jp],
            Locale::En => [&value.en_us, &value.zh_cn, &value.ja_jp],
        };
        order
            .into_iter()
            .find_map(|text| text.present().map(|text| text.trim()).filter(|text| !text.is_empty()))
            .map(|text| cut(text, TEXT_CHARS_MAX))
    };
    let texts: Vec<String> = values.iter().take(LIST_ITEMS_MAX).filter_map(one).collect();
    if texts.is_empty() { Json::Null } else { json!(texts.join(if locale == Locale::Zh { "；" } else { "; " })) }
}

fn list<T>(values: &[T], one: impl Fn(&T) -> Json) -> Json {
    Json::Array(values.iter().take(LIST_ITEMS_MAX).map(one).collect())
}

fn text(text: &str) -> Json {
    Json::String(cut(text, TEXT_CHARS_MAX))
}

fn shared(text: Option<&Arc<str>>) -> Json {
    text.map_or(Json::Null, |words| self::text(words))
}

fn known(text: &Known<Text>) -> Json {
    shared(text.present())
}

fn told(part: &Known<Text>) -> Json {
    words::told(part).map_or(Json::Null, text)
}

fn instant(at: Timestamp) -> Json {
    json!(at.as_ms())
}

fn span_json(span: Span, at_least: bool) -> Json {
    json!({ "ms": span.as_ms(), "at_least": at_least })
}

/// Whole numbers without a point.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn number(value: f64) -> Json {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < WHOLE_MAX { json!(value as i64) } else { json!(value) }
}
