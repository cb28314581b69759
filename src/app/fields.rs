//! The custom fields of the helpdesks: read at the start and daily, kept beside the store, and what rules are checked
//! against.
//!
//! A field or option that a rule names and the helpdesk no longer has stops nothing: that rule is unknown until it is put
//! right, operations hears of it, and `check` calls it an error.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use tokio::sync::{mpsc, oneshot, watch};
use tracing::{info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            fields::{FieldDefinition, FieldOption},
            helpdesk::Helpdesk,
        },
        rulebook::names::{Choice, Definition},
        store::definitions::{self, Definitions, StoredField},
    },
    app::{
        config::{setup::Setup, sources::Source},
        reload::Ask,
    },
    domain::{
        condition::{Condition, Target},
        fault::{Fault, Gravity},
        id::{RuleName, SourceName},
        rule::Rule,
        text::Message,
        ticket::{Known, Text},
        time::Span,
    },
    engine::port::Port,
};

/// How often the fields are read.
const READ_EVERY: Span = Span::from_days(1);

/// The first wait before what failed is read again; doubled up to [`READ_EVERY`].
const RETRY_MIN: Span = Span::from_mins(10);

/// Fields kept of one source.
const FIELDS_MAX: usize = 1_000;

/// Options kept of one field.
const OPTIONS_MAX: usize = 5_000;

/// Rules named in one message.
const RULES_NAMED_MAX: usize = 10;

/// The trouble that operations hears of.
pub const UNFIT: &str = "custom_fields";

/// What keeps the fields up to date.
pub struct Keeper {
    /// The helpdesks, by source.
    helpdesks: BTreeMap<SourceName, Helpdesk>,
    /// The store's directory.
    store: PathBuf,
    /// What operations is told of the rules as they were loaded.
    unfit: Option<Message>,
}

/// The fields last stored, of all sources together; nothing unless there are some of each.
pub fn stored<'a>(store: &Path, sources: impl IntoIterator<Item = &'a SourceName>) -> Option<Vec<Definition>> {
    of_all(&definitions::read(store)?, sources)
}

/// Whether a rule names a custom field.
pub fn names_some(rule: &Rule) -> bool {
    let custom = |target: &Target| matches!(target, Target::Custom(_));
    let names = |condition: &Condition| match condition {
        Condition::Test(test) => custom(&test.target),
        Condition::Changed(targets) => targets.iter().any(custom),
        _ => false,
    };
    rule.conditions().any(|condition| condition.any(&names))
}

/// Stores what was read. What cannot be stored is logged: it is read anew another day.
pub fn store(store: &Path, fields: &Definitions) {
    if let Err(error) = definitions::write(store, fields) {
        warn!(%error, store = %store.display(), "the definitions of custom fields cannot be stored");
    }
}

/// A source's fields as they are stored.
pub fn to_store(fields: &[FieldDefinition]) -> Vec<StoredField> {
    fields.iter().take(FIELDS_MAX).map(stored_field).collect()
}

/// Stored fields as rules are checked against them.
pub fn definitions(source: &SourceName, fields: &[StoredField]) -> Vec<Definition> {
    fields.iter().map(|field| definition(source, field)).collect()
}

/// What operations is told of rules that do not fit the fields; nothing where all fit.
pub fn unfit_words(unfit: &[Fault], blind: &[RuleName]) -> Option<Message> {
    let first = unfit.iter().find(|fault| fault.gravity == Gravity::Error)?;
    let names: Vec<&str> = blind.iter().take(RULES_NAMED_MAX).map(|name| name.as_str()).collect();
    Some(Message::new(
        format!(
            "规则 {} 用到服务台里没有的自定义字段或选项，改好之前不判断（既不提醒也不结束）：{}。运行 deskbell check 看全部",
            names.join("、"),
            at(first).zh
        ),
        format!(
            "the rules {} name custom fields or options that the helpdesk does not have; until that is put right they are \
             unknown (they neither ring nor end): {}. deskbell check shows all of it",
            names.join(", "),
            at(first).en
        ),
    ))
}

fn at(fault: &Fault) -> Message {
    Message::new(format!("{} {}", fault.place, fault.message.zh), format!("{} {}", fault.place, fault.message.en))
}

impl Keeper {
    /// For the sources and rules of a setup.
    pub fn of(setup: &Setup, client: &Client) -> Self {
        let helpdesk = |source: &Source| (source.name.clone(), Helpdesk::new(client.clone(), &source.helpdesk));
        Self {
            helpdesks: setup.sources.values().map(helpdesk).collect(),
            store: setup.store.path.clone(),
            unfit: unfit_words(&setup.unfit, &setup.blind),
        }
    }

    /// Reads the fields now and daily, until the service ends. Whatever fails is tried again later.
    pub async fn run(mut self, port: Port, clock: Clock, asks: mpsc::Sender<Ask>, mut stopping: watch::Receiver<bool>) {
        if let Some(message) = self.unfit.take() {
            port.report(UNFIT, message).await;
        }
        let mut retry = RETRY_MIN;
        loop {
            let all_read = tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => return,
                all_read = self.read(&asks) => all_read,
            };
            let wait = if all_read { READ_EVERY } else { retry };
            retry = if all_read { RETRY_MIN } else { retry.times(2).min(READ_EVERY) };
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => return,
                () = clock.sleep(wait) => {}
            }
        }
    }

    /// Reads every source's fields once; whether all could be read.
    async fn read(&self, asks: &mpsc::Sender<Ask>) -> bool {
        let store = self.store.clone();
        let before = blocking(move || definitions::read(&store)).await.flatten().unwrap_or_default();
        let mut fields = Definitions::new();
        let mut all_read = true;
        for (source, helpdesk) in &self.helpdesks {
            match helpdesk.ticket_fields().await {
                Ok(read) => drop(fields.insert(source.clone(), to_store(&read))),
                Err(error) => {
                    all_read = false;
                    warn!(%source, %error, "the custom fields cannot be read; what was known of them stands");
                    fields.extend(before.get(source).map(|known| (source.clone(), known.clone())));
                }
            }
        }
        if fields != before {
            info!(sources = fields.len(), "the definitions of custom fields changed");
            let (path, written) = (self.store.clone(), fields.clone());
            blocking(move || self::store(&path, &written)).await;
            reload(asks).await;
        }
        all_read
    }
}

/// Has the rules compiled anew with the fields just stored. What was written means what it meant, so nobody is rung
/// again; what does not fit is told there.
async fn reload(asks: &mpsc::Sender<Ask>) {
    let (done, answer) = oneshot::channel();
    if asks.send(done).await.is_ok()
        && let Ok(Err(faults)) = answer.await
    {
        warn!(faults = faults.len(), "the custom fields changed and the rules could not be loaded with them");
    }
}

async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let done = tokio::task::spawn_blocking(f).await;
    done.inspect_err(|error| warn!(%error, "looking after the custom fields broke off")).ok()
}

fn of_all<'a>(fields: &Definitions, sources: impl IntoIterator<Item = &'a SourceName>) -> Option<Vec<Definition>> {
    let mut all = Vec::new();
    for source in sources {
        all.extend(definitions(source, fields.get(source)?));
    }
    Some(all)
}

fn definition(source: &SourceName, field: &StoredField) -> Definition {
    let choice = |(tag, name): &(String, String)| Choice { tag: tag.clone(), display_name: name.clone() };
    Definition {
        source: source.to_string(),
        id: field.id.clone(),
        key_name: field.key_name.clone(),
        display_name: field.display_name.clone(),
        multiple: field.multiple,
        options: field.options.iter().map(choice).collect(),
    }
}

fn stored_field(field: &FieldDefinition) -> StoredField {
    let text = |known: &Known<Text>| known.present().map_or_else(String::new, ToString::to_string);
    let mut options = Vec::new();
    gather(&field.options, &mut options);
    options.truncate(OPTIONS_MAX);
    StoredField {
        id: text(&field.id),
        key_name: text(&field.key_name),
        display_name: text(&field.display_name),
        multiple: field.allow_multiple.present() == Some(&true),
        options,
    }
}

/// The options of every level.
fn gather(options: &[FieldOption], into: &mut Vec<(String, String)>) {
    for option in options {
        into.push((option.tag.to_string(), option.display_name.to_string()));
        gather(&option.children, into);
    }
}
