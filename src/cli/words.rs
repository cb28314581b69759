//! `deskbell words [word]`: every field, value and clock that rules may name, in both languages, and what reads it.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    adapters::rulebook::{
        names::Definition,
        vocabulary::{ClockEntry, FieldEntry, Vocabulary, WordEntry, carrier_words},
    },
    app::config::load::load,
    cli::{args::Format, run::Stop, table::table, terminal::Terminal},
    domain::{
        condition::Clock,
        text::{Locale, Message, Words, fold},
    },
};

/// Custom fields shown without a search word; more are counted.
const CUSTOM_SHOWN_MAX: usize = 50;
/// Options of a custom field that are shown.
const OPTIONS_SHOWN_MAX: usize = 12;

/// Shows the words, or those that `word` is about. The configuration is read only for its custom fields.
pub fn run(path: &Path, word: Option<&str>, format: Format, terminal: Terminal) -> Result<(), Stop> {
    let whole = Vocabulary::whole();
    let custom = custom_fields(path);
    let (found, custom) = match word {
        None => (whole.clone(), custom),
        Some(word) => {
            (whole.about(word), custom.map(|all| all.into_iter().filter(|one| is_about(one, word)).collect()))
        }
    };
    if let Some(word) = word.filter(|_| found.is_empty() && custom.as_ref().is_none_or(Vec::is_empty)) {
        return Err(nothing(word, whole.nearest(word)));
    }
    let locale = terminal.locale;
    terminal.print(&match (format, word) {
        (Format::Json, _) => format!("{:#}", as_json(&found, custom.as_deref())),
        (Format::Text, None) => overview(&found, custom.as_deref(), locale),
        (Format::Text, Some(_)) => details(&found, custom.as_deref().unwrap_or_default(), locale),
    });
    Ok(())
}

/// The custom fields of the configured sources, where the configuration loads and their definitions are at hand.
fn custom_fields(path: &Path) -> Option<Vec<Definition>> {
    let environment = |name: &str| std::env::var(name).ok();
    path.is_file().then(|| load(path, &environment).setup)?.and_then(|setup| setup.names.fields)
}

fn is_about(definition: &Definition, word: &str) -> bool {
    let names = [&definition.display_name, &definition.key_name, &definition.id];
    let options = definition.options.iter().map(|option| &option.display_name);
    let word = fold(word);
    names.into_iter().chain(options).any(|name| fold(name).contains(&*word))
}

fn nothing(word: &str, near: Option<&str>) -> Stop {
    let (zh, en) = match near {
        Some(near) => (format!("是不是想写 “{near}”？"), format!("Did you mean `{near}`?")),
        None => (
            "deskbell words 列出全部；自定义字段用 deskbell fields".to_string(),
            "`deskbell words` lists all; `deskbell fields` the custom fields".to_string(),
        ),
    };
    Stop::failure(format!("没有和 “{word}” 有关的词。{zh}"), format!("no word is about `{word}`. {en}"))
}

fn pick(locale: Locale, zh: &'static str, en: &'static str) -> &'static str {
    Words { zh, en }.get(locale)
}

/// Everything, as tables.
fn overview(all: &Vocabulary, custom: Option<&[Definition]>, locale: Locale) -> String {
    let say = |zh, en| pick(locale, zh, en);
    let parts: Vec<String> = all.parts.iter().map(|words| format!("{} {}", words.en, words.zh)).collect();
    let mut out = vec![
        heading(say("字段（when 里的键）", "Fields (keys of `when`)")),
        fields_table(&all.fields, locale),
        heading(say("值和分组", "Values and groups")),
        values_table(&all.fields, locale),
        heading(say("时长（后面写 at_least 或 under）", "Clocks (with `at_least` or `under` behind them)")),
        clocks_table(&all.clocks, locale),
        heading(say("要求（字段后面）", "Operators (behind a field)")),
        words_table(&all.operators, locale),
        types_table(&all.fields, locale),
        heading(say("条件的组合", "Putting conditions together")),
        words_table(&all.combiners, locale),
        heading(say("人的各部分（guest.department、客户的部门）", "Parts of a person (guest.department)")),
        parts.join("  "),
        heading(say("自定义字段", "Custom fields")),
    ];
    out.push(match custom {
        Some(fields) => custom_table(fields, locale),
        None => say(
            "写成 fields: { 字段名: 值 }。这里没有定义；deskbell fields 从服务台取来并列出",
            "written fields: { <name>: <value> }. No definitions are at hand: deskbell fields fetches and lists them",
        )
        .to_string(),
    });
    out.push(String::new());
    out.push(say("查一个词：deskbell words 待用户响应", "one word: deskbell words waiting_for_user").to_string());
    out.join("\n")
}

fn heading(text: &str) -> String {
    format!("\n{text}")
}

fn fields_table(fields: &[FieldEntry], locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["中文", "英文", "飞书的键", "类型", "读自", "是什么"],
        Locale::En => ["field", "in Chinese", "vendor's key", "type", "read by", "what it is"],
    };
    let row = |entry: &FieldEntry| {
        let field = entry.field;
        let (first, second) = ordered(field.words(), locale);
        let carrier = carrier_words(field.carrier).0.get(locale);
        [first, second, entry.vendor.unwrap_or("-"), entry.kind.get(locale), carrier, field.doc.get(locale)]
            .map(str::to_string)
            .to_vec()
    };
    table(&head, fields.iter().map(row))
}

/// The name in the reader's language first.
const fn ordered(words: Words, locale: Locale) -> (&'static str, &'static str) {
    match locale {
        Locale::Zh => (words.zh, words.en),
        Locale::En => (words.en, words.zh),
    }
}

fn values_table(fields: &[FieldEntry], locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["字段", "中文", "英文", "飞书的数字", "也可以写"],
        Locale::En => ["field", "value", "in Chinese", "vendor's number", "also"],
    };
    let rows = fields.iter().flat_map(|entry| {
        let of = entry.field.words().get(locale).to_string();
        let of_group = of.clone();
        let values = entry.values.iter().map(move |code| {
            let (first, second) = ordered(Words { zh: code.zh, en: code.name }, locale);
            vec![of.clone(), first.to_string(), second.to_string(), code.code.to_string(), code.also.join(" ")]
        });
        let groups = entry.groups.iter().map(move |group| {
            let (first, second) = ordered(Words { zh: group.zh, en: group.name }, locale);
            let numbers: Vec<String> = group.codes.iter().map(ToString::to_string).collect();
            vec![of_group.clone(), first.to_string(), second.to_string(), numbers.join(" "), String::new()]
        });
        values.chain(groups).collect::<Vec<_>>()
    });
    table(&head, rows)
}

fn clocks_table(clocks: &[ClockEntry], locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["中文", "英文", "从什么时候走", "什么时候停", "读自"],
        Locale::En => ["clock", "in Chinese", "starts with", "stops with", "read by"],
    };
    let row = |entry: &ClockEntry| {
        let (first, second) = ordered(entry.clock.words(), locale);
        [first, second, entry.starts.get(locale), entry.stops.get(locale), clock_carrier(entry.clock).0.get(locale)]
            .map(str::to_string)
            .to_vec()
    };
    table(&head, clocks.iter().map(row))
}

/// What brings a clock.
const fn clock_carrier(clock: Clock) -> (Words, Words) {
    carrier_words(clock.carrier())
}

fn words_table(words: &[WordEntry], locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["中文", "英文", "意思"],
        Locale::En => ["word", "in Chinese", "what it says"],
    };
    let row = |entry: &WordEntry| {
        let (first, second) = ordered(entry.words, locale);
        vec![first.to_string(), second.to_string(), entry.doc.get(locale).to_string()]
    };
    table(&head, words.iter().map(row))
}

/// Which operators fit which type.
fn types_table(fields: &[FieldEntry], locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["类型", "能用的要求", "直接写值等于"],
        Locale::En => ["type", "operators", "a bare value means"],
    };
    let mut seen = Vec::new();
    let rows = fields.iter().filter_map(|entry| {
        if seen.contains(&entry.kind) {
            return None;
        }
        seen.push(entry.kind);
        let operators: Vec<&str> = entry.operators.iter().map(|words| words.en).collect();
        Some(vec![entry.kind.get(locale).to_string(), operators.join(" "), entry.bare.unwrap_or("-").to_string()])
    });
    table(&head, rows)
}

fn custom_table(fields: &[Definition], locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["名称", "键", "编号", "多选", "选项"],
        Locale::En => ["name", "key", "id", "several", "options"],
    };
    let row = |field: &Definition| {
        let mut names: Vec<&str> = field.options.iter().map(|option| option.display_name.as_str()).collect();
        let more = names.len().saturating_sub(OPTIONS_SHOWN_MAX);
        names.truncate(OPTIONS_SHOWN_MAX);
        let mut options = names.join(" ");
        if more > 0 {
            options.push_str(&format!(" … (+{more})"));
        }
        let several = if field.multiple { "✓" } else { "" };
        vec![field.display_name.clone(), field.key_name.clone(), field.id.clone(), several.to_string(), options]
    };
    let shown = table(&head, fields.iter().take(CUSTOM_SHOWN_MAX).map(row));
    match fields.len().saturating_sub(CUSTOM_SHOWN_MAX) {
        0 => shown,
        more => format!("{shown}\n… (+{more})"),
    }
}

/// Everything known of what a search found.
fn details(found: &Vocabulary, custom: &[Definition], locale: Locale) -> String {
    let mut blocks: Vec<String> = found.fields.iter().map(|entry| field_detail(entry, locale)).collect();
    blocks.extend(found.clocks.iter().map(|entry| clock_detail(entry, locale)));
    for words in &found.parts {
        let what = Message::new(
            format!("人的一部分。这样写：客户的{}: …（guest.{}）", words.zh, words.en),
            format!("a part of a person. Write guest.{}: …", words.en),
        );
        blocks.push(format!("{}\n  {}", name_line(*words), what.get(locale)));
    }
    for entry in found.operators.iter().chain(&found.combiners) {
        blocks.push(format!("{}\n  {}", name_line(entry.words), entry.doc.get(locale)));
    }
    if !custom.is_empty() {
        blocks.push(format!("{}\n{}", pick(locale, "自定义字段", "custom fields"), custom_table(custom, locale)));
    }
    blocks.join("\n\n")
}

fn name_line(words: Words) -> String {
    format!("{} · {}", words.en, words.zh)
}

fn field_detail(entry: &FieldEntry, locale: Locale) -> String {
    let say = |zh, en| pick(locale, zh, en);
    let field = entry.field;
    let operators: Vec<String> = entry.operators.iter().map(|words| format!("{} {}", words.en, words.zh)).collect();
    let mut lines = vec![name_line(field.words()), format!("  {}", field.doc.get(locale))];
    let mut line = |label: &str, text: &str| lines.push(format!("  {label}{text}"));
    line(say("类型：", "type: "), entry.kind.get(locale));
    line(
        say("飞书的键：", "vendor's key: "),
        entry.vendor.unwrap_or(say("没有，由 deskbell 得出", "none: deskbell derives it")),
    );
    if !field.also.is_empty() {
        line(say("也可以写：", "also written: "), &field.also.join(say("、", ", ")));
    }
    line(say("读自：", "read by: "), carrier_words(field.carrier).1.get(locale));
    let sources = entry.sources.join(say("、", ", "));
    line(say("哪种来源有：", "sources that have it: "), if sources.is_empty() { say("都有", "all") } else { &sources });
    line(say("能用的要求：", "operators: "), &operators.join(say("、", ", ")));
    match entry.bare {
        Some(bare) => line(say("直接写值等于：", "a bare value means: "), bare),
        None => line(say("直接写值：不行，要写要求", "a bare value: not here, write an operator"), ""),
    }
    if field.volatile {
        line(say("它自己会走，变了不算工单有变化", "it runs by itself: that it moves is no change of the ticket"), "");
    }
    let example = entry.values.first().map(|code| (code.zh, code.name));
    if let Some((zh, en)) = example.or_else(|| entry.groups.first().map(|group| (group.zh, group.name))) {
        line(say("这样写：", "write: "), &format!("{}: {en}  ·  {}: {zh}", field.name, field.zh));
        let shown = values_table(std::slice::from_ref(entry), locale);
        lines.extend(shown.lines().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}

fn clock_detail(entry: &ClockEntry, locale: Locale) -> String {
    let say = |zh, en| pick(locale, zh, en);
    let words = entry.clock.words();
    [
        name_line(words),
        format!("  {}{}", say("从什么时候走：", "starts with: "), entry.starts.get(locale)),
        format!("  {}{}", say("什么时候停：", "stops with: "), entry.stops.get(locale)),
        format!("  {}{}", say("读自：", "read by: "), clock_carrier(entry.clock).1.get(locale)),
        format!("  {}{}: {{ at_least: 2h }}  ·  {}: {{ 至少: 2小时 }}", say("这样写：", "write: "), words.en, words.zh),
    ]
    .join("\n")
}

fn as_json(found: &Vocabulary, custom: Option<&[Definition]>) -> Value {
    let both = |words: Words| json!({ "zh": words.zh, "en": words.en });
    let field = |entry: &FieldEntry| {
        let field = entry.field;
        let value = |code: &&crate::domain::field::Code| json!({ "number": code.code, "name": code.name, "zh": code.zh, "also": code.also });
        let group = |group: &&crate::domain::field::Group| json!({ "name": group.name, "zh": group.zh, "numbers": group.codes });
        json!({
            "name": field.name, "zh": field.zh, "vendor": entry.vendor, "also": field.also,
            "type": entry.kind.en, "doc": both(field.doc), "volatile": field.volatile,
            "read_by": carrier_words(field.carrier).0.en, "sources": entry.sources,
            "operators": entry.operators.iter().map(|words| words.en).collect::<Vec<_>>(), "bare": entry.bare,
            "values": entry.values.iter().map(value).collect::<Vec<_>>(),
            "groups": entry.groups.iter().map(group).collect::<Vec<_>>(),
        })
    };
    let clock = |entry: &ClockEntry| {
        let words = entry.clock.words();
        json!({
            "name": words.en, "zh": words.zh, "starts": both(entry.starts), "stops": both(entry.stops),
            "read_by": clock_carrier(entry.clock).0.en,
        })
    };
    let word = |entry: &WordEntry| json!({ "name": entry.words.en, "zh": entry.words.zh, "doc": both(entry.doc) });
    let definition = |one: &Definition| {
        let options: Vec<&str> = one.options.iter().map(|option| option.display_name.as_str()).collect();
        json!({
            "name": one.display_name, "key": one.key_name, "id": one.id, "several": one.multiple, "options": options,
        })
    };
    json!({
        "fields": found.fields.iter().map(field).collect::<Vec<_>>(),
        "clocks": found.clocks.iter().map(clock).collect::<Vec<_>>(),
        "operators": found.operators.iter().map(word).collect::<Vec<_>>(),
        "combiners": found.combiners.iter().map(word).collect::<Vec<_>>(),
        "person_parts": found.parts.iter().map(|words| json!({ "name": words.en, "zh": words.zh })).collect::<Vec<_>>(),
        "custom_fields": custom.map(|all| all.iter().map(definition).collect::<Vec<_>>()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_with_everything_known_of_it() {
        let found = Vocabulary::whole().about("待用户响应");
        let shown = details(&found, &[], Locale::En);
        for part in
            ["status · 状态", "vendor's key: status", "read by: the list", "feishu_helpdesk", "waiting_for_user", "5"]
        {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("queueing"), "{shown}");
    }

    #[test]
    fn the_overview_names_every_word_in_both_languages_and_how_to_get_the_rest() {
        let all = Vocabulary::whole();
        for (locale, hint) in [(Locale::Zh, "deskbell fields"), (Locale::En, "deskbell fields")] {
            let shown = overview(&all, None, locale);
            for entry in &all.fields {
                assert!(shown.contains(entry.field.name) && shown.contains(entry.field.zh), "{}", entry.field.name);
            }
            assert!(shown.contains(hint), "{shown}");
        }
    }

    #[test]
    fn custom_fields_are_searched_too() {
        let definition =
            Definition { display_name: "产品线".into(), key_name: "product_line".into(), ..Definition::default() };
        for (word, found) in [("产品", true), ("PRODUCT", true), ("优先级", false)] {
            assert_eq!(is_about(&definition, word), found, "{word}");
        }
        assert!(as_json(&Vocabulary::default(), Some(&[definition]))["custom_fields"][0]["key"] == "product_line");
    }
}
