//! Urgent calls about a message: in the app, by SMS, by phone (`facts/feishu.md §3.4`).

use serde_json::{Value, json};

use crate::sim::{
    directory::Chat,
    im::{Messages, Scene},
    message::{Sender, Urge, Way},
    route::Route,
    wire::{Refusal, Request},
};

/// People in one request.
const PEOPLE_MAX: usize = 200;

/// The way an endpoint calls.
pub(crate) const fn way_of(route: Route) -> Way {
    match route {
        Route::UrgentSms => Way::Sms,
        Route::UrgentPhone => Way::Phone,
        _ => Way::App,
    }
}

/// `PATCH messages/:id/urgent_*`.
pub(crate) fn urge(
    messages: &mut Messages,
    way: Way,
    message_id: &str,
    request: &Request,
    scene: &Scene<'_>,
) -> Result<Value, Refusal> {
    let body = request.object().ok_or_else(|| Refusal::field("body", "not a JSON object"))?;
    if request.query_value("user_id_type").is_some_and(|kind| kind != "open_id") {
        return Err(Refusal::field("user_id_type", "only open_id is played here"));
    }
    let asked: Vec<&str> = match body.get("user_id_list").and_then(Value::as_array) {
        Some(list) if (1..=PEOPLE_MAX).contains(&list.len()) => list.iter().filter_map(Value::as_str).collect(),
        _ => return Err(Refusal::field("user_id_list", "between 1 and 200")),
    };
    let invalid = |text: &str| Refusal::im(230_001, format!("invalid request parameter, ext={text}"));
    let message = messages.existing(message_id)?;
    if message.sender != Sender::Bot {
        return Err(Refusal::im(230_012, "The bot is NOT the sender of the message."));
    }
    let chat = scene.directory.chats.get(&message.chat_id).ok_or_else(|| invalid("invalid chat"))?;
    check_chat(chat)?;
    let is_there = |id: &&str| {
        let person = scene.directory.people.get(*id);
        chat.members.contains(*id) && person.is_some_and(|person| !person.resigned && !person.frozen)
    };
    let (there, unknown): (Vec<&str>, Vec<&str>) = asked.into_iter().partition(is_there);
    if there.is_empty() {
        return Err(invalid("all the user_id are invalid"));
    }
    let full = |id: &&&str| scene.directory.people.get(**id).is_some_and(|person| person.unread_urgent >= 200);
    if there.iter().any(|id| full(&id)) {
        return Err(Refusal::im(230_023, "The user has reached the upper limit of unread urgent messages."));
    }
    let used = messages.urges.iter().filter(|urge| urge.way != Way::App).count();
    if way != Way::App && scene.knobs.urgent_quota.is_some_and(|quota| used + there.len() > quota) {
        return Err(Refusal::im(230_024, "Reach the upper limit of urgent message quota."));
    }
    for open_id in there {
        messages.urges.push(Urge {
            at_ms: scene.now_ms,
            way,
            message_id: message_id.to_string(),
            open_id: open_id.to_string(),
        });
    }
    Ok(json!({ "invalid_user_id_list": unknown }))
}

fn check_chat(chat: &Chat) -> Result<(), Refusal> {
    if chat.external {
        return Err(Refusal::im(230_027, "Lack of necessary permissions, ext=external group"));
    }
    if !chat.has_bot {
        return Err(Refusal::im(230_002, "The bot is not in the group."));
    }
    if !chat.may_urge {
        return Err(Refusal::im(230_052, "The group setting does not allow the bot to send urgent messages."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sim::{caller::Caller, message::Way};

    /// Calls people up about a message and says the code.
    fn code(caller: &mut Caller, kind: &str, message: &str, people: &[&str]) -> i64 {
        let path = format!("im/v1/messages/{message}/urgent_{kind}?open_id");
        caller.call("PATCH", &path, &json!({ "user_id_list": people })).1
    }

    #[test]
    fn each_refusal_has_its_code() {
        let mut caller = Caller::new();
        caller.platform.add_person("ou_eve", "Eve", "eve@example.com");
        let (_, _, sent) = caller.card(&json!({ "elements": [] }).to_string());
        let message = sent["message_id"].as_str().unwrap().to_owned();
        assert_eq!(code(&mut caller, "app", &message, &["ou_li"]), 0);
        assert_eq!(code(&mut caller, "phone", &message, &["ou_li", "ou_eve"]), 0, "one of them is there");
        assert_eq!(code(&mut caller, "app", &message, &["ou_eve"]), 230_001);
        assert_eq!(code(&mut caller, "app", "om_unknown", &["ou_li"]), 99_992_354);
        caller.platform.turn(|knobs| knobs.urgent_quota = Some(1));
        assert_eq!(code(&mut caller, "sms", &message, &["ou_li"]), 230_024);
        assert_eq!(code(&mut caller, "app", &message, &["ou_li"]), 0, "the app costs nothing");
        caller.platform.change_person("ou_li", |person| person.unread_urgent = 200);
        assert_eq!(code(&mut caller, "app", &message, &["ou_li"]), 230_023);
        caller.platform.change_chat("oc_a", |chat| chat.may_urge = false);
        assert_eq!(code(&mut caller, "app", &message, &["ou_li"]), 230_052);
        caller.platform.turn(|knobs| knobs.scopes_missing = ["im:message.urgent:phone".to_owned()].into());
        assert_eq!(code(&mut caller, "phone", &message, &["ou_li"]), 99_991_672);
        let ways: Vec<Way> = caller.platform.urges().iter().map(|urge| urge.way).collect();
        assert_eq!(ways, [Way::App, Way::Phone, Way::App]);
    }
}
