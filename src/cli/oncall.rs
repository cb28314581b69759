//! `deskbell oncall`: who is on call, who comes next, where nobody is; someone who stands in. Without a service the
//! configuration tells of turns and dates.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    adapters::clock::Clock,
    app::config::load::{load_rotas, whereabouts},
    cli::{
        alerts::{json as shown, plain},
        api::{Answer, Api, said},
        args::Format,
        deeds::{Manner, act},
        prepare, report,
        run::Stop,
        table::table,
        terminal::Terminal,
    },
    domain::{
        desk::duties::Duties,
        rota::words,
        text::{Locale, Message, Words},
        time::{Timestamp, Zone},
    },
    web::{
        instants,
        oncall::{self, DAYS, DAYS_MAX, DutyDocument, OncallPage, RotaDocument, SeatDocument, StretchDocument},
    },
};

/// Gaps that are named one by one.
const GAPS_SHOWN_MAX: usize = 3;

/// Who is on call.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct OncallArguments {
    /// What is changed; without it, who is on call.
    #[command(subcommand)]
    pub verb: Option<OncallVerb>,
    /// What is looked at.
    #[command(flatten)]
    pub look: LookArguments,
}

/// What is looked at.
#[derive(Clone, Debug, Args)]
pub struct LookArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 只看这个值班表，默认都看 · This rota only; default: all
    pub rota: Option<String>,
    /// 看别的时刻（配置的时区），默认现在 · At another instant (configured zone); default: now
    #[arg(long, value_name = "2026-11-20 18:00")]
    pub at: Option<String>,
    /// 接下来几天的班，列成表（1 到 92） · The shifts of the coming days as a table (1 to 92)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=DAYS_MAX as i64))]
    pub days: Option<u16>,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// What is changed.
#[derive(Clone, Debug, Subcommand)]
pub enum OncallVerb {
    /// 让一个人顶班；本人会收到通知 · Put someone on call; they are told
    Cover(Box<CoverArguments>),
}

/// Who stands in.
#[derive(Clone, Debug, Args)]
pub struct CoverArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 值班表的名字 · The rota
    pub rota: String,
    /// 谁来值班：邮箱、手机号，或飞书里的名字 · Who stands in: an email, a mobile number, or a name in Feishu
    pub person: String,
    /// 哪个班，默认是那时在值的 · Which shift; default: the one on duty then
    #[arg(long, value_name = "SHIFT")]
    pub shift: Option<String>,
    /// 从什么时候（配置的时区），默认现在 · From when (configured zone); default: now
    #[arg(long, value_name = "2026-11-20 18:00")]
    pub from: Option<String>,
    /// 到什么时候，默认到那个班结束 · Until when; default: until that shift is over
    #[arg(long, value_name = "2026-11-21 09:00")]
    pub until: Option<String>,
    /// 为什么，顶班的人会看到 · Why; whoever stands in reads it
    #[arg(long)]
    pub reason: Option<String>,
    /// Who acts and how it is said.
    #[command(flatten)]
    pub manner: Manner,
}

/// Does it.
pub fn run(arguments: &OncallArguments, terminal: Terminal) -> Result<(), Stop> {
    match &arguments.verb {
        Some(OncallVerb::Cover(new)) => act(&new.config, "/api/v1/oncall/cover", body(new), &new.manner, terminal),
        None => look(&arguments.look, terminal),
    }
}

fn body(new: &CoverArguments) -> Value {
    let mut body = json!({ "rota": new.rota, "person": new.person });
    let parts = [("shift", &new.shift), ("from", &new.from), ("until", &new.until), ("reason", &new.reason)];
    for (key, value) in parts {
        if let (Some(object), Some(value)) = (body.as_object_mut(), value) {
            object.insert(key.to_string(), json!(value));
        }
    }
    body
}

fn look(arguments: &LookArguments, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(&arguments.config, terminal)?;
    let api = Api::of(&server)?;
    let days = arguments.days.map(|days| days.to_string());
    let asked = [("rota", arguments.rota.as_deref()), ("at", arguments.at.as_deref()), ("days", days.as_deref())];
    let query: Vec<(&str, &str)> = asked.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let page = match prepare::small_runtime()?.block_on(api.try_get("/api/v1/oncall", &query))? {
        Answer::Here(page) => page,
        Answer::NotRunning => {
            let page = of_configuration(arguments, zone, terminal)?;
            terminal.note(&Message::new(
                "服务没有在运行：下面只按配置里的轮换和日期算，不含顶班（deskbell oncall cover、/值班 接）",
                "The service is not running: this is the configuration's turns and dates, without those who stand in \
                 (deskbell oncall cover, /oncall take)",
            ));
            page
        }
    };
    match arguments.format {
        Format::Json => terminal.print(&shown(&page)),
        Format::Text => {
            let lines = told(&page, arguments.at.is_some(), zone, terminal.locale);
            terminal.print(&plain(&lines.join("\n")));
            if arguments.days.is_some() {
                terminal.print("");
                terminal.print(&coming(&page, zone, terminal.locale));
            }
        }
    }
    Ok(())
}

/// What the configuration alone says.
fn of_configuration(arguments: &LookArguments, zone: Zone, terminal: Terminal) -> Result<OncallPage, Stop> {
    let now = Clock::system().now();
    let at = match &arguments.at {
        Some(text) => instants::read("at", text, zone, now).map_err(|problem| Stop::Usage(said(problem)))?,
        None => now,
    };
    let rotas = rotas(&arguments.config, terminal)?;
    let duties = oncall::only(rotas, arguments.rota.as_deref()).map_err(|problem| Stop::Failure(said(problem)))?;
    Ok(oncall::page(&duties, at, arguments.days.unwrap_or(DAYS), false))
}

fn rotas(path: &Path, terminal: Terminal) -> Result<Duties, Stop> {
    let mut faults = Vec::new();
    let rotas = load_rotas(path, &|name| std::env::var(name).ok(), &mut faults);
    let Some(rotas) = rotas else {
        let (base, _) = whereabouts(path);
        let read = report::reader(&base);
        terminal.print_beside(&report::faults(&faults, terminal.locale, &read));
        return Err(prepare::faulty());
    };
    Ok(Duties { rotas: rotas.all.into_values().collect(), ..Duties::default() })
}

/// Who is on call, in lines.
fn told(page: &OncallPage, is_elsewhen: bool, zone: Zone, locale: Locale) -> Vec<String> {
    let at = Timestamp::from_ms(page.at);
    let mut lines = Vec::new();
    let mut say = |message: Message| lines.push(message.get(locale).to_string());
    if page.rotas.is_empty() {
        say(Message::new("没有值班表。在配置的 rotas 里写", "there is no rota: write one in `rotas`"));
    } else if is_elsewhen {
        let when = zone.minute(at);
        say(Message::new(format!("{when}："), format!("{when}:")));
    }
    for rota in &page.rotas {
        for line in &rota.lines {
            say(Message::new(line.zh.clone(), line.en.clone()));
        }
        for (seat, why) in rota.on_call.iter().filter_map(|seat| Some((seat, seat.gone.as_ref()?))) {
            say(passed_over(rota, seat, Message::new(why.zh.clone(), why.en.clone())));
        }
        for cover in &rota.covers {
            let (from, until) = (Timestamp::from_ms(cover.from), Timestamp::from_ms(cover.until));
            let (name, shift) = (&cover.name, &cover.shift);
            let (from, until) = (words::clock(zone, from, at), words::clock(zone, until, from));
            say(Message::new(
                format!("  顶班：{shift} {from} 到 {until}，{name}（{} 安排）", cover.by.zh),
                format!("  stands in: {shift} {from} to {until}, {name} (arranged by {})", cover.by.en),
            ));
        }
        if !rota.gaps.is_empty() {
            say(gaps(rota, at, zone));
        }
    }
    lines
}

fn passed_over(rota: &RotaDocument, seat: &SeatDocument, why: Message) -> Message {
    let name = &seat.name;
    match &rota.backup {
        Some(backup) => Message::new(
            format!("  {name} {}，改找 {backup}", why.zh),
            format!("  {name} {}: {backup} is called instead", why.en),
        ),
        None => Message::new(
            format!("  {name} {}，改为通知团队", why.zh),
            format!("  {name} {}: the team is told instead", why.en),
        ),
    }
}

fn gaps(rota: &RotaDocument, at: Timestamp, zone: Zone) -> Message {
    let clock = |ms: i64, near: Timestamp| words::clock(zone, Timestamp::from_ms(ms), near);
    let (zh, en): (Vec<String>, Vec<String>) = rota
        .gaps
        .iter()
        .take(GAPS_SHOWN_MAX)
        .map(|gap| (clock(gap.from, at), clock(gap.until, Timestamp::from_ms(gap.from))))
        .map(|(from, until)| (format!("{from} 到 {until}"), format!("{from} to {until}")))
        .unzip();
    let (until, count) = (clock(rota.until, at), rota.gaps.len());
    let (zh_more, en_more) = match count.saturating_sub(GAPS_SHOWN_MAX) {
        0 => Default::default(),
        _ => (format!("……共 {count} 段"), format!(", ... {count} in all")),
    };
    let (zh_instead, en_instead) = match &rota.backup {
        Some(backup) => (format!("；那时找 {backup}"), format!("; {backup} is called then")),
        None => ("；那时通知团队".to_string(), "; the team is told then".to_string()),
    };
    Message::new(
        format!("  没有人值班的时段（看到 {until}）：{}{zh_more}{zh_instead}", zh.join("、")),
        format!("  nobody is on call (looking ahead to {until}): {}{en_more}{en_instead}", en.join(", ")),
    )
}

/// The coming shifts.
fn coming(page: &OncallPage, zone: Zone, locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["值班表", "从", "到", "谁"],
        Locale::En => ["rota", "from", "until", "who"],
    };
    let time = |ms: i64| {
        let local = zone.local(Timestamp::from_ms(ms));
        let day = words::day(local.date_naive());
        format!("{} {}", day.get(locale), local.format("%H:%M"))
    };
    let row = |rota: &RotaDocument, stretch: &StretchDocument| {
        let who: Vec<String> = stretch.on_call.iter().map(|duty| duty_words(duty, locale)).collect();
        let nobody = || Words { zh: "没有人", en: "nobody" }.get(locale).to_string();
        let who = if who.is_empty() { nobody() } else { who.join(Words { zh: "、", en: ", " }.get(locale)) };
        vec![rota.rota.clone(), time(stretch.from), time(stretch.until), who]
    };
    let rows = page.rotas.iter().flat_map(|rota| rota.coming.iter().map(move |stretch| row(rota, stretch)));
    table(&head, rows)
}

fn duty_words(duty: &DutyDocument, locale: Locale) -> String {
    let why = words::why(oncall::basis_named(&duty.by)).get(locale);
    match locale {
        Locale::Zh => format!("{} {}{why}", duty.shift, duty.name),
        Locale::En => format!("{}: {}{why}", duty.shift, duty.name),
    }
}
