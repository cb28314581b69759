//! Plays the script on the simulated platform: who the people are, and what each happening does there.

use std::collections::BTreeMap;

use crate::{
    cli::demo::{
        english::say,
        script::{Happening, ROOMS, Room, Script},
    },
    domain::{card::Press, text::Locale, time::Timestamp},
    sim::{
        dice::Dice,
        directory::ChatKind,
        helpdesk::FieldDefinition,
        platform::{
            Platform,
            clicks::{Click, Manner},
        },
        ticket::{FieldValue, STATUS_AWAITING_USER, STATUS_CLOSED_BY_AGENT, STATUS_PROCESSING, STATUS_QUEUEING, User},
    },
};

/// The custom field that says what a ticket is about.
pub const SUBJECT_FIELD: &str = "问题描述";
/// The custom field of the priority.
pub const PRIORITY_FIELD: &str = "优先级";
/// The custom field of the system.
pub const SYSTEM_FIELD: &str = "系统";

/// The newcomer's open id.
const NEWCOMER: &str = "ou_you";

const AGENTS: [&str; 4] = ["王磊", "赵敏", "陈晨", "孙悦"];

const DEPARTMENT: &str = "信息技术部";

const GUESTS: [(&str, &str); 12] = [
    ("林晓", "市场部"),
    ("周航", "研发一部"),
    ("吴桐", "财务部"),
    ("郑爽", "人力资源部"),
    ("何冰", "设计部"),
    ("马骏", "销售部"),
    ("罗兰", "法务部"),
    ("高原", "研发二部"),
    ("宋佳", "行政部"),
    ("唐宁", "产品部"),
    ("许诺", "客户成功部"),
    ("冯远", "采购部"),
];

/// The helpdesk's people and the tickets by nickname.
#[derive(Debug)]
pub struct Stage {
    locale: Locale,
    helpdesk_id: String,
    helpdesk_token: String,
    tickets: BTreeMap<&'static str, String>,
    agents: Vec<User>,
    guests: Vec<User>,
}

impl Stage {
    /// Builds the tenant and plays what happened before the start. All of it is written in one language.
    pub fn set(platform: &mut Platform, script: &Script, locale: Locale) -> Self {
        let (helpdesk_id, helpdesk_token) = platform.add_default_helpdesk();
        let mut dice = Dice::part(script.seed, u64::MAX);
        let mut people = |names: &[(&str, &str)], role: &str| {
            let mut people: Vec<User> =
                names.iter().enumerate().map(|(place, who)| person(role, place, *who, locale)).collect();
            for place in (1..people.len()).rev() {
                let other = dice.below(place as u64 + 1) as usize;
                people.swap(place, other);
            }
            people
        };
        let agents = people(&AGENTS.map(|name| (name, DEPARTMENT)), "agent");
        let guests = people(&GUESTS, "guest");
        for user in agents.iter().chain(&guests) {
            platform.add_person(&user.id, &user.name, &user.email);
        }
        platform.add_person(NEWCOMER, say(locale, "你"), "you@example.com");
        for room in ROOMS {
            platform.add_chat(room.chat_id, say(locale, room.name), ChatKind::Group);
            for id in agents.iter().map(|agent| agent.id.as_str()).chain([NEWCOMER]) {
                platform.add_member(room.chat_id, id);
            }
        }
        for (number, (name, kind, options)) in FIELDS.iter().enumerate() {
            platform.add_field(&helpdesk_id, definition(number, name, (kind, options), locale));
        }
        let mut stage = Self { locale, helpdesk_id, helpdesk_token, tickets: BTreeMap::new(), agents, guests };
        for (at, happening) in &script.before {
            stage.play(platform, *at, happening);
        }
        stage
    }

    /// The helpdesk's id and token, for the configuration.
    pub fn helpdesk(&self) -> (&str, &str) {
        (&self.helpdesk_id, &self.helpdesk_token)
    }

    /// The id of a ticket, for a person who wants to look one up.
    pub fn ticket_id(&self, nickname: &str) -> Option<&str> {
        self.tickets.get(nickname).map(String::as_str)
    }

    /// Does one happening.
    pub fn play(&mut self, platform: &mut Platform, at: Timestamp, happening: &Happening) {
        let now_ms = at.as_ms();
        if let Happening::Opens(name, subject, system, priority) = happening {
            let id = self.open(platform, now_ms, [subject, system, priority]);
            self.tickets.insert(name, id);
            return;
        }
        if let Happening::Says(room, text) = happening {
            let text = self.fill(say(self.locale, text));
            let speaker = self.agents.first().map(|agent| agent.id.clone()).unwrap_or_default();
            platform.person_says(room.chat_id, &speaker, &text, true, now_ms);
            return;
        }
        let Some(id) = happening.ticket().and_then(|name| self.tickets.get(name)).cloned() else { return };
        let agent = self.agent_of(&id).clone();
        match happening {
            Happening::Takes(_) => {
                platform.post_agent_reply(&id, &agent, now_ms);
                platform.update_ticket(&id, now_ms, |ticket| ticket.status = STATUS_PROCESSING);
            }
            Happening::Asks(_) => {
                platform.post_agent_reply(&id, &agent, now_ms);
                platform.update_ticket(&id, now_ms, |ticket| ticket.status = STATUS_AWAITING_USER);
            }
            Happening::Answers(_) => {
                platform.update_ticket(&id, now_ms, |ticket| ticket.status = STATUS_PROCESSING);
            }
            Happening::Priority(_, priority) => {
                platform.set_custom_field(&id, say(self.locale, PRIORITY_FIELD), priority, now_ms);
            }
            Happening::Fixes(_) => {
                platform.post_agent_reply(&id, &agent, now_ms);
            }
            Happening::Closes(_) => {
                platform.close_ticket(&id, STATUS_CLOSED_BY_AGENT, now_ms);
            }
            Happening::Rates(_, score, reason) => {
                let reason = (!reason.is_empty()).then(|| say(self.locale, reason));
                platform.rate_ticket(&id, *score, reason, now_ms);
            }
            Happening::Reopens(_) => {
                platform.reopen_ticket(&id, now_ms);
            }
            // What is clicked goes to the service, which answers.
            Happening::Opens(..) | Happening::Says(..) | Happening::Clicks(..) => {}
        }
    }

    /// The agent of a ticket clicks on the take button of its last card in a chat; who that is, by name.
    pub fn click(&self, platform: &mut Platform, at: Timestamp, room: Room, nickname: &str) -> Option<(String, Click)> {
        let id = self.tickets.get(nickname)?;
        let agent = self.agent_of(id);
        let cards = platform.messages_in(room.chat_id);
        let card =
            cards.iter().rev().find(|card| card.kind == "interactive" && card.content().contains(id.as_str()))?;
        let card = card.id.clone();
        let click = platform.click(&card, &agent.id, Press::Take.name(), Manner::default(), at.as_ms())?;
        Some((agent.name.clone(), click))
    }

    /// The newcomer types a line to the bot.
    pub fn say(&self, platform: &mut Platform, at: Timestamp, room: Room, text: &str) {
        platform.person_says(room.chat_id, NEWCOMER, text, true, at.as_ms());
    }

    fn open(&self, platform: &mut Platform, now_ms: i64, values: [&str; 3]) -> String {
        let names = [SUBJECT_FIELD, SYSTEM_FIELD, PRIORITY_FIELD];
        let fields: Vec<FieldValue> = names
            .iter()
            .zip(values)
            .map(|(name, value)| {
                platform.field_value(&self.helpdesk_id, say(self.locale, name), say(self.locale, value))
            })
            .collect();
        let guest = self.guests.get(self.tickets.len() % self.guests.len()).cloned().unwrap_or_default();
        platform.create_ticket(now_ms, |ticket| {
            ticket.helpdesk_id.clone_from(&self.helpdesk_id);
            ticket.guest = guest;
            ticket.status = STATUS_QUEUEING;
            ticket.channel = 14;
            ticket.customized_fields = fields;
        })
    }

    /// The agent who always works on that ticket.
    fn agent_of(&self, ticket_id: &str) -> &User {
        let place = self.tickets.values().position(|own| own == ticket_id).unwrap_or_default();
        &self.agents[place % self.agents.len()]
    }

    /// The text with each nickname in braces replaced by the ticket's id.
    fn fill(&self, text: &str) -> String {
        self.tickets.iter().fold(text.to_string(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }
}

/// Name, kind and options of each custom field.
const FIELDS: [(&str, &str, &[&str]); 3] = [
    (SUBJECT_FIELD, "multiline", &[]),
    (PRIORITY_FIELD, "dropdown", &["P0", "P1", "P2", "P3"]),
    (
        SYSTEM_FIELD,
        "dropdown",
        &[
            "网络",
            "VPN",
            "邮箱",
            "账号权限",
            "财务系统",
            "会议室",
            "打印机",
            "门禁",
            "办公设备",
            "办公软件",
            "研发环境",
        ],
    ),
];

fn definition(number: usize, name: &str, (kind, options): (&str, &[&str]), locale: Locale) -> FieldDefinition {
    FieldDefinition {
        id: format!("69487282063922954{number:02}"),
        key_name: format!("field_{number}"),
        display_name: say(locale, name).to_string(),
        field_type: kind.to_string(),
        options: options
            .iter()
            .enumerate()
            .map(|(place, option)| (format!("option-{number}-{place}"), say(locale, option).to_string()))
            .collect(),
        multiple: false,
        visible: true,
        required: name == SUBJECT_FIELD,
    }
}

fn person(role: &str, place: usize, (name, department): (&str, &str), locale: Locale) -> User {
    User {
        id: format!("ou_{role}{place:02}"),
        avatar_url: "https://example.com/avatar.png".to_string(),
        name: say(locale, name).to_string(),
        email: format!("{role}{place:02}@example.com"),
        department: say(locale, department).to_string(),
        city: say(locale, "上海").to_string(),
        country: "CN".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole day on a platform: each ticket's subject, guest, status, priority and score.
    fn day(seed: u64) -> Vec<(String, String, i64, String, Option<i64>)> {
        let script = Script::new(seed);
        let mut platform = Platform::new(seed);
        let mut stage = Stage::set(&mut platform, &script, Locale::Zh);
        assert_eq!(platform.tickets().filter(|ticket| ticket.status == STATUS_AWAITING_USER).count(), 5);
        for (at, happening) in &script.happenings {
            stage.play(&mut platform, *at, happening);
        }
        assert_eq!(platform.messages_in(crate::cli::demo::script::SUPPORT.chat_id).len(), 2);
        platform
            .tickets()
            .map(|ticket| {
                let field = |name| ticket.field(name).unwrap_or_default().to_string();
                (field(SUBJECT_FIELD), ticket.guest.name.clone(), ticket.status, field(PRIORITY_FIELD), ticket.score)
            })
            .collect()
    }

    #[test]
    fn the_day_plays_the_same_for_the_same_seed() {
        let told = day(7);
        assert_eq!(told, day(7));
        assert_ne!(told, day(8), "other people");
        assert_eq!(told.iter().filter(|ticket| ticket.4 == Some(1)).count(), 3, "three bad ratings");
        assert_eq!(told.iter().filter(|ticket| ticket.3 == "P0").count(), 3, "three burning tickets");
        let waiting = told.iter().filter(|ticket| ticket.2 == STATUS_AWAITING_USER).count();
        assert_eq!(waiting, 2, "the projector and the scanner still wait");
    }

    #[test]
    fn what_is_said_names_the_ticket() {
        let script = Script::new(7);
        let mut platform = Platform::new(7);
        let mut stage = Stage::set(&mut platform, &script, Locale::Zh);
        for (at, happening) in &script.happenings {
            stage.play(&mut platform, *at, happening);
        }
        let said = platform.messages_in(crate::cli::demo::script::SUPPORT.chat_id)[0].text().unwrap();
        assert_eq!(said, format!("@_user_1 /ticket {}", stage.ticket_id("finance").unwrap()));
    }
}
