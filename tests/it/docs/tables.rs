//! Tables of the reference, made from the code. Which operators fit a field is asked of the rule compiler.

use std::collections::BTreeSet;

use deskbell::{
    adapters::rulebook::{load::load_texts, names::Names},
    app::watch,
    domain::{
        condition::PersonPart,
        delivery::FailureKind,
        desk::view::{Counters, View},
        field::{Code, Field, Kind},
        notice::Step,
        plan::Plan,
        text::{Locale, Words},
        time::Timestamp,
    },
    engine::health,
    web::{
        metrics,
        state::CallbackCounts,
        status::{self, Around, LongConnectionStatus, SourceStatus},
    },
};

/// Every operator of the language.
pub(crate) const OPERATORS: [&str; 14] = [
    "is",
    "contains",
    "contains_all",
    "matches",
    "starts_with",
    "exists",
    "empty",
    "at_least",
    "at_most",
    "above",
    "below",
    "before",
    "after",
    "under",
];

/// The generated tables by the name of their markers.
pub(crate) fn all(locale: Locale, names: &Names) -> [(&'static str, String); 3] {
    [("fields", fields(locale, names)), ("codes", codes(locale)), ("person parts", parts(locale))]
}

fn fields(locale: Locale, names: &Names) -> String {
    let head = match locale {
        Locale::En => ["Field", "In Chinese", "Also", "Type", "Operators", "What it is"],
        Locale::Zh => ["字段", "中文名", "也可以写", "类型", "能用的要求", "是什么"],
    };
    let row = |field: &Field| {
        let mut also: Vec<&str> = field.also.to_vec();
        if field.vendor != field.name {
            also.push(field.vendor);
        }
        let star = if field.volatile { "\\*" } else { "" };
        [
            format!("`{}`{star}", field.name),
            field.zh.to_string(),
            also.join(comma(locale)),
            kind(field.kind).get(locale).to_string(),
            operators(field.name, names).join(" "),
            field.doc.get(locale).to_string(),
        ]
    };
    table(head, Field::all().map(row))
}

const fn comma(locale: Locale) -> &'static str {
    match locale {
        Locale::En => ", ",
        Locale::Zh => "、",
    }
}

/// The operators that the rule compiler lets stand behind a field or clock.
pub(crate) fn operators(name: &str, names: &Names) -> Vec<&'static str> {
    let fits = |operator: &&str| {
        let rule = format!(
            "name: x\nuntil: handled\nexpires: 1d\nnotify: {{ to: support }}\nwhen: {{ {name}: {{ {operator}: 1 }} }}\n"
        );
        let (_, faults) = load_texts(&[("x.yaml", rule)], names);
        !faults.iter().any(|fault| fault.message.en.contains("does not fit") || fault.message.en.contains("no key"))
    };
    OPERATORS.into_iter().filter(fits).collect()
}

const fn kind(kind: Kind) -> Words {
    match kind {
        Kind::Text => Words { zh: "文字", en: "text" },
        Kind::Number => Words { zh: "数字", en: "number" },
        Kind::Code(_) => Words { zh: "选项", en: "choice" },
        Kind::Instant => Words { zh: "时刻", en: "instant" },
        Kind::Person => Words { zh: "人", en: "person" },
        Kind::Persons => Words { zh: "若干人", en: "persons" },
        Kind::Messages => Words { zh: "若干消息", en: "messages" },
        Kind::I18n => Words { zh: "多语言文字", en: "text in several languages" },
        Kind::Comments => Words { zh: "若干备注", en: "notes" },
        Kind::Tags => Words { zh: "标签", en: "tags" },
        Kind::CustomFields => Words { zh: "自定义字段", en: "custom fields" },
    }
}

fn codes(locale: Locale) -> String {
    let head = match locale {
        Locale::En => ["Field", "Number", "Name", "In Chinese", "Also"],
        Locale::Zh => ["字段", "数字", "英文名", "中文名", "也可以写"],
    };
    let of_field = |field: &'static Field| {
        let name = match locale {
            Locale::En => format!("`{}`", field.name),
            Locale::Zh => field.zh.to_string(),
        };
        let groups = field.groups().iter().map({
            let name = name.clone();
            move |group| {
                let numbers: Vec<String> = group.codes.iter().map(ToString::to_string).collect();
                [name.clone(), numbers.join(", "), format!("`{}`", group.name), group.zh.to_string(), String::new()]
            }
        });
        let codes = field.codes().iter().map(move |code: &Code| {
            let row =
                [code.code.to_string(), format!("`{}`", code.name), code.zh.to_string(), code.also.join(comma(locale))];
            let [number, english, chinese, also] = row;
            [name.clone(), number, english, chinese, also]
        });
        codes.chain(groups).collect::<Vec<_>>()
    };
    table(head, Field::all().flat_map(of_field))
}

fn parts(locale: Locale) -> String {
    let head = match locale {
        Locale::En => ["Part", "In Chinese"],
        Locale::Zh => ["部分", "中文名"],
    };
    let row = |part: PersonPart| [format!("`{}`", part.words().en), part.words().zh.to_string()];
    table(head, PersonPart::ALL.into_iter().map(row))
}

/// A metric of `/metrics`.
pub(crate) struct Metric {
    /// Its name, as it is asked for.
    pub(crate) name: String,
    what: String,
    labels: String,
    help: String,
}

/// Every metric, from a service that has something to say under each.
pub(crate) fn metrics() -> Vec<Metric> {
    let counters = Counters {
        delivered: [(Step::Fired, 1)].into(),
        failed: [(FailureKind::Throttled, 1)].into(),
        ..Counters::default()
    };
    let now = Timestamp::from_ms(0);
    let around = Around { started_at: now, at: now, not_ready: Vec::new(), rules: 1, plan: Plan::Calls(1) };
    let mut shown = status::of(&View { counters, ..View::default() }, around);
    shown.counters.extend(watch::counters(&health::Counters::default()));
    let source = SourceStatus { cursor: Some(0), polled_at: Some(0), next_poll_at: Some(0), ..SourceStatus::default() };
    shown.sources.insert("it-desk".to_string(), source);
    shown.rules_loaded_at = Some(0);
    shown.long_connection = Some(LongConnectionStatus::default());
    shown.alerts_firing.insert("x".to_string(), 1);
    shown.outbox.insert("alerts".to_string(), 1);
    let text = metrics::text(&shown, &CallbackCounts::default());
    let part = |line: &str, start: &str| {
        line.strip_prefix(start).and_then(|rest| rest.split_once(' ')).map(|(a, b)| (a.to_string(), b.to_string()))
    };
    let helps: Vec<(String, String)> = text.lines().filter_map(|line| part(line, "# HELP ")).collect();
    let kinds: Vec<(String, String)> = text.lines().filter_map(|line| part(line, "# TYPE ")).collect();
    let one = |(name, help): (String, String)| {
        let what = kinds.iter().find(|(of, _)| *of == name).map(|(_, kind)| kind.clone()).unwrap();
        let name = if what == "counter" { format!("{name}_total") } else { name };
        let samples = text.lines().filter_map(|line| line.strip_prefix(&format!("{name}{{"))?.split('=').next());
        let labels: BTreeSet<&str> = samples.collect();
        let labels = labels.into_iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        Metric { name, what, labels, help: help.trim_end_matches('.').to_string() }
    };
    helps.into_iter().map(one).collect()
}

/// The metrics as a table.
pub(crate) fn metrics_table() -> String {
    let row = |metric: Metric| [format!("`{}`", metric.name), metric.what, metric.labels, metric.help];
    table(["Metric", "Type", "Labels", "What it says"], metrics().into_iter().map(row))
}

pub(super) fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String; N]| format!("| {} |\n", cells.join(" | "));
    let mut out = line(&head.map(str::to_string));
    out.push_str(&line(&[(); N].map(|()| "---".to_string())));
    rows.for_each(|row| out.push_str(&line(&row)));
    out
}
