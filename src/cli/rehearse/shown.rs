//! The page for programs, and in a chat.

use serde_json::{Value, json};

use crate::{
    adapters::{clock::Clock, feishu::client::Client},
    app::config::setup::Setup,
    cli::{run::Stop, send_test},
    domain::{
        card::Card,
        notice::{AnswerView, Content},
        receiver::Receiver,
        rehearsal::{
            replayable::Errs,
            report::{Example, Noise, Page, Proposal, RulePage},
            text::Heading,
        },
        text::Message,
        time::{Span, Timestamp},
    },
};

/// The page as JSON. Times are milliseconds since the epoch, spans are seconds.
pub fn json(page: &Page, heading: &Heading) -> Value {
    json!({
        "title": heading.title.en,
        "from": page.from.as_ms(),
        "until": page.until.as_ms(),
        "tickets": page.tickets,
        "rules": page.rules.iter().map(rule).collect::<Vec<_>>(),
        "unplayed": page.unplayed.iter().map(|(name, why)| json!({ "name": name.as_str(), "why": why.en, "why_zh": why.zh }))
            .collect::<Vec<_>>(),
        "cards_by_day": page.cards,
        "calls_per_month": { "reading": heading.polling, "telling": page.sends_per_month },
        "cut": page.cut.map(Timestamp::as_ms),
    })
}

fn rule(rule: &RulePage) -> Value {
    let errs = match rule.errs {
        Errs::Not => "not",
        Errs::TooMany => "at_most",
        Errs::TooFew => "at_least",
        Errs::EitherWay => "about",
    };
    json!({
        "name": rule.name.as_str(),
        "severity": rule.severity.name(),
        "trial": rule.trial,
        "errs": errs,
        "doubts": rule.doubts.en,
        "rings": rule.rings,
        "rings_by_day": rule.days,
        "judged": rule.judged,
        "alone": rule.alone,
        "acted_after": rule.acted_after.map(Span::as_secs),
        "rang_for": rule.lasted.map(Span::as_secs),
        "longest": rule.longest.as_ref().map(example),
        "off_hours": rule.off_hours,
        "storms": rule.storms,
        "peak": rule.peak,
        "cards_merged": rule.merged,
        "digests": rule.digests,
        "noisy": rule.noisy.iter().map(noise).collect::<Vec<_>>(),
        "proposals": rule.proposals.iter().map(proposal).collect::<Vec<_>>(),
    })
}

fn example(example: &Example) -> Value {
    json!({
        "subject": example.subject.to_string(),
        "at": example.at.as_ms(),
        "lasted": example.lasted.as_secs(),
        "why": example.why.en,
        "why_zh": example.why.zh,
    })
}

fn noise(noise: &Noise) -> Value {
    match noise {
        Noise::PerDay(count) => json!({ "per_day": count }),
        Noise::Day(count) => json!({ "one_day": count }),
        Noise::Known(percent) => json!({ "acted_on_anyway_percent": percent }),
    }
}

fn proposal(proposal: &Proposal) -> Value {
    json!({ "change": proposal.change.en, "rings": proposal.rings })
}

/// Posts the page to a receiver.
pub async fn post(setup: &Setup, client: &Client, receiver: &Receiver, card: &Card, clock: &Clock) -> Result<(), Stop> {
    let title = Message::new(card.title.as_str(), card.title.as_str());
    let send = send_test::send(setup, receiver, Content::Answer(Box::new(AnswerView::Text(title))), clock);
    send_test::deliver(setup, client, receiver, (&send, card), clock).await
}
