//! The timeline of a case: line by line what happens to its tickets, as the platform would show it.

use std::collections::BTreeMap;

use crate::{
    adapters::{
        rulebook::{
            cases::{
                instant::Dial,
                ticket::{Fields, Touched, nobody},
                words::MOMENT_KEYS,
            },
            words::english,
        },
        yaml::{
            map::{Map, text_of},
            tree::{Node, NodeKind},
        },
    },
    domain::{
        conversation::{Conversation, Said, Speaker},
        fault::Fault,
        id::{SourceName, TicketId, TicketKey},
        labels::Labels,
        replay::script::{Sight, What},
        text::Message,
        ticket::{Known, Person, Status, Ticket},
        time::{Timestamp, Zone},
    },
};

/// Lines of one timeline.
pub(super) const MOMENTS_MAX: usize = 1_000;

/// Tickets of one line.
pub(super) const TICKETS_MAX: usize = 1_000;

/// The ticket of a line that names none.
pub const THE_TICKET: &str = "1";

/// `ticket_type` of a ticket that a person serves (`facts/feishu.md §2.4`).
const HUMAN: i64 = 2;

/// The tickets of a timeline, as they are after the lines read so far.
pub(super) struct Timeline<'a> {
    zone: Zone,
    source: SourceName,
    labels: &'a Labels,
    tickets: BTreeMap<TicketId, Draft>,
    pub(super) start: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) sights: Vec<Sight>,
}

/// A ticket and what was said on it.
struct Draft {
    ticket: Ticket,
    said: Vec<(Speaker, Said)>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(zone: Zone, source: SourceName, labels: &'a Labels) -> Self {
        Self { zone, source, labels, tickets: BTreeMap::new(), start: None, last: None, sights: Vec::new() }
    }

    /// What instants are read against.
    pub(super) const fn dial(&self) -> Dial {
        Dial { zone: self.zone, origin: self.start }
    }

    /// Reads all lines.
    pub(super) fn read(&mut self, node: &Node, faults: &mut Vec<Fault>) {
        let NodeKind::List(lines) = &node.kind else {
            let what = Message::new(
                "时间线：每行一个 “- { at: …, ticket: … }”",
                "a timeline: lines of `- { at: …, ticket: … }`",
            );
            return faults.push(node.expected(&what));
        };
        if lines.is_empty() || lines.len() > MOMENTS_MAX {
            let message = Message::new(
                format!("时间线要有 1 到 {MOMENTS_MAX} 行"),
                format!("a timeline has 1 to {MOMENTS_MAX} lines"),
            );
            return faults.push(Fault::error(node.place.clone(), message));
        }
        for line in lines {
            self.line(line, faults);
        }
    }

    fn line(&mut self, node: &Node, faults: &mut Vec<Fault>) {
        let what = Message::new("时间线的一行", "a line of the timeline");
        let Some(mut map) = Map::with_twins(node, &what, |word| english(MOMENT_KEYS, word), faults) else { return };
        let at = map.required("at", faults).and_then(|node| {
            let at = self.dial().read(node, faults)?.at;
            self.check_order(at, node, faults).then_some(at)
        });
        let ids = map.filled("id").map_or_else(|| vec![TicketId::from(THE_TICKET)], |node| ids(node, faults));
        let fields = map.filled("ticket");
        let gone = map.flag("gone", faults).unwrap_or_default();
        let mut said = Vec::new();
        for (key, speaker) in [("guest", Speaker::Guest), ("agent", Speaker::Agent), ("bot", Speaker::Bot)] {
            for words in map.filled(key).map(Node::one_or_many).unwrap_or_default() {
                said.extend(text_of(words, faults).map(|(text, _)| (speaker, text)));
            }
        }
        map.finish(&[], faults);
        let Some(at) = at else { return };
        self.start.get_or_insert(at);
        self.last = Some(at);
        for id in ids {
            if gone {
                self.tickets.remove(&id);
                self.show(id, at, What::Gone);
            } else {
                self.change(id, at, fields, &said, faults);
            }
        }
    }

    fn check_order(&self, at: Timestamp, node: &Node, faults: &mut Vec<Fault>) -> bool {
        if self.last.is_none_or(|last| last <= at) {
            return true;
        }
        let message = Message::new(
            "这一行比上一行早：时间线要按先后写",
            "this line is earlier than the one before it: a timeline goes forward",
        );
        faults.push(Fault::error(node.place.clone(), message));
        false
    }

    /// One ticket changes as the line says, and as the platform would change it by itself.
    fn change(
        &mut self,
        id: TicketId,
        at: Timestamp,
        fields: Option<&Node>,
        said: &[(Speaker, String)],
        faults: &mut Vec<Fault>,
    ) {
        let (dial, labels) = (self.dial(), self.labels);
        let key = TicketKey::new(self.source.clone(), id.clone());
        let fresh = !self.tickets.contains_key(&id);
        let draft =
            self.tickets.entry(id.clone()).or_insert_with(|| Draft { ticket: new_ticket(key, at), said: Vec::new() });
        let before = draft.ticket.clone();
        let touched = fields.map(|node| Fields { dial, labels, faults }.apply(node, &mut draft.ticket));
        for (speaker, text) in said {
            draft.said.push((*speaker, Said { at, text: text.as_str().into() }));
        }
        let answered = said.iter().any(|(speaker, _)| *speaker == Speaker::Agent);
        let past = if fresh { None } else { Some(&before) };
        follow(&mut draft.ticket, past, &touched.unwrap_or_default(), answered, at);
        let (ticket, conversation) = (draft.ticket.clone(), Conversation::of(draft.said.clone()));
        self.show(id.clone(), at, What::Ticket(ticket.into()));
        self.show(id, at, What::Messages(conversation));
    }

    fn show(&mut self, id: TicketId, at: Timestamp, what: What) {
        self.sights.push(Sight { at, key: TicketKey::new(self.source.clone(), id), what });
    }
}

/// An open ticket that a person serves, and of which nothing else is there.
fn new_ticket(key: TicketKey, at: Timestamp) -> Ticket {
    Ticket {
        key,
        helpdesk_id: Known::Empty,
        guest: Known::Present(Person { name: Known::Present("客户".into()), ..nobody() }.into()),
        comments: Known::Empty,
        ticket_type: Known::Present(HUMAN),
        status: Known::Present(Status::Processing),
        score: Known::Empty,
        created_at: Known::Present(at),
        updated_at: Known::Empty,
        closed_at: Known::Empty,
        dissatisfaction_reason: Known::Empty,
        agents: Known::Empty,
        channel: Known::Empty,
        solved: Known::Empty,
        closed_by: Known::Empty,
        collaborators: Known::Empty,
        customized_fields: Known::Empty,
        agent_service_duration: Known::Empty,
        agent_first_response_duration: Known::Empty,
        bot_service_duration: Known::Empty,
        agent_resolution_time: Known::Empty,
        actual_processing_time: Known::Empty,
        agent_entry_time: Known::Empty,
        agent_first_response_time: Known::Empty,
        agent_last_response_time: Known::Empty,
        agent_owner: Known::Empty,
        tags: Known::Empty,
    }
}

/// What the platform sets by itself, unless the line wrote it: `before` is absent for a new ticket.
fn follow(ticket: &mut Ticket, before: Option<&Ticket>, touched: &Touched, answered: bool, at: Timestamp) {
    let wrote = |name: &str| touched.contains(name);
    let created = ticket.created_at.present().copied();
    if !wrote("updated_at") && (before.is_some() || created.is_some_and(|created| created < at)) {
        ticket.updated_at = Known::Present(at);
    }
    if !wrote("closed_at") {
        match (before.map_or(Some(false), Ticket::is_closed), ticket.is_closed()) {
            (Some(false) | None, Some(true)) => ticket.closed_at = Known::Present(at),
            (_, Some(false)) => ticket.closed_at = Known::Empty,
            _ => {}
        }
    }
    let is_human = |ticket: &Ticket| ticket.ticket_type == Known::Present(HUMAN);
    if !wrote("agent_entry_time") && is_human(ticket) && !before.is_some_and(is_human) {
        ticket.agent_entry_time = Known::Present(if before.is_none() { created.unwrap_or(at) } else { at });
    }
    if answered {
        if !wrote("agent_first_response_time") && ticket.agent_first_response_time.present().is_none() {
            ticket.agent_first_response_time = Known::Present(at);
        }
        if !wrote("agent_last_response_time") {
            ticket.agent_last_response_time = Known::Present(at);
        }
    }
}

/// The tickets a line is about: one, several, or a range `1..10`.
fn ids(node: &Node, faults: &mut Vec<Fault>) -> Vec<TicketId> {
    let mut found = Vec::new();
    for item in node.one_or_many() {
        let Some((text, _)) = text_of(item, faults) else { continue };
        let text = text.trim();
        let range =
            text.split_once("..").and_then(|(from, to)| Some((from.parse::<u32>().ok()?, to.parse::<u32>().ok()?)));
        match range {
            Some((from, to)) if from <= to && usize::try_from(to - from).is_ok_and(|more| more < TICKETS_MAX) => {
                found.extend((from..=to).map(|number| TicketId::new(number.to_string())));
            }
            None if !text.is_empty() && !text.contains("..") => found.push(TicketId::new(text)),
            _ => faults.push(item.expected(&Message::new(
                format!("工单的编号，例如 1 或 1..10（最多 {TICKETS_MAX} 张）"),
                format!("a ticket's number such as 1, or 1..10 (at most {TICKETS_MAX} tickets)"),
            ))),
        }
    }
    found.truncate(TICKETS_MAX);
    found
}
