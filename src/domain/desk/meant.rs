//! What is meant by what someone typed: a ticket, an alert by its reference, a subject as it is written.

use crate::domain::{
    alert::AlertKey,
    chronicle::LinesOf,
    desk::{lists::bare_reference, machine::Desk, together::reference_of},
    id::{Subject, TicketKey},
    text::Message,
};

/// Hex digits of a reference.
const REFERENCE_DIGITS: usize = 6;

/// What is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// What it is about.
    pub subject: Subject,
    /// The one alert and the episode whose reference was typed, where one was.
    pub alert: Option<(AlertKey, u32)>,
    /// The number of the digest whose reference was typed, where one was.
    pub digest: Option<u32>,
    /// What the subject goes by.
    pub title: Option<String>,
}

impl Meant {
    /// The lines of the journal about it.
    pub fn lines(&self) -> LinesOf {
        let episode = self.alert.as_ref().map(|(alert, episode)| (alert.rule.clone(), *episode));
        LinesOf { subject: self.subject.clone(), episode, digest: self.digest, looks: false }
    }
}

impl Desk {
    /// What is meant: a ticket by its id or its last digits, also one that is no longer kept; an alert by its reference
    /// (`#4F7A2C`); a subject as it is written (`group:支付`, `source:it-desk`, `service`).
    ///
    /// # Errors
    /// Nothing is meant, or several things are.
    pub fn meant(&self, typed: &str) -> Result<Meant, Message> {
        let typed = typed.trim();
        let of = |subject: Subject, alert| Meant { title: self.title_of(&subject), subject, alert, digest: None };
        if let Some(subject) = Subject::parse(typed).filter(|subject| subject.ticket().is_none()) {
            return Ok(of(subject, None));
        }
        let referred = || {
            let reference = bare_reference(typed);
            let is_one = reference.len() == REFERENCE_DIGITS && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
            let alert = self.alert_referred(&reference).filter(|_| is_one)?;
            let episode = self.episode_referred(alert, &reference);
            Some(of(alert.key.subject.clone(), Some((alert.key.clone(), episode))))
        };
        let referred = || referred().or_else(|| self.digest_meant_by(typed));
        // Six digits are a reference behind `#`, else the end of a ticket's id.
        if typed.starts_with(['#', '＃'])
            && let Some(meant) = referred()
        {
            return Ok(meant);
        }
        match self.ticket_meant(typed) {
            Ok(key) => Ok(of(Subject::Ticket(key), None)),
            Err(why) => {
                let purged = self.remains_of(typed).map(|key| of(Subject::Ticket(key), None));
                purged.or_else(referred).ok_or(why)
            }
        }
    }

    /// The digest of this reference; it goes by those of its alerts.
    fn digest_meant_by(&self, typed: &str) -> Option<Meant> {
        let (of, number) = self.digest_called(typed)?;
        let (named, total) = self.digest_names(&of, number);
        let all: Vec<String> = named.iter().map(|reference| format!("#{reference}")).collect();
        let more = if total > all.len() { format!(" … ({total})") } else { String::new() };
        let title = format!("#{}: {}{more}", reference_of(&of, number), all.join(" "));
        Some(Meant { subject: of, alert: None, digest: Some(number), title: Some(title) })
    }

    /// The ticket with this whole id that is no longer kept, or of which nothing but its source is known.
    fn remains_of(&self, typed: &str) -> Option<TicketKey> {
        let (source, id) = typed.rsplit_once(':').map_or((None, typed), |(source, id)| (Some(source), id));
        let fits = |key: &&TicketKey| key.id.as_str() == id && source.is_none_or(|it| key.source.as_str() == it);
        self.remains.keys().find(fits).cloned()
    }
}
