//! Frames of a day (`09:30-12:00`, `21:00-09:00`) and the days of a week (`mon-fri`, `周一至周五`, `daily`).

use crate::{
    adapters::yaml::{
        map::did_you_mean,
        nearest::nearest,
        tree::{Key, Node, NodeKind},
    },
    domain::{
        calendar::Frame,
        fault::Fault,
        text::{Message, fold},
    },
};

/// Frames a day may have.
pub const FRAMES_MAX: usize = 12;

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// What stands between two ends, as people write it, once it is folded.
const DASHES: &[&str] = &["-", "–", "—", "~", "至", "到"];

/// The words for a day, Monday first.
const DAYS: [&[&str]; 7] = [
    &["mon", "monday", "周一", "星期一", "礼拜一"],
    &["tue", "tuesday", "周二", "星期二", "礼拜二"],
    &["wed", "wednesday", "周三", "星期三", "礼拜三"],
    &["thu", "thursday", "周四", "星期四", "礼拜四"],
    &["fri", "friday", "周五", "星期五", "礼拜五"],
    &["sat", "saturday", "周六", "星期六", "礼拜六"],
    &["sun", "sunday", "周日", "周天", "星期日", "星期天", "礼拜天"],
];

/// The words for all seven.
const DAILY: &[&str] = &["daily", "每天", "每日"];

/// The frames of a day: a list, or one alone; none is a day off. Faults are told; what is sound comes out.
pub fn frames(node: &Node, faults: &mut Vec<Fault>) -> Vec<Frame> {
    let mut found: Vec<(Frame, &Node)> = Vec::new();
    if node.is_null() || matches!(node.kind, NodeKind::Map(_)) {
        faults.push(node.expected(&expected()).with_hint(Message::new("休息日写 []", "a day off is []")));
        return Vec::new();
    }
    let items = node.one_or_many();
    if items.len() > FRAMES_MAX {
        let message = Message::new(
            format!("一天最多 {FRAMES_MAX} 个时段，这里有 {} 个", items.len()),
            format!("a day has at most {FRAMES_MAX} frames, not {}", items.len()),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    for item in items.iter().take(FRAMES_MAX) {
        let Some(frame) = one(item, faults) else { continue };
        if let Some((first, _)) = found.iter().find(|(other, _)| frame.from < other.to && other.from < frame.to) {
            let (first, second) = (shown(*first), shown(frame));
            let message = Message::new(
                format!("{second} 和同一天的 {first} 重叠"),
                format!("{second} overlaps with {first} of the same day"),
            );
            faults.push(Fault::error(item.place.clone(), message));
            continue;
        }
        found.push((frame, item));
    }
    let mut frames: Vec<Frame> = found.into_iter().map(|(frame, _)| frame).collect();
    frames.sort_unstable();
    frames
}

fn expected() -> Message {
    Message::new("时段，例如 \"09:30-12:00\"", "a frame such as \"09:30-12:00\"")
}

/// The hours of something that begins once a day; ends that are the same mean a whole day.
pub fn hours(node: &Node, faults: &mut Vec<Fault>) -> Option<Frame> {
    let (from, to) = ends(node, faults)?;
    let from = if from == DAY { 0 } else { from };
    Some(Frame { from, to: if to <= from { to + DAY } else { to } })
}

fn ends(node: &Node, faults: &mut Vec<Fault>) -> Option<(u32, u32)> {
    let folded = node.text().map(|text| fold(text).into_owned());
    let ends = folded.as_deref().and_then(split).and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    if ends.is_none() {
        let hint = Message::new(
            "写 时:分-时:分，从 00:00 到 24:00；跨夜的写 \"21:00-09:00\"",
            "write hours:minutes from 00:00 to 24:00; over midnight it is \"21:00-09:00\"",
        );
        faults.push(node.expected(&expected()).with_hint(hint));
    }
    ends
}

fn one(node: &Node, faults: &mut Vec<Fault>) -> Option<Frame> {
    let (from, to) = ends(node, faults)?;
    if from == to || from == DAY {
        let message = Message::new(
            format!("“{}” 里没有时间", node.text().unwrap_or_default()),
            format!("there is no time in `{}`", node.text().unwrap_or_default()),
        );
        let hint = Message::new("整天写 \"00:00-24:00\"", "the whole day is \"00:00-24:00\"");
        faults.push(Fault::error(node.place.clone(), message).with_hint(hint));
        return None;
    }
    Some(Frame { from, to: if to < from { to + DAY } else { to } })
}

/// The two sides of the first dash.
fn split(text: &str) -> Option<(&str, &str)> {
    let (from, to) = DASHES.iter().find_map(|dash| text.split_once(dash))?;
    Some((from.trim(), to.trim()))
}

/// `9:30` in minutes from midnight; `24:00` is the last.
pub fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str, lengths: std::ops::RangeInclusive<usize>| -> Option<u32> {
        let plain = lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = (number(hour, 1..=2)?, number(minute, 2..=2)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY).then_some(all)
}

/// `09:30-12:00`.
pub fn shown(frame: Frame) -> String {
    let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let to = if frame.to > DAY { frame.to - DAY } else { frame.to };
    format!("{}-{}", clock(frame.from), clock(to))
}

/// The days that a key of `week` means, Monday being 0: one, a range (also over Sunday), or all.
pub fn weekdays(key: &Key, faults: &mut Vec<Fault>) -> Vec<usize> {
    let text = fold(&key.text);
    if DAILY.contains(&text.as_ref()) {
        return (0..7).collect();
    }
    if let Some(day) = day(&text) {
        return vec![day];
    }
    if let Some((Some(from), Some(to))) = split(&text).map(|(from, to)| (day(from), day(to))) {
        return (0..7).map(|more| (from + more) % 7).take((to + 7 - from) % 7 + 1).collect();
    }
    let message =
        Message::new(format!("“{}” 不是一周里的日子", key.text), format!("`{}` is no day of the week", key.text));
    let near =
        nearest(&text, DAYS.iter().filter_map(|words| words.first().copied()).chain(["mon-fri", "sat-sun", "daily"]));
    let hint = near.map_or_else(
        || {
            Message::new(
                "写 mon-fri、sat、sat-sun、daily，或 周一至周五、周六、每天",
                "write mon-fri, sat, sat-sun or daily",
            )
        },
        did_you_mean,
    );
    faults.push(Fault::error(key.place.clone(), message).with_hint(hint));
    Vec::new()
}

/// A day of the week, Monday being 0; `text` is folded.
pub fn day(text: &str) -> Option<usize> {
    DAYS.iter().position(|words| words.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{adapters::yaml::parse::parse, domain::fault::Place};

    fn read(text: &str) -> (Vec<String>, String) {
        let mut faults = Vec::new();
        let node = parse("t.yaml", text, &mut faults).unwrap();
        let frames = frames(&node, &mut faults).into_iter().map(shown).collect();
        (frames, faults.iter().map(|fault| fault.message.en.clone()).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn frames_are_read_as_people_write_them() {
        for (text, expected) in [
            ("[\"13:30-18:30\", \"09:30-12:00\"]", "09:30-12:00 13:30-18:30"),
            ("9:30-12:00", "09:30-12:00"),
            ("[]", ""),
            ("\"00:00-24:00\"", "00:00-24:00"),
            ("\"21:00-09:00\"", "21:00-09:00"),
            ("\"21:00-00:00\"", "21:00-24:00"),
            ("\"09：30 – 12：00\"", "09:30-12:00"),
            ("[9:00至12:00, 12:00到13:00]", "09:00-12:00 12:00-13:00"),
        ] {
            let (frames, faults) = read(text);
            assert_eq!(frames.join(" "), expected, "{text}");
            assert_eq!(faults, "", "{text}");
        }
    }

    #[test]
    fn what_is_no_frame_is_explained() {
        for (text, expected) in [
            ("", "expected a frame such as \"09:30-12:00\", found nothing"),
            ("9-18", "expected a frame such as \"09:30-12:00\", found `9-18`"),
            ("\"09:60-12:00\"", "expected a frame such as \"09:30-12:00\", found `09:60-12:00`"),
            ("\"09:00-24:30\"", "expected a frame such as \"09:30-12:00\", found `09:00-24:30`"),
            ("\"+9:00-12:00\"", "expected a frame such as \"09:30-12:00\", found `+9:00-12:00`"),
            ("{ from: 9 }", "expected a frame such as \"09:30-12:00\", found a mapping"),
            ("[[a]]", "expected a frame such as \"09:30-12:00\", found a list"),
            ("\"09:00-09:00\"", "there is no time in `09:00-09:00`"),
            ("\"24:00-09:00\"", "there is no time in `24:00-09:00`"),
            ("[\"09:00-12:00\", \"11:00-13:00\"]", "11:00-13:00 overlaps with 09:00-12:00 of the same day"),
        ] {
            assert_eq!(read(text).1, expected, "{text}");
        }
        let many = format!("[{}]", (0..13).map(|hour| format!("{hour}:00-{hour}:30")).collect::<Vec<_>>().join(", "));
        let (frames, faults) = read(&many);
        assert_eq!((frames.len(), faults.as_str()), (FRAMES_MAX, "a day has at most 12 frames, not 13"));
    }

    #[test]
    fn days_are_read_as_people_write_them() {
        let read = |text: &str| {
            let mut faults = Vec::new();
            let days = weekdays(&Key { text: text.to_string(), place: Place::file("t.yaml") }, &mut faults);
            (days, faults.len())
        };
        for (text, days) in [
            ("mon", vec![0]),
            ("Sun", vec![6]),
            ("mon-fri", vec![0, 1, 2, 3, 4]),
            ("sat-sun", vec![5, 6]),
            ("sun-thu", vec![6, 0, 1, 2, 3]),
            ("fri-fri", vec![4]),
            ("Monday - Tuesday", vec![0, 1]),
            ("周一-周五", vec![0, 1, 2, 3, 4]),
            ("周一至周五", vec![0, 1, 2, 3, 4]),
            ("星期六", vec![5]),
            ("周天", vec![6]),
            ("daily", vec![0, 1, 2, 3, 4, 5, 6]),
            ("每天", vec![0, 1, 2, 3, 4, 5, 6]),
        ] {
            assert_eq!(read(text), (days, 0), "{text}");
        }
        for text in ["", "mo", "mon-", "workdays", "1-5", "mon,tue"] {
            assert_eq!(read(text), (Vec::new(), 1), "{text}");
        }
    }
}
