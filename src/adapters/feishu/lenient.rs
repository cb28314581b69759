//! Values as they really arrive: text where a number is documented, one where a list is, nothing, or nonsense. A value
//! of the wrong kind spoils its own field only (`facts/feishu.md §11`).

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::domain::{ticket::Known, time::Timestamp};

/// The latest instant believed: the end of the year 9999. What is beyond is no time in milliseconds.
const INSTANT_MS_MAX: i64 = 253_402_300_799_999;

/// One field of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Field<T> {
    /// Not there.
    #[default]
    Missing,
    /// There and null, or text without a character where a number belongs.
    Null,
    /// Of a kind nobody can read.
    Bad,
    /// The value.
    Value(T),
}

impl<T> Field<T> {
    /// The value, if it could be read.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null | Self::Bad => None,
        }
    }

    /// What is known of it: what is not there is empty, what cannot be read is unknown.
    pub(super) fn known<U>(self, bad: &mut bool, turn: impl FnOnce(T) -> Known<U>) -> Known<U> {
        match self {
            Self::Missing | Self::Null => Known::Empty,
            Self::Bad => {
                *bad = true;
                Known::Unknown
            }
            Self::Value(value) => turn(value),
        }
    }
}

/// How a value is read from whatever kind it arrived as. What is not overridden is of the wrong kind.
pub(super) trait FromWire<'de>: Sized {
    fn from_borrowed(text: &'de str) -> Field<Self> {
        Self::from_text(text)
    }
    fn from_text(_text: &str) -> Field<Self> {
        Field::Bad
    }
    fn from_integer(_number: i64) -> Field<Self> {
        Field::Bad
    }
    fn from_float(_number: f64) -> Field<Self> {
        Field::Bad
    }
    fn from_flag(_flag: bool) -> Field<Self> {
        Field::Bad
    }
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Field<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Bad)
    }
    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Field<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Bad)
    }
}

impl<'de, T: FromWire<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: FromWire<'de>> Visitor<'de> for Any<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(T::from_flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(T::from_integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Field::Bad, T::from_integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(T::from_float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(T::from_borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::from_text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::from_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::from_object(object)
    }
}

/// Text; ids also arrive as numbers.
impl<'de: 'a, 'a> FromWire<'de> for Cow<'a, str> {
    fn from_borrowed(text: &'de str) -> Field<Self> {
        Field::Value(Cow::Borrowed(text))
    }

    fn from_text(text: &str) -> Field<Self> {
        Field::Value(Cow::Owned(text.to_owned()))
    }

    fn from_integer(number: i64) -> Field<Self> {
        Field::Value(Cow::Owned(number.to_string()))
    }
}

/// Whole numbers; they also arrive as text, and as floats without a fraction.
impl FromWire<'_> for i64 {
    fn from_text(text: &str) -> Field<Self> {
        match text.trim() {
            "" => Field::Null,
            text => text.parse().map_or(Field::Bad, Field::Value),
        }
    }

    fn from_integer(number: i64) -> Field<Self> {
        Field::Value(number)
    }

    fn from_float(number: f64) -> Field<Self> {
        const EXACT: f64 = 9_007_199_254_740_992.0; // beyond it a float has gaps
        if number.fract() == 0.0 && number.abs() <= EXACT { Field::Value(number as Self) } else { Field::Bad }
    }
}

/// Numbers with a fraction.
impl FromWire<'_> for f64 {
    fn from_text(text: &str) -> Field<Self> {
        match text.trim() {
            "" => Field::Null,
            text => text.parse::<Self>().ok().filter(|n| n.is_finite()).map_or(Field::Bad, Field::Value),
        }
    }

    fn from_integer(number: i64) -> Field<Self> {
        Field::Value(number as Self)
    }

    fn from_float(number: f64) -> Field<Self> {
        Field::Value(number)
    }
}

/// Yes and no; also as text and as 0 and 1.
impl FromWire<'_> for bool {
    fn from_text(text: &str) -> Field<Self> {
        match text.trim() {
            "" => Field::Null,
            "true" | "1" => Field::Value(true),
            "false" | "0" => Field::Value(false),
            _ => Field::Bad,
        }
    }

    fn from_integer(number: i64) -> Field<Self> {
        match number {
            0 => Field::Value(false),
            1 => Field::Value(true),
            _ => Field::Bad,
        }
    }

    fn from_flag(flag: bool) -> Field<Self> {
        Field::Value(flag)
    }
}

/// One thing or a list of them; also text, where that stands for one thing. An element nobody can read spoils the list:
/// a list without it would be another list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<'de, T: FromWire<'de>> FromWire<'de> for Many<T> {
    fn from_borrowed(text: &'de str) -> Field<Self> {
        one(T::from_borrowed(text))
    }

    fn from_text(text: &str) -> Field<Self> {
        one(T::from_text(text))
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Field<Self>, A::Error> {
        let mut all = Vec::new();
        let mut bad = false;
        while let Some(element) = list.next_element::<Field<T>>()? {
            match element {
                Field::Value(value) => all.push(value),
                Field::Bad => bad = true,
                Field::Missing | Field::Null => {}
            }
        }
        Ok(if bad { Field::Bad } else { Field::Value(Self(all)) })
    }

    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Field<Self>, A::Error> {
        T::from_object(object).map(one)
    }
}

fn one<T>(field: Field<T>) -> Field<Many<T>> {
    match field {
        Field::Value(value) => Field::Value(Many(vec![value])),
        Field::Missing => Field::Missing,
        Field::Null => Field::Null,
        Field::Bad => Field::Bad,
    }
}

/// Reads an object with serde's own code for its type.
pub(super) fn object<'de, T: Deserialize<'de>, A: MapAccess<'de>>(object: A) -> Result<Field<T>, A::Error> {
    T::deserialize(MapAccessDeserializer::new(object)).map(Field::Value).map_err(A::Error::custom)
}

/// An instant in milliseconds; zero and below say that there is none (`facts/feishu.md §2.4`).
pub(super) fn instant(bad: &mut bool, ms: i64) -> Known<Timestamp> {
    match ms {
        ..=0 => Known::Empty,
        1..=INSTANT_MS_MAX => Known::Present(Timestamp::from_ms(ms)),
        _ => {
            *bad = true;
            Known::Unknown
        }
    }
}
