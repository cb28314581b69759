//! Helpdesks: their tickets, listed and read, and their custom fields (`facts/feishu.md §2`).

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::sim::{
    dice::Dice,
    knobs::{Beyond, DropdownValue, Knobs, ListOrder},
    said::{SaidOnTickets, TicketMessage},
    ticket::{FieldValue, Ticket},
    wire::{Answer, Refusal, Request},
};

/// Rows a query can reach, and the highest `total`.
pub const LIST_ROWS_MAX: usize = 10_000;

/// The largest page.
pub const PAGE_SIZE_MAX: usize = 200;

/// The page when nothing is said.
const PAGE_SIZE_DEFAULT: usize = 20;

/// The largest page of field definitions.
const FIELD_PAGE_SIZE_MAX: usize = 100;

/// A custom field of a helpdesk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDefinition {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key_name: String,
    /// Its name.
    pub display_name: String,
    /// `string`, `multiline`, `dropdown` or `dropdown_nested`.
    pub field_type: String,
    /// Options of a drop-down: (id, name).
    pub options: Vec<(String, String)>,
    /// Whether several options may be chosen.
    pub multiple: bool,
    /// Whether guests see it.
    pub visible: bool,
    /// Whether it must be filled.
    pub required: bool,
}

/// A ticket and how lists write it, remembered until it changes.
#[derive(Clone, Debug)]
struct Held {
    ticket: Ticket,
    listed: Option<String>,
}

/// One helpdesk.
#[derive(Clone, Debug, Default)]
struct Desk {
    token: String,
    fields: Vec<FieldDefinition>,
}

/// Every helpdesk of the tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Helpdesks {
    desks: BTreeMap<String, Desk>,
    tickets: BTreeMap<String, Held>,
    said: SaidOnTickets,
    created: u64,
    lists: u64,
}

impl Helpdesks {
    /// Opens a helpdesk.
    pub(crate) fn add_desk(&mut self, helpdesk_id: &str, token: &str) {
        self.desks.entry(helpdesk_id.to_string()).or_default().token = token.to_string();
    }

    /// Defines a custom field.
    pub(crate) fn add_field(&mut self, helpdesk_id: &str, field: FieldDefinition) {
        self.desks.entry(helpdesk_id.to_string()).or_default().fields.push(field);
    }

    /// The custom field of that name.
    pub(crate) fn definition(&self, helpdesk_id: &str, display_name: &str) -> Option<(usize, &FieldDefinition)> {
        let fields = &self.desks.get(helpdesk_id)?.fields;
        fields.iter().enumerate().find(|(_, field)| field.display_name == display_name)
    }

    /// Files a ticket; an empty id gets one.
    pub(crate) fn create(&mut self, mut ticket: Ticket, dice: &mut Dice) -> String {
        self.created += 1;
        if ticket.ticket_id.is_empty() {
            // Ids grow with time and do not share their last digits.
            let id = 7_157_961_378_000_000_000 + self.created * 104_729_000 + dice.below(104_729_000);
            ticket.ticket_id = id.to_string();
        }
        let id = ticket.ticket_id.clone();
        self.tickets.insert(id.clone(), Held { ticket, listed: None });
        id
    }

    /// Changes a ticket; no: there is none of that id.
    pub(crate) fn change(&mut self, ticket_id: &str, write: impl FnOnce(&mut Ticket)) -> bool {
        let Some(held) = self.tickets.get_mut(ticket_id) else { return false };
        write(&mut held.ticket);
        held.listed = None;
        true
    }

    /// Removes a ticket as if it had never been.
    pub(crate) fn delete(&mut self, ticket_id: &str) -> bool {
        self.tickets.remove(ticket_id).is_some()
    }

    /// A ticket.
    pub(crate) fn ticket(&self, ticket_id: &str) -> Option<&Ticket> {
        self.tickets.get(ticket_id).map(|held| &held.ticket)
    }

    /// Every ticket, by id.
    pub(crate) fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.values().map(|held| &held.ticket)
    }

    /// Forgets how lists write tickets, because a knob was turned.
    pub(crate) fn forget_written(&mut self) {
        for held in self.tickets.values_mut() {
            held.listed = None;
        }
    }

    /// The helpdesk that the request's second header opens, bare or as a bearer (`facts/feishu.md §2.1`).
    pub(crate) fn admit(&self, request: &Request) -> Result<String, Refusal> {
        self.opened(request)
            .ok_or_else(|| Refusal::new(401, 154_001, "Unauthorized, please check you have the correct access"))
    }

    fn opened(&self, request: &Request) -> Option<String> {
        let header = request.header_value("X-Lark-Helpdesk-Authorization")?;
        let plain = STANDARD.decode(header.strip_prefix("Bearer ").unwrap_or(header)).ok()?;
        let plain = String::from_utf8(plain).ok()?;
        let (id, token) = plain.split_once(':')?;
        self.desks.get(id).filter(|desk| desk.token == token).map(|_| id.to_string())
    }

    /// `GET tickets/:id`.
    pub(crate) fn get(&self, helpdesk_id: &str, ticket_id: &str, knobs: &Knobs) -> Answer {
        let own = self.ticket(ticket_id).filter(|ticket| ticket.helpdesk_id == helpdesk_id);
        let Some(ticket) = own else { return Refusal::new(404, 154_004, "Resource not found").into() };
        let ticket = ticket.write(knobs, &self.shown_fields(ticket, knobs));
        Answer::Written(format!(r#"{{"code":0,"msg":"success","data":{{"ticket":{ticket}}}}}"#))
    }

    /// Somebody writes on a ticket; no: there is none of that id.
    pub(crate) fn say(&mut self, ticket_id: &str, message: TicketMessage) -> bool {
        let is_there = self.tickets.contains_key(ticket_id);
        if is_there {
            self.said.add(ticket_id, message);
        }
        is_there
    }

    /// `GET tickets/:id/messages`.
    pub(crate) fn messages(&self, helpdesk_id: &str, ticket_id: &str, request: &Request, knobs: &Knobs) -> Answer {
        match self.ticket(ticket_id) {
            Some(ticket) if ticket.helpdesk_id == helpdesk_id => self.said.list(ticket_id, request, knobs),
            _ => Refusal::new(404, 154_004, "Resource not found").into(),
        }
    }

    /// `GET tickets`. Now and then one of the listed tickets changes right after the page was written.
    pub(crate) fn list(
        &mut self,
        helpdesk_id: &str,
        request: &Request,
        knobs: &Knobs,
        dice: &mut Dice,
        now_ms: i64,
    ) -> Answer {
        let filter = match Filter::read(request, knobs) {
            Ok(filter) => filter,
            Err(refusal) => return refusal.into(),
        };
        self.lists += 1;
        let mut found: Vec<(u64, &str)> = self
            .tickets()
            .filter(|ticket| ticket.helpdesk_id == helpdesk_id && filter.admits(ticket, knobs))
            .map(|ticket| (self.rank(ticket, knobs.list_order), ticket.ticket_id.as_str()))
            .collect();
        found.sort_unstable();
        let total = found.len().min(LIST_ROWS_MAX);
        let start = (filter.page - 1).saturating_mul(filter.page_size).min(total);
        let end = start.saturating_add(filter.page_size).min(total);
        let page = found.get(start..end).unwrap_or_default();
        let page: Vec<String> = page.iter().map(|(_, id)| (*id).to_string()).collect();
        let restless = found.get(dice.below(found.len() as u64) as usize).map(|(_, id)| (*id).to_string());
        let rows = page.iter().map(|id| self.listed(id, knobs)).collect::<Vec<_>>().join(",");
        if dice.chance(knobs.change_between_pages)
            && let Some(id) = restless
        {
            self.change(&id, |ticket| {
                ticket.agent_last_response_time = Some(now_ms);
                ticket.updated_at = Some(now_ms);
            });
        }
        Answer::Written(format!(r#"{{"code":0,"msg":"success","data":{{"total":{total},"tickets":[{rows}]}}}}"#))
    }

    /// `GET customized_fields`.
    pub(crate) fn fields(&self, helpdesk_id: &str, request: &Request, knobs: &Knobs) -> Answer {
        let visible_only = request.query_value("visible_only") == Some("true");
        let fields = self.desks.get(helpdesk_id).map(|desk| desk.fields.as_slice()).unwrap_or_default();
        let fields: Vec<Value> = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.visible || !visible_only)
            .map(|(place, field)| definition(helpdesk_id, place, field, knobs))
            .collect();
        Answer::Data(json!({ "user_customized_fields": [], "ticket_customized_fields": fields }))
    }

    /// `GET ticket_customized_fields`: the same definitions in pages.
    pub(crate) fn paged_fields(&self, helpdesk_id: &str, request: &Request, knobs: &Knobs) -> Answer {
        let paged = || {
            let size = positive(request, "page_size", PAGE_SIZE_DEFAULT)?;
            let from = number(request, "page_token")?.and_then(|from| usize::try_from(from).ok()).unwrap_or_default();
            if size > FIELD_PAGE_SIZE_MAX {
                return Err(bad());
            }
            Ok((from, size))
        };
        let (from, size) = match paged() {
            Ok(paged) => paged,
            Err(refusal) => return refusal.into(),
        };
        let fields = self.desks.get(helpdesk_id).map(|desk| desk.fields.as_slice()).unwrap_or_default();
        let until = from.saturating_add(size);
        let items: Vec<Value> = fields
            .iter()
            .enumerate()
            .skip(from)
            .take(size)
            .map(|(place, field)| definition(helpdesk_id, place, field, knobs))
            .collect();
        Answer::Data(json!({
            "has_more": until < fields.len(), "next_page_token": until.to_string(), "items": items,
        }))
    }

    /// Where a ticket stands in a list: lower first.
    fn rank(&self, ticket: &Ticket, order: ListOrder) -> u64 {
        let id: u64 = ticket.ticket_id.parse().unwrap_or_default();
        let moment = |ms: i64| u64::try_from(ms).unwrap_or_default();
        match order {
            ListOrder::NewestFirst => u64::MAX - moment(ticket.created_at),
            ListOrder::OldestFirst => moment(ticket.created_at),
            ListOrder::LastUpdatedFirst => u64::MAX - moment(ticket.updated_at.unwrap_or(ticket.created_at)),
            ListOrder::Arbitrary => Dice::part(1, id).roll(),
            ListOrder::Shuffled => Dice::part(self.lists, id).roll(),
        }
    }

    /// A ticket as lists write it.
    fn listed(&mut self, ticket_id: &str, knobs: &Knobs) -> String {
        let Some(held) = self.tickets.get(ticket_id) else { return "{}".to_string() };
        if let Some(written) = &held.listed {
            return written.clone();
        }
        let fields =
            if knobs.list_without_customized_fields { Vec::new() } else { self.shown_fields(&held.ticket, knobs) };
        let written = held.ticket.write(knobs, &fields);
        if let Some(held) = self.tickets.get_mut(ticket_id) {
            held.listed = Some(written.clone());
        }
        written
    }

    /// The ticket's custom fields, drop-downs written as the knob says.
    fn shown_fields(&self, ticket: &Ticket, knobs: &Knobs) -> Vec<FieldValue> {
        let mut fields = ticket.customized_fields.clone();
        if knobs.dropdown_value == DropdownValue::OptionId {
            for field in &mut fields {
                let options = self.definition(&ticket.helpdesk_id, &field.display_name).map(|(_, own)| &own.options);
                let option = options.and_then(|all| all.iter().find(|(_, name)| *name == field.value));
                if let Some((id, _)) = option {
                    field.value.clone_from(id);
                }
            }
        }
        fields
    }
}

/// A field definition as the platform writes it: `position` and times are text here.
fn definition(helpdesk_id: &str, place: usize, field: &FieldDefinition, knobs: &Knobs) -> Value {
    let mut json = json!({
        "ticket_customized_field_id": field.id, "helpdesk_id": helpdesk_id, "key_name": field.key_name,
        "display_name": field.display_name, "position": (place + 1).to_string(), "field_type": field.field_type,
        "description": "", "visible": field.visible, "editable": true, "required": field.required,
        "created_at": "1591239289000", "updated_at": "1591239289000",
    });
    if field.field_type.starts_with("dropdown") {
        json["dropdown_allow_multiple"] = json!(field.multiple);
        if knobs.dropdown_options_listed {
            let option = |(id, name): &(String, String)| json!({ "tag": id, "display_name": name, "children": [] });
            let children: Vec<Value> = field.options.iter().map(option).collect();
            json["dropdown_options"] = json!({ "children": children });
        }
    }
    json
}

/// A closed window in milliseconds.
type Window = (i64, i64);

/// The query of a ticket list.
#[derive(Clone, Debug, Default)]
struct Filter {
    ticket_id: Option<String>,
    agent_id: Option<String>,
    closed_by_id: Option<String>,
    guest_id: Option<String>,
    guest_name: Option<String>,
    ticket_type: Option<i64>,
    channel: Option<i64>,
    solved: Option<i64>,
    score: Option<i64>,
    statuses: Vec<i64>,
    tags: Vec<String>,
    created: Option<Window>,
    updated: Option<Window>,
    page: usize,
    page_size: usize,
}

impl Filter {
    /// Reads the query; anything it cannot use is refused with 154000.
    fn read(request: &Request, knobs: &Knobs) -> Result<Self, Refusal> {
        let text = |name: &str| request.query_value(name).filter(|text| !text.is_empty()).map(str::to_string);
        let statuses = request.query_values("status_list");
        let mut filter = Self {
            ticket_id: text("ticket_id"),
            agent_id: text("agent_id"),
            closed_by_id: text("closed_by_id"),
            guest_id: text("guest_id"),
            guest_name: text("guest_name"),
            ticket_type: number(request, "type")?,
            channel: number(request, "channel")?,
            solved: number(request, "solved")?,
            score: number(request, "score")?,
            statuses: statuses.iter().map(|text| text.parse().map_err(|_| bad())).collect::<Result<_, _>>()?,
            tags: request.query_values("tags").into_iter().map(str::to_string).collect(),
            created: window(request, "create_time")?,
            updated: window(request, "update_time")?,
            page: positive(request, "page", 1)?,
            page_size: positive(request, "page_size", PAGE_SIZE_DEFAULT)?,
        };
        if filter.page_size > PAGE_SIZE_MAX {
            match knobs.page_size_above_max {
                Beyond::Less => filter.page_size = PAGE_SIZE_MAX,
                Beyond::Refused => return Err(bad()),
            }
        }
        let reach = filter.page.saturating_mul(filter.page_size);
        if reach > LIST_ROWS_MAX && knobs.page_beyond_cap == Beyond::Refused {
            return Err(bad());
        }
        Ok(filter)
    }

    fn admits(&self, ticket: &Ticket, knobs: &Knobs) -> bool {
        let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|wanted| wanted == own);
        let is_number = |wanted: Option<i64>, own: Option<i64>| wanted.is_none() || wanted == own;
        let agents = ticket.agents.iter().chain(&ticket.agent_owner);
        let closed_by = ticket.closed_by.as_ref().map(|user| user.id.as_str()).unwrap_or_default();
        let has_tag = |wanted: &String| ticket.tags.iter().any(|tag| tag.name == *wanted || tag.id == *wanted);
        is(&self.ticket_id, &ticket.ticket_id)
            && is(&self.closed_by_id, closed_by)
            && is(&self.guest_id, &ticket.guest.id)
            && is(&self.guest_name, &ticket.guest.name)
            && self.agent_id.as_ref().is_none_or(|wanted| agents.clone().any(|user| user.id == *wanted))
            && is_number(self.ticket_type, Some(ticket.ticket_type))
            && is_number(self.channel, Some(ticket.channel))
            && is_number(self.solved, ticket.solve)
            && is_number(self.score, ticket.score)
            && (self.statuses.is_empty() || self.statuses.contains(&ticket.status))
            && (self.tags.is_empty() || self.tags.iter().any(has_tag))
            && self.created.is_none_or(|(start, end)| (start..=end).contains(&ticket.created_at))
            && self.updated.is_none_or(|window| in_update_window(window, ticket.updated_at, knobs))
    }
}

fn in_update_window((start, end): Window, updated_at: Option<i64>, knobs: &Knobs) -> bool {
    updated_at
        .is_some_and(|at| if knobs.update_window_inclusive { start <= at && at <= end } else { start < at && at < end })
}

pub(crate) fn bad() -> Refusal {
    Refusal::new(400, 154_000, "Bad request, please check your request body")
}

fn number(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    request.query_value(name).map(|text| text.parse().map_err(|_| bad())).transpose()
}

fn positive(request: &Request, name: &str, default: usize) -> Result<usize, Refusal> {
    match request.query_value(name) {
        None => Ok(default),
        Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or_else(bad),
    }
}

/// `<name>_start` and `<name>_end`: both or neither.
fn window(request: &Request, name: &str) -> Result<Option<Window>, Refusal> {
    match (number(request, &format!("{name}_start"))?, number(request, &format!("{name}_end"))?) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => Ok(Some((start, end))),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests;
