//! Reads `deskbell.yaml` and what it names, and gives the setup or every fault at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use chrono_tz::Asia::Shanghai;

use crate::{
    adapters::{
        feishu, http,
        rulebook::{
            blind::{self, Folder},
            names::Names,
        },
        store,
        templates::library::{Raw, Templates},
        yaml::{
            env::expand_env,
            map::Map,
            parse::{FILE_BYTES_MAX, parse},
            tree::{Node, NodeKind},
            zone::zone,
        },
    },
    app::{
        config::{
            calendars::{self, Calendars},
            calls::{self, Calls},
            chat, inhibit, privacy,
            receivers::{self, Receivers},
            rotas,
            sections::sections,
            server,
            setup::Setup,
            sources::{self, Source},
            storm, teams, words,
        },
        fields,
    },
    domain::{
        desk::settings::{Settings, SourceSettings},
        fault::{Fault, Gravity, Place},
        id::{ReceiverName, SourceName},
        labels::Labels,
        plan::Plan,
        receiver::ReceiverKind,
        text::{Locale, Message, Words},
        time::Zone,
    },
};

/// What the file holds.
const CONFIGURATION: Words = Words { zh: "配置（一组键值）", en: "the configuration, a mapping" };

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The setup; absent when a fault stops the start.
    pub setup: Option<Setup>,
    /// Every fault of the configuration, the rules and the templates; with a setup, only warnings.
    pub faults: Vec<Fault>,
    /// The folder of the configuration file: places and relative paths start there.
    pub base: PathBuf,
}

/// Reads the configuration at `path`; `lookup` gives environment variables.
pub fn load(path: &Path, lookup: &dyn Fn(&str) -> Option<String>) -> Loaded {
    let (base, file) = whereabouts(path);
    let mut faults = Vec::new();
    let setup = match content(path) {
        Ok(text) => load_text(&file, &text, &base, lookup, &mut faults),
        Err(fault) => {
            faults.push(*fault);
            None
        }
    };
    Loaded { setup: setup.filter(|_| !is_stopped(&faults)), faults, base }
}

/// The same for a text at hand; the setup is whole only if no fault is an error.
pub fn load_text(
    file: &str,
    text: &str,
    base: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<Setup> {
    let mut tree = parse(file, text, faults)?;
    expand_env(&mut tree, lookup, faults);
    compose(&tree, base, faults)
}

/// The app and the way out alone, for what works before the rest is written; faults elsewhere are left.
pub fn load_app(
    path: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<(feishu::config::Config, http::Config)> {
    let tree = parts(path, &["feishu", "http"], lookup, faults)?;
    let mut root = Map::of(&tree, &CONFIGURATION.into(), faults)?;
    let app = app(&mut root, &whereabouts(path).0, faults);
    app.0.filter(|_| !is_stopped(faults)).map(|feishu| (feishu, app.1))
}

/// Where a running service is asked, and the zone people read times in, alone: what works while rules are being
/// written; faults elsewhere are left.
pub fn load_door(
    path: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<(server::Server, Zone)> {
    let tree = parts(path, &["server", "timezone"], lookup, faults)?;
    let mut root = Map::of(&tree, &CONFIGURATION.into(), faults)?;
    let zone = zone(&mut root, "timezone", faults).unwrap_or(Zone(Shanghai));
    let server = server::read(&mut root, &whereabouts(path).0, faults);
    Some((server, zone)).filter(|_| !is_stopped(faults))
}

/// The rotas alone, for looking at them while the rest may be unfinished; faults elsewhere are left.
pub fn load_rotas(
    path: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<rotas::Rotas> {
    let (base, mut elsewhere) = (whereabouts(path).0, Vec::new());
    let kept = ["timezone", "locale", "calendars", "receivers", "rotas"];
    // Without the secrets of receivers: a rota needs no more of them than their names.
    let mut tree = tree_of(path, &kept, faults)?;
    expand_env(&mut tree, lookup, &mut elsewhere);
    let mut root = Map::of(&tree, &CONFIGURATION.into(), faults)?;
    let zone = zone(&mut root, "timezone", faults).unwrap_or(Zone(Shanghai));
    let calendars = calendars::read(&mut root, &base, zone, &mut elsewhere);
    let receivers = receivers::read(&mut root, &base, &calendars, Locale::Zh, &mut elsewhere);
    let rotas = rotas::read(&mut root, &base, zone, &receivers, &calendars, faults);
    Some(rotas).filter(|_| !is_stopped(faults))
}

/// Where the store is, alone, for what looks after it; faults elsewhere are left.
pub fn load_store(
    path: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<store::config::Config> {
    let tree = parts(path, &["store"], lookup, faults)?;
    let mut root = Map::of(&tree, &CONFIGURATION.into(), faults)?;
    let store = store(&mut root, &whereabouts(path).0, faults);
    Some(store).filter(|_| !is_stopped(faults))
}

/// The configuration with nothing in it but these parts.
fn parts(path: &Path, keys: &[&str], lookup: &dyn Fn(&str) -> Option<String>, faults: &mut Vec<Fault>) -> Option<Node> {
    let mut tree = tree_of(path, keys, faults)?;
    expand_env(&mut tree, lookup, faults);
    Some(tree)
}

/// The same, as it is written.
fn tree_of(path: &Path, keys: &[&str], faults: &mut Vec<Fault>) -> Option<Node> {
    let (_, file) = whereabouts(path);
    let text = content(path).map_err(|fault| faults.push(*fault)).ok()?;
    let mut tree = parse(&file, &text, faults)?;
    if let NodeKind::Map(entries) = &mut tree.kind {
        entries.retain(|(key, _)| keys.contains(&key.text.as_str()));
    }
    Some(tree)
}

fn is_stopped(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| fault.gravity == Gravity::Error)
}

fn store(root: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> store::config::Config {
    let store = root.map("store", faults).map(|map| store::config::Config::read(map, base, faults));
    store.unwrap_or_else(|| store::config::Config::beside(base))
}

fn app(root: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> (Option<feishu::config::Config>, http::Config) {
    root.required("feishu", faults);
    let feishu = root.map("feishu", faults).and_then(|map| feishu::config::Config::read(map, base, faults));
    let http = root.map("http", faults).map(|map| http::Config::read(map, base, faults)).unwrap_or_default();
    (feishu, http)
}

/// The folder of the configuration file, and the file's name in it.
pub fn whereabouts(path: &Path) -> (PathBuf, String) {
    let base = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    (base, path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
}

fn content(path: &Path) -> Result<String, Box<Fault>> {
    let shown = path.display().to_string();
    let fault = |zh: String, en: String| Box::new(Fault::error(Place::file(shown.as_str()), Message::new(zh, en)));
    let failed = |error: std::io::Error| {
        let fault = fault(format!("读不了配置文件：{error}"), format!("the configuration cannot be read: {error}"));
        match error.kind() {
            std::io::ErrorKind::NotFound => Box::new(fault.with_hint(Message::new(
                "用 --config 指定，或用 deskbell init <目录> 新建",
                "name it with --config, or make one with deskbell init <DIR>",
            ))),
            _ => fault,
        }
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if usize::try_from(length).map_or(true, |length| length > FILE_BYTES_MAX) {
        return Err(fault(
            format!("配置文件太大，最多 {FILE_BYTES_MAX} 字节"),
            format!("the configuration is too large: at most {FILE_BYTES_MAX} bytes"),
        ));
    }
    fs::read_to_string(path).map_err(failed)
}

/// Section by section; goes on after a fault, so that all are found.
fn compose(tree: &Node, base: &Path, faults: &mut Vec<Fault>) -> Option<Setup> {
    let mut root = Map::of(tree, &CONFIGURATION.into(), faults)?;
    let zone = zone(&mut root, "timezone", faults).unwrap_or(Zone(Shanghai));
    let locale = words::locale(&mut root, "locale", faults).unwrap_or_default();
    let (feishu, http) = app(&mut root, base, faults);
    let calendars = calendars::read(&mut root, base, zone, faults);
    let mut sources = sources::read(&mut root, base, &calendars, feishu.as_ref(), faults);
    let raw = private(&mut root, &mut sources, faults);
    let receivers = receivers::read(&mut root, base, &calendars, locale, faults);
    let operations = receivers::operations(&mut root, base, &receivers, faults);
    let source_names: BTreeSet<SourceName> = sources.keys().cloned().collect();
    let (access, manage) = chat::read(&mut root, &source_names, faults);
    let storm = storm::read(&mut root, faults);
    let server = server::read(&mut root, base, faults);
    let store = store(&mut root, base, faults);
    let plan = feishu.as_ref().map_or(Plan::Paid, |feishu| feishu.plan);
    warn_of_operations(&root, operations.to.as_ref(), &receivers, plan, faults);
    let (templates_dir, templates) = templates(&mut root, base, raw, faults);
    let mut names = names(&receivers, &sources, &templates, &calendars, zone);
    let rotas = rotas::read(&mut root, base, zone, &receivers, &calendars, faults);
    let teams = teams::read(&mut root, &receivers, &rotas, &names, faults);
    teams::into_sources(teams.all, &mut sources);
    (names.teams, names.team_words) = (teams.written, teams.words);
    names.fields = fields::stored(&store.path, &source_names);
    let (rules_dir, Folder { rules, unfit, blind, .. }) = rules(&mut root, base, &mut names, faults);
    let inhibits = inhibit::read(&mut root, &names, &source_names, &rules, faults);
    root.finish(&[], faults);

    let sources: BTreeMap<SourceName, Source> =
        sources.into_iter().filter_map(|(name, source)| Some((name, source?))).collect();
    let calls = calls::count(plan, &sources, &rules, zone);
    warn_of_calls(&calls, tree, faults);
    let feishu = feishu?;
    let settings = Settings {
        zone,
        locale,
        sources: source_settings(&sources, &calls),
        receivers: receivers.all,
        operations: operations.to.map(|(name, _)| name),
        limits: feishu.limits,
        plan,
        access,
        retention: store.retention,
        storm,
        rotas: rotas.all.clone(),
        inhibits,
    };
    Some(Setup {
        base: base.to_path_buf(),
        file: below(base, &tree.place.file),
        sections: sections(tree),
        settings,
        feishu,
        http,
        calendars,
        rotas,
        sources,
        webhooks: receivers.webhooks,
        outgoing: receivers.outgoing,
        heartbeat: operations.heartbeat,
        server,
        store,
        rules: Arc::new(rules),
        rules_dir,
        unfit,
        blind,
        names,
        manage,
        templates_dir,
        templates: Arc::new(templates),
        calls,
    })
}

/// The templates in force, and the folder of one's own.
fn templates(root: &mut Map<'_>, base: &Path, raw: Raw, faults: &mut Vec<Fault>) -> (Option<PathBuf>, Templates) {
    let dir = folder(root, "templates", base, faults);
    let (templates, found) = Templates::load_with(dir.as_deref(), raw);
    faults.extend(found);
    (dir, templates)
}

/// What may be shown of the sources' guests, and whether templates may name `raw`.
fn private(root: &mut Map<'_>, sources: &mut BTreeMap<SourceName, Option<Source>>, faults: &mut Vec<Fault>) -> Raw {
    let privacy = privacy::read(root, faults);
    let raw = if privacy.raw { Raw::Allowed } else { Raw::Refused };
    sources::set_privacy(sources, &Arc::new(privacy));
    raw
}

/// What the rules may name, as far as it does not depend on the teams.
fn names(
    receivers: &Receivers,
    sources: &BTreeMap<SourceName, Option<Source>>,
    templates: &Templates,
    calendars: &Calendars,
    zone: Zone,
) -> Names {
    // What a source with faults says of subject and priority nobody knows: it counts as said.
    let says = |said: fn(&Labels) -> bool| {
        let all = sources.iter().filter(|(_, source)| source.as_ref().is_none_or(|source| said(&source.labels)));
        all.map(|(name, _)| name.to_string()).collect()
    };
    Names {
        receivers: receivers.written.iter().map(ToString::to_string).collect(),
        calendars: calendars.all.iter().map(|(name, calendar)| (name.to_string(), Arc::clone(calendar))).collect(),
        sources: sources.keys().map(ToString::to_string).collect(),
        subjects: says(|labels| !labels.subject.is_empty()),
        priorities: says(|labels| labels.priority.is_some()),
        templates: templates.names().iter().map(ToString::to_string).collect(),
        zone,
        ..Names::default()
    }
}

fn source_settings(sources: &BTreeMap<SourceName, Source>, calls: &Calls) -> BTreeMap<SourceName, SourceSettings> {
    let one = |source: &Source| {
        let calls = calls.sources.iter().find(|calls| calls.source == source.name)?;
        let settings = SourceSettings {
            poll_every: calls.poll_every,
            catch_up: source.catch_up,
            labels: Arc::clone(&source.labels),
        };
        Some((source.name.clone(), settings))
    };
    sources.values().filter_map(one).collect()
}

/// A folder named by a key; absent, the folder of the key's name beside the configuration, if there is one.
fn folder(root: &mut Map<'_>, key: &str, base: &Path, faults: &mut Vec<Fault>) -> Option<PathBuf> {
    let Some((text, place)) = root.text(key, faults) else {
        return Some(below(base, key)).filter(|path| path.is_dir());
    };
    let path = below(base, &text);
    if path.is_dir() {
        return Some(path);
    }
    let message =
        Message::new(format!("没有目录 {}", path.display()), format!("there is no folder {}", path.display()));
    let hint = Message::new("相对路径从配置文件所在目录算起", "relative paths start at the configuration file");
    faults.push(Fault::error(place, message).with_hint(hint));
    None
}

/// A path from the configuration's folder, without `.` in it: faults show it.
fn below(base: &Path, path: &str) -> PathBuf {
    let whole: PathBuf = base.join(path).components().filter(|part| *part != Component::CurDir).collect();
    if whole == Path::new("") { PathBuf::from(".") } else { whole }
}

/// The rules; conditions that are typed elsewhere may name theirs from then on.
fn rules(root: &mut Map<'_>, base: &Path, names: &mut Names, faults: &mut Vec<Fault>) -> (Option<PathBuf>, Folder) {
    let place = root.get("rules").map_or_else(|| Place::file(root.place().file.clone()), |node| node.place.clone());
    let well = |faults: &[Fault]| !faults.iter().any(|fault| fault.gravity == Gravity::Error);
    let Some(dir) = folder(root, "rules", base, faults) else {
        if well(faults) {
            faults.push(no_rules(place));
        }
        return (None, Folder::default());
    };
    let mut folder = blind::load(&dir, names);
    faults.append(&mut folder.faults);
    names.conditions = std::mem::take(&mut folder.conditions);
    if folder.rules.rules.is_empty() && well(faults) {
        faults.push(no_rules(place));
    }
    (Some(dir), folder)
}

fn no_rules(place: Place) -> Fault {
    let message = Message::new("一条规则也没有：不会有任何提醒", "there is no rule: nothing will ring");
    let hint = Message::new("把规则放进 rules 目录", "put rules into the folder `rules`");
    Fault::warning(place, message).with_hint(hint)
}

/// deskbell's own troubles need a way that works when the API does not.
fn warn_of_operations(
    root: &Map<'_>,
    operations: Option<&(ReceiverName, Place)>,
    receivers: &Receivers,
    plan: Plan,
    faults: &mut Vec<Fault>,
) {
    let Some((name, place)) = operations else {
        if !faults.iter().any(|fault| fault.gravity == Gravity::Error) {
            let message = Message::new(
                "没有 operations：deskbell 自己出问题时没有人知道",
                "there is no `operations`: nobody hears of deskbell's own troubles",
            );
            let hint = Message::new("例如 operations: { to: support }", "such as operations: { to: support }");
            faults.push(Fault::warning(Place::file(root.place().file.clone()), message).with_hint(hint));
        }
        return;
    };
    let in_chat = receivers.all.get(name).is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Chat(_)));
    if in_chat && plan != Plan::Paid {
        let message = Message::new(
            format!("operations 发到应用机器人的群 {name}：API 次数用完时（99991403）这条路也断了"),
            format!(
                "operations goes through the app's bot ({name}): when the calls are used up (99991403) it is silent too"
            ),
        );
        let hint =
            Message::new("改成自定义机器人的 webhook，它不计次数", "use a custom bot's webhook: it is not counted");
        faults.push(Fault::warning(place.clone(), message).with_hint(hint));
    }
}

fn warn_of_calls(calls: &Calls, tree: &Node, faults: &mut Vec<Fault>) {
    if !calls.is_over() {
        return;
    }
    let words = calls.words();
    let last = |text: &str| text.lines().last().unwrap_or_default().to_string();
    let message = Message::new(
        format!("轮询超出套餐：{}。轮询会自动放慢", last(&words.zh)),
        format!("polling asks for more than the plan has: {}. It will be slowed down", last(&words.en)),
    );
    let hint = Message::new(
        "把 poll 和 sweep 写稀一些，例如 poll: \"0 */15 * * * *\"、sweep: \"0 0 */6 * * *\"",
        "poll and sweep less often, such as poll: \"0 */15 * * * *\" and sweep: \"0 0 */6 * * *\"",
    );
    faults.push(Fault::warning(Place::file(tree.place.file.clone()), message).with_hint(hint));
}
