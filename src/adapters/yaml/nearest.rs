//! The word that was probably meant.

/// Characters of a word that is looked for; a longer one is no slip of the pen.
const WORD_CHARS_MAX: usize = 100;

/// The candidate nearest to `word`, if one is near enough to be what was meant: at most one slip in three letters.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let length = folded.chars().count();
    if length > WORD_CHARS_MAX {
        return None;
    }
    let slips_max = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let target = candidate.to_lowercase();
        let slips = if target == folded || (length >= 3 && target.starts_with(&folded)) {
            0
        } else {
            strsim::damerau_levenshtein(&folded, &target)
        };
        let whole = slips >= length.max(target.chars().count());
        if slips <= slips_max && !whole && best.is_none_or(|(least, _)| slips < least) {
            best = Some((slips, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let candidates = ["status", "score", "solved", "评分", "不满意", "is"];
        for (word, meant) in [
            ("stauts", Some("status")),
            ("Status", Some("status")),
            ("scor", Some("score")),
            ("sol", Some("solved")),
            ("不满", Some("不满意")),
            ("评份", Some("评分")),
            ("priority", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, candidates), meant, "{word}");
        }
    }
}
