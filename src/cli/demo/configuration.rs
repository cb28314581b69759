//! The demo's own configuration: what `deskbell init` writes, for the platform on loopback. Nothing of it outlives the
//! demo.

use std::{fs, io, path::Path};

use crate::{
    app::config::{load::load_text, setup::Setup},
    cli::{
        demo::{
            english::{self, say},
            script::{LEADS, POLL, SUPPORT, URGENT},
            stage::{PRIORITY_FIELD, SUBJECT_FIELD},
        },
        init::files::STARTERS,
        run::Stop,
    },
    domain::{
        fault::Gravity,
        text::{Locale, Message, Words},
    },
    sim::app::{App, Transport},
};

/// Where the shipped rules send to.
const SHIPPED_TO: &str = "to: team";

/// Which of them goes elsewhere here, so that three chats have something to see.
const ELSEWHERE: &[(&str, &str)] =
    &[("rules/dissatisfied.yaml", "to: leads"), ("rules/custom-field.yaml", "to: urgent")];

/// The platform, as the configuration names it.
#[derive(Clone, Copy, Debug)]
pub struct Whereto<'a> {
    /// Where it listens.
    pub base_url: &'a str,
    /// The app.
    pub app: &'a App,
    /// The helpdesk's id and token.
    pub helpdesk: (&'a str, &'a str),
    /// How events reach the service.
    pub transport: Transport,
}

/// Everything the service needs, its files in `home`.
pub fn setup(platform: Whereto<'_>, home: &Path, locale: Locale) -> Result<Setup, Stop> {
    write_starters(home, locale).map_err(|error| {
        Stop::failure(
            format!("写不了临时目录 {}：{error}", home.display()),
            format!("cannot write into the temporary folder {}: {error}", home.display()),
        )
    })?;
    let mut faults = Vec::new();
    let setup = load_text("demo.yaml", &text(platform, locale), home, &|_| None, &mut faults);
    let fault = faults.into_iter().find(|fault| fault.gravity == Gravity::Error);
    let unfit = |message: Message| Stop::Failure(message);
    match (setup, fault) {
        (Some(setup), None) => Ok(setup),
        (_, Some(fault)) => Err(unfit(fault.message)),
        (None, None) => Err(unfit(Message::new("演示的配置读不了", "the demo's configuration cannot be read"))),
    }
}

fn write_starters(home: &Path, locale: Locale) -> io::Result<()> {
    for (name, shipped) in STARTERS {
        let path = home.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let to = ELSEWHERE.iter().find(|(rule, _)| rule == name).map_or("to: support", |(_, to)| to);
        let text = english::rule(locale, shipped).replace("to: team.lead", "to: leads").replace(SHIPPED_TO, to);
        fs::write(path, text)?;
    }
    Ok(())
}

fn text(platform: Whereto<'_>, locale: Locale) -> String {
    let Whereto { base_url, app, helpdesk: (helpdesk_id, helpdesk_token), transport } = platform;
    let over_http = transport == Transport::Http;
    let over_line = !over_http;
    let (subject, priority) = (say(locale, SUBJECT_FIELD), say(locale, PRIORITY_FIELD));
    let locale = Words { zh: "zh", en: "en" }.get(locale);
    let minutes = POLL.as_secs() / 60;
    let (support, leads, urgent) = (SUPPORT.chat_id, LEADS.chat_id, URGENT.chat_id);
    let (app_id, app_secret, token) = (&app.app_id, &app.app_secret, &app.verification_token);
    let key = app.encrypt_key.as_deref().unwrap_or_default();
    format!(
        r#"timezone: Asia/Shanghai
locale: {locale}
feishu:
  base_url: "{base_url}"
  app_id: "{app_id}"
  app_secret: "{app_secret}"
  events: {{ long_connection: {over_line}, http: {over_http}, verification_token: "{token}", encrypt_key: "{key}" }}
http: {{ proxy: none }}
sources:
  it-desk:
    kind: feishu_helpdesk
    helpdesk_id: "{helpdesk_id}"
    helpdesk_token: "{helpdesk_token}"
    poll: "0 */{minutes} * * * *"
    sweep: "0 */15 * * * *"
    subject: ["field:{subject}"]
    priority: "field:{priority}"
receivers:
  support: {{ chat_id: {support} }}
  leads: {{ chat_id: {leads} }}
  urgent: {{ chat_id: {urgent} }}
operations: {{ to: support }}
calendars: {{ office: {{ week: {{ daily: ["00:00-24:00"] }} }} }}
storm: off
server: {{ listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0" }}
store: {{ path: store }}
"#
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_shipped_rules_are_in_force_each_in_a_chat_of_its_own() {
        for locale in [Locale::Zh, Locale::En] {
            let home = tempfile::tempdir().unwrap();
            let app = App::default();
            let (base_url, helpdesk) = ("http://127.0.0.1:9", ("66", "ht"));
            let platform = Whereto { base_url, app: &app, helpdesk, transport: Transport::LongConnection };
            let setup = setup(platform, home.path(), locale).unwrap();
            let told: BTreeSet<String> = setup
                .rules
                .rules
                .values()
                .flat_map(|rule| rule.notify.iter().map(|notify| notify.to.to_string()))
                .collect();
            assert_eq!(told.into_iter().collect::<Vec<_>>(), ["leads", "owner", "support", "urgent"]);
            assert!(setup.settings.receivers.values().all(|receiver| receiver.locale == locale));
        }
    }
}
