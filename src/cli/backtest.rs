//! `deskbell backtest`: what rules would have done with what deskbell observed itself, and what another set of rules
//! would have done differently.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::{
    adapters::{
        clock::Clock,
        rulebook::load::load_dir,
        store::{error::OpenError, history::History as Observed},
    },
    app::config::setup::Setup,
    cli::{
        args::{ConfigPath, Format},
        prepare::{self, Warnings},
        rehearse::run::{one_or_all, play, show, since},
        report,
        run::Stop,
        terminal::Terminal,
    },
    domain::{
        fault::Gravity,
        history::snapshots,
        rehearsal::{
            compared::compared,
            difference::{Missing, RuleDifference, difference},
            replayable::History,
            report::{Ask, rung},
            text::Heading,
        },
        replay::script::{Script, Sight, What},
        rule::RuleSet,
        text::Message,
        time::{Span, Timestamp},
    },
};

/// How long before the time asked for a play begins, so that what rang already is no news.
const WARM_UP: Span = Span::from_days(14);

/// Sights that are played at most.
const SIGHTS_MAX: usize = 2_000_000;

/// A store whose newest change is older than this stands still: the time ends there.
const STILL: Span = Span::from_days(1);

/// What may be typed.
#[derive(Clone, Debug, Args)]
pub struct BacktestArguments {
    /// Which configuration.
    #[command(flatten)]
    pub at: ConfigPath,
    /// 往回看多久 · How far to look back
    #[arg(long, value_name = "30d", default_value = "30d", hide_default_value = true)]
    pub since: String,
    /// 规则目录，默认用配置里的 · The folder of the rules; default: the configuration's
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// 和这个目录里的规则比：它们响而新的不响的，反过来的 · Compare with the rules of this folder
    #[arg(long, value_name = "DIR")]
    pub against: Option<PathBuf>,
    /// 只看这条规则 · Only this rule
    #[arg(long, value_name = "NAME", conflicts_with = "against")]
    pub rule: Option<String>,
    /// 数据目录的副本，服务在运行时用 · A copy of the store, for while the service runs
    #[arg(long, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// 输出格式 · What is printed
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// Plays the store's history.
pub fn run(arguments: &BacktestArguments, terminal: Terminal) -> Result<(), Stop> {
    let since = since(&arguments.since)?;
    let setup = prepare::setup(&arguments.at.config, Warnings::Left, terminal)?;
    let rules = match &arguments.rules {
        Some(dir) => rules_in(dir, &setup, terminal)?,
        None => (*setup.rules).clone(),
    };
    let rules = one_or_all(&rules, arguments.rule.as_deref())?;
    let old = arguments.against.as_deref().map(|dir| rules_in(dir, &setup, terminal)).transpose()?;
    let (script, from) = observed(arguments, &setup, since, terminal)?;
    let ask = Ask { script: &script, from, history: History::Observed };
    match old {
        None => {
            let heading = Heading {
                title: Message::new("回测：这些规则在已有记录上会怎样", "Backtest: these rules over what was observed"),
                polling: setup.calls.total,
                monthly: setup.settings.plan.monthly(),
            };
            show(&play(ask, &rules, &setup, terminal), &heading, arguments.format, terminal);
        }
        Some(old) => {
            let bar = ProgressBar::new_spinner(); // draws nothing when standard error is no terminal
            let before = rung(ask, &old, &setup.settings, &mut |_| bar.tick());
            let after = rung(ask, &rules, &setup.settings, &mut |_| bar.tick());
            bar.finish_and_clear();
            let found = difference(&before, &after, &old, &rules, script.end);
            match arguments.format {
                Format::Text => terminal.print(&compared(&found, setup.settings.zone, terminal.locale)),
                Format::Json => terminal.print(&json!(found.iter().map(rule).collect::<Vec<_>>()).to_string()),
            }
        }
    }
    Ok(())
}

/// The rules of a folder, which may name what the configuration knows; their faults are shown.
fn rules_in(dir: &Path, setup: &Setup, terminal: Terminal) -> Result<RuleSet, Stop> {
    let shown = dir.display();
    if !dir.is_dir() {
        return Err(Stop::usage(format!("没有目录 {shown}"), format!("there is no folder {shown}")));
    }
    let (rules, faults) = load_dir(dir, &setup.names);
    if faults.iter().any(|fault| fault.gravity == Gravity::Error) {
        let read = report::reader(dir);
        terminal.print_beside(&report::faults(&faults, terminal.locale, &read));
        return Err(prepare::faulty());
    }
    if rules.rules.is_empty() {
        return Err(Stop::usage(format!("{shown} 里没有规则"), format!("there are no rules in {shown}")));
    }
    Ok(rules)
}

/// What the store saw, and from when its rings count.
fn observed(
    arguments: &BacktestArguments,
    setup: &Setup,
    since: Span,
    terminal: Terminal,
) -> Result<(Script, Timestamp), Stop> {
    let mut config = setup.store.clone();
    if let Some(path) = &arguments.store {
        config.path.clone_from(path);
    }
    let history = Observed::open(&config).map_err(|error| unopened(&error))?;
    let now = Clock::system().now();
    let (mut sights, mut newest) = (Vec::new(), Timestamp::MIN);
    let mut fits = true;
    let bar = ProgressBar::new_spinner();
    let read = history.each(now.minus(since).minus(WARM_UP), |tracked, revisions| {
        bar.inc(1);
        newest = newest.max(tracked.asked_at);
        let key = tracked.ticket.key.clone();
        let way: Vec<_> = revisions.into_iter().map(|revision| (revision.at, revision.was)).collect();
        let shown = snapshots(&tracked.ticket, tracked.facts.first_seen, &way);
        sights.extend(shown.into_iter().map(|(at, ticket)| Sight { at, key: key.clone(), what: What::Ticket(ticket) }));
        sights.extend(tracked.gone_at.map(|at| Sight { at, key, what: What::Gone }));
        fits = sights.len() <= SIGHTS_MAX;
        fits
    });
    bar.finish_and_clear();
    read.map_err(|error| Stop::Failure(error.message()))?;
    if !fits {
        terminal.note(&Message::new(
            format!("记录太多，只演前 {SIGHTS_MAX} 条；请缩短 --since"),
            format!("there is too much: only {SIGHTS_MAX} sights are played; use a shorter --since"),
        ));
    }
    if sights.is_empty() {
        return Err(Stop::failure(
            "数据目录里还没有工单。先让服务运行一段时间，或用 deskbell rehearse 看平台上的历史",
            "the store has no tickets yet. Let the service run for a while, or look at the platform's history with deskbell rehearse",
        ));
    }
    let end = if now.since(newest) > STILL { newest } else { now };
    let from = end.minus(since);
    Ok((clipped(sights, from.minus(WARM_UP), end), from))
}

/// The sights between two instants; of what was before, each ticket's newest stands at the beginning.
fn clipped(mut sights: Vec<Sight>, start: Timestamp, end: Timestamp) -> Script {
    sights.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    sights.retain(|sight| sight.at <= end);
    let mut standing = std::collections::BTreeMap::new();
    let split = sights.partition_point(|sight| sight.at <= start);
    for sight in sights.drain(..split) {
        standing.insert(sight.key.clone(), Sight { at: start, ..sight });
    }
    let standing = standing.into_values().filter(|sight| matches!(sight.what, What::Ticket(_)));
    let sights: Vec<Sight> = standing.chain(sights).collect();
    let start = sights.first().map_or(start, |first| first.at.max(start));
    Script { start, end, sights }
}

fn unopened(error: &OpenError) -> Stop {
    match error {
        OpenError::Held { path, pid } => {
            let (path, pid) = (path.display(), pid.map_or_else(String::new, |pid| format!(" {pid}")));
            Stop::failure(
                format!(
                    "数据目录 {path}：进程{pid} 正在使用。请先停止服务再回测；或把整个目录复制一份，用 --store <副本> 指给回测"
                ),
                format!(
                    "store {path}: process{pid} has it open. Stop the service first; or copy the whole folder and name \
                     the copy with --store"
                ),
            )
        }
        other => Stop::Failure(other.message()),
    }
}

/// A rule's difference as JSON. Times are milliseconds since the epoch.
fn rule(found: &RuleDifference) -> Value {
    let examples = |missing: &[Missing]| -> Vec<Value> {
        let one = |missing: &Missing| {
            json!({
                "subject": missing.subject.to_string(),
                "at": missing.at.as_ms(),
                "why": missing.why.en,
                "why_zh": missing.why.zh,
            })
        };
        missing.iter().map(one).collect()
    };
    json!({
        "name": found.name.as_str(),
        "before": found.before,
        "after": found.after,
        "new": found.gained,
        "lost": found.lost,
        "moved": found.moved,
        "new_examples": examples(&found.gained_examples),
        "lost_examples": examples(&found.lost_examples),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        id::{SourceName, TicketId, TicketKey},
        ticket::Ticket,
    };

    #[test]
    fn what_was_before_stands_at_the_beginning_once() {
        let at = Timestamp::from_ms;
        let sight = |ms: i64, id: &str| {
            let key = TicketKey::new(SourceName::from("desk"), TicketId::from(id));
            Sight { at: at(ms), key: key.clone(), what: What::Ticket(Arc::new(Ticket::unknown(key))) }
        };
        let gone = |ms: i64, id: &str| Sight { what: What::Gone, ..sight(ms, id) };
        let sights = vec![sight(5, "1"), sight(8, "1"), sight(6, "2"), gone(7, "2"), sight(15, "1"), sight(40, "3")];
        let script = clipped(sights, at(10), at(30));
        let told: Vec<String> =
            script.sights.iter().map(|sight| format!("{} {}", sight.at.as_ms(), sight.key.id)).collect();
        assert_eq!(told, ["10 1", "15 1"]);
        assert_eq!((script.start, script.end), (at(10), at(30)));
        let late = clipped(vec![sight(20, "1")], at(10), at(30));
        assert_eq!(late.start, at(20));
    }
}
