//! The dates of a rota: a list of `date,shift,email`, one a line, as a spreadsheet writes it.

use std::{collections::BTreeMap, fs, io, path::Path};

use chrono::{Datelike, NaiveDate};

use crate::{
    adapters::yaml::{map::did_you_mean, nearest::nearest},
    domain::{
        calendar::{END_YEAR, FIRST_YEAR},
        fault::{Fault, Place},
        receiver::PersonId,
        rota::Shift,
        text::{Message, fold},
    },
};

/// Bytes a list may have.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Lines a list may have.
const LINES_MAX: usize = 10_000;

/// Characters a line may have.
const LINE_CHARS_MAX: usize = 500;

/// Faults that are told one by one.
const FAULTS_MAX: usize = 20;

/// Characters of a value that are shown.
const SHOWN_CHARS_MAX: usize = 40;

/// The columns, by the names a first line may give them.
const COLUMNS: [&[&str]; 3] = [
    &["date", "day", "日期", "时间"],
    &["shift", "班次", "班", "值班"],
    &["email", "person", "member", "邮箱", "人", "值班人"],
];

/// Who is on call on which date, by the date and the shift's place.
pub type Dates = BTreeMap<(NaiveDate, usize), Vec<PersonId>>;

/// Reads the list at `path`; `file` is how people know it and `at` where it is named.
pub fn load(path: &Path, file: &str, at: &Place, shifts: &[Shift], faults: &mut Vec<Fault>) -> Dates {
    match text_of(path, file) {
        Ok(text) => read(file, &text, shifts, faults),
        Err(message) => {
            let hint = Message::new("相对路径从配置文件所在目录算起", "relative paths start at the configuration file");
            faults.push(Fault::error(at.clone(), message).with_hint(hint));
            Dates::new()
        }
    }
}

fn text_of(path: &Path, shown: &str) -> Result<String, Message> {
    let failed = |error: io::Error| {
        Message::new(format!("读不了值班日期 {shown}：{error}"), format!("the dates {shown} cannot be read: {error}"))
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        return Err(Message::new(
            format!("{shown} 太大，最多 {FILE_BYTES_MAX} 字节"),
            format!("{shown} is too large: at most {FILE_BYTES_MAX} bytes"),
        ));
    }
    String::from_utf8(fs::read(path).map_err(failed)?).map_err(|_| {
        Message::new(
            format!("{shown} 不是 UTF-8 文本：用 Excel 另存为 “CSV UTF-8（逗号分隔）”"),
            format!("{shown} is no UTF-8 text: in Excel save it as “CSV UTF-8 (comma delimited)”"),
        )
    })
}

/// Reads a list. Faults go by their line; what is sound comes out.
fn read(file: &str, text: &str, shifts: &[Shift], faults: &mut Vec<Fault>) -> Dates {
    let mut list = List { file, shifts, order: [0, 1, 2], dates: Dates::new(), faults: Vec::new() };
    let mut first = true;
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if at >= LINES_MAX {
            let message =
                Message::new(format!("行数太多，最多 {LINES_MAX} 行"), format!("too many lines: at most {LINES_MAX}"));
            list.fault(at + 1, 1, message);
            break;
        }
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.trim_start().starts_with('#') || line.bytes().all(|b| b" ,\t".contains(&b)) {
            continue;
        }
        list.line(at + 1, line, first);
        first = false;
    }
    let more = list.faults.len().saturating_sub(FAULTS_MAX);
    faults.extend(list.faults.into_iter().take(FAULTS_MAX));
    if more > 0 {
        let message = Message::new(format!("另有 {more} 行有错"), format!("and {more} more faults"));
        faults.push(Fault::error(Place::file(file), message));
    }
    list.dates
}

struct List<'a> {
    file: &'a str,
    shifts: &'a [Shift],
    /// Where date, shift and email stand.
    order: [usize; 3],
    dates: Dates,
    faults: Vec<Fault>,
}

/// A value of a line, and the column it begins at, from 1.
struct Cell {
    text: String,
    column: usize,
}

impl List<'_> {
    fn fault(&mut self, line: usize, column: usize, message: Message) {
        self.fault_with(line, column, message, None);
    }

    fn fault_with(&mut self, line: usize, column: usize, message: Message, hint: Option<Message>) {
        let fault = Fault::error(Place { file: self.file.into(), line, column }, message);
        self.faults.push(Fault { hint, ..fault });
    }

    fn line(&mut self, number: usize, line: &str, first: bool) {
        if line.chars().count() > LINE_CHARS_MAX {
            let message = Message::new(
                format!("这一行太长，最多 {LINE_CHARS_MAX} 个字"),
                format!("the line is too long: at most {LINE_CHARS_MAX} characters"),
            );
            return self.fault(number, 1, message);
        }
        let Some(mut cells) = cells(line) else {
            let message = Message::new("引号没有在这一行结束", "a quotation mark does not end on its line");
            return self.fault(number, 1, message);
        };
        while cells.len() > COLUMNS.len() && cells.last().is_some_and(|cell| cell.text.is_empty()) {
            cells.pop(); // a spreadsheet fills lines up
        }
        if first && let Some(order) = header(&cells) {
            self.order = order;
            return;
        }
        if cells.len() != COLUMNS.len() {
            let message = Message::new(
                format!("每行要有 3 列：日期,班次,邮箱；这里有 {} 列", cells.len()),
                format!("a line has 3 columns: date,shift,email; here are {}", cells.len()),
            );
            let example = self.shifts.first().map_or("day", |shift| &*shift.name);
            let hint = format!("2026-10-01,{example},li@example.com");
            let hint = Message::new(format!("例如 {hint}"), format!("such as {hint}"));
            return self.fault_with(number, 1, message, Some(hint));
        }
        let [date, shift, person] = self.order.map(|at| cells.get(at));
        let (Some(date), Some(shift), Some(person)) = (date, shift, person) else { return };
        let read = (self.date(number, date), self.shift(number, shift), self.person(number, person));
        let (Some(date), Some(shift), Some(person)) = read else { return };
        let people = self.dates.entry((date, shift)).or_default();
        if !people.contains(&person) {
            people.push(person);
        }
    }

    fn date(&mut self, line: usize, cell: &Cell) -> Option<NaiveDate> {
        let folded = fold(&cell.text);
        let parts: Vec<Option<u32>> = folded.split(['-', '/', '.']).map(number).collect();
        let shown = shown(&cell.text);
        let message = match parts.as_slice() {
            [Some(year @ 1_000..), Some(month), Some(day)] => {
                let year = i32::try_from(*year).unwrap_or_default();
                match NaiveDate::from_ymd_opt(year, *month, *day) {
                    Some(date) if (FIRST_YEAR..END_YEAR).contains(&date.year()) => return Some(date),
                    Some(_) => Message::new(
                        format!("{shown} 不在 {FIRST_YEAR} 到 {} 年之间", END_YEAR - 1),
                        format!("{shown} is not within {FIRST_YEAR} to {}", END_YEAR - 1),
                    ),
                    None => Message::new(format!("没有 {shown} 这一天"), format!("there is no day {shown}")),
                }
            }
            _ => Message::new(
                format!("“{shown}” 不是日期：写成 2026-10-01"),
                format!("`{shown}` is no date: write 2026-10-01"),
            ),
        };
        self.fault(line, cell.column, message);
        None
    }

    fn shift(&mut self, line: usize, cell: &Cell) -> Option<usize> {
        let found = self.shifts.iter().position(|shift| fold(&shift.name) == fold(&cell.text));
        if found.is_none() {
            let shown = shown(&cell.text);
            let names: Vec<&str> = self.shifts.iter().map(|shift| &*shift.name).collect();
            let message = Message::new(format!("没有叫 “{shown}” 的班次"), format!("there is no shift `{shown}`"));
            let hint = nearest(&cell.text, names.iter().copied()).map_or_else(
                || Message::new(format!("有 {}", names.join("、")), format!("there is {}", names.join(", "))),
                did_you_mean,
            );
            self.fault_with(line, cell.column, message, Some(hint));
        }
        found
    }

    /// Anyone may be named, a member or not; a name that differs from a member's by a slip is said to.
    fn person(&mut self, line: usize, cell: &Cell) -> Option<PersonId> {
        let sound =
            !cell.text.contains(char::is_whitespace) && !cell.text.starts_with('@') && !cell.text.ends_with('@');
        let Some(person) = PersonId::of(&cell.text).filter(|_| sound) else {
            let shown = shown(&cell.text);
            let message = Message::new(
                format!("“{shown}” 不是一个人：写飞书邮箱、手机号，或以 ou_ 开头的 ID"),
                format!("`{shown}` is no person: write a Feishu email, a mobile number, or an id that begins with ou_"),
            );
            self.fault(line, cell.column, message);
            return None;
        };
        let members: Vec<&PersonId> = self.shifts.iter().flat_map(|shift| &shift.members).collect();
        if !members.contains(&&person)
            && let Some(near) = nearest(person.as_str(), members.iter().map(|member| member.as_str()))
        {
            let message = Message::new(
                format!("{} 不是这个值班表的成员", shown(person.as_str())),
                format!("{} is no member of this rota", shown(person.as_str())),
            );
            let place = Place { file: self.file.into(), line, column: cell.column };
            self.faults.push(Fault::warning(place, message).with_hint(did_you_mean(near)));
        }
        Some(person)
    }
}

/// Where the columns stand, if the line names all of them.
fn header(cells: &[Cell]) -> Option<[usize; 3]> {
    let find = |names: &&[&str]| cells.iter().position(|cell| names.contains(&&*fold(&cell.text)));
    let [date, shift, person] = COLUMNS.each_ref().map(find);
    Some([date?, shift?, person?])
}

/// The values of a line; nothing where a quotation mark stays open. In quotes two of them mean one.
fn cells(line: &str) -> Option<Vec<Cell>> {
    let mut cells = Vec::new();
    let mut rest = line.chars().enumerate().peekable();
    loop {
        while rest.next_if(|(_, c)| *c == ' ' || *c == '\t').is_some() {}
        let column = rest.peek().map_or(line.chars().count(), |(at, _)| *at) + 1;
        let mut text = String::new();
        if rest.next_if(|(_, c)| *c == '"').is_some() {
            loop {
                match rest.next()?.1 {
                    '"' if rest.next_if(|(_, c)| *c == '"').is_some() => text.push('"'),
                    '"' => break,
                    c => text.push(c),
                }
            }
        }
        while let Some((_, c)) = rest.next_if(|(_, c)| *c != ',') {
            text.push(c);
        }
        cells.push(Cell { text: text.trim().to_string(), column });
        if rest.next().is_none() {
            return Some(cells);
        }
    }
}

fn number(digits: &str) -> Option<u32> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{calendar::Frame, rota::Turn};

    fn shifts() -> Vec<Shift> {
        let shift = |name: &str| Shift {
            name: name.into(),
            hours: Frame { from: 0, to: 1_440 },
            change: Turn::Daily,
            members: vec![PersonId::Email("li@example.com".into())],
        };
        vec![shift("白班"), shift("Night")]
    }

    /// Sound entries in one line each, and faults as `line:column: message (hint)`.
    fn read_text(text: &str) -> (String, String) {
        let mut faults = Vec::new();
        let dates = read("d.csv", text, &shifts(), &mut faults);
        let entry = |((date, shift), people): (&(NaiveDate, usize), &Vec<PersonId>)| {
            format!("{date} {shift} {}", people.iter().map(PersonId::as_str).collect::<Vec<_>>().join("+"))
        };
        let fault = |fault: &Fault| {
            let hint = fault.hint.as_ref().map_or_else(String::new, |hint| format!(" ({})", hint.en));
            format!("{}:{}: {}{hint}", fault.place.line, fault.place.column, fault.message.en)
        };
        let join = |lines: Vec<String>| lines.join("; ");
        (join(dates.iter().map(entry).collect()), join(faults.iter().map(fault).collect()))
    }

    #[test]
    fn lists_are_read_as_spreadsheets_write_them() {
        let one = "2026-10-01 0 li@example.com";
        for (text, expected) in [
            ("2026-10-01,白班,li@example.com", one),
            ("date,shift,email\n2026-10-01,白班,li@example.com\n", one),
            ("日期,班次,邮箱\r\n2026-10-01,白班,li@example.com\r\n", one),
            ("\u{feff}邮箱,日期,班次\r\nli@example.com,2026/10/1,白班\r\n", one),
            ("# 国庆\n\n,,\n 2026-10-01 , 白班 , li@example.com ,, \n  # done", one),
            ("\"2026-10-01\",\"白班\",\"li@example.com\"", one),
            ("2026.10.01,白班,li@example.com\n2026-10-01,白班,li@example.com", one),
            ("２０２６-１０-０１,白班,li@example.com", one),
            ("2026-10-01,NIGHT,13800138000", "2026-10-01 1 13800138000"),
            ("2026-10-01,night,ou_1\n2026-10-01,night,ou_2", "2026-10-01 1 ou_1+ou_2"),
            ("2019-10-01,白班,li@example.com", "2019-10-01 0 li@example.com"),
            ("", ""),
            ("date,shift,email", ""),
        ] {
            assert_eq!(read_text(text), (expected.to_string(), String::new()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_line() {
        for (text, expected) in [
            (
                "2026-10-01,白班",
                "1:1: a line has 3 columns: date,shift,email; here are 2 (such as 2026-10-01,白班,li@example.com)",
            ),
            (
                "2026-10-01;白班;li@example.com",
                "1:1: a line has 3 columns: date,shift,email; here are 1 (such as 2026-10-01,白班,li@example.com)",
            ),
            (
                "a,b,c,d",
                "1:1: a line has 3 columns: date,shift,email; here are 4 (such as 2026-10-01,白班,li@example.com)",
            ),
            ("\n2026-13-01,白班,li@example.com", "2:1: there is no day 2026-13-01"),
            ("2026-02-30,白班,li@example.com", "1:1: there is no day 2026-02-30"),
            ("26-02-03,白班,li@example.com", "1:1: `26-02-03` is no date: write 2026-10-01"),
            ("10/1/2026,白班,li@example.com", "1:1: `10/1/2026` is no date: write 2026-10-01"),
            ("1999-01-01,白班,li@example.com", "1:1: 1999-01-01 is not within 2010 to 2059"),
            ("2026-10-01, 白天,li@example.com", "1:13: there is no shift `白天` (did you mean `白班`?)"),
            ("2026-10-01,nihgt,li@example.com", "1:12: there is no shift `nihgt` (did you mean `Night`?)"),
            ("2026-10-01,周末,li@example.com", "1:12: there is no shift `周末` (there is 白班, Night)"),
            (
                "2026-10-01,白班,李雷",
                "1:15: `李雷` is no person: write a Feishu email, a mobile number, or an id that begins with ou_",
            ),
            (
                "2026-10-01,白班,",
                "1:15: `` is no person: write a Feishu email, a mobile number, or an id that begins with ou_",
            ),
            ("2026-10-01,\"白班,li@example.com", "1:1: a quotation mark does not end on its line"),
            (
                "2026-10-01,白班,=cmd|' /C calc'!A0",
                "1:15: `=cmd|' /C calc'!A0` is no person: write a Feishu email, a mobile number, or an id that begins with ou_",
            ),
            (
                "\u{0}\u{0}\u{0}",
                "1:1: a line has 3 columns: date,shift,email; here are 1 (such as 2026-10-01,白班,li@example.com)",
            ),
        ] {
            assert_eq!(read_text(text), (String::new(), expected.to_string()), "{text}");
        }
        let (dates, told) = read_text("2026-10-01,白班,lii@example.com");
        assert_eq!(dates, "2026-10-01 0 lii@example.com", "only a warning");
        assert_eq!(told, "1:15: lii@example.com is no member of this rota (did you mean `li@example.com`?)");
    }

    #[test]
    fn a_hostile_list_is_bounded() {
        let (_, told) = read_text(&"x\n".repeat(LINES_MAX + 5));
        assert_eq!(told.matches("; ").count(), FAULTS_MAX * 2, "one a line, and the rest counted: {told}");
        assert!(told.ends_with("and 9981 more faults"), "{told}");
        let (_, told) = read_text(&"9".repeat(100_000));
        assert_eq!(told, "1:1: the line is too long: at most 500 characters");
        let quotes = "\"".repeat(499);
        assert!(read_text(&quotes).1.contains("quotation mark"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_where_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = Place { file: "deskbell.yaml".into(), line: 3, column: 5 };
        for (name, bytes, part) in [
            ("gone.csv", None, "cannot be read"),
            ("gbk.csv", Some(b"2026-10-01,\xb0\xd7\xb0\xe0,li@example.com".to_vec()), "is no UTF-8 text"),
            ("long.csv", Some(vec![b'#'; 1_100_000]), "is too large"),
        ] {
            let path = dir.path().join(name);
            if let Some(bytes) = bytes {
                fs::write(&path, bytes).unwrap();
            }
            let mut faults = Vec::new();
            assert!(load(&path, name, &at, &shifts(), &mut faults).is_empty());
            let [fault] = faults.as_slice() else { panic!("{faults:?}") };
            assert_eq!(fault.place, at);
            assert!(fault.message.en.contains(part), "{}", fault.message);
        }
    }
}
