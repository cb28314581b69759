//! What whoever may look at some sources sees of what is about several.

use crate::domain::{
    alert::Alert,
    desk::machine::Desk,
    id::{SourceName, Subject},
    silence::Silence,
};

impl Desk {
    /// Whether an alert is of these sources alone. A group counts tickets of every source its rule watches.
    pub(super) fn is_visible(&self, alert: &Alert, sources: &[SourceName]) -> bool {
        match &alert.key.subject {
            Subject::Group(_) => match self.rule_named(&alert.key.rule).and_then(|rule| rule.sources.as_deref()) {
                Some(watched) => watched.iter().all(|source| sources.contains(source)),
                None => self.settings.sources.keys().all(|source| sources.contains(source)),
            },
            subject => subject.source().is_none_or(|source| sources.contains(source)),
        }
    }

    /// Whether a silence names nothing of any other source.
    pub(super) fn is_silence_visible(silence: &Silence, sources: &[SourceName]) -> bool {
        let of_ticket = silence.matches.ticket.as_ref().map(|key| &key.source);
        [of_ticket, silence.matches.source.as_ref()].into_iter().flatten().all(|source| sources.contains(source))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::domain::{
        alert::AlertKey,
        condition::Condition,
        desk::{
            settings::{Settings, SourceSettings},
            state::Stored,
        },
        id::TicketKey,
        labels::Labels,
        rule::{CatchUp, Rule, RuleSet},
        time::{Span, Timestamp},
    };

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn desk() -> Desk {
        let source = |name: &str| {
            let labels = Arc::new(Labels::default());
            let settings = SourceSettings { poll_every: Span::from_mins(1), catch_up: CatchUp::Each, labels };
            (SourceName::from(name), settings)
        };
        let settings = Settings { sources: BTreeMap::from([source("it"), source("hr")]), ..Settings::bare() };
        let rule = |name: &str| Rule::new(name.into(), Condition::All(Vec::new()));
        let of_it = Rule { sources: Some(vec!["it".into()]), ..rule("of it") };
        let rules = [of_it, rule("of all")].map(|rule| (rule.name.clone(), rule));
        Desk::open(Stored::default(), Arc::new(RuleSet { rules: rules.into() }), settings, START).0
    }

    #[test]
    fn what_is_about_a_source_is_seen_by_who_may_look_at_it() {
        let desk = desk();
        let sees = |subject: Subject, rule: &str, sources: &[&str]| {
            let alert = Alert::pending(AlertKey { subject, rule: rule.into() }, START);
            let sources: Vec<SourceName> = sources.iter().map(|name| SourceName::from(*name)).collect();
            desk.is_visible(&alert, &sources)
        };
        let ticket = |source: &str| Subject::Ticket(TicketKey::new(source.into(), "1".into()));
        let group = || Subject::Group("payment".into());
        for (subject, rule, sources, expected) in [
            (ticket("it"), "of all", &["it"][..], true),
            (ticket("hr"), "of all", &["it"], false),
            (Subject::Source("hr".into()), "of all", &["it"], false),
            (group(), "of it", &["it"], true),
            (group(), "of it", &["hr"], false),
            (group(), "of all", &["it"], false),
            (group(), "of all", &["hr", "it"], true),
            (group(), "removed", &["it"], false),
        ] {
            let said = format!("{subject} {rule} {sources:?}");
            assert_eq!(sees(subject, rule, sources), expected, "{said}");
        }
    }
}
