//! Draws what is new in the chats for a terminal: cards as a person sees them, wide characters in their columns. Text
//! in, text out; it prints nothing itself.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    cli::demo::watch::{Seen, What},
    domain::{
        text::{Locale, Words},
        time::Zone,
    },
    sim::card::View,
};

/// Columns of a card, its frame included.
const COLUMNS: usize = 76;

/// Columns of a line of text inside the frame.
const INNER: usize = COLUMNS - 4;

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Draws.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Whether the terminal understands colours.
    pub has_colour: bool,
    /// Where the times are read.
    pub zone: Zone,
    /// The language of what stands around the cards.
    pub locale: Locale,
}

impl Screen {
    /// Something new, as lines that end in a line break.
    pub fn draw(self, seen: &Seen) -> String {
        let time = self.zone.local(seen.at).format("%H:%M").to_string();
        let chat = one_line(&seen.chat);
        let head = |what: &str| format!("{}\n", self.paint(BOLD, &format!("{time}  {chat}{what}")));
        match &seen.what {
            What::Words(who, words) => {
                let colon = self.word("：", ": ");
                format!("{}  {}{colon}{}\n\n", head("").trim_end(), one_line(who), one_line(words))
            }
            What::Click(who, button) => {
                let clicks = self.word(" 点按钮：", " clicks: ");
                format!("{}  {}{clicks}[{}]\n\n", head("").trim_end(), one_line(who), one_line(button))
            }
            What::Card(view) => head("") + &self.card(view),
            What::Answer(who, view) => {
                let what = self.word(" · 回复 ", " · in reply to ");
                head(&format!("{what}{}", one_line(who))) + &self.card(view)
            }
            What::FollowUp(view) => head(self.word(" · 回复卡片", " · in reply to a card")) + &self.card(view),
            What::Update(view) => head(self.word(" · 卡片更新", " · a card changed")) + &self.card(view),
        }
    }

    const fn word(self, zh: &'static str, en: &'static str) -> &'static str {
        Words { zh, en }.get(self.locale)
    }

    fn card(self, view: &View) -> String {
        let colour = ansi(&view.colour);
        let tags: Vec<String> = view.tags.iter().map(|tag| format!("[{}]", one_line(tag))).collect();
        let mut title = one_line(&view.title);
        if !tags.is_empty() {
            title = format!("{title}  {}", tags.join(" "));
        }
        let mut out = format!("{}\n", self.paint(colour, &format!("┏{}┓", "━".repeat(COLUMNS - 2))));
        for line in wrapped(&title) {
            out.push_str(&self.row(colour, "┃", &[colour, BOLD].concat(), &line));
        }
        for text in &view.body {
            if text.is_empty() {
                out.push_str(&self.row(colour, "│", DIM, &"─".repeat(INNER)));
            }
            for line in wrapped(&one_line(text)) {
                out.push_str(&self.row(colour, "│", "", &line));
            }
        }
        for text in &view.footer {
            for line in wrapped(&one_line(text)) {
                out.push_str(&self.row(colour, "│", DIM, &line));
            }
        }
        out.push_str(&format!("{}\n\n", self.paint(colour, &format!("└{}┘", "─".repeat(COLUMNS - 2)))));
        out
    }

    /// One line between the frame's sides, filled up to its right one.
    fn row(self, colour: &str, side: &str, style: &str, text: &str) -> String {
        let side = self.paint(colour, side);
        let fill = " ".repeat(INNER.saturating_sub(text.width()));
        format!("{side} {}{fill} {side}\n", self.paint(style, text))
    }

    fn paint(self, style: &str, text: &str) -> String {
        if self.has_colour && !style.is_empty() { format!("{style}{text}{RESET}") } else { text.to_string() }
    }
}

/// The terminal's colour for a card header's.
fn ansi(colour: &str) -> &'static str {
    match colour {
        "red" | "carmine" => "\u{1b}[31m",
        "green" | "lime" => "\u{1b}[32m",
        "yellow" | "orange" => "\u{1b}[33m",
        "blue" | "wathet" | "indigo" => "\u{1b}[34m",
        "purple" | "violet" => "\u{1b}[35m",
        "turquoise" => "\u{1b}[36m",
        _ => "\u{1b}[90m",
    }
}

/// Text without anything a terminal would obey.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text in lines of at most [`INNER`] columns; words of narrow letters stay whole where they can.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if line.width() + piece.trim_end().width() > INNER && !line.is_empty() {
            lines.push(line.trim_end().to_string());
            line.clear();
        }
        for c in piece.chars() {
            if line.width() + c.width().unwrap_or(0) > INNER {
                lines.push(line.trim_end().to_string());
                line.clear();
            }
            if !(line.is_empty() && c == ' ' && !lines.is_empty()) {
                line.push(c);
            }
        }
    }
    if !line.trim_end().is_empty() {
        lines.push(line.trim_end().to_string());
    }
    lines
}

/// Where a line may break: around each wide character, and after blanks.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut stays = false;
    for c in text.chars() {
        let is_narrow = c.width().unwrap_or(0) < 2;
        match pieces.last_mut() {
            Some(last) if stays && is_narrow => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        stays = is_narrow && c != ' ';
    }
    pieces
}

#[cfg(test)]
mod tests {
    use crate::domain::time::Timestamp;

    use super::*;

    fn screen(has_colour: bool) -> Screen {
        Screen { has_colour, zone: Zone(chrono_tz::Asia::Shanghai), locale: Locale::Zh }
    }

    fn seen(what: What) -> Seen {
        let at = Timestamp::from_ms(1_793_635_200_000 + 612 * 60_000);
        Seen { at, chat: "IT 支持群".to_string(), what, content: String::new() }
    }

    fn view() -> View {
        View {
            title: "待用户响应太久 · 申请访问设计部共享盘（尾号 366331）".to_string(),
            colour: "orange".to_string(),
            tags: vec!["P2".to_string()],
            body: vec![
                "状态是“待用户响应”，已经 24 小时；负责人王磊，客户林晓（市场部），系统 VPN，工单 7157961378652045340，请再问一句"
                    .to_string(),
                String::new(),
                "请再问一句，或说明后关闭工单".to_string(),
            ],
            footer: vec!["数据截至 10:12 · 规则 待用户响应太久 · #4F7A2C".to_string()],
        }
    }

    #[test]
    fn a_card_stands_straight_in_its_frame() {
        let drawn = screen(false).draw(&seen(What::Card(view())));
        assert!(drawn.starts_with("10:12  IT 支持群\n┏━"), "{drawn}");
        assert!(!drawn.contains('\u{1b}'));
        for line in drawn.lines().skip(1).filter(|line| !line.is_empty()) {
            assert_eq!(line.width(), COLUMNS, "{line}");
        }
        for words in ["[P2]", "7157961378652045340", "#4F7A2C", "┃ 待用户响应太久"] {
            assert!(drawn.contains(words), "{words} in\n{drawn}");
        }
    }

    #[test]
    fn each_kind_says_what_it_is() {
        let table = [
            (What::Words("王磊".to_string(), "@deskbell /ticket 7".to_string()), "10:12  IT 支持群  王磊：@deskbell"),
            (What::Click("王磊".to_string(), "我来处理".to_string()), "10:12  IT 支持群  王磊 点按钮：[我来处理]\n"),
            (What::Answer("王磊".to_string(), view()), "10:12  IT 支持群 · 回复 王磊\n"),
            (What::FollowUp(view()), "10:12  IT 支持群 · 回复卡片\n"),
            (What::Update(view()), "10:12  IT 支持群 · 卡片更新\n"),
        ];
        for (what, expected) in table {
            let drawn = screen(false).draw(&seen(what));
            assert!(drawn.starts_with(expected) && drawn.ends_with("\n\n"), "{drawn}");
        }
    }

    #[test]
    fn colours_only_colour() {
        let (plain, bright) =
            (screen(false).draw(&seen(What::Card(view()))), screen(true).draw(&seen(What::Card(view()))));
        let mut stripped = bright.clone();
        for code in [BOLD, DIM, RESET, ansi("orange")] {
            stripped = stripped.replace(code, "");
        }
        assert_ne!(plain, bright);
        assert_eq!(plain, stripped);
    }

    #[test]
    fn nothing_from_outside_commands_the_terminal() {
        let words = What::Words("a\u{1b}[2J".to_string(), "b\r\nc\u{7}".to_string());
        let drawn = screen(false).draw(&seen(words));
        assert_eq!(drawn.chars().filter(|c| c.is_control()).collect::<String>(), "\n\n");
    }

    #[test]
    fn long_texts_wrap_and_short_ones_do_not() {
        let table = [("", 0), ("短", 1), (&"宽".repeat(36), 1), (&"宽".repeat(37), 2), (&"x".repeat(145), 3)];
        for (text, lines) in table {
            let wrapped = wrapped(text);
            assert_eq!(wrapped.len(), lines, "{text}");
            assert_eq!(wrapped.concat(), text);
        }
        let words = wrapped(&format!("{} word", "x".repeat(70)));
        assert_eq!(words[1], "word", "a word stays whole");
    }
}
