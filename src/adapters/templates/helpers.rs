//! What templates may call. Each helper turns values into a value and never writes: the slot escapes what it shows.
//! One table says what each takes and gives; `check` and the renderer both go by it.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError, RenderErrorReason,
    Renderable, ScopedJson,
};
use serde_json::{Value as Json, json};

use crate::{
    adapters::templates::{
        builtin,
        context::{HIDDEN, READER, UNKNOWN},
        shape, words,
    },
    domain::{
        card::cut,
        field::{FIELDS, Kind},
        privacy,
        rule::Severity,
        text::{Locale, Words},
        time::{Span, Timestamp, Zone},
    },
};

/// What a helper's parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Anything.
    Any,
    /// What can be shown as it is.
    Text,
    /// A number.
    Number,
    /// An instant.
    Instant,
    /// A length of time; or a number, with its unit in the next parameter.
    Span,
    /// A person.
    Person,
    /// A name of an enumeration.
    Word,
    /// A list.
    List,
}

/// What a helper gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Give {
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// What its parameters are.
    Same,
}

/// A helper.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// How it is written, for messages.
    pub(crate) usage: &'static str,
    /// What each parameter may be; the last one holds for all that follow.
    pub(crate) takes: &'static [Take],
    /// How few and how many parameters it takes.
    pub(crate) counts: (usize, usize),
    pub(crate) gives: Give,
    run: fn(&[&Json], &Reader<'_>) -> Result<Json, &'static str>,
}

/// Parameters of `and` and `or` at most.
const PARAMETERS_MAX: usize = 8;

/// For whom a card is rendered.
struct Reader<'a> {
    locale: Locale,
    zone: Zone,
    now: Timestamp,
    root: &'a Json,
}

/// The helpers that are not blocks.
pub(crate) const HELPERS: &[Spec] = &[
    spec("duration", "{{duration clock.elapsed}}", &[Take::Span, Take::Text], (1, 2), Give::Text, duration),
    spec("time", "{{time alert.since}}", &[Take::Instant], (1, 1), Give::Text, time),
    spec("date", "{{date ticket.created_at}}", &[Take::Instant], (1, 1), Give::Text, date),
    spec("status", "{{status ticket.status}}", &[Take::Word], (1, 1), Give::Text, word),
    spec("word", "{{word ticket.score}}", &[Take::Word], (1, 1), Give::Text, word),
    spec("person", "{{person ticket.agent_owner}}", &[Take::Person], (1, 1), Give::Text, person),
    spec("list", "{{list ticket.tags}}", &[Take::List], (1, 1), Give::Text, list),
    spec("tail", "{{tail ticket.ticket_id}}", &[Take::Text], (1, 1), Give::Text, tail),
    spec("truncate", "{{truncate ticket.subject 40}}", &[Take::Text, Take::Number], (2, 2), Give::Text, truncate),
    spec("field", "{{field \"优先级\"}}", &[Take::Text], (1, 1), Give::Text, field),
    spec("severity_colour", "{{severity_colour alert.severity}}", &[Take::Word], (1, 1), Give::Text, severity_colour),
    spec("default", "{{default ticket.priority \"-\"}}", &[Take::Any], (2, 2), Give::Same, default),
    spec("eq", "(eq a b)", &[Take::Any], (2, 2), Give::Flag, |values, _| Ok(json!(equal(values)))),
    spec("ne", "(ne a b)", &[Take::Any], (2, 2), Give::Flag, |values, _| Ok(json!(!equal(values)))),
    spec("gt", "(gt a b)", &[Take::Number], (2, 2), Give::Flag, |values, _| compare(values, |a, b| a > b)),
    spec("gte", "(gte a b)", &[Take::Number], (2, 2), Give::Flag, |values, _| compare(values, |a, b| a >= b)),
    spec("lt", "(lt a b)", &[Take::Number], (2, 2), Give::Flag, |values, _| compare(values, |a, b| a < b)),
    spec("lte", "(lte a b)", &[Take::Number], (2, 2), Give::Flag, |values, _| compare(values, |a, b| a <= b)),
    spec("and", "(and a b)", &[Take::Any], (2, PARAMETERS_MAX), Give::Flag, |values, _| {
        Ok(json!(values.iter().all(|value| says(value))))
    }),
    spec("or", "(or a b)", &[Take::Any], (2, PARAMETERS_MAX), Give::Flag, |values, _| {
        Ok(json!(values.iter().any(|value| says(value))))
    }),
    spec("not", "(not a)", &[Take::Any], (1, 1), Give::Flag, |values, _| {
        Ok(json!(!values.iter().any(|value| says(value))))
    }),
];

/// The helpers that are blocks.
pub(crate) const BLOCKS: [&str; 3] = ["if", "unless", "each"];

const fn spec(
    name: &'static str,
    usage: &'static str,
    takes: &'static [Take],
    counts: (usize, usize),
    gives: Give,
    run: fn(&[&Json], &Reader<'_>) -> Result<Json, &'static str>,
) -> Spec {
    Spec { name, usage, takes, counts, gives, run }
}

/// The helper of that name.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    HELPERS.iter().find(|spec| spec.name == name)
}

/// A renderer whose slots escape with `escape`.
pub(crate) fn renderer(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut renderer = Handlebars::new();
    renderer.set_strict_mode(true);
    renderer.register_escape_fn(escape);
    for name in ["with", "lookup", "raw", "log", "len"] {
        renderer.unregister_helper(name);
    }
    for spec in HELPERS {
        renderer.register_helper(spec.name, Box::new(Call(spec)));
    }
    renderer.register_helper("if", Box::new(If { when: true }));
    renderer.register_helper("unless", Box::new(If { when: false }));
    renderer
}

/// Whether a value says anything: nothing, zero, blank text, an empty list, and parts that all say nothing do not.
pub(crate) fn says(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Json::String(text) => !text.trim().is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(parts) => parts.iter().any(|(name, part)| name != UNKNOWN && name != HIDDEN && says(part)),
    }
}

/// The value of a parameter; a name that is not there is an error, as strict mode has it.
fn values<'h>(helper: &'h Helper<'_>) -> Result<Vec<&'h Json>, RenderError> {
    helper
        .params()
        .iter()
        .map(|param| match param.is_value_missing() {
            true => Err(RenderErrorReason::MissingVariable(param.relative_path().cloned()).into()),
            false => Ok(param.value()),
        })
        .collect()
}

struct Call(&'static Spec);

impl HelperDef for Call {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let spec = self.0;
        let values = values(helper)?;
        let (least, most) = spec.counts;
        if values.len() < least || values.len() > most {
            return Err(RenderErrorReason::Other(format!("{}: {}", spec.name, spec.usage)).into());
        }
        (spec.run)(&values, &Reader::of(context.data()))
            .map(ScopedJson::Derived)
            .map_err(|problem| RenderErrorReason::Other(format!("{}: {problem}", spec.name)).into())
    }
}

/// `if` and `unless`, by what [`says`] says: a person nobody knows is no.
struct If {
    when: bool,
}

impl HelperDef for If {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        renderer: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let holds = values(helper)?.first().is_some_and(|value| says(value)) == self.when;
        let branch = if holds { helper.template() } else { helper.inverse() };
        branch.map_or(Ok(()), |branch| branch.render(renderer, context, state, out))
    }
}

impl<'a> Reader<'a> {
    fn of(root: &'a Json) -> Self {
        let reader = root.get(READER);
        let part = |name: &str| reader.and_then(|reader| reader.get(name)).and_then(Json::as_str);
        Self {
            locale: if part("locale") == Some("en") { Locale::En } else { Locale::Zh },
            zone: Zone(part("zone").and_then(|zone| zone.parse().ok()).unwrap_or(chrono_tz::UTC)),
            now: Timestamp::from_ms(root.get("now").and_then(Json::as_i64).unwrap_or_default()),
            root,
        }
    }
}

/// The units `duration` takes for the vendor's numbers.
pub(crate) const UNITS: [(&str, f64); 4] =
    [("seconds", 1_000.0), ("minutes", 60_000.0), ("hours", 3_600_000.0), ("ms", 1.0)];

#[expect(clippy::cast_possible_truncation, reason = "a float turned into an integer saturates")]
fn duration(values: &[&Json], reader: &Reader<'_>) -> Result<Json, &'static str> {
    let (span, at_least) = match values.first() {
        Some(Json::Object(parts)) => {
            let ms = parts.get("ms").and_then(Json::as_i64).ok_or("not a length of time")?;
            (Span::from_ms(ms), parts.get("at_least").and_then(Json::as_bool) == Some(true))
        }
        Some(Json::Number(number)) => {
            let unit = values.get(1).and_then(|unit| unit.as_str()).ok_or("the number's unit is missing")?;
            let factor = UNITS.iter().find(|(name, _)| *name == unit).ok_or("no such unit")?.1;
            (Span::from_ms((number.as_f64().unwrap_or_default() * factor) as i64), false)
        }
        _ => return Ok(Json::Null),
    };
    let text = words::duration(span, reader.locale);
    Ok(json!(match (at_least, reader.locale) {
        (false, _) => text,
        (true, Locale::Zh) => format!("至少 {text}"),
        (true, Locale::En) => format!("at least {text}"),
    }))
}

fn at(values: &[&Json]) -> Option<Timestamp> {
    values.first().and_then(|value| value.as_i64()).map(Timestamp::from_ms)
}

fn time(values: &[&Json], reader: &Reader<'_>) -> Result<Json, &'static str> {
    Ok(json!(at(values).map(|at| words::instant(at, reader.now, reader.zone))))
}

fn date(values: &[&Json], reader: &Reader<'_>) -> Result<Json, &'static str> {
    Ok(json!(at(values).map(|at| words::date(at, reader.zone))))
}

fn word(values: &[&Json], reader: &Reader<'_>) -> Result<Json, &'static str> {
    let Some(name) = values.first().and_then(|value| value.as_str()) else { return Ok(Json::Null) };
    let severity = [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(|s| s.name() == name);
    if let Some(severity) = severity {
        return Ok(json!(words::severity(severity).get(reader.locale)));
    }
    const STATE_WORDS: [Words; 3] = [
        Words { zh: "观察中", en: "pending" },
        Words { zh: "提醒中", en: "ringing" },
        Words { zh: "已结束", en: "over" },
    ];
    if let Some((_, words)) = shape::STATES.iter().zip(STATE_WORDS).find(|(state, _)| **state == name) {
        return Ok(json!(words.get(reader.locale)));
    }
    let codes = FIELDS.iter().filter_map(|field| match field.kind {
        Kind::Code(codes) => Some(codes),
        _ => None,
    });
    let code = codes.flatten().find(|code| code.name == name);
    Ok(json!(code.map_or_else(|| name.to_string(), |code| words::named(code, reader.locale))))
}

fn person(values: &[&Json], reader: &Reader<'_>) -> Result<Json, &'static str> {
    let person = values.first();
    if let Some(name) = person.and_then(|person| name_of(person)) {
        return Ok(json!(name));
    }
    let is = |mark: &str| person.is_some_and(|person| person.get(mark).is_some());
    let words = match (is(HIDDEN), is(UNKNOWN)) {
        (true, _) => privacy::HIDDEN,
        (false, true) => Words { zh: "未知", en: "unknown" },
        (false, false) => Words { zh: "无", en: "nobody" },
    };
    Ok(json!(words.get(reader.locale)))
}

/// What an item of a list, or a person, is called.
fn name_of(value: &Json) -> Option<&str> {
    let parts = ["name", "email", "id", "display_name", "content", "rule"];
    let part = |name: &&str| value.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty());
    value.as_str().or_else(|| parts.iter().find_map(part))
}

fn list(values: &[&Json], reader: &Reader<'_>) -> Result<Json, &'static str> {
    let items = values.first().and_then(|value| value.as_array()).ok_or("not a list")?;
    let names: Vec<&str> = items.iter().filter_map(name_of).collect();
    let joint = if reader.locale == Locale::Zh { "、" } else { ", " };
    Ok(if names.is_empty() { Json::Null } else { json!(names.join(joint)) })
}

fn tail(values: &[&Json], _: &Reader<'_>) -> Result<Json, &'static str> {
    Ok(json!(values.first().and_then(|value| value.as_str()).map(words::tail)))
}

fn truncate(values: &[&Json], _: &Reader<'_>) -> Result<Json, &'static str> {
    let Some(text) = values.first().and_then(|value| value.as_str()) else {
        return Ok(values.first().map_or(Json::Null, |value| (*value).clone()));
    };
    let chars = values.get(1).and_then(|value| value.as_u64()).ok_or("how many characters?")?;
    Ok(json!(cut(&crate::domain::card::one_line(text), usize::try_from(chars).unwrap_or(usize::MAX).max(1))))
}

fn field(values: &[&Json], reader: &Reader<'_>) -> Result<Json, &'static str> {
    let name = values.first().and_then(|value| value.as_str()).ok_or("which field?")?.trim();
    let fields = reader.root.pointer("/ticket/customized_fields").and_then(Json::as_array);
    let named = |field: &&Json| {
        ["display_name", "key_name", "id"]
            .iter()
            .any(|key| field.get(key).and_then(Json::as_str).is_some_and(|text| text.trim() == name))
    };
    let found = fields.into_iter().flatten().filter(named).find_map(|field| field.get("value").filter(|v| says(v)));
    Ok(found.cloned().unwrap_or_default())
}

fn severity_colour(values: &[&Json], _: &Reader<'_>) -> Result<Json, &'static str> {
    let severity = match values.first().and_then(|value| value.as_str()) {
        Some("critical") => Severity::Critical,
        Some("info") => Severity::Info,
        _ => Severity::Warning,
    };
    Ok(json!(builtin::severity_colour(severity).name()))
}

fn default(values: &[&Json], _: &Reader<'_>) -> Result<Json, &'static str> {
    Ok(values.iter().find(|value| says(value)).map_or(Json::Null, |value| (*value).clone()))
}

fn equal(values: &[&Json]) -> bool {
    let [a, b] = values else { return false };
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

/// Nothing is neither above nor below anything.
fn compare(values: &[&Json], holds: fn(f64, f64) -> bool) -> Result<Json, &'static str> {
    let [a, b] = values else { return Err("two numbers") };
    Ok(json!(a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| holds(a, b))))
}
