//! What the Feishu adapter needs of the configuration: the app, a helpdesk's keys, a custom bot's address.

use std::{fmt, path::Path};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::{http, secret, yaml::map::Map},
    domain::{
        desk::settings::Limits,
        fault::Fault,
        plan::{FREE_CALLS_PER_MONTH, Plan},
        text::Message,
    },
};

/// Where the API is when nothing else is written (China; `https://open.larksuite.com` elsewhere).
pub const BASE_URL_DEFAULT: &str = "https://open.feishu.cn";

/// `feishu:` of the configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// The app (`cli_…`).
    pub app_id: String,
    /// Its secret.
    pub app_secret: SecretString,
    /// How many calls a month there are.
    pub plan: Plan,
    /// How events arrive.
    pub events: Events,
    /// How fast may be sent.
    pub limits: Limits,
}

/// `feishu.events` of the configuration.
#[derive(Clone, Debug)]
pub struct Events {
    /// Whether a connection of ours is held for them: the default, for it needs no public address.
    pub long_connection: bool,
    /// Whether the platform posts to `/feishu/events`.
    pub http: bool,
    /// What every event carries (console, Events and callbacks, Encryption strategy).
    pub verification_token: Option<SecretString>,
    /// What events are encrypted and signed with.
    pub encrypt_key: Option<SecretString>,
}

/// The keys of one helpdesk (`facts/feishu.md §2.1`).
#[derive(Clone, Debug)]
pub struct HelpdeskConfig {
    /// The helpdesk's id.
    pub helpdesk_id: String,
    /// Its token (`ht-…`).
    pub helpdesk_token: SecretString,
}

/// A custom bot of one group (`facts/feishu.md §4`).
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Its address: whoever knows it can post.
    pub url: SecretString,
    /// What its signature is made with, where the group demands one.
    pub secret: Option<SecretString>,
}

/// An address of the platform: https, or plain http on loopback; without user, query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl Config {
    /// Reads `feishu:`; relative paths start at `base`. The mapping may hold nothing else.
    pub fn read(mut map: Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Option<Self> {
        let base_url = read_base_url(&mut map, faults);
        let app_id = map.required_text("app_id", faults).map(|(text, _)| text.trim().to_owned());
        let app_secret = secret::required(&mut map, "app_secret", base, faults);
        let plan = read_plan(&mut map, faults);
        let events = map.map("events", faults).map(|events| Events::read(events, base, faults)).unwrap_or_default();
        let limits = map.map("limits", faults).map(|limits| read_limits(limits, faults)).unwrap_or_default();
        map.finish(&[], faults);
        Some(Self { base_url: base_url?, app_id: app_id?, app_secret: app_secret?, plan, events, limits })
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { long_connection: true, http: false, verification_token: None, encrypt_key: None }
    }
}

impl Events {
    /// Whether anything that happens in chats arrives.
    pub const fn any(&self) -> bool {
        self.long_connection || self.http
    }

    fn read(mut map: Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Self {
        let long_connection = map.flag("long_connection", faults).unwrap_or(true);
        let http = map.flag("http", faults).unwrap_or_default();
        let mut read = |key| match http {
            true => secret::required(&mut map, key, base, faults),
            false => secret::optional(&mut map, key, base, faults),
        };
        let (verification_token, encrypt_key) = (read("verification_token"), read("encrypt_key"));
        map.finish(&[], faults);
        Self { long_connection, http, verification_token, encrypt_key }
    }
}

impl HelpdeskConfig {
    /// Reads a helpdesk's keys out of a source's mapping, which holds more than these.
    pub fn read(map: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Option<Self> {
        let helpdesk_id = map.required_text("helpdesk_id", faults).map(|(text, _)| text.trim().to_owned());
        let helpdesk_token = secret::required(map, "helpdesk_token", base, faults);
        Some(Self { helpdesk_id: helpdesk_id?, helpdesk_token: helpdesk_token? })
    }
}

/// Where the API is: Feishu's own address if nothing is written.
fn read_base_url(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<BaseUrl> {
    let (text, place) =
        map.text("base_url", faults).unwrap_or_else(|| (BASE_URL_DEFAULT.to_owned(), map.place().clone()));
    BaseUrl::parse(&text).map_err(|message| faults.push(Fault::error(place, message))).ok()
}

fn read_plan(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Plan {
    let Some((text, place)) = map.text("plan", faults) else { return Plan::default() };
    match (text.trim(), text.trim().parse()) {
        ("paid", _) => Plan::Paid,
        ("free", _) => Plan::Calls(FREE_CALLS_PER_MONTH),
        (_, Ok(calls)) if calls > 0 => Plan::Calls(calls),
        _ => {
            let message = Message::new(
                "plan 应为 free（每月 10,000 次）、paid，或每月次数",
                "plan is free (10,000 calls a month), paid, or a number of calls a month",
            );
            faults.push(Fault::error(place, message));
            Plan::default()
        }
    }
}

fn read_limits(mut map: Map<'_>, faults: &mut Vec<Fault>) -> Limits {
    let usual = Limits::default();
    let mut read = |key, usual: u32, max| {
        map.integer(key, 1..=max, faults).and_then(|number| u32::try_from(number).ok()).unwrap_or(usual)
    };
    let limits = Limits {
        chat_per_second: read("chat_per_second", usual.chat_per_second, 100),
        api_per_second: read("api_per_second", usual.api_per_second, 1_000),
        api_per_minute: read("api_per_minute", usual.api_per_minute, 60_000),
    };
    map.finish(&[], faults);
    limits
}

impl BaseUrl {
    /// Checks and takes an address.
    pub fn parse(text: &str) -> Result<Self, Message> {
        let url = checked_url(text)?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(Message::new(
                "base_url 只写协议和主机，例如 https://open.feishu.cn",
                "base_url is scheme and host only, for example https://open.feishu.cn",
            ));
        }
        Ok(Self(url))
    }

    /// The address of a path below it; each segment is escaped.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Where the agents of its helpdesks work: `feishu.cn/helpdesk/admin` or the same of Lark; nothing is known of
    /// other hosts (`facts/feishu.md §10`).
    pub fn workbench(&self) -> Option<&'static str> {
        match self.0.host_str()? {
            "open.feishu.cn" => Some("https://feishu.cn/helpdesk/admin"),
            "open.larksuite.com" => Some("https://larksuite.com/helpdesk/admin"),
            _ => None,
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl WebhookConfig {
    /// Reads `webhook` and `secret` out of a receiver's mapping, if there is a `webhook` (or `webhook_file`).
    pub fn read(map: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Option<Self> {
        let url = secret::optional(map, "webhook", base, faults)?;
        let config = Self { url, secret: secret::optional(map, "secret", base, faults) };
        if let Err(message) = config.check() {
            let place = map.get("webhook").or_else(|| map.get("webhook_file")).map_or(map.place(), |node| &node.place);
            faults.push(Fault::error(place.clone(), message));
        }
        Some(config)
    }

    /// Checks the address: https, or plain http on loopback.
    pub fn check(&self) -> Result<(), Message> {
        checked_url(self.url.expose_secret()).map(|_| ())
    }
}

fn checked_url(text: &str) -> Result<Url, Message> {
    http::checked_url(text, BASE_URL_DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn read<T>(yaml: &str, read: impl Fn(Map<'_>, &mut Vec<Fault>) -> T) -> (T, Vec<String>) {
        let mut faults = Vec::new();
        let node = parse("t.yaml", yaml, &mut faults).unwrap();
        let map = Map::of(&node, &Message::new("", ""), &mut faults).unwrap();
        let value = read(map, &mut faults);
        (value, faults.into_iter().map(|fault| format!("{}: {}", fault.place.line, fault.message.en)).collect())
    }

    fn feishu(yaml: &str) -> (Option<Config>, Vec<String>) {
        read(yaml, |map, faults| Config::read(map, Path::new("/etc"), faults))
    }

    #[test]
    fn the_least_is_an_app_and_its_secret() {
        let (config, faults) = feishu("{app_id: cli_a, app_secret: s3cret-s3cret}");
        let config = config.unwrap();
        assert_eq!(faults, [""; 0]);
        assert_eq!(config.base_url.as_str(), "https://open.feishu.cn/");
        assert_eq!((config.app_id.as_str(), config.plan), ("cli_a", Plan::Paid));
        assert_eq!((config.events.long_connection, config.events.http), (true, false));
        assert_eq!(config.limits, Limits::default());
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn the_workbench_is_where_the_platform_is() {
        let cases = [
            (BASE_URL_DEFAULT, Some("https://feishu.cn/helpdesk/admin")),
            ("https://open.larksuite.com/", Some("https://larksuite.com/helpdesk/admin")),
            ("https://gateway.corp.example", None),
            ("http://127.0.0.1:9", None),
        ];
        for (address, expected) in cases {
            assert_eq!(BaseUrl::parse(address).unwrap().workbench(), expected, "{address}");
        }
    }

    #[test]
    fn everything_that_can_be_written_is_read() {
        let (config, faults) = feishu(
            "base_url: http://127.0.0.1:9\napp_id: cli_a\napp_secret: s3cret-s3cret\nplan: free\n\
             events: {long_connection: false, http: true, verification_token: v-token-v, encrypt_key: k-key-k-key}\n\
             limits: {chat_per_second: 1, api_per_second: 2, api_per_minute: 3}",
        );
        let config = config.unwrap();
        assert_eq!(faults, [""; 0]);
        assert_eq!(config.plan, Plan::Calls(10_000));
        assert_eq!(config.limits, Limits { chat_per_second: 1, api_per_second: 2, api_per_minute: 3 });
        assert!(
            config.events.http && config.events.verification_token.is_some() && config.events.encrypt_key.is_some()
        );
        assert!(!config.events.long_connection);
        let (config, faults) = feishu("{app_id: a, app_secret: s3cret-s3cret, events: {encrypt_key: k-key-k-key}}");
        assert!(config.unwrap().events.long_connection && faults.is_empty(), "{faults:?}");
        assert_eq!(feishu("{app_id: a, app_secret: s, plan: 250000}").0.unwrap().plan, Plan::Calls(250_000));
    }

    #[test]
    fn every_fault_is_gathered() {
        let (config, faults) = feishu(
            "base_url: http://open.feishu.cn\napp_secrte: s\nplan: cheap\n\
             events: {http: true}\nlimits: {chat_per_second: 0}\n",
        );
        assert!(config.is_none());
        let parts = [
            "1: an address must be https",
            "1: `app_id` is missing",
            "1: `app_secret` is missing",
            "3: plan is free",
            "4: `verification_token` is missing",
            "4: `encrypt_key` is missing",
            "5: expected a whole number",
            "2: there is no key `app_secrte`",
        ];
        assert_eq!(faults.len(), parts.len(), "{faults:?}");
        for (fault, part) in faults.iter().zip(parts) {
            assert!(fault.starts_with(part), "{fault} | {part}");
        }
    }

    #[test]
    fn a_helpdesk_and_a_custom_bot_are_read_out_of_larger_mappings() {
        let (keys, faults) =
            read("{kind: feishu_helpdesk, helpdesk_id: '66', helpdesk_token: ht-token}", |mut map, faults| {
                HelpdeskConfig::read(&mut map, Path::new("/etc"), faults)
            });
        assert_eq!((keys.unwrap().helpdesk_id.as_str(), faults.len()), ("66", 0));
        let hook = |yaml: &str| read(yaml, |mut map, faults| WebhookConfig::read(&mut map, Path::new("/etc"), faults));
        assert!(hook("{chat_id: oc_a}").0.is_none());
        let (config, faults) =
            hook("{webhook: 'https://open.feishu.cn/open-apis/bot/v2/hook/tok', secret: s3cret-s3cret}");
        assert_eq!(faults, [""; 0]);
        assert!(!format!("{:?}", config.unwrap()).contains("tok"));
        let (_, faults) = hook("{webhook: 'http://far.example/hook/tok'}");
        assert_eq!(faults.len(), 1);
        assert!(!faults[0].contains("tok"), "{faults:?}");
    }
}
