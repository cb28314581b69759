//! Tests of a ticket's values, three-valued. Time plays no part here.

use std::sync::Arc;

use crate::domain::{
    condition::{CustomSelector, Operator, PersonPart, Target, Test},
    conversation::Said,
    field::Value,
    seen::Seen,
    text::fold,
    ticket::{CustomField, I18nText, Known, Person, Text},
    verdict::Answer,
};

/// Whether a test of one value holds on a ticket.
///
/// A value that is not there fails every test but "there is none"; blank text counts as not there. A test that does not
/// fit its value's type (the compiler lets none through) is unknown.
pub fn holds(test: &Test, seen: &Seen<'_>) -> Answer {
    let operator = &test.operator;
    match &test.target {
        Target::Field(field) => value_holds(operator, &(field.read)(seen)),
        Target::Part(field, part) => match (field.read)(seen) {
            Value::Empty => absent(operator),
            Value::Person(person) => known_text(operator, part.of(person)),
            _ => Answer::Unknown,
        },
        Target::Custom(selector) => custom_holds(operator, selector, &seen.ticket.customized_fields),
    }
}

impl PersonPart {
    /// The part of a person.
    pub const fn of(self, person: &Person) -> &Known<Text> {
        match self {
            Self::Id => &person.id,
            Self::Name => &person.name,
            Self::Email => &person.email,
            Self::Department => &person.department,
            Self::City => &person.city,
            Self::Country => &person.country,
            Self::AvatarUrl => &person.avatar_url,
        }
    }
}

/// What a test says of a value that is not there.
fn absent(operator: &Operator) -> Answer {
    Answer::of(matches!(operator, Operator::Exists(false)))
}

fn value_holds(operator: &Operator, value: &Value<'_>) -> Answer {
    match value {
        Value::Unknown => Answer::Unknown,
        Value::Empty => absent(operator),
        Value::Text(text) => text_holds(operator, text),
        Value::Number(number) => number_holds(operator, *number),
        Value::Code(code) => match operator {
            Operator::CodeIs(codes) => Answer::of(codes.contains(code)),
            Operator::Exists(wanted) => Answer::of(*wanted),
            _ => Answer::Unknown,
        },
        Value::Instant(instant) => match operator {
            Operator::Before(bound) => Answer::of(instant < bound),
            Operator::After(bound) => Answer::of(instant > bound),
            Operator::Exists(wanted) => Answer::of(*wanted),
            _ => Answer::Unknown,
        },
        Value::Person(person) => match operator {
            Operator::PersonIs(names) => any(names.iter().map(|name| person_is(person, name))),
            Operator::Exists(wanted) => Answer::of(*wanted),
            _ => Answer::Unknown,
        },
        Value::Persons(persons) => {
            list_holds(operator, persons.is_empty(), |wanted| any(persons.iter().map(|one| person_is(one, wanted))))
        }
        Value::Tags(tags) => list_holds(operator, tags.is_empty(), |wanted| {
            any(tags.iter().flat_map(|tag| [equals(&tag.name, wanted), equals(&tag.id, wanted)]))
        }),
        Value::Messages(messages) => any_said(operator, messages),
        Value::I18n(texts) => any_text(operator, texts.iter().flat_map(languages)),
        Value::Comments(comments) => any_text(operator, comments.iter().map(|comment| &comment.content)),
        Value::CustomFields(fields) => list_holds(operator, fields.is_empty(), |_| Answer::Unknown),
    }
}

const fn languages(text: &I18nText) -> [&Known<Text>; 3] {
    [&text.zh_cn, &text.en_us, &text.ja_jp]
}

fn any(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut found = Answer::No;
    for answer in answers {
        if answer == Answer::Yes {
            return Answer::Yes;
        }
        found = found.max(answer);
    }
    found
}

fn known_text(operator: &Operator, known: &Known<Text>) -> Answer {
    match known {
        Known::Unknown => Answer::Unknown,
        Known::Empty => absent(operator),
        Known::Present(text) => text_holds(operator, text),
    }
}

/// One of several texts; "there is none" holds when no text says anything.
fn any_text<'a>(operator: &Operator, texts: impl Iterator<Item = &'a Known<Text>>) -> Answer {
    match operator {
        Operator::Exists(false) => any(texts.map(|text| known_text(&Operator::Exists(true), text))).not(),
        operator => any(texts.map(|text| known_text(operator, text))),
    }
}

/// One of several messages; there is at least one.
fn any_said(operator: &Operator, messages: &[Said]) -> Answer {
    match operator {
        Operator::Exists(wanted) => Answer::of(*wanted),
        operator => any(messages.iter().map(|said| text_holds(operator, &said.text))),
    }
}

fn text_holds(operator: &Operator, text: &str) -> Answer {
    if text.trim().is_empty() {
        return absent(operator);
    }
    match operator {
        Operator::Exists(wanted) => Answer::of(*wanted),
        Operator::TextMatches(patterns) => Answer::of(patterns.iter().any(|pattern| pattern.is_match(text))),
        Operator::TextIs(wanted) if text.is_ascii() => {
            let text = text.trim();
            Answer::of(wanted.iter().any(|wanted| text.eq_ignore_ascii_case(wanted)))
        }
        Operator::TextIs(wanted) => {
            let folded = fold(text);
            Answer::of(wanted.iter().any(|wanted| **wanted == *folded))
        }
        Operator::TextContains(wanted) => {
            let folded = fold(text);
            Answer::of(wanted.iter().any(|wanted| folded.contains(&**wanted)))
        }
        Operator::TextStartsWith(wanted) => {
            let folded = fold(text);
            Answer::of(wanted.iter().any(|wanted| folded.starts_with(&**wanted)))
        }
        Operator::ListContains(_) | Operator::ListContainsAll(_) => {
            list_holds(operator, false, |wanted| Answer::of(items_of(text).any(|item| *fold(item) == **wanted)))
        }
        Operator::NumberIs(_)
        | Operator::AtLeast(_)
        | Operator::AtMost(_)
        | Operator::Above(_)
        | Operator::Below(_) => match fold(text).parse::<f64>() {
            Ok(number) => number_holds(operator, number),
            Err(_) => Answer::Unknown,
        },
        Operator::CodeIs(_) | Operator::PersonIs(_) | Operator::Before(_) | Operator::After(_) => Answer::Unknown,
    }
}

/// The items of a multi-select's text. How the vendor joins them is not confirmed (`facts/feishu.md §2.4`): the usual
/// separators and a JSON list of texts are all taken.
fn items_of(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    text.split([',', '，', ';', '；', '、', '|', '\n']).map(|item| item.trim().trim_matches('"'))
}

/// Whether a test of a number holds.
pub fn number_holds(operator: &Operator, number: f64) -> Answer {
    if number.is_nan() {
        return Answer::Unknown;
    }
    match operator {
        Operator::NumberIs(wanted) => Answer::of(wanted.contains(&number)),
        Operator::AtLeast(bound) => Answer::of(number >= *bound),
        Operator::AtMost(bound) => Answer::of(number <= *bound),
        Operator::Above(bound) => Answer::of(number > *bound),
        Operator::Below(bound) => Answer::of(number < *bound),
        Operator::Exists(wanted) => Answer::of(*wanted),
        _ => Answer::Unknown,
    }
}

fn list_holds(operator: &Operator, empty: bool, has: impl Fn(&Text) -> Answer) -> Answer {
    match operator {
        Operator::Exists(wanted) => Answer::of(*wanted != empty),
        Operator::ListContains(wanted) => any(wanted.iter().map(has)),
        Operator::ListContainsAll(wanted) => any(wanted.iter().map(|one| has(one).not())).not(),
        _ => Answer::Unknown,
    }
}

/// Whether a person is who `wanted` (folded) names. What `wanted` looks like says which part decides, so that a part
/// nobody may see does not make every answer unknown.
fn person_is(person: &Person, wanted: &Text) -> Answer {
    match part_named(wanted) {
        PersonPart::Email => equals(&person.email, wanted),
        PersonPart::Id => equals(&person.id, wanted),
        _ => any([
            equals(&person.name, wanted),
            present_equals(&person.id, wanted),
            present_equals(&person.email, wanted),
        ]),
    }
}

/// The part of a person that decides whether they are who `wanted` names; besides a name an id or an email that looks
/// like one counts too, where it is known.
pub fn part_named(wanted: &str) -> PersonPart {
    if wanted.contains('@') {
        PersonPart::Email
    } else if wanted.starts_with("ou_") {
        PersonPart::Id
    } else {
        PersonPart::Name
    }
}

fn equals(known: &Known<Text>, wanted: &Text) -> Answer {
    match known {
        Known::Unknown => Answer::Unknown,
        Known::Empty => Answer::No,
        Known::Present(text) if text.is_ascii() => Answer::of(text.trim().eq_ignore_ascii_case(wanted)),
        Known::Present(text) if differs_plainly(text, wanted) => Answer::No,
        Known::Present(text) => Answer::of(**text == **wanted || *fold(text) == **wanted),
    }
}

/// Whether two texts part at a Chinese character, which folding never touches: most names of fields do, and folding
/// each of them on every verdict would cost more than all the rest.
fn differs_plainly(text: &str, wanted: &str) -> bool {
    for (have, want) in text.chars().zip(wanted.chars()) {
        if !('\u{4e00}'..='\u{9fff}').contains(&have) {
            return false;
        }
        if have != want {
            return true;
        }
    }
    false
}

fn present_equals(known: &Known<Text>, wanted: &Text) -> Answer {
    if known.is_unknown() { Answer::No } else { equals(known, wanted) }
}

fn custom_holds(operator: &Operator, selector: &CustomSelector, fields: &Known<Arc<[CustomField]>>) -> Answer {
    let fields = match fields {
        Known::Unknown => return Answer::Unknown,
        Known::Empty => return absent(operator),
        Known::Present(fields) => fields,
    };
    let mut hidden = false;
    let mut named = fields.iter().filter(|field| {
        let is = selects(selector, field);
        hidden |= is == Answer::Unknown;
        is == Answer::Yes
    });
    match named.next() {
        Some(first) => any_text(operator, std::iter::once(&first.value).chain(named.map(|field| &field.value))),
        None if hidden => Answer::Unknown,
        None => absent(operator),
    }
}

/// Whether a custom field is the one a rule means.
pub fn selects(selector: &CustomSelector, field: &CustomField) -> Answer {
    match selector {
        CustomSelector::Any(word) => any([equals(&field.display_name, word), equals(&field.key_name, word)]),
        CustomSelector::Name(word) => equals(&field.display_name, word),
        CustomSelector::Key(word) => equals(&field.key_name, word),
        CustomSelector::Id(word) => equals(&field.id, word),
    }
}

#[cfg(test)]
mod tests;
