//! What tests are run against: the rules of a folder, and receivers, teams, calendars and templates around them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    adapters::{
        rulebook::{cases::ground::Ground, load::load_dir},
        templates::library::Templates,
    },
    app::config::{load::load, setup::Setup},
    cli::{prepare, report, run::Stop, terminal::Terminal, test::stand_in},
    domain::{
        desk::settings::{Limits, Settings},
        fault::Fault,
        rule::{Mode, RuleSet},
        text::Locale,
    },
};

/// What stands in for an environment variable that is not set: tests need no secrets.
const UNSET: &str = "unset";

/// Where the names around the rules come from.
#[derive(Debug)]
pub(super) enum Base {
    /// From a configuration.
    Configured(Box<Setup>),
    /// From the rules themselves.
    StandIn,
}

impl Base {
    /// The configuration at `path`; its faults are shown.
    pub(super) fn configured(path: &Path, terminal: Terminal) -> Result<Self, Stop> {
        let loaded = load(path, &|name| Some(std::env::var(name).unwrap_or_else(|_| UNSET.to_string())));
        match loaded.setup {
            Some(setup) => Ok(Self::Configured(Box::new(setup))),
            None => {
                let read = report::reader(&loaded.base);
                terminal.print_beside(&report::faults(&loaded.faults, terminal.locale, &read));
                Err(prepare::faulty())
            }
        }
    }

    /// The folder of rules, where none is named.
    pub(super) fn rules_dir(&self) -> PathBuf {
        let configured = match self {
            Self::Configured(setup) => setup.rules_dir.clone(),
            Self::StandIn => None,
        };
        configured.unwrap_or_else(|| PathBuf::from("rules"))
    }
}

/// The rules of one folder and all that is around them.
#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) rules: RuleSet,
    pub(super) templates: Arc<Templates>,
    pub(super) ground: Ground,
}

impl World {
    /// Reads the rules of `dir`; what is wrong with them is added to `faults`.
    pub(super) fn build(base: &Base, dir: &Path, locale: Option<Locale>, faults: &mut Vec<Fault>) -> Self {
        let (mut settings, names, templates) = match base {
            Base::Configured(setup) => (setup.settings.clone(), setup.names.clone(), Arc::clone(&setup.templates)),
            Base::StandIn => stand_in::around(dir, locale.unwrap_or_default(), faults),
        };
        let (mut rules, found) = load_dir(dir, &names);
        faults.extend(found);
        for rule in rules.rules.values_mut() {
            rule.mode = Mode::Live; // what it would tell is what is tested, switched on or not
        }
        settings.limits = Limits { chat_per_second: 1_000, api_per_second: 10_000, api_per_minute: 100_000 };
        for receiver in settings.receivers.values_mut() {
            receiver.locale = locale.unwrap_or(receiver.locale);
        }
        settings.locale = locale.unwrap_or(settings.locale);
        let ground = Ground {
            zone: settings.zone,
            sources: settings.sources.iter().map(|(name, source)| (name.clone(), Arc::clone(&source.labels))).collect(),
            rules: rules.rules.values().map(|rule| (rule.name.clone(), rule.sources.clone())).collect(),
            receivers: settings.receivers.keys().map(ToString::to_string).collect::<BTreeSet<String>>(),
        };
        Self { settings, rules, templates, ground }
    }
}
