//! The definitions of a helpdesk's custom fields, read as leniently as tickets (`facts/feishu.md §2.6`).

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, de::MapAccess};
use serde_json::value::RawValue;

use crate::{
    adapters::feishu::{
        lenient::{self, Field, FromWire, Many},
        ticket::{WirePerson, moment, person, text},
    },
    domain::{
        ticket::{Known, Person, Text},
        time::Timestamp,
    },
};

/// The definitions of one helpdesk.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FieldDefinitions {
    /// Of tickets.
    pub ticket: Vec<FieldDefinition>,
    /// Of guests.
    pub user: Vec<FieldDefinition>,
    /// Definitions nobody could read, counted.
    pub broken: usize,
}

/// One definition.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDefinition {
    /// Its id.
    pub id: Known<Text>,
    /// The id it had before (guests' fields only).
    pub old_id: Known<Text>,
    /// The helpdesk.
    pub helpdesk_id: Known<Text>,
    /// Its key.
    pub key_name: Known<Text>,
    /// Its name as people see it.
    pub display_name: Known<Text>,
    /// Where it stands in the list; text on the wire.
    pub position: Known<i64>,
    /// What kind of value it holds.
    pub kind: Known<FieldKind>,
    /// What it is for.
    pub description: Known<Text>,
    /// Whether it is shown.
    pub visible: Known<bool>,
    /// Whether it may be edited.
    pub editable: Known<bool>,
    /// Whether it must be filled in.
    pub required: Known<bool>,
    /// When it was made.
    pub created_at: Known<Timestamp>,
    /// When it was changed.
    pub updated_at: Known<Timestamp>,
    /// Who made it.
    pub created_by: Known<Arc<Person>>,
    /// Who changed it.
    pub updated_by: Known<Arc<Person>>,
    /// Whether several options may be chosen; of drop-downs.
    pub allow_multiple: Known<bool>,
    /// The options; of drop-downs. The platform does not list them everywhere.
    pub options: Vec<FieldOption>,
}

/// What kind of value a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text.
    String,
    /// Several lines of text.
    Multiline,
    /// One of the options, or several.
    Dropdown,
    /// One of the options of a tree.
    DropdownNested,
    /// A word no page lists.
    Other(Text),
}

/// One option of a drop-down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOption {
    /// Its id; a ticket's value may be this instead of the name.
    pub tag: Text,
    /// Its name.
    pub display_name: Text,
    /// Options below it.
    pub children: Vec<FieldOption>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    code: i64,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    user_customized_fields: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    ticket_customized_fields: Option<Vec<&'a RawValue>>,
}

/// One page of the other endpoint.
#[derive(Debug, Default)]
pub(super) struct FieldPage {
    pub(super) fields: Vec<FieldDefinition>,
    /// Where the next page begins; absent on the last one.
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
struct PagedAnswer<'a> {
    code: i64,
    #[serde(borrow)]
    data: Option<PagedData<'a>>,
}

#[derive(Deserialize)]
struct PagedData<'a> {
    #[serde(default)]
    has_more: Field<bool>,
    #[serde(borrow, default)]
    next_page_token: Field<Cow<'a, str>>,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    ticket_customized_field_id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_customized_field_id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    helpdesk_id: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    key_name: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    display_name: Field<Cow<'a, str>>,
    #[serde(default)]
    position: Field<i64>,
    #[serde(borrow, default)]
    field_type: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    description: Field<Cow<'a, str>>,
    #[serde(default)]
    visible: Field<bool>,
    #[serde(default)]
    editable: Field<bool>,
    #[serde(default)]
    required: Field<bool>,
    #[serde(default)]
    created_at: Field<i64>,
    #[serde(default)]
    updated_at: Field<i64>,
    #[serde(borrow, default)]
    created_by: Field<WirePerson<'a>>,
    #[serde(borrow, default)]
    updated_by: Field<WirePerson<'a>>,
    #[serde(default)]
    dropdown_allow_multiple: Field<bool>,
    #[serde(borrow, default)]
    dropdown_options: Field<Many<WireOption<'a>>>,
}

/// An option; the outermost is only a holder of children.
#[derive(Deserialize)]
struct WireOption<'a> {
    #[serde(borrow, default)]
    tag: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    display_name: Field<Cow<'a, str>>,
    #[serde(borrow, default)]
    children: Field<Many<WireOption<'a>>>,
}

impl<'de: 'a, 'a> FromWire<'de> for WireOption<'a> {
    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Field<Self>, A::Error> {
        lenient::object(object)
    }
}

/// Reads an answer; nothing if it is not one that succeeded.
pub(super) fn read(body: &[u8]) -> Option<FieldDefinitions> {
    let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
    if answer.code != 0 {
        return None;
    }
    let data = answer.data?;
    let mut out = FieldDefinitions::default();
    let all = |raws: Option<Vec<&RawValue>>, broken: &mut usize| {
        let read = raws.unwrap_or_default().into_iter().map(|raw| serde_json::from_str::<Wire<'_>>(raw.get()).ok());
        let read: Vec<Option<FieldDefinition>> = read.map(|wire| wire.map(definition)).collect();
        *broken += read.iter().filter(|one| one.is_none()).count();
        read.into_iter().flatten().collect::<Vec<_>>()
    };
    out.ticket = all(data.ticket_customized_fields, &mut out.broken);
    out.user = all(data.user_customized_fields, &mut out.broken);
    Some(out)
}

/// Reads a page of the other endpoint; nothing if it is not one that succeeded.
pub(super) fn read_page(body: &[u8]) -> Option<FieldPage> {
    let answer: PagedAnswer<'_> = serde_json::from_slice(body).ok()?;
    if answer.code != 0 {
        return None;
    }
    let data = answer.data?;
    let next = data.next_page_token.value().filter(|token| !token.is_empty()).map(Cow::into_owned);
    let fields = data.items.unwrap_or_default().into_iter();
    let fields = fields.filter_map(|raw| serde_json::from_str::<Wire<'_>>(raw.get()).ok()).map(definition);
    Some(FieldPage { fields: fields.collect(), next: next.filter(|_| data.has_more.value() == Some(true)) })
}

/// Adds what the other endpoint says: fields the first did not name, options it did not list.
pub(super) fn merge(fields: &mut Vec<FieldDefinition>, more: Vec<FieldDefinition>) {
    for one in more {
        match fields.iter_mut().find(|known| known.id.present().is_some() && known.id == one.id) {
            None => fields.push(one),
            Some(known) if known.options.is_empty() => known.options = one.options,
            Some(_) => {}
        }
    }
}

fn definition(wire: Wire<'_>) -> FieldDefinition {
    let bad = &mut false;
    let user =
        |field: Field<WirePerson<'_>>| field.known(&mut false, |wire| person(wire, &mut false).map(Arc::new).into());
    let (created_by, updated_by) = (user(wire.created_by), user(wire.updated_by));
    let (id, old_id) = match (wire.ticket_customized_field_id, wire.user_customized_field_id) {
        (Field::Missing, Field::Missing) => (wire.id, Field::Missing),
        (Field::Missing, id) | (id, _) => (id, wire.id),
    };
    FieldDefinition {
        id: text(id, bad),
        old_id: text(old_id, bad),
        helpdesk_id: text(wire.helpdesk_id, bad),
        key_name: text(wire.key_name, bad),
        display_name: text(wire.display_name, bad),
        position: wire.position.known(bad, Known::Present),
        kind: text(wire.field_type, bad).map(kind),
        description: text(wire.description, bad),
        visible: wire.visible.known(bad, Known::Present),
        editable: wire.editable.known(bad, Known::Present),
        required: wire.required.known(bad, Known::Present),
        created_at: moment(wire.created_at, bad),
        updated_at: moment(wire.updated_at, bad),
        created_by,
        updated_by,
        allow_multiple: wire.dropdown_allow_multiple.known(bad, Known::Present),
        options: options(wire.dropdown_options),
    }
}

fn kind(word: Text) -> FieldKind {
    match &*word {
        "string" => FieldKind::String,
        "multiline" => FieldKind::Multiline,
        "dropdown" => FieldKind::Dropdown,
        "dropdown_nested" => FieldKind::DropdownNested,
        _ => FieldKind::Other(word),
    }
}

/// The tree of options; a node without tag and name only holds others. The parser bounds the depth.
fn options(field: Field<Many<WireOption<'_>>>) -> Vec<FieldOption> {
    let Some(Many(wires)) = field.value() else { return Vec::new() };
    let mut out = Vec::new();
    for wire in wires {
        let children = options(wire.children);
        let tag = wire.tag.value().unwrap_or_default();
        let display_name = wire.display_name.value().unwrap_or_default();
        if tag.is_empty() && display_name.is_empty() {
            out.extend(children);
        } else {
            out.push(FieldOption { tag: tag.into(), display_name: display_name.into(), children });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const PAGE: &str = include_str!("../../../tests/data/feishu/customized-fields.json");

    fn text(known: &Known<Text>) -> Value {
        known.present().map_or(Value::Null, |text| json!(&**text))
    }

    /// The definition as the platform would write it.
    fn written(field: &FieldDefinition, of: &str) -> Value {
        let number = |ms: Timestamp| json!(ms.as_ms().to_string());
        let user = |known: &Known<Arc<Person>>| {
            known.present().map_or(Value::Null, |person| {
                json!({
                    "id": text(&person.id), "avatar_url": text(&person.avatar_url), "name": text(&person.name),
                    "email": text(&person.email), "department": text(&person.department), "city": text(&person.city),
                    "country": text(&person.country),
                })
            })
        };
        let kind = match field.kind.present() {
            Some(FieldKind::String) => "string",
            Some(FieldKind::Multiline) => "multiline",
            Some(FieldKind::Dropdown) => "dropdown",
            Some(FieldKind::DropdownNested) => "dropdown_nested",
            _ => "",
        };
        let mut out = json!({
            format!("{of}_customized_field_id"): text(&field.id), "id": text(&field.old_id),
            "helpdesk_id": text(&field.helpdesk_id), "key_name": text(&field.key_name),
            "display_name": text(&field.display_name), "position": field.position.present().map(i64::to_string),
            "field_type": kind, "description": text(&field.description), "visible": field.visible.present(),
            "editable": field.editable.present(), "required": field.required.present(),
            "created_at": field.created_at.present().map(|at| number(*at)),
            "updated_at": field.updated_at.present().map(|at| number(*at)),
            "created_by": user(&field.created_by), "updated_by": user(&field.updated_by),
            "dropdown_allow_multiple": field.allow_multiple.present(),
        });
        out.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        out
    }

    #[test]
    fn the_vendor_s_page_is_read_whole() {
        let page: Value = serde_json::from_str(PAGE).unwrap();
        let read = read(PAGE.as_bytes()).unwrap();
        let all = |fields: &[FieldDefinition], of| Value::Array(fields.iter().map(|one| written(one, of)).collect());
        assert_eq!(all(&read.ticket, "ticket"), page["data"]["ticket_customized_fields"]);
        assert_eq!(all(&read.user, "user"), page["data"]["user_customized_fields"]);
        assert_eq!(read.broken, 0);
    }

    #[test]
    fn options_are_a_tree_and_one_broken_definition_spoils_no_other() {
        let page = json!({ "code": 0, "data": { "user_customized_fields": null, "ticket_customized_fields": [
            7,
            { "id": 5, "position": 3, "created_at": "soon", "field_type": "stars", "visible": "true" },
            { "ticket_customized_field_id": "6", "dropdown_options": { "children": [
                { "tag": "u1", "display_name": "支付", "children": [{ "tag": "u2", "display_name": "退款" }] },
                { "tag": "u3", "display_name": "其他", "children": null },
            ] } },
        ] } });
        let read = read(page.to_string().as_bytes()).unwrap();
        assert_eq!((read.ticket.len(), read.broken), (2, 1));
        assert_eq!(text(&read.ticket[0].id), json!("5"));
        assert_eq!(read.ticket[0].kind, Known::Present(FieldKind::Other("stars".into())));
        assert_eq!(read.ticket[0].created_at, Known::Unknown);
        assert_eq!(read.ticket[0].visible, Known::Present(true));
        let option =
            |tag: &str, name: &str, children| FieldOption { tag: tag.into(), display_name: name.into(), children };
        let refund = option("u2", "退款", vec![]);
        assert_eq!(read.ticket[1].options, [option("u1", "支付", vec![refund]), option("u3", "其他", vec![])]);
    }

    #[test]
    fn the_other_endpoint_adds_what_the_first_left_out() {
        let page = |has_more: bool| {
            let items = json!([
                { "ticket_customized_field_id": "1", "dropdown_options": { "children": [{ "tag": "u", "display_name": "P0" }] } },
                7,
                { "ticket_customized_field_id": "2", "display_name": "新" },
            ]);
            json!({ "code": 0, "data": { "has_more": has_more, "next_page_token": "t", "items": items } }).to_string()
        };
        assert_eq!(read_page(page(true).as_bytes()).unwrap().next.as_deref(), Some("t"));
        let read = read_page(page(false).as_bytes()).unwrap();
        assert_eq!((read.next, read.fields.len()), (None, 2));
        let first =
            json!({ "code": 0, "data": { "ticket_customized_fields": [{ "ticket_customized_field_id": "1" }] } });
        let mut fields = super::read(first.to_string().as_bytes()).unwrap().ticket;
        merge(&mut fields, read.fields);
        assert_eq!(fields.len(), 2);
        assert_eq!(&*fields[0].options[0].display_name, "P0");
        assert!(read_page(br#"{"code":154000}"#).is_none());
    }

    #[test]
    fn another_shape_is_no_success() {
        for body in ["", "[]", "{}", r#"{"code":1,"data":{}}"#, r#"{"code":0}"#, r#"{"code":0,"data":[]}"#] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
        let deep = format!(r#"{{"code":0,"data":{{"x":{}}}}}"#, "[".repeat(100_000));
        assert!(read(deep.as_bytes()).is_none());
    }
}
