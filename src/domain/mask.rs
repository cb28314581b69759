//! Masks what identifies a person in a text: telephone numbers, email addresses, identity cards, bank cards. What is
//! left (`138****5678`) still tells whoever knows the number that it is this one. Ticket ids stay: people search for them.

/// Digits of a mainland mobile number.
const MOBILE_DIGITS: usize = 11;

/// Characters of an identity card's number.
const ID_CARD_CHARS: usize = 18;

/// Digits of a bank card's number.
const BANK_DIGITS_MIN: usize = 15;
const BANK_DIGITS_MAX: usize = 19;

/// Digits of a number with a country code.
const FOREIGN_DIGITS_MIN: usize = 8;
const FOREIGN_DIGITS_MAX: usize = 15;

/// Characters a number may be spread over, its blanks and dashes included.
const SPREAD_MAX: usize = 32;

/// Characters before an `@` that are looked at.
const MAIL_NAME_MAX: usize = 64;

/// Weights of an identity card's check digit (GB 11643).
const ID_CARD_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Its check digits, by the sum modulo 11.
const ID_CARD_CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// Plain text with everything personal masked.
pub fn mask(text: &str) -> String {
    let chars: Vec<Piece> = text.char_indices().map(|(at, c)| Piece::new(c, at, at + c.len_utf8())).collect();
    masked(text, &chars, "*")
}

/// The same of card markdown: numbered characters (`&#64;`) count as what they show; tags and the addresses of links are
/// left alone.
pub fn mask_markdown(text: &str) -> String {
    let mut pieces = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(c) = rest.chars().next() else { break };
        let end = match c {
            '<' => rest.find('>').map(|end| end + 1),
            ']' if rest.starts_with("](") => rest.find(')').map(|end| end + 1),
            _ => None,
        };
        if let Some(end) = end {
            pieces.push(Piece::new('\n', at, at + end)); // nothing personal reaches across it
            at += end;
        } else if let Some((shown, length)) = numbered(rest) {
            pieces.push(Piece::new(shown, at, at + length));
            at += length;
        } else {
            pieces.push(Piece::new(c, at, at + c.len_utf8()));
            at += c.len_utf8();
        }
    }
    masked(text, &pieces, "&#42;") // a bare one would be emphasis
}

/// A character as it is shown, and the bytes it stands in.
#[derive(Clone, Copy, Debug)]
struct Piece {
    shown: char,
    from: usize,
    to: usize,
}

impl Piece {
    const fn new(shown: char, from: usize, to: usize) -> Self {
        Self { shown, from, to }
    }
}

/// `&#64;` as the character it shows, and its length.
fn numbered(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix("&#")?;
    let end = rest.bytes().take(8).position(|byte| byte == b';')?;
    let shown = char::from_u32(rest.get(..end)?.parse().ok()?)?;
    Some((shown, end + 3))
}

fn masked(text: &str, pieces: &[Piece], mark: &str) -> String {
    let mut hidden = vec![false; pieces.len()];
    let shown: Vec<char> = pieces.iter().map(|piece| piece.shown).collect();
    hide_numbers(&shown, &mut hidden);
    hide_mails(&shown, &mut hidden);
    let mut out = String::with_capacity(text.len());
    for (piece, hidden) in pieces.iter().zip(hidden) {
        if hidden {
            out.push_str(mark);
        } else {
            out.push_str(text.get(piece.from..piece.to).unwrap_or_default());
        }
    }
    out
}

/// Hides the middle of every number that is personal.
fn hide_numbers(shown: &[char], hidden: &mut [bool]) {
    let mut at = 0;
    while at < shown.len() {
        let begins = is_number(shown, at) && !at.checked_sub(1).is_some_and(|before| continues(shown, before));
        if !begins {
            at += 1;
            continue;
        }
        match personal(shown, at) {
            Some(places) => {
                let (first, last) = kept(places.len());
                for place in places.get(first..places.len() - last).unwrap_or_default() {
                    hidden[*place] = true;
                }
                at = places.last().map_or(at, |last| *last) + 1;
            }
            None => {
                while at < shown.len() && continues(shown, at) {
                    at += 1;
                }
                at += 1;
            }
        }
    }
}

fn is_number(shown: &[char], at: usize) -> bool {
    shown.get(at).is_some_and(|c| c.is_ascii_digit() || *c == '+')
}

/// Whether a number goes on here: a longer word or number is another thing.
fn continues(shown: &[char], at: usize) -> bool {
    shown.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+'))
}

/// How many digits stay at both ends.
const fn kept(digits: usize) -> (usize, usize) {
    match digits {
        ID_CARD_CHARS => (6, 4),
        0..=10 => (2, 2),
        _ => (3, 4),
    }
}

/// The places of the digits of a personal number that begins here.
fn personal(shown: &[char], from: usize) -> Option<Vec<usize>> {
    let solid = digits(shown, from, false);
    let spread = digits(shown, from, true);
    let ends_here = |places: &[usize]| places.last().is_none_or(|last| !continues(shown, last + 1));
    let good = |places: &Vec<usize>| {
        let text: String = places.iter().filter_map(|place| shown.get(*place)).collect();
        ends_here(places) && is_personal(&text, shown.get(from) == Some(&'+'))
    };
    [solid, spread].into_iter().find(good)
}

/// The places of a run of digits, with single blanks and dashes in between where `spread`.
fn digits(shown: &[char], from: usize, spread: bool) -> Vec<usize> {
    let mut places = Vec::new();
    let start = from + usize::from(shown.get(from) == Some(&'+'));
    let mut gap = false;
    for (at, c) in shown.iter().enumerate().skip(start).take(SPREAD_MAX) {
        match c {
            '0'..='9' => {
                places.push(at);
                gap = false;
            }
            'X' | 'x' if places.len() == ID_CARD_CHARS - 1 && !gap => {
                places.push(at);
                break;
            }
            ' ' | '-' if spread && !gap && !places.is_empty() => gap = true,
            _ => break,
        }
    }
    places
}

fn is_personal(text: &str, has_country: bool) -> bool {
    if has_country {
        return (FOREIGN_DIGITS_MIN..=FOREIGN_DIGITS_MAX).contains(&text.len());
    }
    is_mobile(text)
        || text.strip_prefix("86").is_some_and(is_mobile)
        || is_landline(text)
        || is_id_card(text)
        || is_bank_card(text)
}

fn is_mobile(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == MOBILE_DIGITS && bytes.first() == Some(&b'1') && bytes.get(1).is_some_and(|second| *second >= b'3')
}

/// An area code and a subscriber's number: `010-12345678`.
fn is_landline(text: &str) -> bool {
    text.starts_with('0') && !text.starts_with("00") && (MOBILE_DIGITS..=MOBILE_DIGITS + 1).contains(&text.len())
}

fn is_id_card(text: &str) -> bool {
    if text.len() != ID_CARD_CHARS || !text.starts_with(|first: char| matches!(first, '1'..='9')) {
        return false;
    }
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let born = (1_900..2_100).contains(&number(6, 10)) && (1..=12).contains(&number(10, 12));
    let sum: u32 = text.chars().zip(ID_CARD_WEIGHTS).map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight).sum();
    let check = usize::try_from(sum % 11).ok().and_then(|rest| ID_CARD_CHECKS.get(rest).copied());
    born && (1..=31).contains(&number(12, 14)) && text.chars().last().map(|last| last.to_ascii_uppercase()) == check
}

/// A number of one of the card schemes whose check digit is right.
fn is_bank_card(text: &str) -> bool {
    let scheme = match text.as_bytes() {
        [b'6', b'2', ..] => text.len() >= 16,
        [b'4', ..] | [b'5', b'1'..=b'5', ..] | [b'3', b'5', ..] => text.len() == 16,
        [b'3', b'4' | b'7', ..] => text.len() == 15,
        _ => false,
    };
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    let sum: u32 = digits.map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum();
    scheme && (BANK_DIGITS_MIN..=BANK_DIGITS_MAX).contains(&text.len()) && sum.is_multiple_of(10)
}

/// Hides the name of every email address but its first character.
fn hide_mails(shown: &[char], hidden: &mut [bool]) {
    let is_name = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '%');
    for (at, _) in shown.iter().enumerate().filter(|(_, c)| **c == '@') {
        let before = shown.get(at.saturating_sub(MAIL_NAME_MAX)..at).unwrap_or_default();
        let length = before.iter().rev().take_while(|c| is_name(c)).count();
        let host: String = shown.iter().skip(at + 1).take(MAIL_NAME_MAX).take_while(|c| is_name(c)).collect::<String>();
        let is_host =
            host.trim_end_matches('.').split_once('.').is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty());
        if length == 0 || !is_host {
            continue;
        }
        // The character before the `@` is always hidden: no part of what is left reads as an address.
        let from = at - length + usize::from(length > 1);
        for place in hidden.get_mut(from..at).unwrap_or_default() {
            *place = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::card::{escape_markdown, shown};

    #[test]
    fn what_is_personal_is_masked_and_the_rest_is_not() {
        let table = [
            ("打 13812345678 找他", "打 138****5678 找他"),
            ("电话13812345678。", "电话138****5678。"),
            ("138 1234 5678", "138 **** 5678"),
            ("138-1234-5678", "138-****-5678"),
            ("+86 13812345678", "+86 1******5678"),
            ("8613812345678", "861******5678"),
            ("+1 415-555-2671", "+1 41*-***-2671"),
            ("010-62345678", "010-****5678"),
            ("li.lei@example.com", "l*****@example.com"),
            ("写信给 a@b.cn 吧", "写信给 *@b.cn 吧"),
            ("身份证 11010519491231002X", "身份证 110105********002X"),
            ("卡号 6222020200112233446", "卡号 622************3446"),
            // Not personal, or no such number.
            ("工单 6626871355780366331", "工单 6626871355780366331"),
            ("#4F7A2C", "#4F7A2C"),
            ("订单 20261120123456", "订单 20261120123456"),
            ("2026-11-20 10:00", "2026-11-20 10:00"),
            ("12345678901", "12345678901"),
            ("1381234567890", "1381234567890"),
            ("a13812345678b", "a13812345678b"),
            ("@所有人", "@所有人"),
            ("a@b", "a@b"),
            ("110105194912310021", "110105194912310021"),
            ("6222020200112233441", "6222020200112233441"),
        ];
        for (text, expected) in table {
            assert_eq!(mask(text), expected, "{text}");
            assert_eq!(shown(&mask_markdown(&escape_markdown(text))), expected, "escaped: {text}");
        }
    }

    #[test]
    fn tags_and_the_addresses_of_links_stay_as_they_are() {
        let body = "<at id=ou_13812345678></at> [单](https://a.cn/13812345678?to=li@example.com) 13812345678";
        let expected =
            "<at id=ou_13812345678></at> [单](https://a.cn/13812345678?to=li@example.com) 138&#42;&#42;&#42;&#42;5678";
        assert_eq!(mask_markdown(body), expected);
    }

    proptest! {
        #[test]
        fn any_text_keeps_its_length_and_nothing_personal(text in "[0-9a-z@.+ \\-中xX]{0,60}") {
            let once = mask(&text);
            prop_assert_eq!(once.chars().count(), text.chars().count());
            prop_assert_eq!(mask(&once), once.clone(), "what is left is not personal: {}", once);
        }

        #[test]
        fn anything_goes_in(text in any::<String>()) {
            mask(&text);
            mask_markdown(&text);
        }
    }
}
