//! Rules, templates, calendars, teams and rotas that change while the service runs. Everything is built and checked
//! first, then put in force at once; with any fault the old set stays, and operations hears of it once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{info, warn};

use crate::{
    adapters::{clock::Clock, store::definitions},
    app::{
        config::{
            load::Loaded,
            sections::{Sections, restart_for},
            setup::Setup,
        },
        fields,
        files::{self, Reading, Watcher},
    },
    domain::{
        desk::input::NewRules,
        fault::{Fault, Gravity, Place},
        id::{ReceiverName, RotaName, SourceName},
        labels::Labels,
        receiver::Receiver,
        rota::Rota,
        rule::{Mode, RuleSet, To},
        rule_change,
        text::{Locale, Message},
        time::{Span, Timestamp},
    },
    engine::port::Port,
};

/// How often files are looked at.
pub const LOOK_EVERY: Span = Span::from_secs(5);

/// Faults that operations is told; the rest is counted.
const FAULTS_TOLD_MAX: usize = 5;

/// Reloads that may be asked for before the first is done.
pub const ASKS_MAX: usize = 8;

/// Reads the configuration and all it names.
pub type Loader = Arc<dyn Fn() -> Loaded + Send + Sync>;

/// Asks for a reload now.
pub type Ask = oneshot::Sender<Result<(), Vec<Fault>>>;

/// What is known of the files.
#[derive(Clone, Debug)]
pub struct Reloads {
    /// When the rules in force were loaded.
    pub loaded_at: Timestamp,
    /// How many there are.
    pub rules: usize,
    /// Why what stands on disk now is not in force; empty when it is.
    pub faults: Vec<Fault>,
    /// Parts of the configuration that were changed and wait for a restart.
    pub restart_for: Vec<String>,
}

/// What is known of the files, for whoever asks.
pub type Published = Arc<ArcSwap<Reloads>>;

/// What the files said when they were loaded last.
pub struct InForce {
    places: Vec<PathBuf>,
    sections: Sections,
    rules: Arc<RuleSet>,
    labels: BTreeMap<SourceName, Arc<Labels>>,
    rotas: BTreeMap<RotaName, Arc<Rota>>,
    receivers: BTreeSet<ReceiverName>,
    files: Reading,
}

/// Looks at the files, and loads them when they changed or when asked.
pub struct Reloader {
    load: Loader,
    port: Port,
    clock: Clock,
    published: Published,
    in_force: InForce,
    watcher: Watcher,
    /// The faults and the parts waiting for a restart that were told last.
    told: (Vec<Fault>, Vec<String>),
}

/// The places a setup was read from.
fn places(setup: &Setup) -> Vec<PathBuf> {
    let calendars = Some(setup.base.join("calendars")).filter(|dir| dir.is_dir());
    let fields = definitions::path(&setup.store.path);
    let folders = [setup.rules_dir.clone(), setup.templates_dir.clone(), calendars];
    let lists = setup.rotas.lists.iter().cloned();
    [setup.file.clone(), fields].into_iter().chain(lists).chain(folders.into_iter().flatten()).collect()
}

impl InForce {
    /// A setup that comes into force.
    pub fn of(setup: &Setup) -> Self {
        Self {
            places: places(setup),
            sections: setup.sections.clone(),
            rules: Arc::clone(&setup.rules),
            labels: labels_of(setup),
            rotas: setup.settings.rotas.clone(),
            receivers: setup.settings.receivers.keys().cloned().collect(),
            files: Reading::new(),
        }
    }

    /// What is published of it first.
    pub fn published(&self, loaded_at: Timestamp) -> Published {
        let rules = self.rules.rules.len();
        Arc::new(ArcSwap::from_pointee(Reloads { loaded_at, rules, faults: Vec::new(), restart_for: Vec::new() }))
    }
}

impl Reloader {
    /// A reloader of what is in force.
    pub fn new(in_force: InForce, load: Loader, port: Port, clock: Clock, published: Published) -> Self {
        let (watcher, told) = (Watcher::default(), (Vec::new(), Vec::new()));
        Self { load, port, clock, published, in_force, watcher, told }
    }

    /// Runs until stopped.
    pub async fn run(mut self, mut asks: mpsc::Receiver<Ask>, mut stopping: watch::Receiver<bool>) {
        // What stands there as the service starts is taken for what was loaded; the first look sees whether it was.
        self.in_force.files = read(self.in_force.places.clone()).await;
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => return,
                Some(ask) = asks.recv() => {
                    let done = self.reload().await;
                    drop(ask.send(done)); // nobody may wait for it
                }
                () = self.clock.sleep(LOOK_EVERY) => {
                    let reading = read(self.in_force.places.clone()).await;
                    if self.watcher.look(reading) {
                        drop(self.reload().await);
                    }
                }
            }
        }
    }

    /// Loads everything and puts it in force; with a fault nothing changes.
    async fn reload(&mut self) -> Result<(), Vec<Fault>> {
        let reading = read(self.in_force.places.clone()).await;
        self.watcher.loaded(reading.clone());
        let load = Arc::clone(&self.load);
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let checked = match loaded {
            Ok(Loaded { setup: Some(setup), .. }) => self.check(setup),
            Ok(Loaded { faults, .. }) => Err(faults),
            Err(error) => Err(vec![Fault::error(
                Place::default(),
                Message::new(format!("读取时出错：{error}"), format!("loading broke off: {error}")),
            )]),
        };
        match checked {
            Ok(setup) => {
                self.put_in_force(setup, reading).await;
                Ok(())
            }
            Err(mut faults) => {
                faults.retain(|fault| fault.gravity == Gravity::Error);
                self.refuse(faults.clone()).await;
                Err(faults)
            }
        }
    }

    /// What goes with parts that only a restart puts in force cannot be put in force without them.
    fn check(&self, setup: Setup) -> Result<Box<Setup>, Vec<Fault>> {
        let place = || Place::file(setup.file.display().to_string());
        if restart_for(&self.in_force.sections, &setup.sections).iter().any(|part| part == "timezone") {
            let message = Message::new(
                "timezone 改了，规则里的时间随它而变；重启后才生效",
                "`timezone` was changed, and the times in rules with it: it takes a restart",
            );
            return Err(vec![Fault::error(place(), message)]);
        }
        let mut missing: Vec<&ReceiverName> = receivers_of(&setup);
        missing.retain(|name| {
            !self.in_force.receivers.contains(*name) && Receiver::person(name, Locale::default()).is_none()
        });
        missing.sort();
        missing.dedup();
        let fault = |name: &ReceiverName| {
            let message = Message::new(
                format!("规则、团队或值班表用到了新的接收者 “{name}”；receivers 重启后才生效"),
                format!("rules, teams or rotas name the new receiver `{name}`, and `receivers` takes a restart"),
            );
            Fault::error(place(), message)
        };
        let faults: Vec<Fault> = missing.into_iter().map(fault).collect();
        if faults.is_empty() { Ok(Box::new(setup)) } else { Err(faults) }
    }

    async fn put_in_force(&mut self, setup: Box<Setup>, reading: Reading) {
        let mut labels = labels_of(&setup);
        labels.retain(|name, labels| {
            self.in_force.labels.get(name).is_some_and(|old| rule_change::labels_differ(old, labels))
        });
        let mut words = template_words(&self.in_force.files, &reading);
        words.extend(rota_words(&self.in_force.rotas, &setup.settings.rotas));
        let restart = restart_for(&self.in_force.sections, &setup.sections);
        if !restart.is_empty() && restart != self.told.1 {
            warn!(parts = restart.join(", "), "these changes take a restart");
            words.push(Message::new(
                format!("这些改动要重启才生效：{}", restart.join("、")),
                format!("these changes take a restart: {}", restart.join(", ")),
            ));
        }
        if !self.told.0.is_empty() {
            words.push(Message::new("上次的错误已改好", "the faults of before are mended"));
        }
        let lines = rule_change::lines(&self.in_force.rules.rules, &setup.rules.rules);
        let said: Vec<&str> = lines.iter().chain(&words).map(|line| line.en.as_str()).collect();
        info!(rules = setup.rules.rules.len(), changes = said.join("; "), "rules were loaded");
        let published = Reloads {
            loaded_at: self.clock.now(),
            rules: setup.rules.rules.len(),
            faults: Vec::new(),
            restart_for: restart.clone(),
        };
        self.told = (Vec::new(), restart);
        self.in_force.places = places(&setup);
        self.in_force.labels.extend(labels.clone());
        self.in_force.rotas = setup.settings.rotas.clone();
        self.in_force.rules = Arc::clone(&setup.rules);
        self.in_force.files = reading;
        if let Some(message) = fields::unfit_words(&setup.unfit, &setup.blind) {
            self.port.report(fields::UNFIT, message).await;
        }
        self.port.learn_names(setup.names);
        let rotas = Some(setup.settings.rotas);
        let new = NewRules { rules: setup.rules, labels, rotas, words, conditions: BTreeMap::new() };
        self.port.change_rules(Box::new(new), Some(setup.templates)).await;
        self.published.store(Arc::new(published));
    }

    /// The old set stays; operations is told once of the same faults.
    async fn refuse(&mut self, faults: Vec<Fault>) {
        let before = self.published.load_full();
        self.published.store(Arc::new(Reloads { faults: faults.clone(), ..Reloads::clone(&before) }));
        if faults == self.told.0 {
            return;
        }
        for fault in &faults {
            warn!(place = %fault.place, fault = %fault.message.en, "rules were not loaded; the old ones stay in force");
        }
        self.port.refuse_rules(refusal(&faults)).await;
        self.told.0 = faults;
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn read(places: Vec<PathBuf>) -> Reading {
    tokio::task::spawn_blocking(move || files::read(&places)).await.unwrap_or_default()
}

fn labels_of(setup: &Setup) -> BTreeMap<SourceName, Arc<Labels>> {
    let of = &setup.settings.sources;
    of.iter().map(|(name, settings)| (name.clone(), Arc::clone(&settings.labels))).collect()
}

/// The receivers that rules, teams and rotas name.
fn receivers_of(setup: &Setup) -> Vec<&ReceiverName> {
    let mut found = Vec::new();
    for rule in setup.rules.rules.values() {
        let trial = match &rule.mode {
            Mode::Trial(to) => to.as_ref(),
            Mode::Live | Mode::Disabled => None,
        };
        let told = rule.notify.iter().map(|line| &line.to).chain(rule.ladder.iter().map(|rung| &rung.to));
        found.extend(told.chain(&rule.fallback).chain(trial).filter_map(|to| match to {
            To::Receiver(name) => Some(name),
            _ => None,
        }));
    }
    for settings in setup.settings.sources.values() {
        for team in settings.labels.teams.iter() {
            found.extend([Some(&team.to), team.lead.as_ref(), team.oncall_receiver()].into_iter().flatten());
        }
    }
    found.extend(setup.settings.rotas.values().filter_map(|rota| rota.backup.as_ref()));
    found
}

/// Templates that came, went or say something else.
fn template_words(old: &Reading, new: &Reading) -> Vec<Message> {
    let name = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".hbs")?;
        Some(name.split_once('.').map_or(name, |(name, _)| name).to_string())
    };
    let paths: BTreeSet<&PathBuf> = old.keys().chain(new.keys()).collect();
    let names: BTreeSet<String> =
        paths.into_iter().filter(|path| old.get(*path) != new.get(*path)).filter_map(name).collect();
    names
        .into_iter()
        .map(|name| Message::new(format!("模板 {name} 改了"), format!("template {name} changed")))
        .collect()
}

/// Rotas that came, went or say something else.
fn rota_words(old: &BTreeMap<RotaName, Arc<Rota>>, new: &BTreeMap<RotaName, Arc<Rota>>) -> Vec<Message> {
    let names: BTreeSet<&RotaName> = old.keys().chain(new.keys()).collect();
    let word = |name: &RotaName| match (old.get(name), new.get(name)) {
        (None, _) => Some(Message::new(format!("新增值班表 {name}"), format!("new rota: {name}"))),
        (_, None) => Some(Message::new(format!("删除值班表 {name}"), format!("rota removed: {name}"))),
        (Some(old), Some(new)) if old != new => {
            Some(Message::new(format!("值班表 {name} 改了"), format!("rota {name} changed")))
        }
        _ => None,
    };
    names.into_iter().filter_map(word).collect()
}

/// What operations is told of faults.
fn refusal(faults: &[Fault]) -> Message {
    let mut zh = vec!["规则没有更新，旧规则继续生效".to_string()];
    let mut en = vec!["Rules were not updated; the old ones stay in force".to_string()];
    for fault in faults.iter().take(FAULTS_TOLD_MAX) {
        let hint = |text: Option<&str>| text.map_or_else(String::new, |hint| format!(" → {hint}"));
        let (place, told) = (&fault.place, &fault.message);
        zh.push(format!("{place} {}{}", told.zh, hint(fault.hint.as_ref().map(|hint| hint.zh.as_str()))));
        en.push(format!("{place} {}{}", told.en, hint(fault.hint.as_ref().map(|hint| hint.en.as_str()))));
    }
    if faults.len() > FAULTS_TOLD_MAX {
        let more = faults.len() - FAULTS_TOLD_MAX;
        zh.push(format!("另有 {more} 处，运行 deskbell check 查看"));
        en.push(format!("and {more} more: run deskbell check"));
    }
    zh.push("改好后会自动重新读取".to_string());
    en.push("They are read again as soon as the files change".to_string());
    Message::new(zh.join("\n"), en.join("\n"))
}
