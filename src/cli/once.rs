//! What a single run (`serve --once`) says at its end: what was read, what was sent, what waits. Decides the exit code.

use crate::{
    cli::{run::Stop, terminal::Terminal},
    domain::{
        desk::view::{SourceView, View},
        id::SourceName,
        notice::Step,
        text::{Message, Words},
        time::Zone,
    },
    engine::{health::SourceHealth, port::Port},
};

/// What was sent, in the order it is named.
const SENT: &[(Step, Words)] = &[
    (Step::Fired, Words { zh: "提醒", en: "alerts" }),
    (Step::Digest, Words { zh: "汇总", en: "digests" }),
    (Step::Repeated, Words { zh: "重复提醒", en: "repeats" }),
    (Step::Ended, Words { zh: "结束", en: "endings" }),
    (Step::Update, Words { zh: "卡片更新", en: "card updates" }),
    (Step::Answer, Words { zh: "回答", en: "answers" }),
    (Step::Announced, Words { zh: "规则消息", en: "news of rules" }),
    (Step::Trouble, Words { zh: "自身故障", en: "own troubles" }),
];

/// Says what the run did.
///
/// # Errors
/// A source was not read, or something could not be sent.
pub fn tell(port: &Port, zone: Zone, terminal: Terminal) -> Result<(), Stop> {
    let shown = port.view();
    let healths = port.health().sources();
    let mut all_read = true;
    for (name, source) in &shown.desk.sources {
        let (read, message) = of_source(name, source, healths.get(name), zone);
        all_read &= read;
        terminal.say(&message);
    }
    terminal.say(&sent(&shown.desk));
    if let Some(waits) = waits(&shown.desk, zone) {
        terminal.say(&waits);
    }
    for letter in shown.desk.dead_letters.iter().take(usize::try_from(shown.desk.counters.dead).unwrap_or(usize::MAX)) {
        terminal.say(&Message::new(
            format!("✗ 发不出去：给 {}（{}）：{}", letter.receiver, letter.rule, letter.reason.zh),
            format!("✗ undeliverable: to {} ({}): {}", letter.receiver, letter.rule, letter.reason.en),
        ));
    }
    if all_read && shown.desk.outbox_failing == 0 && shown.desk.counters.dead == 0 {
        return Ok(());
    }
    Err(Stop::failure(
        "没有全部完成；按上面 ✗ 的说明处理，没做完的下次运行接着做",
        "not all of it worked: see what is marked ✗; the next run goes on with it",
    ))
}

/// Whether a source was read, and what to say of it.
fn of_source(name: &SourceName, view: &SourceView, health: Option<&SourceHealth>, zone: Zone) -> (bool, Message) {
    let failure = health.and_then(|health| health.failure.as_ref());
    if let Some(until) = view.paused_until {
        let until = zone.minute(until);
        let message = Message::new(
            format!("✗ {name} 没有读：本月的 API 调用次数已用完，{until} 以后再试"),
            format!("✗ {name} was not read: this month's API calls are used up; tried again after {until}"),
        );
        return (false, message);
    }
    if let Some(failure) = failure {
        let Message { zh, en } = &failure.message;
        return (false, Message::new(format!("✗ {name} 没读成：{zh}"), format!("✗ {name} was not read: {en}")));
    }
    if health.is_none_or(|health| health.complete_at.is_none()) {
        return (false, Message::new(format!("✗ {name} 没有读完"), format!("✗ {name} was not read to its end")));
    }
    let (tracked, open) = (view.tracked, view.open);
    let (mut zh, mut en) = (
        format!("✓ {name} 已读完：关注 {tracked} 张工单，其中未关闭 {open} 张"),
        format!("✓ {name} was read: tickets under watch {tracked}, open {open}"),
    );
    let broken = health.map_or(&[][..], |health| health.broken.as_slices().0);
    if !broken.is_empty() {
        let ids: Vec<&str> = broken.iter().map(|seen| seen.id.as_ref().map_or("?", |id| id.as_str())).collect();
        zh.push_str(&format!("；读不懂的：{}", ids.join("、")));
        en.push_str(&format!("; cannot be read: {}", ids.join(", ")));
    }
    (true, Message::new(zh, en))
}

fn sent(desk: &View) -> Message {
    let count = |step: &Step| desk.counters.delivered.get(step).copied().filter(|count| *count > 0);
    let told: Vec<_> = SENT.iter().filter_map(|(step, words)| Some((words, count(step)?))).collect();
    if told.is_empty() {
        return Message::new("发出：没有要发的", "sent: nothing");
    }
    let zh: Vec<String> = told.iter().map(|(words, count)| format!("{} {count}", words.zh)).collect();
    let en: Vec<String> = told.iter().map(|(words, count)| format!("{} {count}", words.en)).collect();
    Message::new(format!("发出：{}", zh.join("，")), format!("sent: {}", en.join(", ")))
}

fn waits(desk: &View, zone: Zone) -> Option<Message> {
    let oldest = desk.outbox_oldest.as_ref()?;
    let count: usize = desk.outbox.values().sum();
    let (receiver, rule, since) = (&oldest.receiver, &oldest.rule, zone.minute(oldest.decided_at));
    let (mut zh, mut en) = (
        format!("待发 {count}，下次运行接着发；等得最久的：给 {receiver}（{rule}），{since} 起"),
        format!("to send {count}, by the next run; waits longest: to {receiver} ({rule}), since {since}"),
    );
    if let Some(error) = &oldest.last_error {
        zh = format!("✗ {zh}：{}", error.zh);
        en = format!("✗ {en}: {}", error.en);
    }
    Some(Message::new(zh, en))
}
