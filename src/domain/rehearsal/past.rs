//! What a ticket likely went through, from the one snapshot that a list shows at the end.
//!
//! A list says when a ticket was created, when it came to people, when they first and last replied, when it was closed
//! and when it last moved. What lies between is guessed so that a rule rings rather too often than too rarely: a ticket
//! queues and belongs to nobody until the first reply.

use std::sync::Arc;

use crate::domain::{
    conversation::{Conversation, Said, Speaker},
    ticket::{Comment, Known, Status, Ticket},
    time::Timestamp,
};

/// What happened to a ticket, in the order it can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It was created.
    Created,
    /// It came to people: it queues and belongs to nobody, as far as is known.
    EnteredHuman,
    /// An agent replied for the first time, and from then on works on it and owns it.
    FirstReply,
    /// An agent replied for the last time.
    LastReply,
    /// It was closed.
    Closed,
    /// The guest rated it. When is not known: with its last update, if that came after closing.
    Rated,
    /// It became what it is now.
    Last,
}

/// One sight of a ticket on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct PastSight {
    /// When.
    pub at: Timestamp,
    /// What happened last.
    pub step: Step,
    /// The instant is a guess.
    pub guessed: bool,
    /// The ticket as it likely was.
    pub ticket: Arc<Ticket>,
}

/// What a ticket read at `asked_at` likely went through, oldest first; nothing where not even its creation is known.
pub fn past(last: &Ticket, asked_at: Timestamp) -> Vec<PastSight> {
    let Some(created) = last.created_at.present().copied() else { return Vec::new() };
    let mut steps = steps(last, created);
    steps.retain(|(step, at, _)| *at <= asked_at || *step == Step::Last);
    let end = steps.iter().map(|(_, at, _)| *at).max().unwrap_or(created).min(asked_at.max(created));
    for (step, at, _) in &mut steps {
        *at = if *step == Step::Last { end } else { (*at).max(created) };
    }
    steps.sort_by_key(|(step, at, _)| (*at, *step));
    let mut draft = blank(last, created);
    let mut sights: Vec<PastSight> = Vec::new();
    for (step, at, guessed) in steps {
        take(step, &mut draft, last, at);
        let sight = PastSight { at, step, guessed, ticket: Arc::new(draft.clone()) };
        match sights.last_mut() {
            Some(before) if before.at == at => *before = sight,
            _ => sights.push(sight),
        }
    }
    sights
}

/// What was said on a ticket by each instant at which someone spoke, oldest first, none before `created`; at its
/// beginning there is a conversation even if nobody had spoken.
pub fn spoken(created: Timestamp, mut said: Vec<(Speaker, Said)>, until: Timestamp) -> Vec<(Timestamp, Conversation)> {
    said.sort_by_key(|(_, said)| said.at);
    said.retain(|(_, said)| said.at <= until);
    let mut instants: Vec<Timestamp> = said.iter().map(|(_, said)| said.at.max(created)).chain([created]).collect();
    instants.sort_unstable();
    instants.dedup();
    let by = |at: Timestamp| {
        let count = said.partition_point(|(_, said)| said.at <= at);
        Conversation::of(said.iter().take(count).cloned().collect())
    };
    instants.into_iter().map(|at| (at, by(at))).collect()
}

/// What happened and when, and whether the instant is a guess.
fn steps(last: &Ticket, created: Timestamp) -> Vec<(Step, Timestamp, bool)> {
    let moved = last.last_moved_at().unwrap_or(created);
    let is_closed = last.is_closed() == Some(true);
    let closed = is_closed.then(|| last.closed_at.present().copied().unwrap_or(moved));
    let known = |at: &Known<Timestamp>| at.present().copied();
    let (first, latest) = (known(&last.agent_first_response_time), known(&last.agent_last_response_time));
    let rated = last.score.present().and(closed).map(|closed| closed.max(moved));
    let mut steps = vec![(Step::Created, created, false)];
    steps.extend(known(&last.agent_entry_time).map(|at| (Step::EnteredHuman, at, false)));
    steps.extend(first.or(latest).map(|at| (Step::FirstReply, at, first.is_none())));
    steps.extend(latest.filter(|at| first.is_some_and(|first| *at > first)).map(|at| (Step::LastReply, at, false)));
    steps.extend(closed.map(|at| (Step::Closed, at, last.closed_at.present().is_none())));
    steps.extend(rated.map(|at| (Step::Rated, at, true)));
    // What an open ticket is, it became with its last update at the latest, as at a first sight by the service.
    steps.push((Step::Last, moved, !is_closed));
    steps
}

/// What is not there yet; what nobody knows stays unknown.
fn not_yet<T>(last: &Known<T>) -> Known<T> {
    if last.is_unknown() { Known::Unknown } else { Known::Empty }
}

/// The ticket as it was when it was created. What people fill in or the form holds is taken as it is now.
fn blank(last: &Ticket, created: Timestamp) -> Ticket {
    let by_bot = last.agent_entry_time.present().is_some_and(|at| *at > created);
    Ticket {
        status: if last.status.is_unknown() { Known::Unknown } else { Known::Present(Status::Created) },
        ticket_type: if by_bot { Known::Present(TYPE_BOT) } else { last.ticket_type },
        solved: last.solved.map(|_| NOT_SOLVED),
        updated_at: not_yet(&last.updated_at),
        closed_at: not_yet(&last.closed_at),
        score: not_yet(&last.score),
        dissatisfaction_reason: not_yet(&last.dissatisfaction_reason),
        comments: written_by(&last.comments, created),
        agents: not_yet(&last.agents),
        closed_by: not_yet(&last.closed_by),
        collaborators: not_yet(&last.collaborators),
        agent_service_duration: not_yet(&last.agent_service_duration),
        agent_first_response_duration: not_yet(&last.agent_first_response_duration),
        bot_service_duration: not_yet(&last.bot_service_duration),
        agent_resolution_time: not_yet(&last.agent_resolution_time),
        actual_processing_time: not_yet(&last.actual_processing_time),
        agent_entry_time: not_yet(&last.agent_entry_time),
        agent_first_response_time: not_yet(&last.agent_first_response_time),
        agent_last_response_time: not_yet(&last.agent_last_response_time),
        agent_owner: not_yet(&last.agent_owner),
        ..last.clone()
    }
}

/// `ticket_type` while the bot serves (`facts/feishu.md §2.4`).
const TYPE_BOT: i64 = 1;

/// `ticket_type` while people serve.
const TYPE_HUMAN: i64 = 2;

/// `solve` of a ticket that nobody marked.
const NOT_SOLVED: i64 = 1;

/// Takes a step.
fn take(step: Step, draft: &mut Ticket, last: &Ticket, at: Timestamp) {
    let has_status = !last.status.is_unknown();
    let become_status = |draft: &mut Ticket, status| {
        if has_status {
            draft.status = Known::Present(status);
        }
    };
    match step {
        Step::Created => return,
        Step::EnteredHuman => {
            draft.ticket_type = last.ticket_type.map(|_| TYPE_HUMAN);
            draft.agent_entry_time = last.agent_entry_time;
            become_status(draft, Status::Queueing);
        }
        Step::FirstReply => {
            draft.ticket_type = last.ticket_type.map(|_| TYPE_HUMAN);
            draft.agent_first_response_time = last.agent_first_response_time;
            draft.agent_first_response_duration = last.agent_first_response_duration;
            draft.agent_last_response_time = Known::Present(at);
            draft.agent_owner = last.agent_owner.clone();
            draft.agents = last.agents.clone();
            become_status(draft, Status::Processing);
        }
        Step::LastReply => draft.agent_last_response_time = last.agent_last_response_time,
        Step::Closed => {
            let (score, reason) = (draft.score, draft.dissatisfaction_reason.clone());
            *draft = Ticket { score, dissatisfaction_reason: reason, ..last.clone() };
        }
        Step::Rated | Step::Last => *draft = last.clone(),
    }
    draft.comments = written_by(&last.comments, at);
    if step == Step::Last {
        draft.comments = last.comments.clone();
    }
    // Time never goes back: a sight whose update is older than the one before would be one that was overtaken.
    let is_behind = match draft.updated_at {
        Known::Unknown => false,
        Known::Empty => draft.created_at.present().is_some_and(|created| *created < at),
        Known::Present(moved) => moved < at || step < Step::Last,
    };
    if is_behind {
        draft.updated_at = Known::Present(at);
    }
}

/// The notes that stood there by `at`.
fn written_by(comments: &Known<Arc<[Comment]>>, at: Timestamp) -> Known<Arc<[Comment]>> {
    let Known::Present(all) = comments else { return comments.clone() };
    let by_then: Arc<[Comment]> = all
        .iter()
        .filter(|comment| comment.created_at.present().is_none_or(|written| *written <= at))
        .cloned()
        .collect();
    if by_then.is_empty() { Known::Empty } else { Known::Present(by_then) }
}

#[cfg(test)]
mod tests;
