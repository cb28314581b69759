//! What stands behind `/order`: the number of a work order or an order, and its kind where it was said.

/// Characters of an order's number, at most.
pub const NUMBER_CHARS_MAX: usize = 64;

/// Characters of it, at least.
const NUMBER_CHARS_MIN: usize = 3;

/// An order as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number, folded.
    pub number: String,
    /// What kind of order, as it was typed.
    pub kind: Option<String>,
}

impl Asked {
    /// Reads what stands behind the name, folded: a number (digits, letters, `-`, `_`), and perhaps a kind before or
    /// after it.
    pub fn read(text: &str) -> Option<Self> {
        let spaced: String = text.chars().map(|c| if ":#，,。；;=".contains(c) { ' ' } else { c }).collect();
        let mut number: Option<&str> = None;
        let mut kind: Vec<&str> = Vec::new();
        for word in spaced.split_whitespace() {
            let chars = word.chars().count();
            let fits = (NUMBER_CHARS_MIN..=NUMBER_CHARS_MAX).contains(&chars);
            let is_number = fits
                && word.chars().any(|c| c.is_ascii_digit())
                && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            match number {
                None if is_number => number = Some(word),
                _ => kind.push(word),
            }
        }
        let kind = Some(kind.join(" ")).filter(|kind| !kind.is_empty());
        Some(Self { number: number?.to_string(), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_kind_in_any_order() {
        for (typed, expected) in [
            ("wo-20261120-7", Some(("wo-20261120-7", None))),
            ("维修 20261120", Some(("20261120", Some("维修")))),
            (": 20261120 维修", Some(("20261120", Some("维修")))),
            ("", None),
            ("12", None),
            ("维修", None),
        ] {
            let read = Asked::read(typed);
            let read = read.as_ref().map(|asked| (asked.number.as_str(), asked.kind.as_deref()));
            assert_eq!(read, expected, "{typed:?}");
        }
    }
}
