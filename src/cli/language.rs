//! Which language the command line speaks: `--lang` first, then the environment as other programs read it.

use crate::domain::text::Locale;

/// The variables that say a person's language, in the order they count.
const VARIABLES: &[&str] = &["LC_ALL", "LC_MESSAGES", "LANG"];

/// The language of the first variable that says one: Chinese if it begins with `zh`, else English. With none set,
/// English.
pub fn of_environment(lookup: &dyn Fn(&str) -> Option<String>) -> Locale {
    let said = VARIABLES.iter().filter_map(|name| lookup(name)).find(|value| !value.is_empty());
    match said {
        Some(value) if value.to_ascii_lowercase().starts_with("zh") => Locale::Zh,
        _ => Locale::En,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let cases: [(&[(&str, &str)], Locale); 6] = [
            (&[], Locale::En),
            (&[("LANG", "zh_CN.UTF-8")], Locale::Zh),
            (&[("LANG", "en_US.UTF-8")], Locale::En),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], Locale::En),
            (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "zh_TW")], Locale::Zh),
            (&[("LANG", "ZH_cn"), ("LC_ALL", "")], Locale::Zh),
        ];
        for (set, expected) in cases {
            let lookup = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_string());
            assert_eq!(of_environment(&lookup), expected, "{set:?}");
        }
    }
}
