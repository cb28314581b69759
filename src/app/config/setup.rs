//! Everything a start needs, checked: what the configuration, the rules and the templates say together.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use secrecy::SecretString;

use crate::{
    adapters::{
        feishu::{self, config::WebhookConfig},
        http, outgoing,
        rulebook::names::Names,
        store,
        templates::library::Templates,
    },
    app::config::{
        calendars::Calendars, calls::Calls, rotas::Rotas, sections::Sections, server::Server, sources::Source,
    },
    domain::{
        desk::settings::Settings,
        fault::Fault,
        id::{ReceiverName, RuleName, SourceName},
        rule::RuleSet,
        time::Timestamp,
    },
};

/// Everything a start needs.
#[derive(Debug)]
pub struct Setup {
    /// The folder of the configuration file; relative paths start there.
    pub base: PathBuf,
    /// The configuration file.
    pub file: PathBuf,
    /// Its parts, to tell which change.
    pub sections: Sections,
    /// What the desk needs.
    pub settings: Settings,
    /// The Feishu app.
    pub feishu: feishu::config::Config,
    /// The way out.
    pub http: http::Config,
    /// Office hours, by name.
    pub calendars: Calendars,
    /// Who is on call when.
    pub rotas: Rotas,
    /// The sources, by name.
    pub sources: BTreeMap<SourceName, Source>,
    /// The custom bots among the receivers.
    pub webhooks: BTreeMap<ReceiverName, WebhookConfig>,
    /// The receivers that are told over plain HTTP.
    pub outgoing: BTreeMap<ReceiverName, outgoing::config::Config>,
    /// What is asked after each completed pass: a secret.
    pub heartbeat: Option<SecretString>,
    /// Where deskbell listens.
    pub server: Server,
    /// Where it keeps what it knows.
    pub store: store::config::Config,
    /// The rules in force.
    pub rules: Arc<RuleSet>,
    /// The folder they are in.
    pub rules_dir: Option<PathBuf>,
    /// Faults that only the custom fields last stored show. They stop nothing but the rules that have them.
    pub unfit: Vec<Fault>,
    /// Those rules: they are unknown for every ticket.
    pub blind: Vec<RuleName>,
    /// What they may name, with the custom fields last stored.
    pub names: Names,
    /// Whom `chat.access.manage` names.
    pub manage: Vec<String>,
    /// The folder of the own templates.
    pub templates_dir: Option<PathBuf>,
    /// The templates.
    pub templates: Arc<Templates>,
    /// What polling will cost.
    pub calls: Calls,
}

impl Setup {
    /// Warnings that depend on the day: holidays that run out, rotas that have not begun.
    pub fn of_the_day(&self, now: Timestamp) -> Vec<Fault> {
        let mut faults = self.calendars.run_out(now);
        faults.extend(self.rotas.not_begun(now));
        faults
    }
}
