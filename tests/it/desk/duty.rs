//! A rota on the bench: `rota` of a case says who takes turns, `covers`, `leaves` and `confirms` what happens to it.
//!
//! Days are 09:00 to 21:00, nights 21:00 to 09:00 in Shanghai, one person after the other, daily from 2026-09-20 on.
//! Timelines begin on Monday, 2026-09-21 at 06:13:20 there. The National Day holiday is 2026-10-01 to 10-07.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use deskbell::{
    adapters::yaml::tree::Node,
    domain::{
        calendar::{Calendar, Frame, Plan, Wait},
        desk::settings::Settings,
        id::{CalendarName, RotaName, RuleName},
        labels::{Labels, Oncall, Team},
        people::{KnownPerson, Standing},
        receiver::PersonId,
        rota::{Rota, Shift, Turn},
        rule::{RuleSet, Rung, RungAt, To},
        time::{Span, Zone},
    },
};

use super::{get, text};
use crate::histories::oracle;

const SHANGHAI: Zone = Zone(chrono_tz::Asia::Shanghai);
const NAME: &str = "primary";

/// The rota of the only team, where a case says `elsewhere`; nobody stands in it.
const OTHER: &str = "other";

/// Whoever `team.oncall` means is told an hour after it rings.
const ESCALATED_AFTER: Span = Span::from_hours(1);

pub(super) fn person(name: &str) -> PersonId {
    PersonId::Email(format!("{name}@example.com").as_str().into())
}

/// What the directory says of someone who is there.
pub(super) fn known(name: &str) -> KnownPerson {
    KnownPerson { standing: Standing::Active, ..left(name) }
}

/// What the directory says of someone who left.
pub(super) fn left(name: &str) -> KnownPerson {
    let open_id = Some(format!("ou_{name}").as_str().into());
    KnownPerson { person: person(name), open_id, name: Some(name.into()), standing: Standing::Resigned }
}

/// The settings with the rota of a case, which is on call for the only team there is.
pub(super) fn settings(mut settings: Settings, rota: &Node) -> Settings {
    let members = |key: &str| -> Vec<PersonId> {
        let people = get(rota, key).map(|people| people.one_or_many().to_vec()).unwrap_or_default();
        people.iter().map(|name| person(name.text().unwrap())).collect()
    };
    let shift = |name: &str, from: u32, to: u32| Shift {
        name: name.into(),
        hours: Frame { from: from * 60, to: to * 60 },
        change: Turn::Daily,
        members: members(name),
    };
    let elsewhere = get(rota, "elsewhere").is_some();
    let shifts = [shift("day", 9, 21), shift("night", 21, 33)];
    let rota = Rota {
        name: RotaName::from(NAME),
        zone: SHANGHAI,
        start: date(9, 20),
        shifts: shifts.into_iter().filter(|shift| !shift.members.is_empty()).collect(),
        dates: BTreeMap::new(),
        backup: text(rota, "backup").map(|name| name.as_str().into()),
        calendar: Some(Arc::new(calendar())),
    };
    let team = Team {
        name: "everyone".into(),
        when: None,
        to: "support".into(),
        lead: None,
        oncall: Some(Oncall::Rota(if elsewhere { OTHER.into() } else { rota.name.clone() })),
    };
    for source in settings.sources.values_mut() {
        source.labels = Arc::new(Labels { teams: Arc::new(vec![team.clone()]), ..Labels::default() });
    }
    let other = Rota { name: OTHER.into(), shifts: Vec::new(), backup: None, ..rota.clone() };
    settings.rotas = BTreeMap::from([(rota.name.clone(), Arc::new(rota))]);
    if elsewhere {
        settings.rotas.insert(other.name.clone(), Arc::new(other));
    }
    settings
}

/// One rule: it rings on what waits, and calls whoever is on call, unless the case says `calls_nobody`.
pub(super) fn rules(rota: &Node) -> RuleSet {
    let mut rules = oracle::rules();
    let kept = BTreeSet::from([RuleName::from(oracle::WAITING)]);
    rules.rules.retain(|name, _| kept.contains(name));
    for rule in rules.rules.values_mut() {
        rule.notify.iter_mut().for_each(|line| line.repeat_max = 0);
        if get(rota, "calls_nobody").is_some() {
            continue;
        }
        rule.ladder.push(Rung {
            at: RungAt::After(Wait::wall(ESCALATED_AFTER)),
            severity: None,
            to: To::TeamOncall,
            template: None,
            mention: None,
            urgent: None,
        });
    }
    rules
}

fn date(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap()
}

/// Monday to Friday, and no work on the National Day holiday.
fn calendar() -> Calendar {
    let day = || vec![Frame { from: 540, to: 1_080 }];
    let week = [day(), day(), day(), day(), day(), Vec::new(), Vec::new()];
    let dates = (1..=7).map(|day| (date(10, day), Vec::new())).collect();
    let name = CalendarName::new("office");
    Calendar::new(Plan { name, zone: SHANGHAI, week, dates, known_through: Some(date(12, 31)) })
}
