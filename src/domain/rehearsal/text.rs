//! The page as people read it: in the terminal, and as a card in the chat.

use crate::domain::{
    card::{Card, Colour, cut, escape_markdown},
    id::{RuleName, Subject},
    rehearsal::{
        chart::{CHART_WIDTH_MAX, bars, left, right, wrap},
        report::{ALONE_FOR, Example, KNOWN_WITHIN, NOISY_DAY, NOISY_PER_DAY, Noise, Page, RulePage, STORM_WITHIN},
        tune::short,
    },
    text::{Locale, Message, Words, grouped},
};

/// Columns of a terminal's page.
pub const WIDTH: usize = 100;

/// Columns of a rule's name.
const NAME_WIDTH: usize = 20;

/// Rules a card shows; the page in the terminal shows all.
const CARD_RULES_MAX: usize = 20;

/// Characters of a name in a card.
const CARD_NAME_CHARS: usize = 30;

/// What was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// What it is: a rehearsal of a source, or of what was observed.
    pub title: Message,
    /// API calls a month that polling asks for.
    pub polling: u64,
    /// How many there are a month; absent where there is no limit.
    pub monthly: Option<u64>,
}

/// The page for a terminal.
pub fn terminal(page: &Page, heading: &Heading, locale: Locale) -> String {
    let mut lines = vec![heading.title.get(locale).to_string()];
    let mut prose = |text: &str, indent: usize| lines.push(wrap(text, WIDTH, indent));
    summary(page, heading).iter().for_each(|line| prose(line.get(locale), 2));
    lines.push(String::new());
    lines.extend(table(page, locale));
    lines.push(String::new());
    lines.push(wrap(explained().get(locale), WIDTH, 0));
    for (head, items) in sections(page).into_iter().filter(|(_, items)| !items.is_empty()) {
        lines.push(String::new());
        lines.push(head.get(locale).to_string());
        lines.extend(items.iter().map(|item| wrap(&format!("  {}", item.get(locale)), WIDTH, 4)));
    }
    lines.join("\n")
}

/// What the table's columns mean.
fn explained() -> Message {
    let alone = short(ALONE_FOR);
    Message::new(
        format!(
            "无人处理：响起 {alone} 后还没有人回复、转派、改状态或关闭。响了多久、多久后处理：中位数。≤ 最多，≥ 至少，≈ 大约"
        ),
        format!(
            "alone: {alone} after it rang nobody had replied, assigned it, changed its status or closed it. rang for, \
             acted after: middle values. ≤ at most, ≥ at least, ≈ about"
        ),
    )
}

/// The page as one card. Text from outside is escaped.
pub fn card(page: &Page, heading: &Heading, locale: Locale) -> Card {
    let mut body: Vec<String> = summary(page, heading).iter().map(|line| escape_markdown(line.get(locale))).collect();
    body.push(String::new());
    for rule in page.rules.iter().take(CARD_RULES_MAX) {
        let name = escape_markdown(&cut(rule.name.as_str(), CARD_NAME_CHARS));
        let told = escape_markdown(card_line(page, rule).get(locale));
        body.push(format!("**{name}** {}\n{told}", bars(&rule.days)));
    }
    let more = page.rules.len().saturating_sub(CARD_RULES_MAX);
    if more > 0 {
        body.push(
            Message::new(format!("还有 {more} 条规则"), format!("and {more} more rules")).get(locale).to_string(),
        );
    }
    for (head, items) in sections(page) {
        if !items.is_empty() {
            body.push(format!("\n**{}**", head.get(locale)));
            body.extend(items.iter().map(|item| escape_markdown(item.get(locale))));
        }
    }
    let calm = page.rules.iter().all(|rule| rule.noisy.is_empty());
    let footer = Words {
        zh: "演练：没有发出任何提醒，也没有开启任何规则",
        en: "A rehearsal: nothing was sent and no rule was switched on",
    };
    Card {
        title: heading.title.get(locale).to_string(),
        colour: if calm { Colour::Blue } else { Colour::Orange },
        tags: vec![Words { zh: "演练", en: "rehearsal" }.get(locale).to_string()],
        body: body.join("\n"),
        footer: footer.get(locale).to_string(),
        ..Card::default()
    }
}

/// What all rules come to.
fn summary(page: &Page, heading: &Heading) -> Vec<Message> {
    let (from, until) = (page.zone.minute(page.from), page.zone.minute(page.until));
    let (tickets, days) = (grouped(page.tickets as u64), page.until.since(page.from).as_secs() / 86_400);
    let cards: usize = page.cards.iter().sum();
    let per_day = tenths(cards, page.until.since(page.from).as_ms());
    let (mut zh, mut en) = (format!("每天约 {per_day} 张卡片"), format!("about {per_day} cards a day"));
    if let Some((date, most)) = page.most(&page.cards) {
        zh += &format!("，最多的一天 {most} 张（{date}）");
        en += &format!(", {most} on the busiest day ({date})");
    }
    let merged: usize = page.rules.iter().map(|rule| rule.merged).sum();
    if merged > 0 {
        let digests: usize = page.rules.iter().map(|rule| rule.digests).sum();
        zh += &format!("，另有 {merged} 张合成 {digests} 张汇总");
        en += &format!(", after {} became {}", plural(merged, "more card"), plural(digests, "digest"));
    }
    let (polling, sends) = (heading.polling, page.sends_per_month);
    let whole = polling.saturating_add(sends);
    let (total, polling, sends) = (grouped(whole), grouped(polling), grouped(sends));
    zh += &format!("；每月约 {total} 次 API 调用（读工单 {polling}，发消息 {sends}）");
    en += &format!("; about {total} API calls a month (reading {polling}, telling {sends})");
    if let Some(monthly) = heading.monthly.filter(|monthly| *monthly < whole) {
        let monthly = grouped(monthly);
        zh += &format!("，超过套餐的 {monthly} 次，轮询会变慢");
        en += &format!(", more than the plan's {monthly}: polling will slow down");
    }
    let mut lines = vec![
        Message::new(
            format!("{from} 至 {until}，{days} 天，{tickets} 张工单"),
            format!("{from} to {until}, {days} days, {tickets} tickets"),
        ),
        Message::new(zh, en),
    ];
    if let Some(cut) = page.cut {
        let cut = page.zone.minute(cut);
        lines.push(Message::new(
            format!("太长了，只演到 {cut}；请缩短 --since 或用 --rule 只看一条规则"),
            format!("too much to play: it ends at {cut}; shorten --since, or look at one rule with --rule"),
        ));
    }
    lines
}

/// A count per day with one decimal.
fn tenths(count: usize, ms: i64) -> String {
    let day = 86_400_000;
    let tenths = i64::try_from(count).unwrap_or(i64::MAX / day / 10).saturating_mul(10 * day) / ms.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn table(page: &Page, locale: Locale) -> Vec<String> {
    let head = match locale {
        Locale::Zh => ["规则", "每天", "次数", "无人处理", "响了多久", "多久后处理", "夜里周末"],
        Locale::En => ["rule", "by day", "rings", "alone", "rang for", "acted after", "off hours"],
    };
    let chart = page.cards.len().clamp(6, CHART_WIDTH_MAX);
    let row = |cells: [String; 7]| {
        let [name, days, rings, alone, lasted, acted, off] = cells;
        format!(
            "{} {} {} {} {} {} {}",
            left(&name, NAME_WIDTH),
            left(&days, chart),
            right(&rings, 6),
            right(&alone, 10),
            right(&lasted, 9),
            right(&acted, 11),
            right(&off, 9)
        )
    };
    let mut lines = vec![row(head.map(str::to_string)).trim_end().to_string()];
    for rule in &page.rules {
        let some = |span: Option<_>| span.map_or_else(|| "-".to_string(), short);
        let cells = [
            rule.name.to_string(),
            bars(&rule.days),
            format!("{}{}", rule.errs.sign(), rule.rings),
            share(rule.alone, rule.judged),
            some(rule.lasted),
            some(rule.acted_after),
            share(rule.off_hours, rule.rings),
        ];
        lines.push(row(cells).trim_end().to_string());
    }
    lines
}

/// `12 29%`.
fn share(count: usize, of: usize) -> String {
    (count * 100).checked_div(of).map_or_else(|| "-".to_string(), |percent| format!("{count} {percent}%"))
}

fn card_line(page: &Page, rule: &RulePage) -> Message {
    let (sign, rings) = (rule.errs.sign(), rule.rings);
    let (mut zh, mut en) = (format!("{sign}{rings} 次"), format!("{sign}{rings} rings"));
    if let Some((date, most)) = page.most(&rule.days) {
        zh += &format!("，一天最多 {most}（{date}）");
        en += &format!(", at most {most} a day ({date})");
    }
    if rule.judged > 0 {
        let (alone, after) = (share(rule.alone, rule.judged), short(ALONE_FOR));
        zh += &format!("，{after} 后仍无人处理 {alone}");
        en += &format!(", alone after {after}: {alone}");
    }
    if let Some(longest) = &rule.longest {
        let lasted = short(longest.lasted);
        zh += &format!("，最久 {lasted}");
        en += &format!(", longest {lasted}");
    }
    Message::new(zh, en)
}

type Section = (Words, Vec<Message>);

fn sections(page: &Page) -> Vec<Section> {
    let noisy = page.rules.iter().filter(|rule| !rule.noisy.is_empty()).map(noise).collect();
    let storms = page.rules.iter().filter(|rule| rule.storms > 0 || rule.merged > 0).map(storm).collect();
    let longest = page.rules.iter().filter_map(|rule| Some(example(page, rule, rule.longest.as_ref()?))).collect();
    let doubts = page.rules.iter().filter(|rule| !rule.doubts.zh.is_empty()).map(|rule| (&rule.name, &rule.doubts));
    let unplayed = page.unplayed.iter().map(|(name, why)| (name, why));
    vec![
        (Words { zh: "会太吵的规则", en: "Too noisy" }, noisy),
        (Words { zh: "集中爆发", en: "Storms" }, storms),
        (Words { zh: "响得最久的一次", en: "The longest of each" }, longest),
        (Words { zh: "历史里看不全的规则", en: "What history does not show in full" }, by_reason(doubts)),
        (Words { zh: "历史演不了的规则", en: "Rules that history cannot play" }, by_reason(unplayed)),
    ]
}

/// A line for each reason, with the rules that have it.
fn by_reason<'a>(rules: impl Iterator<Item = (&'a RuleName, &'a Message)>) -> Vec<Message> {
    let mut reasons: Vec<(&Message, Vec<&str>)> = Vec::new();
    for (name, why) in rules {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name.as_str()),
            None => reasons.push((why, vec![name.as_str()])),
        }
    }
    let line = |(why, names): (&Message, Vec<&str>)| {
        Message::new(format!("{}：{}", names.join("、"), why.zh), format!("{}: {}", names.join(", "), why.en))
    };
    reasons.into_iter().map(line).collect()
}

fn noise(rule: &RulePage) -> Message {
    let name = &rule.name;
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for noise in &rule.noisy {
        let (chinese, english) = match noise {
            Noise::PerDay(count) => (
                format!("平均每天 {count} 次（超过 {NOISY_PER_DAY} 次就太多）"),
                format!("{count} rings a day on average (more than {NOISY_PER_DAY} are too many)"),
            ),
            Noise::Day(count) => (
                format!("一天响过 {count} 次（超过 {NOISY_DAY} 次就太多）"),
                format!("{count} rings on one day (more than {NOISY_DAY} are too many)"),
            ),
            Noise::Known(percent) => {
                let within = short(KNOWN_WITHIN);
                (
                    format!("{percent}% 在响起后 {within} 内本来就有人处理"),
                    format!("{percent}% were acted on within {within} anyway"),
                )
            }
        };
        zh.push(chinese);
        en.push(english);
    }
    let (proposed_zh, proposed_en) = proposals(rule);
    Message::new(
        format!("{name}：{}。{proposed_zh}", zh.join("，")),
        format!("{name}: {}. {proposed_en}", en.join(", ")),
    )
}

fn proposals(rule: &RulePage) -> (String, String) {
    if rule.proposals.is_empty() {
        return (
            "没有可调的时长：可以收窄条件，或先用 mode: trial 试一周".to_string(),
            "It has no duration to turn: narrow its condition, or try it a week with mode: trial".to_string(),
        );
    }
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for proposal in &rule.proposals {
        let (rings, fewer) = (proposal.rings, rule.rings.saturating_sub(proposal.rings) * 100 / rule.rings.max(1));
        zh.push(format!("{}，剩 {rings} 次（少 {fewer}%）", proposal.change.zh));
        en.push(format!("{}, {rings} left ({fewer}% fewer)", proposal.change.en));
    }
    (format!("可以改：{}", zh.join("；")), format!("Try: {}", en.join("; ")))
}

fn storm(rule: &RulePage) -> Message {
    let (name, storms, peak, within) = (&rule.name, rule.storms, rule.peak, short(STORM_WITHIN));
    let times = if storms == 1 { "once" } else { &format!("{storms} times") };
    let (merged, digests) = (rule.merged, rule.digests);
    if merged == 0 {
        return Message::new(
            format!("{name}：{storms} 次，{within} 内最多 {peak} 条；这样的时候一张汇总好过一条条发，见 storm"),
            format!(
                "{name}: {times}, at most {peak} within {within}; one digest would do better than single cards, see `storm`"
            ),
        );
    }
    let (cards, of) = (plural(merged, "card"), plural(digests, "digest"));
    Message::new(
        format!(
            "{name}：{storms} 次，{within} 内最多 {peak} 条；{merged} 张卡片合成了 {digests} 张汇总，上面的卡片数已经这样算"
        ),
        format!("{name}: {times}, at most {peak} within {within}; {cards} became {of}, and are counted so above"),
    )
}

/// `1 card`, `2 cards`.
fn plural(count: usize, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

fn example(page: &Page, rule: &RulePage, longest: &Example) -> Message {
    let (name, lasted, at) = (&rule.name, short(longest.lasted), page.zone.minute(longest.at));
    let subject = subject(&longest.subject);
    Message::new(
        format!("{name}：{lasted}，{at} 起，{}。{}", subject.zh, longest.why.zh),
        format!("{name}: {lasted} from {at}, {}. {}", subject.en, longest.why.en),
    )
}

/// What a ring is about, as people name it.
pub fn subject(subject: &Subject) -> Message {
    match subject {
        Subject::Ticket(key) => {
            let id = key.id.as_str();
            let tail = id.get(id.len().saturating_sub(6)..).unwrap_or(id);
            Message::new(format!("工单尾号 {tail}"), format!("ticket …{tail}"))
        }
        Subject::Group(value) if value.is_empty() => Message::new("全部工单", "all tickets"),
        Subject::Group(value) => Message::new(format!("{value} 一组"), format!("group {value}")),
        other => Message::new(other.to_string(), other.to_string()),
    }
}

#[cfg(test)]
mod tests;
