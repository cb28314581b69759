//! Masks what identifies a person in a text: telephone numbers, email addresses, identity cards, bank cards. What is
//! left (`138****5678`) still tells whoever knows the number that it is this one. Ticket ids stay: people search for them.
//!
//! Numbers are read as people write them: with blanks, dashes and full stops between their groups, in full-width digits,
//! with or without a country code. A mask has as many characters as what it hides.

/// Digits of a mainland mobile number.
const MOBILE_DIGITS: usize = 11;

/// Characters of an identity card's number.
const ID_CARD_CHARS: usize = 18;

/// Digits of one issued before 2000: no century, no check digit.
const OLD_ID_CARD_DIGITS: usize = 15;

/// Digits of a bank card's number (ISO/IEC 7812).
const BANK_DIGITS_MIN: usize = 12;
const BANK_DIGITS_MAX: usize = 19;

/// Digits of a number with a country code.
const FOREIGN_DIGITS_MIN: usize = 8;
const FOREIGN_DIGITS_MAX: usize = 15;

/// Characters a number may be spread over, its blanks and dashes included.
const SPREAD_MAX: usize = 48;

/// Blanks, dashes and full stops between two groups of a number: ` - `.
const GAP_MAX: usize = 3;

/// Characters before an `@` that are looked at.
const MAIL_NAME_MAX: usize = 64;

/// Digits below which a text holds no number of these.
const DIGITS_MIN: usize = 8;

/// Weights of an identity card's check digit (GB 11643).
const ID_CARD_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Its check digits, by the sum modulo 11.
const ID_CARD_CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// The first two digits of an identity card: the provinces (GB/T 2260).
const PROVINCES: [&str; 34] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44",
    "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
];

/// What card numbers begin with, and how long they are: UnionPay and the mainland's banks, Visa, Mastercard, Mir,
/// American Express, JCB, Diners Club, Discover, Maestro.
const ISSUERS: [(&str, usize, usize); 41] = [
    ("62", 16, 19),
    ("60", 16, 19),
    ("81", 16, 19),
    ("9558", 16, 19),
    ("9559", 16, 19),
    ("4", 13, 13),
    ("4", 16, 16),
    ("4", 19, 19),
    ("51", 16, 19),
    ("52", 16, 19),
    ("53", 16, 19),
    ("54", 16, 19),
    ("55", 16, 19),
    ("22", 16, 19),
    ("23", 16, 16),
    ("24", 16, 16),
    ("25", 16, 16),
    ("26", 16, 16),
    ("27", 16, 16),
    ("34", 15, 15),
    ("37", 15, 15),
    ("352", 16, 19),
    ("353", 16, 19),
    ("354", 16, 19),
    ("355", 16, 19),
    ("356", 16, 19),
    ("357", 16, 19),
    ("358", 16, 19),
    ("30", 14, 14),
    ("36", 14, 14),
    ("38", 14, 14),
    ("39", 14, 14),
    ("64", 16, 19),
    ("65", 16, 19),
    ("5018", BANK_DIGITS_MIN, BANK_DIGITS_MAX),
    ("5020", BANK_DIGITS_MIN, BANK_DIGITS_MAX),
    ("5038", BANK_DIGITS_MIN, BANK_DIGITS_MAX),
    ("5893", BANK_DIGITS_MIN, BANK_DIGITS_MAX),
    ("6304", BANK_DIGITS_MIN, BANK_DIGITS_MAX),
    ("6759", BANK_DIGITS_MIN, BANK_DIGITS_MAX),
    ("676", BANK_DIGITS_MIN, BANK_DIGITS_MAX),
];

/// Something that identifies a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Personal {
    /// A telephone number, mobile or not.
    Phone,
    /// An email address.
    Email,
    /// An identity card's number.
    IdCard,
    /// A bank card's number.
    BankCard,
}

impl Personal {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Phone, Self::Email, Self::IdCard, Self::BankCard];
}

/// Plain text with everything personal masked.
pub fn mask(text: &str) -> String {
    mask_only(text, &Personal::ALL, "")
}

/// Plain text in which these are masked. The number `keep` (a ticket's own) stays as it is.
pub fn mask_only(text: &str, what: &[Personal], keep: &str) -> String {
    if !may_hold(text) {
        return text.to_string();
    }
    let chars: Vec<Piece> = text.char_indices().map(|(at, c)| Piece::new(c, at, at + c.len_utf8())).collect();
    masked(text, &chars, "*", what, keep)
}

/// Whether a text has enough digits or an `@`: most have not.
fn may_hold(text: &str) -> bool {
    let mut digits = 0;
    text.chars().map(folded).any(|c| {
        digits += usize::from(c.is_ascii_digit());
        c == '@' || digits >= DIGITS_MIN
    })
}

/// All that is personal masked in card markdown: numbered characters (`&#64;`) count as what they show; tags and the
/// addresses of links are left alone.
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
    masked(text, &pieces, "&#42;", &Personal::ALL, "") // a bare one would be emphasis
}

/// A character as it is read, and the bytes it stands in.
#[derive(Clone, Copy, Debug)]
struct Piece {
    shown: char,
    from: usize,
    to: usize,
}

impl Piece {
    fn new(shown: char, from: usize, to: usize) -> Self {
        Self { shown: folded(shown), from, to }
    }
}

/// A character as its ASCII twin: full-width forms, every dash, every blank (also those that nobody sees).
fn folded(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{3000}' | '\u{a0}' | '\t' | '\u{2000}'..='\u{200d}' | '\u{202f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => ' ',
        _ => c,
    }
}

/// `&#64;` as the character it shows, and its length.
fn numbered(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix("&#")?;
    let end = rest.bytes().take(8).position(|byte| byte == b';')?;
    let shown = char::from_u32(rest.get(..end)?.parse().ok()?)?;
    Some((shown, end + 3))
}

fn masked(text: &str, pieces: &[Piece], mark: &str, what: &[Personal], keep: &str) -> String {
    let mut shown: Vec<char> = pieces.iter().map(|piece| piece.shown).collect();
    let mut hidden = vec![false; pieces.len()];
    // What is left of one number may read as a part of another: looked through until nothing is found.
    loop {
        let before = hidden.iter().filter(|hidden| **hidden).count();
        hide_numbers(&shown, &mut hidden, what, keep);
        if what.contains(&Personal::Email) {
            hide_mails(&shown, &mut hidden);
        }
        if hidden.iter().filter(|hidden| **hidden).count() == before {
            break;
        }
        for (c, _) in shown.iter_mut().zip(&hidden).filter(|(_, hidden)| **hidden) {
            *c = '*';
        }
    }
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
fn hide_numbers(shown: &[char], hidden: &mut [bool], what: &[Personal], keep: &str) {
    let is_digit = |at: usize| shown.get(at).is_some_and(char::is_ascii_digit);
    let mut at = 0;
    while at < shown.len() {
        let begins = (is_digit(at) || shown.get(at) == Some(&'+')) && !at.checked_sub(1).is_some_and(is_digit);
        if !begins {
            at += 1;
            continue;
        }
        if let Some((kind, places)) = personal(shown, at, what, keep) {
            let (first, last) = kept(kind, places.len());
            for place in places.get(first..places.len() - last).unwrap_or_default() {
                if let Some(hidden) = hidden.get_mut(*place) {
                    *hidden = true;
                }
            }
            at = places.last().map_or(at, |last| *last) + 1;
        } else {
            at += 1;
            while is_digit(at) {
                at += 1;
            }
        }
    }
}

/// How many digits stay at both ends.
const fn kept(kind: Personal, digits: usize) -> (usize, usize) {
    match (kind, digits) {
        (Personal::IdCard, _) => (6, 4),
        (_, 0..=10) => (2, 2),
        _ => (3, 4),
    }
}

/// The places of the digits of a personal number that begins here: of its groups as many as make one.
fn personal(shown: &[char], from: usize, what: &[Personal], keep: &str) -> Option<(Personal, Vec<usize>)> {
    let has_country = shown.get(from) == Some(&'+');
    let (mut places, ends) = groups(shown, from + usize::from(has_country));
    let text: String = places.iter().filter_map(|place| shown.get(*place)).collect();
    for end in ends.into_iter().rev() {
        let number = text.get(..end)?; // digits and an X: a byte each
        if !keep.is_empty() && number == keep {
            return None;
        }
        if let Some(kind) = kind_of(number, has_country).filter(|kind| what.contains(kind)) {
            places.truncate(end);
            return Some((kind, places));
        }
    }
    None
}

/// The places of the digits from here on, and after how many of them a group ends.
fn groups(shown: &[char], from: usize) -> (Vec<usize>, Vec<usize>) {
    let (mut places, mut ends, mut gap) = (Vec::new(), Vec::new(), 0);
    for (at, c) in shown.iter().enumerate().skip(from).take(SPREAD_MAX) {
        match c {
            '0'..='9' => {
                places.push(at);
                gap = 0;
            }
            'X' | 'x' if places.len() == ID_CARD_CHARS - 1 => {
                places.push(at);
                break;
            }
            ' ' | '-' | '.' if gap < GAP_MAX && !places.is_empty() => {
                if gap == 0 {
                    ends.push(places.len());
                }
                gap += 1;
            }
            _ => break,
        }
    }
    if ends.last() != Some(&places.len()) {
        ends.push(places.len());
    }
    (places, ends)
}

fn kind_of(text: &str, has_country: bool) -> Option<Personal> {
    let is_foreign = has_country && (FOREIGN_DIGITS_MIN..=FOREIGN_DIGITS_MAX).contains(&text.len());
    let at_home = |code: &str| text.strip_prefix(code).is_some_and(is_mobile);
    if is_foreign || is_mobile(text) || at_home("86") || at_home("0086") || is_landline(text) {
        return Some(Personal::Phone);
    }
    if is_id_card(text) || is_old_id_card(text) {
        return Some(Personal::IdCard);
    }
    is_bank_card(text).then_some(Personal::BankCard)
}

fn is_mobile(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == MOBILE_DIGITS && bytes.first() == Some(&b'1') && bytes.get(1).is_some_and(|second| *second >= b'3')
}

/// An area code and a subscriber's number: `010-12345678`, `0571-87654321`.
fn is_landline(text: &str) -> bool {
    let area = text.starts_with("010") || matches!(text.as_bytes(), [b'0', b'2'..=b'9', ..]);
    area && (MOBILE_DIGITS..=MOBILE_DIGITS + 1).contains(&text.len())
}

fn number(text: &str, from: usize, to: usize) -> u32 {
    text.get(from..to).and_then(|part| part.parse().ok()).unwrap_or(0)
}

/// Whether month and day of a birth stand there.
fn is_birthday(text: &str, from: usize) -> bool {
    (1..=12).contains(&number(text, from, from + 2)) && (1..=31).contains(&number(text, from + 2, from + 4))
}

fn is_id_card(text: &str) -> bool {
    if text.len() != ID_CARD_CHARS || !text.starts_with(|first: char| matches!(first, '1'..='9')) {
        return false;
    }
    let born = (1_900..2_100).contains(&number(text, 6, 10)) && is_birthday(text, 10);
    let sum: u32 = text.chars().zip(ID_CARD_WEIGHTS).map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight).sum();
    let check = usize::try_from(sum % 11).ok().and_then(|rest| ID_CARD_CHECKS.get(rest).copied());
    born && text.chars().last().map(|last| last.to_ascii_uppercase()) == check
}

fn is_old_id_card(text: &str) -> bool {
    let province = text.get(..2).is_some_and(|province| PROVINCES.contains(&province));
    text.len() == OLD_ID_CARD_DIGITS && province && is_birthday(text, 8)
}

/// A number of one of the issuers whose check digit is right (ISO/IEC 7812, Luhn).
fn is_bank_card(text: &str) -> bool {
    let issued =
        ISSUERS.iter().any(|(start, least, most)| text.starts_with(start) && (*least..=*most).contains(&text.len()));
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    let sum: u32 = digits.map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum();
    issued && sum.is_multiple_of(10)
}

/// Hides the name of every email address but its first character.
fn hide_mails(shown: &[char], hidden: &mut [bool]) {
    let is_mark = |c: &char| matches!(c, '.' | '-' | '_' | '+' | '%');
    for (at, _) in shown.iter().enumerate().filter(|(_, c)| **c == '@') {
        let before = shown.get(at.saturating_sub(MAIL_NAME_MAX)..at).unwrap_or_default();
        // Words of another script before it belong to the sentence, unless they are the name.
        let latin = before.last().is_some_and(|c| c.is_ascii_alphanumeric() || is_mark(c));
        let is_name = |c: &&char| is_mark(c) || if latin { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() };
        let length = before.iter().rev().take_while(is_name).count();
        let is_host = |c: &&char| c.is_alphanumeric() || is_mark(c);
        let host: String = shown.iter().skip(at + 1).take(MAIL_NAME_MAX).take_while(is_host).collect();
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
            ("写信给li.lei@example.com吧", "写信给l*****@example.com吧"),
            ("李雷@example.com", "李*@example.com"),
            ("ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ｌ*＠ｅｘａｍｐｌｅ．ｃｏｍ"),
            ("１３８１２３４５６７８", "１３８****５６７８"),
            ("138－1234－5678", "138－****－5678"),
            ("138.1234.5678", "138.****.5678"),
            ("138 - 1234 - 5678", "138 - **** - 5678"),
            ("电话 138 1234 5678 3 楼", "电话 138 **** 5678 3 楼"),
            ("tel13812345678", "tel138****5678"),
            ("wx:13812345678abc", "wx:138****5678abc"),
            ("0086 138 1234 5678", "008* *** **** 5678"),
            ("0571-87654321", "057*-****4321"),
            ("13812345678、13987654321", "138****5678、139****4321"),
            ("13812345678 13987654321", "138****5678 139****4321"),
            ("11010519491231002x", "110105********002x"),
            ("110105 19491231 002X", "110105 ******** 002X"),
            ("老身份证 110105491231002", "老身份证 110105*****1002"),
            ("4111 1111 1111 1111", "411* **** **** 1111"),
            ("5018 0000 0009", "501* **** 0009"),
            ("身份证 11010519491231002X", "身份证 110105********002X"),
            ("卡号 6222020200112233446", "卡号 622************3446"),
            // Not personal, or no such number.
            ("工单 6626871355780366331", "工单 6626871355780366331"),
            ("#4F7A2C", "#4F7A2C"),
            ("订单 20261120123456", "订单 20261120123456"),
            ("2026-11-20 10:00", "2026-11-20 10:00"),
            ("12345678901", "12345678901"),
            ("1381234567890", "1381234567890"),
            ("a138123456789b", "a138123456789b"),
            ("01234567890", "01234567890"),
            ("110105493231002", "110105493231002"),
            ("@所有人", "@所有人"),
            ("a@b", "a@b"),
            ("110105194912310021", "110105194912310021"),
            ("6222020200112233441", "6222020200112233441"),
        ];
        assert_eq!(mask("138\u{200b}1234\u{200b}5678"), "138\u{200b}****\u{200b}5678", "blanks that nobody sees");
        for (text, expected) in table {
            assert_eq!(mask(text), expected, "{text}");
            assert_eq!(shown(&mask_markdown(&escape_markdown(text))), expected, "escaped: {text}");
        }
    }

    #[test]
    fn only_what_is_asked_for_is_masked_and_a_tickets_own_number_never() {
        let text = "13812345678 li@example.com 11010519491231002X 6222020200112233446";
        for (what, expected) in [
            (Personal::Phone, "138****5678 li@example.com 11010519491231002X 6222020200112233446"),
            (Personal::Email, "13812345678 l*@example.com 11010519491231002X 6222020200112233446"),
            (Personal::IdCard, "13812345678 li@example.com 110105********002X 6222020200112233446"),
            (Personal::BankCard, "13812345678 li@example.com 11010519491231002X 622************3446"),
        ] {
            assert_eq!(mask_only(text, &[what], ""), expected, "{what:?}");
        }
        assert_eq!(
            mask_only(text, &Personal::ALL, "6222020200112233446").split(' ').next_back(),
            text.split(' ').next_back()
        );
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
        fn any_text_keeps_its_length_and_nothing_personal(text in "[0-9０-９a-z@.+ \\-中xX]{0,60}") {
            let once = mask(&text);
            prop_assert_eq!(once.chars().count(), text.chars().count());
            prop_assert_eq!(mask(&once), once.clone(), "what is left is not personal: {}", once);
            prop_assert!(once.len() <= text.len(), "a mask is no longer than what it hides");
            let phones = mask_only(&text, &[Personal::Phone], "");
            prop_assert_eq!(mask_only(&phones, &[Personal::Phone], ""), phones.clone());
            prop_assert!(mask_only(&text, &[], "") == text, "nothing is masked where nothing is to be");
        }

        #[test]
        fn anything_goes_in(text in any::<String>()) {
            mask(&text);
            mask_markdown(&text);
        }
    }
}
