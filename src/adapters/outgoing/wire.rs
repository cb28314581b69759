//! A notice in Alertmanager's webhook JSON, version 4: what every tool that takes Alertmanager's webhooks understands.
//! Made from what the notice is about, not from its card; the card's text goes along for people.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::SecondsFormat;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::{
    alert::{Alert, AlertState},
    card::{self, Card, Does, one_line},
    id::Subject,
    notice::{AlertLine, AlertView, AnswerView, Content, DigestView, Send, Step},
    rule::Severity,
    text::{Locale, Message},
    time::Timestamp,
    typed,
};

/// Bytes of a request: a digest of ten alerts with texts as long as they may be stays well below.
pub const BODY_BYTES_MAX: usize = 128 * 1024;

/// Bytes of a label's value.
const LABEL_BYTES_MAX: usize = 256;

/// Bytes of one annotation.
const ANNOTATION_BYTES_MAX: usize = 2 * 1024;

/// Bytes of the card's text.
const CARD_BYTES_MAX: usize = 8 * 1024;

/// The version of the format.
const VERSION: &str = "4";

/// What stands for "not over yet".
const NOT_OVER: &str = "0001-01-01T00:00:00Z";

/// What deskbell's own messages are called where alerts carry their rule's name.
const OWN_NAME: &str = "deskbell";

/// Whether it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It rings.
    Begun,
    /// It is over.
    Over,
}

impl Told {
    const fn name(self) -> &'static str {
        match self {
            Self::Begun => "firing",
            Self::Over => "resolved",
        }
    }

    const fn of(firing: bool) -> Self {
        if firing { Self::Begun } else { Self::Over }
    }
}

/// Names and values; without value there is no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct Labels(BTreeMap<&'static str, String>);

impl Labels {
    /// Adds a value, on one line and cut; an empty one says nothing.
    fn add(&mut self, name: &'static str, value: &str, bytes_max: usize) {
        let value = clipped(&one_line(value), bytes_max).into_owned();
        if !value.is_empty() {
            self.0.insert(name, value);
        }
    }

    fn label(&mut self, name: &'static str, value: &str) {
        self.add(name, value, LABEL_BYTES_MAX);
    }

    fn note(&mut self, name: &'static str, value: &str) {
        self.add(name, value, ANNOTATION_BYTES_MAX);
    }

    /// What all have in common.
    fn common<'a>(mut all: impl Iterator<Item = &'a Self>) -> Self {
        let mut common = all.next().cloned().unwrap_or_default();
        for other in all {
            common.0.retain(|name, value| other.0.get(name) == Some(value));
        }
        common
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    version: &'static str,
    group_key: String,
    truncated_alerts: usize,
    status: &'static str,
    receiver: &'a str,
    group_labels: Labels,
    common_labels: Labels,
    common_annotations: Labels,
    #[serde(rename = "externalURL")]
    external_url: &'static str,
    alerts: Vec<One>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One {
    status: &'static str,
    labels: Labels,
    annotations: Labels,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// The request's body for a notice.
pub(super) fn body(send: &Send, card: &Card, now: Timestamp) -> String {
    let told = match &send.content {
        Content::Alert(view) => Told::of(!matches!(view.alert.state, AlertState::Ended { .. })),
        Content::Digest(view) => Told::of(view.firing > 0),
        Content::Answer(_) | Content::Trouble(_) | Content::Announcement(_) => Told::Begun,
    };
    text(&composed(send, card, told, now))
}

/// The same for a drill, marked as one.
pub(super) fn drill(send: &Send, card: &Card, told: Told, now: Timestamp) -> String {
    let mut body = composed(send, card, told, now);
    body.status = told.name();
    for one in &mut body.alerts {
        one.labels.label("drill", "true");
        one.status = told.name();
        one.ends_at = ends_at(told, now);
    }
    body.common_labels = Labels::common(body.alerts.iter().map(|one| &one.labels));
    text(&body)
}

fn text(body: &Body<'_>) -> String {
    serde_json::to_string(body).unwrap_or_default() // texts with textual keys always are JSON
}

fn composed<'a>(send: &'a Send, card: &Card, told: Told, now: Timestamp) -> Body<'a> {
    let mut alerts = match &send.content {
        Content::Alert(view) => vec![alert(send, view, card, now)],
        Content::Digest(view) => view.lines.iter().map(|line| of_digest(line, send.locale, now)).collect(),
        Content::Answer(_) | Content::Trouble(_) | Content::Announcement(_) => Vec::new(),
    };
    if alerts.is_empty() {
        alerts.push(message(send, card, told, now));
    }
    if send.maybe_repeat {
        alerts.iter_mut().for_each(|one| one.annotations.note("may_be_a_repeat", "true"));
    }
    let common_labels = Labels::common(alerts.iter().map(|one| &one.labels));
    let mut common_annotations = Labels::common(alerts.iter().map(|one| &one.annotations));
    let mut group_labels = Labels::default();
    if let Some(name) = common_labels.0.get("alertname") {
        group_labels.label("alertname", name);
    }
    let mut truncated_alerts = 0;
    let group_key = match &send.content {
        Content::Digest(view) => {
            truncated_alerts = view.total.saturating_sub(view.lines.len());
            tell_digest(&mut common_annotations, view, card, send.locale);
            format!("{{}}:{{digest=\"#{}\"}}", send.key.reference())
        }
        _ => {
            let (reference, print) = (send.key.reference(), fingerprint(&send.key.subject, &send.key.reference()));
            format!("{{}}:{{reference=\"#{reference}\", fingerprint=\"{print}\"}}")
        }
    };
    Body {
        version: VERSION,
        group_key,
        truncated_alerts,
        status: told.name(),
        receiver: send.key.receiver.as_str(),
        group_labels,
        common_labels,
        common_annotations,
        external_url: "",
        alerts,
    }
}

/// What a digest says besides its alerts.
fn tell_digest(notes: &mut Labels, view: &DigestView, card: &Card, locale: Locale) {
    notes.note("summary", &card.title);
    notes.note("cause", view.cause.words().get(locale));
    if let Some(shared) = &view.shared {
        notes.note("shared", shared.get(locale));
    }
    notes.0.insert("card", card_text(card));
}

fn alert(send: &Send, view: &AlertView, card: &Card, now: Timestamp) -> One {
    let (own, locale) = (&view.alert, send.locale);
    let mut labels = subject_labels(&own.key.subject);
    labels.label("alertname", view.rule_name());
    labels.label("severity", own.severity.name());
    labels.label("reference", &own.reference());
    labels.label("episode", &own.episode.to_string());
    if let Some(team) = view.ticket.as_ref().and_then(|ticket| ticket.team.as_ref()) {
        labels.label("team", team.as_str());
    }
    if own.trial {
        labels.label("trial", "true");
    }
    let mut annotations = Labels::default();
    annotations.note("summary", &card.title);
    annotations.note("description", own.why.get(locale));
    if let Some(rule) = &view.rule {
        annotations.note("advice", rule.advice.as_deref().unwrap_or_default());
        annotations.note("runbook", rule.runbook.as_deref().unwrap_or_default());
    }
    tell_state(&mut annotations, view, locale);
    annotations.note("actions", &typed::lines(&card.buttons, locale).join("; "));
    annotations.0.insert("card", card_text(card));
    let (told, ended_at) = match &own.state {
        AlertState::Ended { ended_at, .. } => (Told::Over, *ended_at),
        AlertState::Pending | AlertState::Firing { .. } => (Told::Begun, now),
    };
    One {
        status: told.name(),
        labels,
        annotations,
        starts_at: instant(own.since),
        ends_at: ends_at(told, ended_at),
        generator_url: opens(card),
        fingerprint: fingerprint(&own.key.subject, &own.reference()),
    }
}

/// How it stands, besides whether it rings.
fn tell_state(annotations: &mut Labels, view: &AlertView, locale: Locale) {
    let Alert { state, taken, .. } = &view.alert;
    if let Some(taken) = taken {
        annotations.note("taken_by", taken.by.words().get(locale));
    }
    match state {
        AlertState::Ended { reason, .. } => annotations.note("end", reason.words().get(locale)),
        AlertState::Firing { stale_as_of: Some(at), .. } => annotations.note("data_as_of", &instant(*at)),
        AlertState::Firing { .. } | AlertState::Pending => {}
    }
    if view.step == Step::Repeated {
        annotations.note("repeat", &view.ordinal.to_string());
    }
}

fn of_digest(line: &AlertLine, locale: Locale, now: Timestamp) -> One {
    let mut labels = subject_labels(&line.subject);
    labels.label("alertname", line.rule.as_str());
    labels.label("severity", line.severity.name());
    labels.label("reference", &line.reference);
    let mut annotations = Labels::default();
    annotations.note("summary", line.title.as_deref().unwrap_or(line.rule.as_str()));
    annotations.note("description", line.why.get(locale));
    let told = Told::of(line.firing);
    One {
        status: told.name(),
        labels,
        annotations,
        starts_at: instant(line.since),
        ends_at: ends_at(told, now),
        generator_url: String::new(),
        fingerprint: fingerprint(&line.subject, &line.reference),
    }
}

/// What deskbell itself says: no alert, but in an alert's shape.
fn message(send: &Send, card: &Card, told: Told, now: Timestamp) -> One {
    let (kind, severity, words) = match &send.content {
        Content::Trouble(words) => ("trouble", Severity::Warning, Some(words)),
        Content::Announcement(words) => ("announcement", Severity::Info, Some(words)),
        Content::Answer(answer) => ("message", Severity::Info, sentence(answer)),
        Content::Digest(_) | Content::Alert(_) => ("digest", Severity::Warning, None),
    };
    let mut labels = subject_labels(&send.key.subject);
    labels.label("alertname", OWN_NAME);
    labels.label("severity", severity.name());
    labels.label("kind", kind);
    labels.label("name", send.key.rule.as_str());
    labels.label("reference", &send.key.reference());
    let mut annotations = Labels::default();
    annotations.note("summary", &card.title);
    annotations.note("description", words.map_or(card.title.as_str(), |words| words.get(send.locale)));
    annotations.0.insert("card", card_text(card));
    One {
        status: told.name(),
        labels,
        annotations,
        starts_at: instant(now),
        ends_at: ends_at(told, now),
        generator_url: opens(card),
        fingerprint: fingerprint(&send.key.subject, &send.key.reference()),
    }
}

fn sentence(answer: &AnswerView) -> Option<&Message> {
    match answer {
        AnswerView::Text(words) | AnswerView::Page(words, _) => Some(words),
        AnswerView::Ticket(_) => None,
    }
}

/// What an alert is about.
fn subject_labels(subject: &Subject) -> Labels {
    let mut labels = Labels::default();
    if let Some(source) = subject.source() {
        labels.label("source", source.as_str());
    }
    match subject {
        Subject::Ticket(key) => labels.label("ticket_id", key.id.as_str()),
        Subject::Group(value) => labels.label("group", value),
        Subject::Source(_) | Subject::Service | Subject::Message(_) | Subject::Receiver(_) => {}
    }
    labels
}

/// The same for every notice of one episode, whatever of its labels changes: tools tell alerts apart by it.
fn fingerprint(subject: &Subject, reference: &str) -> String {
    let hash = Sha256::digest(format!("{subject}\u{1f}{reference}"));
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The first address that the card opens.
fn opens(card: &Card) -> String {
    let open = card.buttons.iter().find_map(|button| match &button.does {
        Does::Open(url) => Some(url.as_str()),
        Does::Press(..) | Does::Ask(_) => None,
    });
    open.filter(|url| url.len() <= ANNOTATION_BYTES_MAX).unwrap_or_default().to_owned()
}

/// What people would see of the card: plain text, line by line.
fn card_text(card: &Card) -> String {
    let mut lines: Vec<String> = vec![one_line(&card.title)];
    lines.extend(card::shown(&card.body).lines().map(one_line).filter(|line| !line.is_empty()));
    lines.push(one_line(&card.footer));
    clipped(lines.join("\n").trim_end(), CARD_BYTES_MAX).into_owned()
}

fn instant(at: Timestamp) -> String {
    at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn ends_at(told: Told, at: Timestamp) -> String {
    match told {
        Told::Begun => NOT_OVER.to_owned(),
        Told::Over => instant(at),
    }
}

/// At most so many bytes, an ellipsis included, cut between characters.
pub(super) fn clipped(text: &str, bytes_max: usize) -> Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub(ELLIPSIS.len()));
    Cow::Owned(format!("{}{ELLIPSIS}", text.get(..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
