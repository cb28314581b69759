//! `deskbell silence`: silences of the running service: list, add, end.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    cli::{
        alerts::json as shown,
        api::{Api, part},
        args::{ConfigPath, Format},
        deeds::{Manner, act, show, sign},
        prepare,
        run::Stop,
        table::table,
        terminal::Terminal,
    },
    domain::{
        silence::reason_words,
        text::{Locale, Message},
        time::Timestamp,
    },
    web::{
        acts::Done,
        silences::{SilenceDocument, SilencesPage},
    },
};

/// What is done with silences.
#[derive(Clone, Debug, Args)]
pub struct SilenceArguments {
    /// What.
    #[command(subcommand)]
    pub verb: SilenceVerb,
}

/// What is done with silences.
#[derive(Clone, Debug, Subcommand)]
pub enum SilenceVerb {
    /// 列出生效的 · List those in force
    List {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
        /// 输出格式 · What the answer looks like
        #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
        format: Format,
    },
    /// 添加一个：写的每一项都要符合 · Add one: every part that is written must fit
    Add(Box<NewArguments>),
    /// 提前结束一个 · End one early
    End {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
        /// 编号（S7） · Its number (S7)
        id: String,
        /// Who acts and how it is said.
        #[command(flatten)]
        manner: Manner,
    },
}

/// A silence as asked for.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true, args = ["ticket", "rule", "severity", "source", "team", "when"])]
pub struct NewArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 这张工单：工单号，或最后 5 位以上 · This ticket: its id, or its last 5 digits or more
    #[arg(long)]
    pub ticket: Option<String>,
    /// 这条规则 · This rule
    #[arg(long)]
    pub rule: Option<String>,
    /// 这个级别及以下 · This severity or lower
    #[arg(long, value_name = "info|warning|critical")]
    pub severity: Option<String>,
    /// 这个数据源 · This source
    #[arg(long)]
    pub source: Option<String>,
    /// 这个团队 · This team
    #[arg(long)]
    pub team: Option<String>,
    /// 条件，和规则的写法一样 · A condition, written as in rules
    #[arg(long, value_name = "status: waiting_for_user")]
    pub when: Option<String>,
    /// 多久：30m、2h、1d、tomorrow（明天），或 "next workday"（下个工作日） · How long
    #[arg(long = "for", value_name = "2h", required_unless_present = "until", conflicts_with = "until")]
    pub long: Option<String>,
    /// 到什么时候（配置的时区） · Until when (configured zone)
    #[arg(long, value_name = "2026-11-20 18:00")]
    pub until: Option<String>,
    /// 为什么 · Why
    #[arg(long)]
    pub reason: String,
    /// Who acts and how it is said.
    #[command(flatten)]
    pub manner: Manner,
}

/// Does it.
pub fn run(arguments: &SilenceArguments, terminal: Terminal) -> Result<(), Stop> {
    match &arguments.verb {
        SilenceVerb::List { at, format } => list(at, *format, terminal),
        SilenceVerb::Add(new) => act(&new.config, "/api/v1/silences", body(new), &new.manner, terminal),
        SilenceVerb::End { at, id, manner } => end(at, id, manner, terminal),
    }
}

fn body(new: &NewArguments) -> Value {
    let parts = [
        ("ticket", &new.ticket),
        ("rule", &new.rule),
        ("severity", &new.severity),
        ("source", &new.source),
        ("team", &new.team),
        ("when", &new.when),
        ("for", &new.long),
        ("until", &new.until),
    ];
    let mut body = json!({ "reason": new.reason });
    for (key, value) in parts {
        if let (Some(object), Some(value)) = (body.as_object_mut(), value) {
            object.insert(key.to_string(), json!(value));
        }
    }
    body
}

fn list(at: &ConfigPath, format: Format, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(&at.config, terminal)?;
    let api = Api::of(&server)?;
    let page: SilencesPage = prepare::small_runtime()?.block_on(api.get("/api/v1/silences", &[]))?;
    if format == Format::Json {
        terminal.print(&shown(&page));
        return Ok(());
    }
    if page.silences.is_empty() {
        terminal.say(&Message::new("没有生效的静默", "no silences are in force"));
        return Ok(());
    }
    let head = match terminal.locale {
        Locale::Zh => ["编号", "静默什么", "到", "谁", "为什么", "正在响"],
        Locale::En => ["number", "what", "until", "by", "why", "firing"],
    };
    let row = |silence: &SilenceDocument| {
        vec![
            silence.id.clone(),
            silence.matches.get(terminal.locale).to_string(),
            zone.minute(Timestamp::from_ms(silence.until)),
            silence.by.get(terminal.locale).to_string(),
            reason_words(&silence.reason).get(terminal.locale).to_string(),
            silence.ringing.to_string(),
        ]
    };
    terminal.print(&table(&head, page.silences.iter().map(row)));
    Ok(())
}

fn end(at: &ConfigPath, id: &str, manner: &Manner, terminal: Terminal) -> Result<(), Stop> {
    let (server, _) = prepare::door(&at.config, terminal)?;
    let mut body = json!({});
    sign(&mut body, manner);
    let path = format!("/api/v1/silences/{}", part(id));
    let done: Done = prepare::small_runtime()?.block_on(Api::of(&server)?.delete(&path, &body))?;
    show(&done, manner.format, terminal);
    Ok(())
}
