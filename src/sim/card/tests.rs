//! Tests of cards.

use serde_json::json;

use crate::sim::{
    card::{check, plain, view},
    directory::Directory,
};

fn name_of(id: &str) -> Option<String> {
    (id == "ou_li").then(|| "李雷".to_string())
}

#[test]
fn markdown_is_shown_without_its_marks() {
    let table = [
        ("**粗** *斜* ~~删~~", "粗 斜 删"),
        ("a~b", "a~b"),
        ("<font color='red'>红</font>", "红"),
        ("[工单](https://x/y)了", "工单了"),
        ("[不是链接] (x)", "[不是链接] (x)"),
        ("<at id=ou_li></at> <at id=all></at> <at ids=ou_li,ou_x></at>", "@李雷 @所有人 @李雷@ou_x"),
        ("&#60;at id=all&#62; &#38; & &#x; &#99999999;", "<at id=all> & & &#x; &#99999999;"),
        ("一<br>二\n三 < 四", "一\n二\n三 < 四"),
    ];
    for (markdown, expected) in table {
        assert_eq!(plain(markdown, &name_of), expected, "{markdown}");
    }
}

#[test]
fn a_card_is_seen_as_a_person_sees_it() {
    let text = |content: &str| json!({ "tag": "plain_text", "content": content });
    let card = json!({
        "header": { "title": text("标题"), "template": "red", "text_tag_list": [{ "tag": "text_tag", "text": text("P0") }] },
        "elements": [
            { "tag": "div", "text": { "tag": "lark_md", "content": "**一**" }, "fields": [{ "text": text("二") }] },
            { "tag": "hr" },
            { "tag": "column_set", "columns": [{ "tag": "column", "elements": [{ "tag": "markdown", "content": "三" }] }] },
            { "tag": "action", "actions": [{ "tag": "button", "text": text("好") }] },
            { "tag": "note", "elements": [text("小字")] },
        ],
    });
    let seen = view(&card.to_string(), &name_of).unwrap();
    assert_eq!((seen.title.as_str(), seen.colour.as_str(), seen.tags), ("标题", "red", vec!["P0".to_string()]));
    assert_eq!(seen.body, ["一", "二", "", "三", "[好]"]);
    assert_eq!(seen.footer, ["小字"]);
    assert_eq!(view("[]", &name_of), None);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let div = |tag: &str| json!({ "elements": [{ "tag": "div", "text": { "tag": tag, "content": "x" } }] });
    let in_column = |inner: serde_json::Value| json!({ "elements": [{ "tag": "column_set", "columns": [{ "tag": "column", "elements": inner }] }] });
    let table = [
        (div("plain_text"), ""),
        (div("text"), "not a text object"),
        (json!({ "i18n_elements": { "zh_cn": [] } }), ""),
        (json!({ "type": "template", "data": {} }), ""),
        (json!({ "elements": {} }), "elements is not a list"),
        (json!({ "header": { "title": "x" }, "elements": [] }), "header -> title"),
        (in_column(json!([{ "tag": "hr" }])), ""),
        (in_column(json!("x")), "a list was expected"),
        (in_column(json!([{ "tag": "blink" }])), "[0](tag: blink)"),
        (json!({ "schema": "2.0", "elements": [] }), "elements is not a list"),
        (json!({ "schema": "2.0", "body": { "elements": [{ "tag": "note" }] } }), "ErrCode: 200861"),
    ];
    for (card, expected) in table {
        let refused = check(&card.to_string(), &Directory::default(), true).err();
        match refused {
            None => assert_eq!(expected, "", "{card}"),
            Some(refused) => {
                assert_eq!(refused.code, 230_099);
                assert!(!expected.is_empty() && refused.message.contains(expected), "{card}: {}", refused.message);
            }
        }
    }
}
