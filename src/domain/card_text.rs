//! A card as lines of plain text, for terminals and programs: the title, the body without its markup, the buttons, the small print.

use crate::domain::card::Card;

/// The card as text.
pub fn text(card: &Card) -> String {
    let tags: String = card.tags.iter().map(|tag| format!(" [{tag}]")).collect();
    let mut lines = vec![format!("【{}】{}{tags}", card.colour.name(), card.title)];
    lines.extend(plain(&card.body).lines().map(|line| format!("  {line}")));
    if !card.buttons.is_empty() {
        let buttons: Vec<String> = card.buttons.iter().map(|button| format!("[ {} ]", button.text)).collect();
        lines.push(format!("  {}", buttons.join("  ")));
    }
    lines.extend((!card.hint.is_empty()).then(|| format!("  ({})", card.hint)));
    if !card.footer.is_empty() {
        lines.push(format!("  ({})", card.footer));
    }
    let lines: Vec<String> = lines.iter().map(|line| visible(line)).collect();
    lines.join("\n")
}

/// Card markdown as plain text: bold marks away, characters written as numbers back.
fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let unbold = markdown.replace("**", "");
    let mut rest = unbold.as_str();
    while let Some((before, after)) = rest.split_once("&#") {
        out.push_str(before);
        let decoded = after.split_once(';').and_then(|(number, after)| {
            let c = number.parse().ok().and_then(char::from_u32)?;
            Some((c, after))
        });
        rest = match decoded {
            Some((c, after)) => {
                out.push(c);
                after
            }
            None => {
                out.push_str("&#");
                after
            }
        };
    }
    out + rest
}

/// Without control characters: a guest's text must not steer the terminal.
fn visible(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::{Colour, escape_markdown};

    #[test]
    fn a_card_reads_as_it_looks() {
        let card = Card {
            title: "差评 · 打印机".to_string(),
            colour: Colour::Red,
            tags: vec!["P0".to_string()],
            body: format!("**原因**　{}\n第二行", escape_markdown("<b>*坏了* & 没人管\u{1b}</b>")),
            footer: "#4F7A2C".to_string(),
            ..Card::default()
        };
        let expected = "【red】差评 · 打印机 [P0]\n  原因　<b>*坏了* & 没人管</b>\n  第二行\n  (#4F7A2C)";
        assert_eq!(text(&card), expected);
    }
}
