//! How tests, values and durations are said to people, in Chinese and English.

use crate::domain::{
    calendar::Pace,
    card::cut_at_word,
    condition::{Bound, Clock, ClockTest, CustomSelector, Operands, Operator, PersonPart, Target, Test},
    field::{Carrier, Field, Value},
    judge::selects,
    privacy::{self, Privacy},
    seen::Seen,
    text::{Message, Words},
    ticket::{CustomField, I18nText, Known, Person, Text, Ticket},
    time::{Span, Timestamp},
    verdict::Answer,
};

/// Characters of a value that are shown in a sentence.
pub const VALUE_CHARS_MAX: usize = 60;

/// Items of a list that are shown in a sentence.
pub const ITEMS_MAX: usize = 5;

/// A duration in its two largest units: `1 天 2 小时`, `1 day 2 hours`.
pub fn span_words(span: Span) -> Message {
    const UNITS: [(i64, &str, &str); 4] =
        [(86_400, "天", "day"), (3_600, "小时", "hour"), (60, "分钟", "minute"), (1, "秒", "second")];
    let secs = span.as_secs();
    let Some(first) = UNITS.iter().position(|(unit, ..)| secs >= *unit) else {
        return Message::new("0 秒", "0 seconds");
    };
    let mut rest = secs;
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for (unit, zh_word, en_word) in UNITS.iter().skip(first).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            zh.push(format!("{count} {zh_word}"));
            en.push(format!("{count} {en_word}{}", if count == 1 { "" } else { "s" }));
        }
    }
    Message::new(zh.join(" "), en.join(" "))
}

/// What a test looks at: `客户的部门`, `guest's department`; a custom field as the ticket calls it.
pub fn target_words(target: &Target, ticket: Option<&Ticket>) -> Message {
    match target {
        Target::Field(field) => field_words(field),
        Target::Part(field, part) => {
            let (whole, part) = (field_words(field), part.words());
            Message::new(format!("{}的{}", whole.zh, part.zh), format!("{}'s {}", whole.en, part.en))
        }
        Target::Custom(selector) => {
            let (CustomSelector::Any(word)
            | CustomSelector::Name(word)
            | CustomSelector::Key(word)
            | CustomSelector::Id(word)) = selector;
            let field = ticket.and_then(|ticket| custom_field(selector, ticket));
            let name = field.and_then(|field| field.display_name.present()).unwrap_or(word);
            Message::new(shortened(name), shortened(name))
        }
    }
}

fn field_words(field: &Field) -> Message {
    Message::new(field.zh, field.name.replace('_', " "))
}

fn custom_field<'a>(selector: &CustomSelector, ticket: &'a Ticket) -> Option<&'a CustomField> {
    let fields = ticket.customized_fields.present()?;
    fields.iter().find(|field| selects(selector, field) == Answer::Yes)
}

/// What a test demands: `评分是 不满意`, `score is dissatisfied`.
pub fn test_words(test: &Test) -> Message {
    let target = target_words(&test.target, None);
    let field = match test.target {
        Target::Field(field) => Some(field),
        Target::Part(..) | Target::Custom(_) => None,
    };
    let (verb, operand) = operator_words(&test.operator, field);
    let space = if operand.zh.is_empty() { "" } else { " " };
    Message::new(
        format!("{}{}{space}{}", target.zh, verb.zh, operand.zh),
        format!("{} {}{space}{}", target.en, verb.en, operand.en),
    )
}

/// What an operator says and what it demands: `是`, `不满意`. Numbers of an enumeration are said as `field` names them.
pub fn operator_words(operator: &Operator, field: Option<&Field>) -> (Words, Message) {
    let said = |zh: &'static str, en: &'static str| Words { zh, en };
    let verb = match operator {
        Operator::TextIs(_) | Operator::PersonIs(_) | Operator::CodeIs(_) | Operator::NumberIs(_) => said("是", "is"),
        Operator::TextContains(_) | Operator::ListContains(_) => said("包含", "contains"),
        Operator::ListContainsAll(_) => said("全部包含", "contains all of"),
        Operator::TextStartsWith(_) => said("开头是", "starts with"),
        Operator::TextMatches(_) => said("匹配", "matches"),
        Operator::AtLeast(_) => said("至少", "is at least"),
        Operator::AtMost(_) => said("至多", "is at most"),
        Operator::Above(_) => said("大于", "is above"),
        Operator::Below(_) => said("小于", "is below"),
        Operator::Before(_) => said("早于", "is before"),
        Operator::After(_) => said("晚于", "is after"),
        Operator::Exists(true) => said("有值", "is there"),
        Operator::Exists(false) => said("没有值", "is not there"),
    };
    let operand = match operator {
        Operator::ListContainsAll(_) => several(&operand_items(operator, field)),
        Operator::CodeIs(codes) => codes_words(field, codes),
        _ => either(operand_items(operator, field).into_iter()),
    };
    (verb, operand)
}

/// Each thing an operator demands, or one of which it demands.
pub fn operand_items(operator: &Operator, field: Option<&Field>) -> Vec<Message> {
    let same = |text: String| Message::new(text.clone(), text);
    let listed = |words: &Operands| words.written().iter().map(|word| same(shortened(word))).collect();
    match operator {
        Operator::TextIs(words)
        | Operator::PersonIs(words)
        | Operator::TextContains(words)
        | Operator::ListContains(words)
        | Operator::ListContainsAll(words)
        | Operator::TextStartsWith(words) => listed(words),
        Operator::TextMatches(patterns) => patterns.iter().map(|pattern| same(pattern.as_str().to_string())).collect(),
        Operator::CodeIs(codes) => codes.iter().map(|code| code_words(field, *code)).collect(),
        Operator::NumberIs(numbers) => numbers.iter().map(|number| same(number.to_string())).collect(),
        Operator::AtLeast(bound) | Operator::AtMost(bound) | Operator::Above(bound) | Operator::Below(bound) => {
            vec![same(bound.to_string())]
        }
        Operator::Before(at) | Operator::After(at) => vec![utc(*at)],
        Operator::Exists(_) => Vec::new(),
    }
}

/// `投诉、起诉`: a list of [`ITEMS_MAX`] items at most; of a longer one it is said how many there are.
pub fn several(words: &[Message]) -> Message {
    let shown = words.get(..ITEMS_MAX).unwrap_or(words);
    let zh: Vec<&str> = shown.iter().map(|word| word.zh.as_str()).collect();
    let en: Vec<&str> = shown.iter().map(|word| word.en.as_str()).collect();
    let (mut zh, mut en) = (zh.join("、"), en.join(", "));
    if words.len() > shown.len() {
        zh.push_str(&format!(" 等 {} 项", words.len()));
        en.push_str(&format!(" and more, {} in all", words.len()));
    }
    Message::new(zh, en)
}

fn utc(at: Timestamp) -> Message {
    let shown = at.to_utc().format("%Y-%m-%d %H:%M UTC").to_string();
    Message::new(shown.clone(), shown)
}

fn either(words: impl Iterator<Item = Message>) -> Message {
    let words: Vec<Message> = words.collect();
    let zh: Vec<&str> = words.iter().take(ITEMS_MAX).map(|word| word.zh.as_str()).collect();
    let en: Vec<&str> = words.iter().take(ITEMS_MAX).map(|word| word.en.as_str()).collect();
    let (mut zh, mut en) = (zh.join("或"), en.join(" or "));
    if words.len() > ITEMS_MAX {
        zh.push_str(&format!("等 {} 个之一", words.len()));
        en.push_str(&format!(", one of {} in all", words.len()));
    }
    Message::new(zh, en)
}

/// One of these numbers of an enumeration: the group's name where they are a group.
fn codes_words(field: Option<&Field>, codes: &[i64]) -> Message {
    match field.and_then(|field| field.groups().iter().find(|group| group.codes == codes)) {
        Some(group) => Message::new(group.zh, group.name),
        None => either(codes.iter().map(|code| code_words(field, *code))),
    }
}

/// What people call a status.
pub fn status_words(code: i64) -> Message {
    code_words(Field::find("status"), code)
}

fn code_words(field: Option<&Field>, code: i64) -> Message {
    match field.and_then(|field| field.code_words(code)) {
        Some(words) => Message::new(words.zh, words.en.replace('_', " ")),
        None => Message::new(code.to_string(), code.to_string()),
    }
}

/// What a clock test demands: `状态持续至少 1 天`.
pub fn clock_test_words(test: &ClockTest) -> Message {
    let clock = test.clock.words();
    let (zh, en, span) = match test.bound {
        Bound::AtLeast(span) => ("至少", "at least", span),
        Bound::Under(span) => ("不到", "under", span),
    };
    let (name, span) = (clock.en.replace('_', " "), paced_words(span, &test.pace));
    Message::new(format!("{}{zh} {}", clock.zh, span.zh), format!("{name} {en} {}", span.en))
}

/// A duration as it is counted: `2 小时`, `2 小时（办公时间）`, `1 个工作日`.
pub fn paced_words(span: Span, pace: &Pace) -> Message {
    let said = span_words(span);
    let Some(calendar) = pace.calendar() else { return said };
    let day = calendar.full_day().as_ms();
    match span.as_ms().checked_rem(day) {
        Some(0) if span > Span::ZERO => {
            let days = span.as_ms() / day;
            let plural = if days == 1 { "" } else { "s" };
            Message::new(format!("{days} 个工作日"), format!("{days} working day{plural}"))
        }
        _ => Message::new(format!("{}（办公时间）", said.zh), format!("{} of office time", said.en)),
    }
}

/// What a clock shows: `状态已持续 1 天 2 小时`.
pub fn clock_words(clock: Clock, elapsed: Span, stopped: bool, estimated: bool) -> Message {
    let Message { zh, en } = span_words(elapsed);
    let (zh_least, en_least) = if estimated { ("至少 ", "at least ") } else { (" ", "") };
    match (clock, stopped) {
        (Clock::Age, false) => Message::new(format!("工单已创建 {zh}"), format!("created {en} ago")),
        (Clock::Age, true) => Message::new(format!("从创建到关闭历时 {zh}"), format!("open for {en} until closed")),
        (Clock::Idle, false) => Message::new(format!("已 {zh}没有更新"), format!("not updated for {en}")),
        (Clock::Idle, true) => {
            Message::new(format!("关闭前 {zh}没有更新"), format!("not updated for {en} before closing"))
        }
        (Clock::InStatus, _) => {
            Message::new(format!("状态已持续{zh_least}{zh}"), format!("in this status for {en_least}{en}"))
        }
        (Clock::SinceAgentReply, false) => {
            Message::new(format!("客服已 {zh}没有回复"), format!("no agent reply for {en}"))
        }
        (Clock::SinceAgentReply, true) => {
            Message::new(format!("关闭前客服 {zh}没有回复"), format!("no agent reply for {en} before closing"))
        }
        (Clock::QueueTime, false) => Message::new(format!("已排队 {zh}"), format!("in the queue for {en}")),
        (Clock::QueueTime, true) => Message::new(format!("共排队 {zh}"), format!("was in the queue for {en}")),
        (Clock::UnansweredFor, false) => {
            Message::new(format!("客户已等 {zh}没有人回复"), format!("the guest has waited {en} for an answer"))
        }
        (Clock::UnansweredFor, true) => {
            Message::new(format!("关闭前客户等了 {zh}没有人回复"), format!("unanswered for {en} before closing"))
        }
        (Clock::FirstResponse, false) => {
            Message::new(format!("转人工 {zh}还没有首次响应"), format!("no first response for {en}"))
        }
        (Clock::FirstResponse, true) => {
            Message::new(format!("首次响应用了 {zh}"), format!("the first response took {en}"))
        }
        (Clock::Resolution, false) => Message::new(format!("转人工 {zh}还没有解决"), format!("unresolved for {en}")),
        (Clock::Resolution, true) => Message::new(format!("解决用了 {zh}"), format!("resolved in {en}")),
        (Clock::ServiceTime, false) => Message::new(format!("已服务 {zh}"), format!("served for {en}")),
        (Clock::ServiceTime, true) => Message::new(format!("共服务 {zh}"), format!("was served for {en}")),
    }
}

/// What is said of a clock whose beginning has not come.
pub fn not_started_words(clock: Clock) -> Message {
    match clock {
        Clock::SinceAgentReply => Message::new("客服还没有回复过", "no agent has replied yet"),
        Clock::QueueTime => Message::new("没有排过队", "it was never in the queue"),
        Clock::UnansweredFor => Message::new("没有等待回复的客户消息", "no message of the guest waits for an answer"),
        Clock::FirstResponse | Clock::Resolution => Message::new("还没有转人工", "it has not reached the human stage"),
        Clock::ServiceTime => Message::new("还没有开始服务", "no agent has worked on it yet"),
        Clock::Age | Clock::Idle | Clock::InStatus => {
            let words = clock.words();
            Message::new(format!("{}还没有开始", words.zh), format!("{} has not begun", words.en.replace('_', " ")))
        }
    }
}

/// The value a test looks at on a ticket; nothing where it is empty or unknown (the answers tell which).
pub fn shown(target: &Target, seen: &Seen<'_>, now: Timestamp) -> Known<Message> {
    let privacy = &seen.labels.privacy;
    match value_of(target, seen, now, privacy) {
        Known::Present(_) if !privacy.shows(target, seen.ticket, seen.labels.priority.as_deref()) => {
            Known::Present(privacy::hidden())
        }
        value => value,
    }
}

/// The value that tickets are counted by: masked, since it names the alert, and never hidden, since it tells one alert
/// from another.
pub fn grouped(target: &Target, seen: &Seen<'_>, now: Timestamp) -> Known<Message> {
    let privacy = Privacy { mask: seen.labels.privacy.mask.clone(), ..Privacy::none() };
    value_of(target, seen, now, &privacy)
}

fn value_of(target: &Target, seen: &Seen<'_>, now: Timestamp, privacy: &Privacy) -> Known<Message> {
    let own = seen.ticket.key.id.as_str();
    let masked = |text: &str| privacy.masked(text, own).into_owned();
    match target {
        Target::Field(field) => value_words(field, &(field.read)(seen), now, privacy, own),
        Target::Part(field, part) => match (field.read)(seen) {
            Value::Person(person) if is_staff(field) => plain(part.of(person), &str::to_string),
            Value::Person(person) => plain(part.of(person), &masked),
            Value::Empty => Known::Empty,
            _ => Known::Unknown,
        },
        Target::Custom(selector) => match &seen.ticket.customized_fields {
            Known::Unknown => Known::Unknown,
            _ => custom_field(selector, seen.ticket).map_or(Known::Empty, |field| plain(&field.value, &masked)),
        },
    }
}

/// Whether the field's person works for the helpdesk.
fn is_staff(field: &Field) -> bool {
    !matches!(field.name, "guest" | "closed_by")
}

/// A text as it may be said.
type Saying<'a> = dyn Fn(&str) -> String + 'a;

fn plain(known: &Known<Text>, say: &Saying<'_>) -> Known<Message> {
    match known {
        Known::Present(text) if text.trim().is_empty() => Known::Empty,
        known => known.as_ref().map(|text| Message::new(shortened(&say(text)), shortened(&say(text)))),
    }
}

fn value_words(field: &Field, value: &Value<'_>, now: Timestamp, privacy: &Privacy, own: &str) -> Known<Message> {
    let masked = |text: &str| privacy.masked(text, own).into_owned();
    let quoted = |text: &str| privacy.quoted(text, own).unwrap_or_default();
    let same = |text: String| Known::Present(Message::new(text.clone(), text));
    match value {
        Value::Unknown => Known::Unknown,
        Value::Empty => Known::Empty,
        Value::Text(text) if text.trim().is_empty() => Known::Empty,
        Value::Text(text) if field.carrier == Carrier::Messages => same(shortened(&quoted(text))),
        Value::Text(text) => same(shortened(&masked(text))),
        Value::Number(number) => same(number.to_string()),
        Value::Code(code) => Known::Present(code_words(Some(field), *code)),
        Value::Instant(at) => Known::Present(if *at > now {
            let ahead = span_words(at.since(now));
            Message::new(format!("{}后", ahead.zh), format!("in {}", ahead.en))
        } else {
            let ago = span_words(now.since(*at));
            Message::new(format!("{}前", ago.zh), format!("{} ago", ago.en))
        }),
        Value::Person(person) if field.name == "guest" => guest_words(person, &masked, &privacy.guest),
        Value::Person(person) => person_words(person),
        Value::Persons(persons) => items(persons.iter().map(|person| person_words(person))),
        Value::Messages(messages) => messages.last().map_or(Known::Empty, |said| same(shortened(&quoted(&said.text)))),
        Value::I18n(texts) => {
            let first =
                |text: &I18nText| [&text.zh_cn, &text.en_us, &text.ja_jp].into_iter().find_map(Known::present).cloned();
            items(texts.iter().map(|text| plain(&first(text).map_or(Known::Empty, Known::Present), &quoted)))
        }
        Value::Comments(comments) => items(comments.iter().map(|comment| plain(&comment.content, &quoted))),
        Value::Tags(tags) => items(tags.iter().map(|tag| plain(&tag.name, &masked))),
        Value::CustomFields(fields) => items(fields.iter().map(|field| plain(&field.display_name, &masked))),
    }
}

fn person_words(person: &Person) -> Known<Message> {
    let named = [&person.name, &person.email, &person.id];
    let shown = named.into_iter().map(|part| plain(part, &str::to_string)).find(|known| known.present().is_some());
    shown.unwrap_or(Known::Unknown)
}

/// The guest by the first part of theirs that may be shown.
fn guest_words(guest: &Person, say: &Saying<'_>, shown: &[PersonPart]) -> Known<Message> {
    let named = [PersonPart::Name, PersonPart::Email, PersonPart::Id];
    let known = named.into_iter().filter(|part| plain(part.of(guest), say).present().is_some());
    let known: Vec<PersonPart> = known.collect();
    match known.iter().find(|part| shown.contains(part)) {
        Some(part) => plain(part.of(guest), say),
        None if known.is_empty() => Known::Unknown,
        None => Known::Present(privacy::hidden()),
    }
}

fn items(words: impl Iterator<Item = Known<Message>>) -> Known<Message> {
    let words: Vec<String> = words.filter_map(|word| word.present().map(|word| word.zh.clone())).collect();
    if words.is_empty() {
        return Known::Empty;
    }
    let listed = words.get(..ITEMS_MAX).unwrap_or(&words).join("、");
    let zh = if words.len() > ITEMS_MAX { format!("{listed} 等 {} 项", words.len()) } else { listed.clone() };
    let en = if words.len() > ITEMS_MAX { format!("{listed} and more, {} in all", words.len()) } else { listed };
    Known::Present(Message::new(zh, en.replace('、', ", ")))
}

/// One line, of [`VALUE_CHARS_MAX`] characters at most; a longer one ends at a word.
fn shortened(text: &str) -> String {
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut_at_word(&line, VALUE_CHARS_MAX)
}
