//! Ticket ids as people type them: whole, by their last digits, several at once, in an address.

use std::borrow::Cow;

use crate::domain::command::fold::undress;

/// Digits of a ticket id as the platform has written them so far (`seeds`: `6626871355780366331`).
pub const FULL_ID_DIGITS: usize = 19;

/// Digits an id can have at most: the wire's number is a 64-bit one.
pub const ID_DIGITS_MAX: usize = 20;

/// Fewer digits than these are no try at a ticket id, where nothing else says so.
pub const TAIL_DIGITS_MIN: usize = 5;

/// Words between ids, beside blanks and punctuation.
const BETWEEN: [&str; 6] = ["和", "与", "跟", "以及", "还有", "and"];

/// What stands before a ticket's id in an address, and before ids of other things.
const TICKET_MARKS: [&str; 5] = ["ticket_id", "ticketid", "ticket-id", "/ticket/", "/tickets/"];
const OTHER_MARKS: [&str; 6] = ["helpdesk_id=", "helpdeskid=", "user_id=", "tenant_id=", "app_id=", "extra="];

/// Whether digits are the end of an id, not a whole one.
pub fn is_tail(id: &str) -> bool {
    (TAIL_DIGITS_MIN..FULL_ID_DIGITS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The whole ids in a text, each once, in order. Shorter runs of digits are other things: telephone numbers, dates,
/// an identity card's eighteen.
pub(super) fn whole(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = plain(word);
        let of_tickets = |run: &Run<'_>| run.ends_with(&TICKET_MARKS);
        let runs: Vec<Run<'_>> = runs(&word).into_iter().filter(Run::is_whole).collect();
        let marked = word.contains("://") && runs.iter().any(of_tickets);
        for run in &runs {
            let other = word.contains("://") && run.ends_with(&OTHER_MARKS);
            if !other && (!marked || of_tickets(run)) && found.iter().all(|id| id != run.digits) {
                found.push(run.digits.to_string());
            }
        }
    }
    found
}

/// The ids of a text that is nothing but ids: digits, dressed, apart by blanks, punctuation or a word between; or one
/// whole id split by blanks.
pub(super) fn only(text: &str) -> Option<Vec<String>> {
    let mut spaced = format!(" {} ", undress(text));
    for word in BETWEEN {
        let apart = if word.is_ascii() { format!(" {word} ") } else { word.to_string() };
        spaced = spaced.replace(&apart, " ");
    }
    let apart = |c: char| c.is_whitespace() || ",、;，；/|+&.。".contains(c);
    let pieces: Vec<&str> = spaced.split(apart).map(undress).filter(|piece| !piece.is_empty()).collect();
    if pieces.is_empty() || !pieces.iter().all(|piece| piece.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let joined = pieces.concat();
    let is_split = pieces.len() > 1 && pieces.iter().all(|piece| piece.len() < TAIL_DIGITS_MIN + 3);
    if is_split && joined.len() == FULL_ID_DIGITS {
        return Some(vec![joined]);
    }
    let mut ids: Vec<String> = Vec::new();
    for piece in pieces {
        if ids.iter().all(|id| id != piece) {
            ids.push(piece.to_string());
        }
    }
    Some(ids)
}

/// The runs of digits in a sentence that can be a ticket's last digits.
pub(super) fn tails(text: &str) -> Vec<String> {
    let all = runs(text);
    all.into_iter().map(|run| run.digits).filter(|digits| is_tail(digits)).map(str::to_string).collect()
}

/// A run of digits, and what stands before it.
struct Run<'a> {
    before: &'a str,
    digits: &'a str,
}

impl Run<'_> {
    fn is_whole(&self) -> bool {
        (FULL_ID_DIGITS..=ID_DIGITS_MAX).contains(&self.digits.len())
    }

    fn ends_with(&self, marks: &[&str]) -> bool {
        let before = self.before.trim_end_matches(['=', '"', ':', ' ', '{']);
        marks.iter().any(|mark| self.before.ends_with(mark) || before.ends_with(mark.trim_end_matches('=')))
    }
}

fn runs(text: &str) -> Vec<Run<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find(|c: char| c.is_ascii_digit())).map(|it| it + at) {
        let rest = text.get(start..).unwrap_or_default();
        let end = start + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if let (Some(before), Some(digits)) = (text.get(..start), text.get(start..end)) {
            found.push(Run { before, digits });
        }
        at = end;
    }
    found
}

/// An address with its `%3D` written out; any other word as it is.
fn plain(word: &str) -> Cow<'_, str> {
    if !(word.contains("://") && word.contains('%')) {
        return Cow::Borrowed(word);
    }
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii_graphic);
        match code.zip(after.get(2..)) {
            Some((byte, after)) => {
                out.push(char::from(byte));
                rest = after;
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "6626871355780366331";
    const OTHER: &str = "6626871355780366332";

    #[test]
    fn ids_are_found_in_sentences_and_addresses() {
        let link = |query: &str| format!("https://feishu.cn/helpdesk/x?{query}");
        for (text, expected) in [
            (format!("查一下{ONE}这单"), vec![ONE]),
            (format!("{ONE} 和 {OTHER}，{ONE}"), vec![ONE, OTHER]),
            (link(&format!("ticket_id={ONE}&helpdesk_id={OTHER}")), vec![ONE]),
            (link(&format!("helpdesk_id={OTHER}&ticketId%3D{ONE}").to_lowercase()), vec![ONE]),
            (link(&format!("helpdesk_id={OTHER}")), vec![]),
            (link(&format!("next=%2Fticket%2F{ONE}%3Fx")), vec![ONE]),
            (format!("[工单]({})", link(&format!("id={ONE}"))), vec![ONE]),
            (format!("{ONE}00"), vec![]),
            ("110105194912310021".to_string(), vec![]),
        ] {
            assert_eq!(whole(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_message_of_ids_and_nothing_else() {
        for (text, expected) in [
            ("366331", Some(vec!["366331"])),
            ("#366331, 547174", Some(vec!["366331", "547174"])),
            ("366331 和 547174", Some(vec!["366331", "547174"])),
            ("6626 8713 5578 0366 331", Some(vec![ONE])),
            ("6626871 3557803 66331", Some(vec![ONE])),
            ("尾号366331", Some(vec!["366331"])),
            ("366331吗", None),
            ("", None),
            ("。。。", None),
        ] {
            let expected = expected.map(|ids| ids.into_iter().map(str::to_string).collect::<Vec<_>>());
            assert_eq!(only(text), expected, "{text}");
        }
    }
}
