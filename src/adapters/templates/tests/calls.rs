//! Each helper, by what it gives in both languages.

use handlebars::Context;

use super::samples::{alert, around, bare, firing, rich, send, view};
use crate::{
    adapters::templates::{context, helpers},
    domain::{
        card::escape_markdown,
        notice::{AlertView, Content},
        text::Locale,
        ticket::Ticket,
    },
};

fn call(text: &str, ticket: Ticket, locale: Locale) -> Result<String, String> {
    let view = AlertView { ticket: Some(view(ticket)), ..alert(firing()) };
    let send = send(Content::Alert(Box::new(view)), None, locale);
    let context = context::of(context::blank(text), &send, &around());
    let renderer = helpers::renderer(escape_markdown);
    let context = Context::wraps(context).unwrap();
    renderer.render_template_with_context(text, &context).map_err(|error| error.reason().to_string())
}

#[test]
fn what_helpers_give() {
    let cases = [
        ("{{duration clock.elapsed}}", "1 天 2 小时", "1 d 2 h"),
        ("{{duration ticket.agent_service_duration \"minutes\"}}", "12 分钟", "12 min"),
        ("{{duration ticket.bot_service_duration \"seconds\"}}", "", ""),
        ("{{time ticket.created_at}} {{time ticket.closed_at}}", "11-18 14&#58;05 ", "11-18 14&#58;05 "),
        ("{{date ticket.created_at}}", "2026-11-18", "2026-11-18"),
        ("{{status ticket.status}}", "待用户响应", "waiting for user"),
        ("{{word ticket.score}} {{word alert.state}}", "不满意 提醒中", "dissatisfied ringing"),
        ("{{word alert.severity}} {{severity_colour alert.severity}}", "严重 red", "critical red"),
        ("{{person ticket.guest}} {{person ticket.closed_by}}", "张三 未知", "张三 unknown"),
        ("{{person alert.taken_by}}", "无", "nobody"),
        ("{{list ticket.tags}} {{list ticket.collaborators}}", "硬件、三楼 韩梅梅", "硬件, 三楼 韩梅梅"),
        ("{{tail ticket.ticket_id}}", "366331", "366331"),
        ("{{truncate ticket.subject 4}}", "三楼打…", "三楼打…"),
        ("{{field \"优先级\"}} {{field \"没有\"}}{{field \"空\"}}", "P0 ", "P0 "),
        ("{{default (field \"没有\") \"a_b\"}}", "a&#95;b", "a&#95;b"),
        ("{{#if (eq ticket.status \"waiting_for_user\")}}y{{else}}n{{/if}}", "y", "y"),
        ("{{#if (ne ticket.priority \"P0\")}}y{{else}}n{{/if}}", "n", "n"),
        (
            "{{#if (gt ticket.agent_service_duration 12)}}y{{/if}}{{#if (lte ticket.agent_service_duration 12)}}n{{/if}}",
            "y",
            "y",
        ),
        ("{{#if (and ticket.guest (not ticket.closed_by))}}y{{/if}}", "y", "y"),
        ("{{#if (or ticket.closed_at ticket.last_guest_message)}}y{{else}}n{{/if}}", "n", "n"),
        ("{{#unless ticket.last_guest_message}}none{{/unless}}", "none", "none"),
        (
            "{{#each ticket.tags as |tag index|}}{{index}}{{tag.name}}{{#unless @last}} {{/unless}}{{/each}}",
            "0硬件 1三楼",
            "0硬件 1三楼",
        ),
        ("{{#each ticket.agents}}x{{else}}nobody{{/each}}", "nobody", "nobody"),
        ("{{ticket.last_guest_message.text}}{{ticket.team}}{{alert.taken_by.name}}", "", ""),
    ];
    for (text, zh, en) in cases {
        assert_eq!(call(text, rich(), Locale::Zh).as_deref(), Ok(zh), "{text}");
        assert_eq!(call(text, rich(), Locale::En).as_deref(), Ok(en), "{text}");
        call(text, bare(), Locale::Zh).unwrap_or_else(|error| panic!("{text} of nothing: {error}"));
    }
}

#[test]
fn strict_mode_holds_for_what_check_would_have_found() {
    for text in [
        "{{ticket.subjct}}",
        "{{#if ticket.subjct}}x{{/if}}",
        "{{truncate ticket.subjct 3}}",
        "{{shout 1}}",
        "{{lookup ticket \"subject\"}}",
    ] {
        assert!(call(text, rich(), Locale::Zh).is_err(), "{text}");
    }
}
