//! Silences on disk. A condition is kept as it was written: what it means is found out at each start.

use serde::{Deserialize, Serialize};

use super::{
    alert::SeverityRecord,
    parts::{ActorRecord, Shared, TicketKeyRecord, rule},
};
use crate::domain::{
    id::{SilenceId, SourceName, TeamName},
    silence::{Matcher, Silence, Written},
    time::Timestamp,
};

/// [`Silence`] on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::adapters::store) struct SilenceRecord<'a> {
    id: u32,
    asked: &'a str,
    #[serde(borrow)]
    matches: MatcherRecord<'a>,
    by: ActorRecord<'a>,
    reason: &'a str,
    from: i64,
    until: i64,
    ended_by: Option<ActorRecord<'a>>,
}

/// [`Matcher`] on disk.
#[derive(Debug, Serialize, Deserialize)]
struct MatcherRecord<'a> {
    #[serde(borrow)]
    ticket: Option<TicketKeyRecord<'a>>,
    rule: Option<&'a str>,
    severity: Option<SeverityRecord>,
    source: Option<&'a str>,
    team: Option<&'a str>,
    when: Option<&'a str>,
}

impl<'a> SilenceRecord<'a> {
    pub(in crate::adapters::store) fn of(silence: &'a Silence) -> Self {
        let matches = &silence.matches;
        Self {
            id: silence.id.0,
            asked: silence.asked.as_str(),
            matches: MatcherRecord {
                ticket: matches.ticket.as_ref().map(TicketKeyRecord::of),
                rule: matches.rule.as_ref().map(|rule| rule.as_str()),
                severity: matches.severity.map(Into::into),
                source: matches.source.as_ref().map(|source| source.as_str()),
                team: matches.team.as_ref().map(|team| team.as_str()),
                when: matches.when.as_ref().map(|when| &*when.text),
            },
            by: ActorRecord::of(&silence.by),
            reason: &silence.reason,
            from: silence.from.as_ms(),
            until: silence.until.as_ms(),
            ended_by: silence.ended_by.as_ref().map(ActorRecord::of),
        }
    }

    pub(in crate::adapters::store) fn silence(self, shared: &mut Shared) -> Silence {
        let matches = self.matches;
        let matches = Matcher {
            ticket: matches.ticket.map(|ticket| ticket.key(shared)),
            rule: matches.rule.map(|name| rule(name, shared)),
            severity: matches.severity.map(Into::into),
            source: matches.source.map(|source| SourceName::new(shared.text(source))),
            team: matches.team.map(|team| TeamName::new(shared.text(team))),
            when: matches.when.map(|text| Written { text: text.into(), condition: None }),
        };
        Silence {
            id: SilenceId(self.id),
            asked: self.asked.into(),
            matches,
            by: self.by.actor(shared),
            reason: self.reason.into(),
            from: Timestamp::from_ms(self.from),
            until: Timestamp::from_ms(self.until),
            ended_by: self.ended_by.map(|by| by.actor(shared)),
        }
    }
}
