//! What every card has around its text, whoever wrote the text: marks in the title, tags, the footer, the limits.

use crate::{
    adapters::templates::{library::Surroundings, line, standing, words},
    domain::{
        alert::AlertState,
        calendar::Pace,
        card::{Button, CARD_TAGS_MAX, Card, Colour, Does, Turn, cut, escape_markdown, one_line},
        card_buttons::{self, Offer, TAKE_HINT},
        condition::{Clock, Condition},
        id::Subject,
        notice::{AlertView, AnswerView, Content, DigestView, Send, Silenced, Step, Target},
        rule::{Rule, RuleKind},
        seen::Seen,
        text::{Locale, Message},
        time::{Span, Timestamp},
    },
};

/// Characters a title holds; a lock screen shows far fewer.
pub(crate) const TITLE_CHARS_MAX: usize = 160;

/// Characters a tag holds.
pub(crate) const TAG_CHARS_MAX: usize = 24;

/// Bytes a rendered body holds; the platform's limits are lower and enforced where the card is sent.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// A card's text before the frame is put around it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) colour: Colour,
    pub(crate) tags: Vec<String>,
    pub(crate) body: String,
}

/// The card of a draft, with the buttons that are offered as far as the alert's state lets them.
pub(crate) fn finish(mut draft: Draft, offers: &[Offer], send: &Send, around: &Surroundings) -> Card {
    let (mut buttons, mut hint) = (Vec::new(), String::new());
    if send.is_line() {
        draft = line::of(draft, offers, send, around);
    } else if let Content::Alert(view) = &send.content {
        draft.body = format!("{}\n\n{}", standing::lines(view, send.locale, around), draft.body);
        draft.colour = standing::colour(view).unwrap_or(draft.colour);
        buttons = card_buttons::buttons(view, offers, send.locale);
        if card_buttons::has_take_hint(view, &buttons) {
            hint = TAKE_HINT.get(send.locale).to_string();
        }
    }
    if let Content::Answer(answer) = &send.content {
        let turns: &[Turn] = match answer.as_ref() {
            AnswerView::Page(_, turns) => turns,
            AnswerView::Ticket(view) => &view.turns,
            AnswerView::Text(_) => &[],
        };
        buttons = turns.iter().map(|turn| asking(turn, send.locale)).collect();
    }
    let mut tags = marks(send, around);
    tags.extend(draft.tags);
    let mut tags: Vec<String> =
        tags.iter().map(|tag| cut(&one_line(tag), TAG_CHARS_MAX)).filter(|tag| !tag.is_empty()).collect();
    tags.truncate(CARD_TAGS_MAX);
    let title = format!("{}{}", prefix(send, around), one_line(&draft.title));
    Card {
        title: cut(&title, TITLE_CHARS_MAX),
        colour: draft.colour,
        tags,
        body: tidy(&headed(send, draft.body)),
        footer: one_line(&footer(send, around)),
        buttons,
        hint,
        forward: send.forward,
        is_reply: matches!(send.target, Target::Reply(_)),
        ..Card::default()
    }
}

/// The button that asks on.
fn asking(turn: &Turn, locale: Locale) -> Button {
    let text = one_line(turn.words.get(locale));
    Button { text, primary: false, does: Does::Ask(turn.asks.clone()) }
}

/// What is said of the send around the body: above it why it comes here and who was called up.
fn headed(send: &Send, body: String) -> String {
    let said = |notes: &[Message]| -> Option<String> {
        let lines: Vec<String> = notes.iter().map(|note| escape_markdown(note.get(send.locale))).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    };
    [said(&send.notes), Some(body), said(&send.asides)].into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// What the title begins with, so that a lock screen shows it.
fn prefix(send: &Send, around: &Surroundings) -> String {
    let mut prefix = String::new();
    if around.drill {
        prefix.push_str(pick(send, "【演练】", "[DRILL] "));
    }
    if let Content::Alert(view) = &send.content
        && view.alert.is_firing()
    {
        prefix.push_str(&occasion(view, send));
    }
    prefix
}

/// Why a message about an alert comes now, where it is not its first.
fn occasion(view: &AlertView, send: &Send) -> String {
    let said = match view.step {
        Step::Repeated => {
            return match send.locale {
                Locale::Zh => format!("第 {} 次再提醒 · ", view.ordinal),
                Locale::En => format!("Reminder {} · ", view.ordinal),
            };
        }
        // It hangs on the card of before, which goes on.
        Step::Fired if matches!(send.target, Target::Reply(_)) => pick(send, "再次触发 · ", "Rings again · "),
        Step::Escalated => pick(send, "升级 · ", "Escalated · "),
        Step::Fallback => pick(send, "仍无人接手 · ", "Still nobody · "),
        Step::Woken => pick(send, "推迟到点 · ", "Put off until now · "),
        Step::Asked => pick(send, "进展如何 · ", "How does it stand · "),
        _ => "",
    };
    said.to_string()
}

/// Tags that say how far to trust the card.
fn marks(send: &Send, around: &Surroundings) -> Vec<String> {
    let mut marks = Vec::new();
    if send.maybe_repeat {
        marks.push(pick(send, "可能重复", "may be a repeat").to_string());
    }
    if let Content::Alert(view) = &send.content
        && view.alert.trial
    {
        marks.push(pick(send, "试运行", "trial").to_string());
    }
    if let Content::Alert(view) = &send.content
        && let Some(at) = stale(view)
    {
        let at = words::instant(at, around.now, around.zone);
        marks.push(format!("{} {at}", pick(send, "数据截至", "data as of")));
    }
    marks
}

/// The instant of the data an alert rang on, where the source could not be read afresh.
pub(crate) const fn stale(view: &AlertView) -> Option<Timestamp> {
    match view.alert.state {
        AlertState::Firing { stale_as_of, .. } => stale_as_of,
        AlertState::Pending | AlertState::Ended { .. } => None,
    }
}

fn footer(send: &Send, around: &Surroundings) -> String {
    let as_of = |at: Timestamp| format!("{} {}", pick(send, "数据截至", "data as of"), around.zone.minute(at));
    let reference = format!("#{}", send.key.reference());
    let parts = match &send.content {
        Content::Alert(view) => {
            let at = stale(view).or(view.ticket.as_ref().map(|ticket| ticket.as_of)).unwrap_or(around.now);
            let rule = format!("{} {}", pick(send, "规则", "rule"), view.rule_name());
            let mut parts = vec![as_of(at), rule, reference];
            if at_least(view) {
                let note =
                    pick(send, "时长至少如此：首次看到时已是此状态", "at least that long: it was so when first seen");
                parts.insert(1, note.to_string());
            }
            if let Some(silenced) = &view.silenced {
                parts.insert(0, silence(silenced, send.locale, around));
            }
            parts
        }
        Content::Digest(digest) => vec![as_of(around.now), whose(digest), reference],
        Content::Answer(answer) => match answer.as_ref() {
            AnswerView::Ticket(ticket) => vec![as_of(ticket.as_of), ticket.ticket.key.source.to_string()],
            AnswerView::Text(_) | AnswerView::Page(..) => vec!["deskbell".to_string(), around.zone.minute(around.now)],
        },
        Content::Trouble(_) | Content::Announcement(_) => {
            vec!["deskbell".to_string(), around.zone.minute(around.now), reference]
        }
    };
    parts.join(" · ")
}

/// `已静默到 18:00（李雷：误报）`.
fn silence(silenced: &Silenced, locale: Locale, around: &Surroundings) -> String {
    let until = words::instant(silenced.until, around.now, around.zone);
    let (by, reason) = (silenced.by.get(locale), &silenced.reason);
    match (locale, reason.is_empty()) {
        (Locale::Zh, true) => format!("已静默到 {until}（{by}）"),
        (Locale::Zh, false) => format!("已静默到 {until}（{by}：{reason}）"),
        (Locale::En, true) => format!("silenced until {until} ({by})"),
        (Locale::En, false) => format!("silenced until {until} ({by}: {reason})"),
    }
}

/// Whose digest it is: of the source that was caught up on, or of the receiver.
fn whose(digest: &DigestView) -> String {
    match (&digest.of, &digest.source) {
        (_, Some(source)) if digest.cause.catches_up() => source.to_string(),
        (Subject::Receiver(name), _) => name.to_string(),
        (other, _) => other.source().map(ToString::to_string).unwrap_or_default(),
    }
}

/// Whether the time a status lasts is a guess and the rule looks at it: then it is at least that long.
pub(crate) fn at_least(view: &AlertView) -> bool {
    let estimated = view.ticket.as_ref().is_some_and(|ticket| ticket.facts.status_since_estimated);
    let looks_at_it =
        |rule: &Rule| clock_of(rule, None, view.alert.since).is_some_and(|it| it.clock == Clock::InStatus);
    estimated && view.rule.as_deref().is_some_and(looks_at_it)
}

/// The clock a rule looks at, and how it runs.
pub(crate) struct RuleClock<'a> {
    pub(crate) clock: Clock,
    /// Statuses in which it rests.
    pub(crate) pauses: &'a [i64],
    /// How it is counted.
    pub(crate) pace: &'a Pace,
    /// What it must not reach; of service levels.
    pub(crate) target: Option<Span>,
}

/// The clock a rule looks at: the first that must hold, for readers the one that matters. A service level's target is
/// the one of the ticket.
pub(crate) fn clock_of<'a>(rule: &'a Rule, seen: Option<&Seen<'_>>, now: Timestamp) -> Option<RuleClock<'a>> {
    fn first(condition: &Condition) -> Option<RuleClock<'_>> {
        match condition {
            Condition::Clock(test) => {
                Some(RuleClock { clock: test.clock, pauses: &[], pace: &test.pace, target: None })
            }
            Condition::All(parts) | Condition::Any(parts) => parts.iter().find_map(first),
            Condition::Meets(_, meant) => first(meant),
            Condition::None(_) | Condition::Not(_) | Condition::Test(_) | Condition::Was(_) | Condition::Changed(_) => {
                None
            }
        }
    }
    match &rule.kind {
        RuleKind::Sla(sla) => {
            let target = seen.and_then(|seen| sla.target_of(seen, now).present().copied());
            let (pace, target) = target.map_or((&rule.pace, None), |target| (&target.pace, Some(target.is)));
            Some(RuleClock { clock: sla.clock, pauses: &sla.pauses, pace, target })
        }
        RuleKind::Ticket | RuleKind::Count(_) => first(&rule.when),
    }
}

/// A body without blanks at line ends and with single blank lines, at most [`BODY_BYTES_MAX`] long and cut between
/// lines, so that no markup is cut in two.
fn tidy(body: &str) -> String {
    let mut out = String::with_capacity(body.len().min(BODY_BYTES_MAX));
    let mut blank = false;
    for line in body.lines().map(str::trim_end) {
        if line.is_empty() {
            blank = !out.is_empty();
            continue;
        }
        if out.len() + line.len() + 2 > BODY_BYTES_MAX {
            out.push_str("\n…");
            break;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        if blank {
            out.push('\n');
        }
        blank = false;
        out.push_str(line);
    }
    out
}

const fn pick(send: &Send, zh: &'static str, en: &'static str) -> &'static str {
    match send.locale {
        Locale::Zh => zh,
        Locale::En => en,
    }
}
