//! What stands in for a configuration: every receiver, source and calendar that the rules name is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use crate::{
    adapters::{
        calendars,
        rulebook::{
            names::Names,
            words::{ALWAYS, ESCALATE_KEYS, NOTIFY_KEYS, TO_WORDS, english, rule_key},
        },
        templates::library::Templates,
        yaml::{
            parse::{FILE_BYTES_MAX, parse},
            tree::{Node, NodeKind},
        },
    },
    domain::{
        calendar::Calendar,
        desk::settings::{Access, Direct, Limits, Look, Settings, SourceSettings},
        fault::Fault,
        id::{CalendarName, ChatId, ReceiverName, SourceName, TeamName},
        labels::{Caption, Labels, Oncall, Team},
        plan::Plan,
        receiver::{Receiver, ReceiverKind},
        rule::CatchUp,
        text::Locale,
        time::{Span, Zone},
    },
};

/// The source where no rule names one.
const SOURCE: &str = "helpdesk";

/// The custom field that holds the priority.
const PRIORITY: &str = "优先级";

/// The custom field that holds the subject.
const SUBJECT: &str = "问题描述";

/// The hours of every calendar that the rules name.
const OFFICE: &str = "{ week: { mon-fri: [\"09:30-12:00\", \"13:30-18:30\"] }, holidays: [cn] }";

/// What rules name.
#[derive(Debug, Default)]
struct Named {
    receivers: BTreeSet<String>,
    sources: BTreeSet<String>,
    calendars: BTreeSet<String>,
}

/// Settings, names and templates around the rules of `dir`.
pub(super) fn around(dir: &Path, locale: Locale, faults: &mut Vec<Fault>) -> (Settings, Names, Arc<Templates>) {
    let mut named = named_in(dir);
    named.receivers.extend(["team", "team.lead", "team.oncall"].map(String::from));
    if named.sources.is_empty() {
        named.sources.insert(SOURCE.to_string());
    }
    let base = dir.parent().unwrap_or(dir);
    let beside = dir.parent().map(|parent| parent.join("templates")).filter(|path| path.is_dir());
    let (templates, found) = Templates::load(beside.as_deref());
    faults.extend(found);
    let zone = Zone(chrono_tz::Asia::Shanghai);
    let names = Names {
        receivers: named.receivers.clone(),
        sources: named.sources.clone(),
        templates: templates.names().iter().map(ToString::to_string).collect(),
        teams: ["team".to_string()].into(),
        team_words: ["team", "team.lead", "team.oncall"].into(),
        subjects: named.sources.clone(),
        priorities: named.sources.clone(),
        calendars: calendars(&named, base, zone, faults),
        zone,
        ..Names::default()
    };
    (settings(&named, zone, locale), names, Arc::new(templates))
}

/// Every calendar that is named has the hours of an office, and the public holidays of `calendars/cn.yaml`.
fn calendars(named: &Named, base: &Path, zone: Zone, faults: &mut Vec<Fault>) -> BTreeMap<String, Arc<Calendar>> {
    let Some(office) = parse("office", OFFICE, faults) else { return BTreeMap::new() };
    let calendar = |name: &String| {
        let read = calendars::read::read(CalendarName::from(name.as_str()), &office, base, zone, faults);
        (name.clone(), Arc::new(read.calendar))
    };
    named.calendars.iter().map(calendar).collect()
}

fn settings(named: &Named, zone: Zone, locale: Locale) -> Settings {
    let team = Team {
        name: TeamName::from("team"),
        when: None,
        to: ReceiverName::from("team"),
        lead: Some(ReceiverName::from("team.lead")),
        oncall: Some(Oncall::Receiver(ReceiverName::from("team.oncall"))),
    };
    let labels = Arc::new(Labels {
        subject: vec![Caption::Field(SUBJECT.into()), Caption::FirstGuestMessage],
        priority: Some(PRIORITY.into()),
        teams: Arc::new(vec![team]),
        ..Labels::default()
    });
    let source = |name: &String| {
        let labels = Arc::clone(&labels);
        let settings = SourceSettings { poll_every: Span::from_secs(30), catch_up: CatchUp::Each, labels };
        (SourceName::from(name.as_str()), settings)
    };
    let receiver = |name: &String| {
        let (name, kind) = (ReceiverName::from(name.as_str()), ReceiverKind::Chat(ChatId::new(name.as_str())));
        (name.clone(), Receiver::new(name, kind, locale))
    };
    Settings {
        zone,
        locale,
        sources: named.sources.iter().map(source).collect(),
        receivers: named.receivers.iter().map(receiver).collect(),
        operations: None,
        limits: Limits::default(),
        plan: Plan::Paid,
        access: Access::new(Look::Everyone, Direct::Nobody),
        retention: Span::from_days(3_650),
        storm: None,
        rotas: BTreeMap::new(),
        inhibits: Vec::new(),
    }
}

/// What the files of a folder name where names stand. What is wrong with them is found when they are read as rules.
fn named_in(dir: &Path) -> Named {
    let mut named = Named::default();
    let Ok(entries) = fs::read_dir(dir) else { return named };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let small = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= FILE_BYTES_MAX as u64);
        if !small || !name.ends_with(".yaml") || name.ends_with(".test.yaml") {
            continue;
        }
        if let Some(node) = fs::read_to_string(&path).ok().and_then(|text| parse(&name, &text, &mut Vec::new())) {
            gather(&node, &mut named);
        }
    }
    named
}

fn gather(node: &Node, named: &mut Named) {
    match &node.kind {
        NodeKind::List(items) => items.iter().for_each(|item| gather(item, named)),
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                let line = || [NOTIFY_KEYS, ESCALATE_KEYS].iter().find_map(|table| english(table, &key.text));
                let words = || value.one_or_many().iter().filter_map(Node::text).map(|word| word.trim().to_string());
                match rule_key(&key.text).or_else(line) {
                    Some("to" | "trial_to" | "fallback") => {
                        named.receivers.extend(words().filter(|word| english(TO_WORDS, word).is_none()));
                    }
                    Some("sources") => named.sources.extend(words()),
                    Some("calendar") => {
                        named.calendars.extend(words().filter(|word| english(&[ALWAYS], word).is_none()));
                    }
                    _ => {}
                }
                gather(value, named);
            }
        }
        NodeKind::Null | NodeKind::Scalar(_) => {}
    }
}
