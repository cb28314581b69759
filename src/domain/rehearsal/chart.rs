//! Text in columns: bars as characters, padding and wrapping that know how wide Chinese is.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Bars, the lowest first; nothing at all is the lowest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns a chart has at most; more values share one.
pub const CHART_WIDTH_MAX: usize = 31;

/// Values as bars. The lowest bar is nothing, the highest is the most there is.
pub fn bars(values: &[usize]) -> String {
    let share = values.len().div_ceil(CHART_WIDTH_MAX).max(1);
    let sums: Vec<usize> = values.chunks(share).map(|chunk| chunk.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or_default();
    let bar = |value: usize| {
        let height = if value == 0 { 0 } else { 1 + value.saturating_sub(1) * (BARS.len() - 2) / most.max(1) };
        let height = if value == most && value > 0 { BARS.len() - 1 } else { height };
        BARS.get(height).copied().unwrap_or(' ')
    };
    sums.into_iter().map(bar).collect()
}

/// Text on so many columns: cut with an ellipsis, or filled with spaces.
pub fn left(text: &str, width: usize) -> String {
    let cut = cut(text, width);
    let gap = width.saturating_sub(cut.width());
    format!("{cut}{}", " ".repeat(gap))
}

/// The same with the text at the right end.
pub fn right(text: &str, width: usize) -> String {
    let cut = cut(text, width);
    let gap = width.saturating_sub(cut.width());
    format!("{}{cut}", " ".repeat(gap))
}

fn cut(text: &str, width: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.width() <= width {
        return text;
    }
    let mut out = String::new();
    let mut used = 1; // the ellipsis
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Lines of at most `width` columns, all but the first begun with `indent` spaces. Breaks at spaces and beside Chinese.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let (mut out, mut line) = (String::new(), String::new());
    for piece in pieces(text) {
        if line.width() + piece.trim_end().width() > width && !line.trim().is_empty() {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            line.push_str(piece.trim_start());
        } else {
            line.push_str(piece);
        }
    }
    out.push_str(line.trim_end());
    out
}

/// The pieces a line can be broken between: words with the space behind them, single wide characters with the
/// punctuation behind them.
fn pieces(text: &str) -> Vec<&str> {
    let is_wide = |c: char| c.width() == Some(2);
    let closes = |c: char| matches!(c, '，' | '。' | '；' | '：' | '、' | '）' | '？' | '！' | '”' | '」');
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let breaks = before.is_some_and(|before| {
            (before == ' ' && c != ' ')
                || (!closes(c) && (is_wide(before) || is_wide(c)) && !matches!(before, '（' | '“' | '「'))
        });
        if breaks {
            pieces.extend(text.get(start..at));
            start = at;
        }
        before = Some(c);
    }
    pieces.extend(text.get(start..));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_nothing_something_and_the_most() {
        assert_eq!(bars(&[0, 1, 4, 8]), "▁▂▄█");
        assert_eq!(bars(&[0, 0]), "▁▁");
        assert_eq!(bars(&[1, 1]), "██");
        assert_eq!(bars(&[]), "");
        assert_eq!(bars(&[0, 1_000, 1]), "▁█▂");
        let quarter: Vec<usize> = (0..92).map(|day| usize::from(day == 91)).collect();
        assert_eq!(bars(&quarter).chars().count(), 31);
        assert!(bars(&quarter).ends_with('█'));
    }

    #[test]
    fn columns_count_what_is_seen() {
        assert_eq!(left("客服", 6), "客服  ");
        assert_eq!(left("客服沉默太久", 7), "客服沉…");
        assert_eq!(left("客服沉默太久", 8), "客服沉… ");
        assert_eq!(right("12", 4), "  12");
        assert_eq!(left("a\u{1b}[31m", 8), "a [31m  ");
    }

    #[test]
    fn lines_break_where_people_would() {
        assert_eq!(wrap("one two three", 8, 2), "one two\n  three");
        assert_eq!(wrap("历史里没有，可能多算", 12, 0), "历史里没有，\n可能多算");
        assert_eq!(wrap("averyverylongword x", 5, 0), "averyverylongword\nx");
        for width in 10..40 {
            let text = "客服沉默：30 天 312 次（最多 31 次）。把 age 30m → 45m 会少 41%。";
            let wrapped = wrap(text, width, 2);
            assert!(wrapped.lines().all(|line| line.width() <= width + 2), "{wrapped}");
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(bare(&wrapped), bare(text));
        }
    }
}
