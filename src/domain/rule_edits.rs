//! What differs between two versions of one rule, in words for people.

use crate::domain::{
    condition::{Condition, Operator},
    condition_change::{Edit, Shared, arrow, condition_edits, condition_words},
    duration::{from_to, written},
    rule::{CatchUp, Count, Mention, Mode, Notify, Rule, RuleKind, Rung, RungAt, To, Until, Urgent},
    sentence::count_words,
    sla::{Sla, SlaAt},
    story::severity_words,
    text::{Message, Words},
    time::Span,
    wording::{several, target_words},
};

const CHANGED: Words = Words { zh: "改了", en: "changed" };

/// What is different in a rule. What decides whether it holds is looked at only where its meaning differs: definitions
/// that were fetched meanwhile change no rule.
pub fn rule_edits(old: &Rule, new: &Rule, shared: &mut Shared) -> Vec<Edit> {
    let mut edits = Vec::new();
    if old.mode != new.mode {
        edits.push(Edit::new(Message::default(), arrow(&mode_words(&old.mode), &mode_words(&new.mode))));
    }
    if old.severity != new.severity {
        let how = arrow(&severity_words(old.severity).into(), &severity_words(new.severity).into());
        edits.push(Edit::new(Words { zh: "级别", en: "severity" }, how));
    }
    if old.meaning != new.meaning {
        let (conditions, calendars) = (shared.conditions.len(), shared.calendars.len());
        let before = edits.len();
        meaning_edits(old, new, shared, &mut edits);
        let unnamed = edits.len() == before
            && shared.conditions.len() == conditions
            && shared.calendars.len() == calendars
            && !rests_on_shared(new, shared);
        if unnamed {
            edits.push(Edit::new(Words { zh: "条件", en: "the condition" }, CHANGED));
        }
    }
    edits.extend(refire_edits(old, new, shared));
    notify_edits(&old.notify, &new.notify, shared, &mut edits);
    ladder_edits(&old.ladder, &new.ladder, shared, &mut edits);
    if old.fallback != new.fallback {
        let name = |to: &Option<To>| to.as_ref().map_or_else(|| Message::new("无", "none"), to_name);
        edits.push(Edit::new(Words { zh: "兜底", en: "fallback" }, arrow(&name(&old.fallback), &name(&new.fallback))));
    }
    if old.catch_up != new.catch_up {
        let how = arrow(&catch_up_words(old.catch_up), &catch_up_words(new.catch_up));
        edits.push(Edit::new(Words { zh: "补报方式", en: "catch_up" }, how));
    }
    for (what, was, is) in [
        (Words { zh: "说明", en: "summary" }, &old.summary, &new.summary),
        (Words { zh: "处理建议", en: "advice" }, &old.advice, &new.advice),
        (Words { zh: "处理手册", en: "runbook" }, &old.runbook, &new.runbook),
    ] {
        if was != is {
            edits.push(Edit::new(what, CHANGED));
        }
    }
    edits
}

/// Whether a change of a shared part, noted for another rule before, is what changed this one.
fn rests_on_shared(rule: &Rule, shared: &Shared) -> bool {
    let rests = |part: &Condition| match part {
        Condition::Meets(name, _) => shared.conditions.contains_key(name),
        Condition::Clock(test) => {
            test.pace.calendar().is_some_and(|calendar| shared.calendars.contains(calendar.name()))
        }
        _ => false,
    };
    let waits = [&rule.hold.pace, &rule.pace];
    rule.conditions().any(|condition| condition.any(&rests))
        || waits.iter().any(|pace| pace.calendar().is_some_and(|calendar| shared.calendars.contains(calendar.name())))
}

/// What decides whether it holds.
fn meaning_edits(old: &Rule, new: &Rule, shared: &mut Shared, edits: &mut Vec<Edit>) {
    edits.extend(condition_edits(&old.when, &new.when, shared));
    edits.extend(shared.wait(Words { zh: "要持续", en: "for" }, &old.hold, &new.hold));
    match (&old.kind, &new.kind) {
        (RuleKind::Ticket, RuleKind::Ticket) => {}
        (RuleKind::Sla(old), RuleKind::Sla(new)) => sla_edits(old, new, shared, edits),
        (RuleKind::Count(old), RuleKind::Count(new)) => count_edits(old, new, edits),
        (_, kind) => {
            let kind = match kind {
                RuleKind::Ticket => Words { zh: "改为逐张工单提醒", en: "now rings per ticket" },
                RuleKind::Sla(_) => Words { zh: "改为服务时限", en: "is now a service level" },
                RuleKind::Count(_) => Words { zh: "改为计数", en: "now counts tickets" },
            };
            edits.push(Edit::new(kind, Message::default()));
        }
    }
    until_edits(&old.until, &new.until, shared, edits);
    if old.sources != new.sources {
        let names = |rule: &Rule| match &rule.sources {
            None => Message::new("全部", "all"),
            Some(sources) => several(
                &sources.iter().map(|source| Message::new(source.as_str(), source.as_str())).collect::<Vec<_>>(),
            ),
        };
        edits.push(Edit::new(Words { zh: "来源", en: "sources" }, arrow(&names(old), &names(new))));
    }
    edits.extend(span_edit(Words { zh: "最多提醒", en: "expires" }, old.expires, new.expires));
    let keep = |rule: &Rule| Some(rule.keep_firing_for).filter(|span| *span > Span::ZERO);
    edits.extend(span_edit(Words { zh: "好转后再等", en: "keep_firing_for" }, keep(old), keep(new)));
}

/// What decides how a second firing and a taking are dealt with.
fn refire_edits(old: &Rule, new: &Rule, shared: &mut Shared) -> Vec<Edit> {
    let refire = Words { zh: "重开同一张卡片的时限", en: "refire_window" };
    let mut edits: Vec<Edit> =
        span_edit(refire, Some(old.refire_window), Some(new.refire_window)).into_iter().collect();
    edits.extend(shared.wait(Words { zh: "接手后安静", en: "taken_for" }, &old.taken_for, &new.taken_for));
    edits
}

fn span_edit(what: Words, old: Option<Span>, new: Option<Span>) -> Option<Edit> {
    let said = |span: Option<Span>| match span {
        None => Message::new("不限", "none"),
        Some(span) => Message::new(written(span), written(span)),
    };
    (old != new).then(|| Edit::new(what, arrow(&said(old), &said(new))))
}

fn until_edits(old: &Until, new: &Until, shared: &mut Shared, edits: &mut Vec<Edit>) {
    let said = |until: &Until| match until {
        Until::Cleared => Message::new("条件不再成立", "the condition no longer holds"),
        Until::Handled => Message::new("有人处理", "someone handles it"),
        Until::Holds(condition) => condition_words(condition),
    };
    match (old, new) {
        (Until::Cleared, Until::Cleared) | (Until::Handled, Until::Handled) => {}
        (Until::Holds(old), Until::Holds(new)) => {
            let until = |edit: Edit| {
                let what = Message::new(format!("结束条件 {}", edit.what.zh), format!("until {}", edit.what.en));
                Edit { what, how: edit.how }
            };
            edits.extend(condition_edits(old, new, shared).into_iter().map(until));
        }
        _ => edits.push(Edit::new(Words { zh: "直到", en: "until" }, arrow(&said(old), &said(new)))),
    }
}

fn sla_edits(old: &Sla, new: &Sla, shared: &mut Shared, edits: &mut Vec<Edit>) {
    if old.clock != new.clock {
        let clock = |sla: &Sla| Message::new(sla.clock.words().zh, sla.clock.words().en.replace('_', " "));
        edits.push(Edit::new(Words { zh: "时钟", en: "clock" }, arrow(&clock(old), &clock(new))));
    }
    if old.pauses != new.pauses {
        edits.push(Edit::new(Words { zh: "暂停的状态", en: "pause_in" }, CHANGED));
    }
    if old.targets.len() != new.targets.len() {
        let count = |sla: &Sla| {
            let count = sla.targets.len();
            Message::new(format!("{count} 个"), count.to_string())
        };
        return edits.push(Edit::new(Words { zh: "时限", en: "targets:" }, arrow(&count(old), &count(new))));
    }
    for (was, is) in old.targets.iter().zip(&new.targets) {
        shared.note_pace(&was.pace, &is.pace);
        let of = is.when.as_ref().map(condition_words);
        let what = match of {
            Some(of) => Message::new(format!("时限（{}）", of.zh), format!("target ({})", of.en)),
            None => Message::new("时限", "target"),
        };
        if let Some(how) = from_to((was.is, &was.pace), (is.is, &is.pace)) {
            edits.push(Edit { what, how });
        }
        match (&was.when, &is.when) {
            (Some(was), Some(is)) => edits.extend(condition_edits(was, is, shared)),
            (None, None) => {}
            _ => edits.push(Edit::new(Words { zh: "时限的条件", en: "the target's condition" }, CHANGED)),
        }
    }
}

fn count_edits(old: &Count, new: &Count, edits: &mut Vec<Edit>) {
    let per = |count: &Count| {
        count.per.as_ref().map_or_else(|| Message::new("不分组", "none"), |target| target_words(target, None))
    };
    if per(old) != per(new) {
        edits.push(Edit::new(Words { zh: "分组", en: "per" }, arrow(&per(old), &per(new))));
    }
    for (what, was, is) in [
        (Words { zh: "数量", en: "count" }, &old.when, &new.when),
        (Words { zh: "结束于数量", en: "clear at" }, &old.clear, &new.clear),
    ] {
        let (was, is) = (bounds_words(was), bounds_words(is));
        if was != is {
            edits.push(Edit::new(what, arrow(&was, &is)));
        }
    }
    edits.extend(span_edit(Words { zh: "时间窗", en: "within" }, old.within, new.within));
}

fn bounds_words(bounds: &[Operator]) -> Message {
    if bounds.is_empty() { Message::new("不限", "none") } else { count_words(bounds) }
}

fn notify_edits(old: &[Notify], new: &[Notify], shared: &mut Shared, edits: &mut Vec<Edit>) {
    let (pairs, gone, came) = paired(old, new, |line| line.to.clone());
    for (was, is) in pairs {
        let to = to_name(&is.to);
        let of = |zh: &str, en: &str| Message::new(format!("{}的{zh}", to.zh), format!("{} of {}", en, to.en));
        if was.template != is.template {
            edits.push(Edit::new(of("模板", "template"), CHANGED));
        }
        if was.mention != is.mention {
            let how = arrow(&mention_words(was.mention.as_ref()), &mention_words(is.mention.as_ref()));
            edits.push(Edit::new(of("@", "mention"), how));
        }
        was.repeat.iter().zip(&is.repeat).for_each(|(was, is)| shared.note_pace(&was.pace, &is.pace));
        if repeat_words(was) != repeat_words(is) {
            edits.push(Edit::new(of("重复", "repeat"), arrow(&repeat_words(was), &repeat_words(is))));
        }
        if was.repeat_max != is.repeat_max && !is.repeat.is_empty() {
            let count = |line: &Notify| Message::new(format!("{} 次", line.repeat_max), line.repeat_max.to_string());
            edits.push(Edit::new(of("重复上限", "repeat_max"), arrow(&count(was), &count(is))));
        }
    }
    let told = |line: &&Notify| to_name(&line.to);
    came_and_went(Words { zh: "通知", en: "notify" }, &gone, &came, told, edits);
}

fn came_and_went<T>(what: Words, gone: &[T], came: &[T], words: impl Fn(&T) -> Message, edits: &mut Vec<Edit>) {
    for (zh, en, items) in [("加上", "added", came), ("去掉", "removed", gone)] {
        for item in items {
            let words = words(item);
            edits.push(Edit::new(what, Message::new(format!("{zh} {}", words.zh), format!("{en} {}", words.en))));
        }
    }
}

fn ladder_edits(old: &[Rung], new: &[Rung], shared: &mut Shared, edits: &mut Vec<Edit>) {
    let (pairs, gone, came) = paired(old, new, |rung| rung.to.clone());
    for (was, is) in pairs {
        let to = to_name(&is.to);
        let step = Message::new(format!("升级到{}", to.zh), format!("step to {}", to.en));
        match (&was.at, &is.at) {
            (RungAt::After(was), RungAt::After(is)) => {
                shared.note_pace(&was.pace, &is.pace);
                let how = from_to((was.span, &was.pace), (is.span, &is.pace));
                edits.extend(how.map(|how| Edit { what: step.clone(), how }));
            }
            (was, is) if was != is => edits.push(Edit::new(step.clone(), arrow(&at_words(was), &at_words(is)))),
            _ => {}
        }
        if was.severity != is.severity {
            let said = |rung: &Rung| match rung.severity {
                None => Message::new("不变", "as before"),
                Some(severity) => severity_words(severity).into(),
            };
            let what = Message::new(format!("{}的级别", step.zh), format!("severity of the {}", step.en));
            edits.push(Edit::new(what, arrow(&said(was), &said(is))));
        }
        if was.urgent != is.urgent {
            let what = Message::new(format!("{}的加急", step.zh), format!("urgent of the {}", step.en));
            edits.push(Edit::new(what, arrow(&urgent_words(was.urgent), &urgent_words(is.urgent))));
        }
        if was.template != is.template || was.mention != is.mention {
            edits.push(Edit::new(step, CHANGED));
        }
    }
    let said = |rung: &&Rung| {
        let (at, to) = (at_words(&rung.at), to_name(&rung.to));
        Message::new(format!("{} → {}", at.zh, to.zh), format!("{} → {}", at.en, to.en))
    };
    came_and_went(Words { zh: "升级步骤", en: "step" }, &gone, &came, said, edits);
}

/// When a rung is reached: `2h`, `75%`, `+30m`.
fn at_words(at: &RungAt) -> Message {
    let same = |text: String| Message::new(text.clone(), text);
    match at {
        RungAt::After(wait) => crate::domain::duration::written_at(wait.span, &wait.pace),
        RungAt::Sla(SlaAt::Percent(percent)) => same(format!("{percent}%")),
        RungAt::Sla(SlaAt::Before(span)) => same(format!("-{}", written(*span))),
        RungAt::Sla(SlaAt::Past(span)) => same(format!("+{}", written(*span))),
    }
}

type Pairs<'a, T> = (Vec<(&'a T, &'a T)>, Vec<&'a T>, Vec<&'a T>);

/// Items with the same key in pairs, what went, what came.
fn paired<'a, T, K: PartialEq>(old: &'a [T], new: &'a [T], key: impl Fn(&T) -> K) -> Pairs<'a, T> {
    let mut came: Vec<&T> = new.iter().collect();
    let (mut pairs, mut gone) = (Vec::new(), Vec::new());
    for was in old {
        match came.iter().position(|is| key(is) == key(was)) {
            Some(at) => pairs.push((was, came.remove(at))),
            None => gone.push(was),
        }
    }
    (pairs, gone, came)
}

/// Whom a rule means, in short.
fn to_name(to: &To) -> Message {
    match to {
        To::Receiver(name) => Message::new(name.as_str(), name.as_str()),
        To::Team => Message::new("团队", "team"),
        To::TeamLead => Message::new("团队主管", "team.lead"),
        To::TeamOncall => Message::new("团队值班人", "team.oncall"),
        To::Owner => Message::new("工单负责人", "owner"),
    }
}

fn mode_words(mode: &Mode) -> Message {
    match mode {
        Mode::Live => Message::new("正式", "live"),
        Mode::Trial(None) => Message::new("试运行", "trial"),
        Mode::Trial(Some(to)) => {
            let to = to_name(to);
            Message::new(format!("试运行（发给 {}）", to.zh), format!("trial (to {})", to.en))
        }
        Mode::Disabled => Message::new("停用", "disabled"),
    }
}

fn mention_words(mention: Option<&Mention>) -> Message {
    match mention {
        None => Message::new("无", "nobody"),
        Some(Mention::Owner) => Message::new("工单负责人", "owner"),
        Some(Mention::Lead) => Message::new("主管", "lead"),
        Some(Mention::Oncall) => Message::new("值班人", "oncall"),
        Some(Mention::Person(email)) => Message::new(&**email, &**email),
    }
}

fn repeat_words(line: &Notify) -> Message {
    if line.repeat.is_empty() {
        return Message::new("不重复", "none");
    }
    let waits: Vec<Message> =
        line.repeat.iter().map(|wait| crate::domain::duration::written_at(wait.span, &wait.pace)).collect();
    several(&waits)
}

fn urgent_words(urgent: Option<Urgent>) -> Message {
    match urgent {
        None => Message::new("无", "none"),
        Some(Urgent::App) => Message::new("应用内加急", "app"),
        Some(Urgent::Sms) => Message::new("短信", "sms"),
        Some(Urgent::Phone) => Message::new("电话", "phone"),
    }
}

fn catch_up_words(catch_up: Option<CatchUp>) -> Message {
    match catch_up {
        None => Message::new("随来源", "as the source says"),
        Some(CatchUp::Digest) => Message::new("汇总", "digest"),
        Some(CatchUp::Each) => Message::new("逐条", "each"),
        Some(CatchUp::None) => Message::new("不报", "none"),
    }
}
