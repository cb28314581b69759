//! What the configuration says of a source's tickets: where subject and priority stand, and which team they are for.

use std::sync::Arc;

use crate::domain::{
    condition::{Condition, PersonPart},
    id::{ReceiverName, RotaName, TeamName},
    privacy::Privacy,
    rule::{Rule, To},
    seen::Seen,
    ticket::{Known, Text, Ticket},
    time::Timestamp,
    verdict::{Answer, eval},
};

/// What the configuration says of a source's tickets. The first that has a value wins.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Where the subject may stand.
    pub subject: Vec<Caption>,
    /// The custom field that holds the priority.
    pub priority: Option<Arc<str>>,
    /// Where its agents work: the address of their workbench, where one is known. No address leads to a single ticket
    /// (`facts/feishu.md §10`).
    pub workbench: Option<Arc<str>>,
    /// The teams, first match first.
    pub teams: Arc<Vec<Team>>,
    /// What may be shown of their guests.
    pub privacy: Arc<Privacy>,
}

/// Where a ticket's subject may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caption {
    /// In a custom field, by display name or key.
    Field(Arc<str>),
    /// In the guest's first message.
    FirstGuestMessage,
}

/// A team: which tickets are its own, and who it is.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its name.
    pub name: TeamName,
    /// Which tickets are its own; absent: all that are left. Without clocks, `was` and `changed`.
    pub when: Option<Condition>,
    /// Whom `team` means.
    pub to: ReceiverName,
    /// Whom `team.lead` means.
    pub lead: Option<ReceiverName>,
    /// Whom `team.oncall` means.
    pub oncall: Option<Oncall>,
}

/// Who is on call for a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oncall {
    /// Always this receiver.
    Receiver(ReceiverName),
    /// Whoever this rota says.
    Rota(RotaName),
}

impl Team {
    /// The receiver that is always on call, where one is.
    pub const fn oncall_receiver(&self) -> Option<&ReceiverName> {
        match &self.oncall {
            Some(Oncall::Receiver(name)) => Some(name),
            Some(Oncall::Rota(_)) | None => None,
        }
    }
}

impl Labels {
    /// Nothing is said.
    pub fn none() -> &'static Self {
        static NONE: std::sync::LazyLock<Labels> = std::sync::LazyLock::new(Labels::default);
        &NONE
    }

    /// The first subject of a ticket that has a value.
    pub fn subject_of<'a>(&self, seen: &Seen<'a>) -> Known<&'a str> {
        self.caption_of(seen).map(|(_, text)| text)
    }

    /// The same with where it stands.
    fn caption_of<'a>(&self, seen: &Seen<'a>) -> Known<(&Caption, &'a str)> {
        let mut hidden = false;
        for caption in &self.subject {
            let found = match caption {
                Caption::Field(name) => custom_value(seen.ticket, name),
                Caption::FirstGuestMessage => match &seen.facts.conversation {
                    Known::Unknown => Known::Unknown,
                    Known::Empty => Known::Empty,
                    Known::Present(said) => said.first_guest.as_ref().map(|said| &*said.text).into(),
                },
            };
            match found {
                Known::Present(text) => return Known::Present((caption, text)),
                Known::Unknown => hidden = true,
                Known::Empty => {}
            }
        }
        if hidden { Known::Unknown } else { Known::Empty }
    }

    /// The subject as far as it may be shown: what the guest said is cut like any quote.
    pub fn subject_shown(&self, seen: &Seen<'_>) -> Option<String> {
        let own = seen.ticket.key.id.as_str();
        match self.caption_of(seen) {
            Known::Present((Caption::FirstGuestMessage, text)) if self.privacy.subject => {
                self.privacy.quoted(text, own)
            }
            Known::Present((Caption::Field(_), text)) if self.privacy.subject => {
                Some(self.privacy.masked(text, own).into_owned())
            }
            _ => None,
        }
    }

    /// What a ticket goes by in a list, as far as it may be shown: its subject line, else its guest's name.
    pub fn headline_of(&self, seen: &Seen<'_>) -> Option<String> {
        let guest = || {
            let name = seen.ticket.guest.present()?.name.present()?;
            let shown = self.privacy.guest.contains(&PersonPart::Name);
            shown.then(|| self.privacy.masked(name, seen.ticket.key.id.as_str()).into_owned())
        };
        self.subject_shown(seen).or_else(guest)
    }

    /// The value of a ticket's priority field.
    pub fn priority_of<'a>(&self, ticket: &'a Ticket) -> Known<&'a str> {
        self.priority.as_deref().map_or(Known::Empty, |name| custom_value(ticket, name))
    }

    /// Whether a rule looks, by way of subject or team, at what was said on a ticket.
    pub fn need_messages(&self, rule: &Rule) -> bool {
        let by_subject = self.subject.contains(&Caption::FirstGuestMessage) && rule.looks_at("subject");
        let said = |team: &Team| team.when.as_ref().is_some_and(Condition::needs_messages);
        let means_team = |to: &To| matches!(to, To::Team | To::TeamLead | To::TeamOncall | To::Owner);
        let mut told = rule.notify.iter().map(|line| &line.to).chain(rule.ladder.iter().map(|rung| &rung.to));
        by_subject || (self.teams.iter().any(said) && (rule.looks_at("team") || told.any(means_team)))
    }

    /// The team a ticket is for; empty where none matches, unknown where nobody can tell.
    pub fn team_of(&self, seen: &Seen<'_>) -> Known<&Team> {
        for team in self.teams.iter() {
            // Without clocks and events the instant plays no part.
            let answer = team.when.as_ref().map_or(Answer::Yes, |when| eval(when, seen, Timestamp::MIN).answer);
            match answer {
                Answer::Yes => return Known::Present(team),
                Answer::Unknown => return Known::Unknown,
                Answer::No => {}
            }
        }
        Known::Empty
    }
}

/// The value of a custom field by display name or key; empty where it is blank.
pub fn custom_value<'a>(ticket: &'a Ticket, name: &str) -> Known<&'a str> {
    let is_named = |text: &Known<Text>| text.present().is_some_and(|text| text.trim() == name.trim());
    let fields = match &ticket.customized_fields {
        Known::Unknown => return Known::Unknown,
        Known::Empty => return Known::Empty,
        Known::Present(fields) => fields,
    };
    fields
        .iter()
        .filter(|field| is_named(&field.display_name) || is_named(&field.key_name))
        .find_map(|field| field.value.present())
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
        .into()
}
