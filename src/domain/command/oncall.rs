//! What stands behind `/oncall`: who is on call, a turn that changes hands, the word that a roster is right.

use chrono::NaiveDate;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Who is on call; on this rota where one is named.
    Look(Option<String>),
    /// Someone else stands in.
    Change(Box<Wanted>),
    /// To take back what one stands in for and had others stand in for; a rota, and whoever stands in, may be named.
    GiveBack(Option<String>),
    /// Who is on call on the next long holiday is right.
    Confirm(Option<String>),
}

/// How a turn changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Whoever writes takes it.
    Take,
    /// Someone else takes it.
    Give,
    /// Someone else takes it, and whoever writes takes that person's next one.
    Swap,
}

/// A change as it was written; names are not looked up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How.
    pub way: Way,
    /// Words that name a person, a rota or a shift.
    pub names: Vec<String>,
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
}

/// A moment as people write it: a day, a time of day, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The day.
    pub day: Option<Day>,
    /// The minute of the day.
    pub minute: Option<u32>,
}

/// A day as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// With its year.
    Date(NaiveDate),
    /// The next one of this month and day.
    Next(u32, u32),
    /// So many days from today.
    In(u32),
}

const WAYS: &[(Way, &[&str])] =
    &[(Way::Take, &["take", "接班", "接"]), (Way::Give, &["give", "给"]), (Way::Swap, &["swap", "换班", "换"])];
const BACK: &[&str] = &["back", "交还", "还"];
const CONFIRM: &[&str] = &["ok", "confirm", "确认"];
const FROM: &[&str] = &["from", "从"];
const UNTIL: &[&str] = &["until", "直到", "到", "至"];
const DAYS: &[(&str, u32)] = &[("今天", 0), ("today", 0), ("明天", 1), ("tomorrow", 1), ("后天", 2)];

impl Asked {
    /// Reads what stands behind the name, folded.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let rota = |rest: &str| Some(rest.to_string()).filter(|rest| !rest.is_empty());
        if let Some(rest) = led_by(text, CONFIRM) {
            return Self::Confirm(rota(rest));
        }
        if let Some((way, rest)) = WAYS.iter().find_map(|(way, words)| Some((*way, led_by(text, words)?))) {
            return Self::Change(Box::new(Wanted::read(way, rest)));
        }
        match led_by(text, BACK) {
            Some(rest) => Self::GiveBack(rota(rest)),
            None => Self::Look(rota(text)),
        }
    }
}

impl Wanted {
    fn read(way: Way, text: &str) -> Self {
        let (mut names, mut from, mut until) = (Vec::new(), Moment::default(), Moment::default());
        let mut ends = false;
        for word in text.split_whitespace() {
            let mut word = word;
            for (marks, end) in [(FROM, false), (UNTIL, true)] {
                let mark = marks.iter().find_map(|mark| word.strip_prefix(mark));
                if let Some(rest) = mark.filter(|rest| rest.is_empty() || Moment::default().takes(rest)) {
                    (ends, word) = (end, rest);
                }
            }
            let moment = if ends { &mut until } else { &mut from };
            if !word.is_empty() && !moment.takes(word) {
                names.push(word.trim_start_matches('@').to_string());
            }
        }
        Self { way, names, from, until }
    }
}

impl Moment {
    /// Whether nothing of it was written.
    pub const fn is_empty(self) -> bool {
        self.day.is_none() && self.minute.is_none()
    }

    /// Takes a word in that is a day or a time of day.
    fn takes(&mut self, word: &str) -> bool {
        if let Some(minute) = minute_of_day(word) {
            let is_new = self.minute.is_none();
            self.minute = self.minute.or(Some(minute));
            return is_new;
        }
        let day = day(word);
        let is_new = self.day.is_none() && day.is_some();
        self.day = self.day.or(day);
        is_new
    }
}

/// What follows one of these words; a Chinese one needs no space behind it.
fn led_by<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    let rest = |word: &&str| {
        let rest = text.strip_prefix(*word)?;
        (rest.is_empty() || rest.starts_with(' ') || !word.is_ascii()).then_some(rest.trim_start())
    };
    words.iter().find_map(rest)
}

/// `18:00` in minutes since midnight.
fn minute_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// `2026-10-01`, `10-01`, `10月1日`, `明天`.
fn day(text: &str) -> Option<Day> {
    if let Some((_, days)) = DAYS.iter().find(|(word, _)| *word == text) {
        return Some(Day::In(*days));
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(Day::Date(date));
    }
    let chinese = || text.trim_end_matches(['日', '号']).split_once('月');
    let (month, day) = text.split_once('-').or_else(chinese)?;
    let (month, day) = (number(month)?, number(day)?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Day::Next(month, day))
}

fn number(text: &str) -> Option<u32> {
    let is_short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(moment: Moment) -> String {
        let day = moment.day.map(|day| match day {
            Day::Date(date) => date.to_string(),
            Day::Next(month, day) => format!("{month}-{day}"),
            Day::In(days) => format!("+{days}d"),
        });
        let minute = moment.minute.map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60));
        [day, minute].into_iter().flatten().collect::<Vec<_>>().join("T")
    }

    fn short(text: &str) -> String {
        let of = |word: &str, rota: Option<String>| format!("{word} {}", rota.unwrap_or_default());
        match Asked::read(text) {
            Asked::Look(rota) => of("look", rota),
            Asked::GiveBack(rota) => of("back", rota),
            Asked::Confirm(rota) => of("confirm", rota),
            Asked::Change(wanted) => {
                let Wanted { way, names, from, until } = *wanted;
                format!("{way:?} {} [{}..{}]", names.join("+"), moment(from), moment(until)).to_lowercase()
            }
        }
    }

    #[test]
    fn what_people_type_is_read() {
        for (typed, expected) in [
            ("", "look "),
            ("primary", "look primary"),
            ("ok", "confirm "),
            ("确认", "confirm "),
            ("确认 primary", "confirm primary"),
            ("okay", "look okay"),
            ("交还", "back "),
            ("back", "back "),
            ("接", "take  [..]"),
            ("take", "take  [..]"),
            ("take until 18:00", "take  [..18:00]"),
            ("接 到18:00", "take  [..18:00]"),
            ("接到 18:00", "take  [..18:00]"),
            ("接班 明天", "take  [+1d..]"),
            ("take night", "take night [..]"),
            ("take from 20:00 until tomorrow 8:00", "take  [20:00..+1dt08:00]"),
            ("给 wang@example.com", "give wang@example.com [..]"),
            ("给@王芳", "give 王芳 [..]"),
            ("give li lei night", "give li+lei+night [..]"),
            ("give 13800138000 10-01", "give 13800138000 [10-1..]"),
            ("换 wang@example.com 2026-10-01", "swap wang@example.com [2026-10-01..]"),
            ("换班 王芳 10月1日", "swap 王芳 [10-1..]"),
            ("swap <email> 2026-13-01", "swap <email>+2026-13-01 [..]"),
            ("take 25:00", "take 25:00 [..]"),
            ("take 10:00 11:00", "take 11:00 [10:00..]"),
        ] {
            assert_eq!(short(typed), expected, "{typed:?}");
        }
    }
}
