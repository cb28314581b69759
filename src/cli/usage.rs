//! What was typed and cannot be understood, said in Chinese: the parser itself speaks English only.

use clap::{
    Error,
    error::{ContextKind, ErrorKind},
};

use crate::domain::text::fold;

/// Values that are listed.
const VALUES_SHOWN_MAX: usize = 20;

/// What is wrong, how it is written and where more is said; nothing where the parser's own words must do: its help, and
/// what has no words here.
pub fn in_chinese(error: &Error) -> Option<String> {
    let said = what(error)?;
    let mut lines = vec![format!("写法有误：{said}")];
    if let Some(near) = of(error, ContextKind::SuggestedSubcommand)
        .or_else(|| of(error, ContextKind::SuggestedArg))
        .or_else(|| of(error, ContextKind::SuggestedValue))
    {
        lines.push(format!("是不是想写 {}？", near.replace(", ", " 或 ")));
    }
    let usage = of(error, ContextKind::Usage).unwrap_or_default();
    let usage = usage.trim().trim_start_matches("Usage:").trim();
    if !usage.is_empty() {
        lines.push(format!("用法：{}", usage.lines().map(str::trim).collect::<Vec<_>>().join("\n      ")));
    }
    lines.push(format!("{} --help 有每一项的说明", command_of(usage)));
    Some(lines.join("\n"))
}

fn what(error: &Error) -> Option<String> {
    let argument = || of(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = || of(error, ContextKind::InvalidValue).unwrap_or_default();
    Some(match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("没有“{}”这个命令", of(error, ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::UnknownArgument => format!("没有“{}”这个参数，或者它不能写在这里", argument()),
        ErrorKind::InvalidValue if value().is_empty() => format!("{} 后面还要写值{}", argument(), choices(error)),
        ErrorKind::InvalidValue => format!("{} 不能写“{}”{}", argument(), value(), choices(error)),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("{} 不能写“{}”{}", argument(), value(), reason(&why))
        }
        ErrorKind::MissingRequiredArgument => format!("还缺 {}", argument().replace(", ", "、")),
        ErrorKind::MissingSubcommand => {
            let known = of(error, ContextKind::ValidSubcommand).unwrap_or_default();
            format!("还要写做什么：{}", known.replace(", ", "、"))
        }
        ErrorKind::ArgumentConflict => match of(error, ContextKind::PriorArg) {
            Some(prior) if prior == argument() => format!("{prior} 只能写一次"),
            Some(prior) => format!("{} 不能和 {prior} 一起写", argument()),
            None => format!("{} 不能和别的一起写", argument()),
        },
        ErrorKind::TooManyValues => format!("{} 写得太多了：“{}”", argument(), value()),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("{} 的值个数不对", argument()),
        ErrorKind::NoEquals => format!("{} 和值之间要写 =", argument()),
        ErrorKind::InvalidUtf8 => "有不是 UTF-8 的字".to_string(),
        _ => return None,
    })
}

/// A number out of its range, and what the checks of the verbs themselves say: they say it in both languages.
fn reason(why: &str) -> String {
    if let Some((_, range)) = why.split_once(" is not in ") {
        let range = range.replace("..=", " 到 ");
        return format!("，要在 {range} 之间");
    }
    match why.split_once(" · ") {
        Some((zh, _)) => format!("：{zh}"),
        None if why.contains("invalid digit") => "，要写数字".to_string(),
        None if why.is_empty() => String::new(),
        None => format!("：{why}"),
    }
}

fn choices(error: &Error) -> String {
    let Some(values) = of(error, ContextKind::ValidValue).filter(|values| !values.is_empty()) else {
        return String::new();
    };
    let values: Vec<&str> = values.split(", ").take(VALUES_SHOWN_MAX).collect();
    format!("，可以写 {}", values.join("、"))
}

/// The verbs of a usage line, without what follows them.
fn command_of(usage: &str) -> String {
    let first = usage.lines().next().unwrap_or_default();
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    let words: Vec<&str> = first.split_whitespace().take_while(is_name).collect();
    if words.is_empty() { "deskbell".to_string() } else { words.join(" ") }
}

/// What the parser knows of an error, as plain text.
fn of(error: &Error, kind: ContextKind) -> Option<String> {
    let text = error.get(kind)?.to_string();
    let plain: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    Some(plain).filter(|plain| !plain.trim().is_empty())
}

/// Whether `--lang` asks for Chinese, in arguments that could not be read otherwise.
pub fn asked_for(arguments: &[String]) -> Option<&'static str> {
    let value = |(at, argument): (usize, &String)| match argument.as_str() {
        "--lang" => arguments.get(at + 1).cloned(),
        other => other.strip_prefix("--lang=").map(str::to_string),
    };
    let word = arguments.iter().enumerate().find_map(value)?;
    ["zh", "en"].into_iter().find(|known| *known == &*fold(&word))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Arguments;

    fn said(typed: &str) -> String {
        let error = Arguments::try_parse_from(typed.split(' ').map(|word| if word == "''" { "" } else { word }));
        in_chinese(&error.unwrap_err()).unwrap_or_default()
    }

    #[test]
    fn slips_are_said_in_chinese_with_the_next_step() {
        for (typed, first, others) in [
            ("deskbell bogus", "写法有误：没有“bogus”这个命令", vec!["deskbell --help"]),
            ("deskbell alrts", "写法有误：没有“alrts”这个命令", vec!["是不是想写 alerts？"]),
            (
                "deskbell alerts --colour red",
                "写法有误：没有“--colour”这个参数，或者它不能写在这里",
                vec!["deskbell alerts --help"],
            ),
            ("deskbell alerts --format xml", "写法有误：--format <text|json> 不能写“xml”，可以写 text、json", vec![]),
            ("deskbell alerts --limit 9999", "写法有误：--limit <LIMIT> 不能写“9999”，要在 1 到 500 之间", vec![]),
            ("deskbell alerts --limit many", "写法有误：--limit <LIMIT> 不能写“many”，要写数字", vec![]),
            ("deskbell take", "写法有误：还缺 <REFERENCE>", vec!["用法：deskbell take", "deskbell take --help"]),
            ("deskbell take 4F7A2C --as ''", "写法有误：--as <NAME> 不能写“”：名字是空的，写上是谁", vec![]),
            ("deskbell silence", "", vec![]),
            ("deskbell alerts 4F7A2C --rule x", "写法有误：[REFERENCE] 不能和 --rule <RULE> 一起写", vec![]),
            ("deskbell alerts --rule", "写法有误：--rule <RULE> 后面还要写值", vec![]),
            ("deskbell oncall --days 0", "写法有误：--days <DAYS> 不能写“0”，要在 1 到 92 之间", vec![]),
            ("deskbell --help", "", vec![]),
        ] {
            let said = said(typed);
            assert_eq!(said.lines().next().unwrap_or_default(), first, "{typed}: {said}");
            for other in others {
                assert!(said.contains(other), "{typed}: {said}");
            }
        }
    }

    #[test]
    fn the_language_is_found_in_arguments_that_cannot_be_read() {
        let typed = |line: &str| line.split(' ').map(str::to_string).collect::<Vec<_>>();
        for (line, expected) in [
            ("deskbell --lang zh bogus", Some("zh")),
            ("deskbell bogus --lang=en", Some("en")),
            ("deskbell --lang klingon", None),
            ("deskbell bogus", None),
            ("deskbell --lang", None),
        ] {
            assert_eq!(asked_for(&typed(line)), expected, "{line}");
        }
    }
}
