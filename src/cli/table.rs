//! Tables in the terminal: columns that stay aligned with Chinese in them, nothing that has to be looked up.

use comfy_table::{ContentArrangement, Table, presets::NOTHING};

/// Characters a cell shows.
const CELL_CHARS_MAX: usize = 200;

/// A table with a head and rows.
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| tidy(cell)));
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Text from outside for one cell: one line, no control characters, not endless.
fn tidy(text: &str) -> String {
    let mut out: String = text.chars().take(CELL_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(CELL_CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_cannot_steer_the_terminal() {
        let shown = table(&["name"], [vec!["a\u{1b}[31m\nb".to_string()], vec!["x".repeat(500)]]);
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(shown.contains('…'));
    }
}
