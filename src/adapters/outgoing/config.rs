//! Where such a receiver is, and what it asks for. The whole address is a secret: whoever knows it can post.

use std::path::Path;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::{http, secret, yaml::map::Map},
    domain::{fault::Fault, text::Message},
};

/// What an address of an outgoing webhook looks like.
const HTTP_EXAMPLE: &str = "https://pager.example.com/hook";

/// What the address of a WeCom group bot looks like.
const WECOM_EXAMPLE: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…";

/// The parameter of a WeCom bot's address that is its key.
const WECOM_KEY: &str = "key";

/// A receiver that is told over plain HTTP.
#[derive(Clone, Debug)]
pub enum Config {
    /// Alertmanager's webhook JSON.
    Http(HttpConfig),
    /// A WeCom group bot.
    Wecom(WecomConfig),
}

/// `{ http: "https://…", bearer: … }`.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where notices are posted.
    pub url: SecretString,
    /// What it asks for as `Authorization: Bearer …`.
    pub bearer: Option<SecretString>,
}

/// `{ wecom: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…" }`.
#[derive(Clone, Debug)]
pub struct WecomConfig {
    /// Where notices are posted, with the bot's key.
    pub url: SecretString,
}

impl HttpConfig {
    /// Reads `http` and `bearer` (or their files) out of a receiver's mapping; a wrong address is a fault.
    pub fn read(map: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Option<Self> {
        let url = secret::optional(map, "http", base, faults);
        let bearer = secret::optional(map, "bearer", base, faults);
        if bearer.as_ref().is_some_and(|bearer| !fits_a_header(bearer)) {
            let place = map.get("bearer").or_else(|| map.get("bearer_file")).map_or(map.place(), |node| &node.place);
            let message = Message::new(
                "bearer 里有不能放进 HTTP 头的字符（换行、空格、中文等）；请只填令牌本身，不带 Bearer",
                "bearer holds characters that cannot stand in a header (blanks, line breaks, Chinese): write the token \
                 alone, without the word Bearer",
            );
            faults.push(Fault::error(place.clone(), message));
        }
        checked(map, "http", &url?, |url| http::checked_url(url, HTTP_EXAMPLE), faults).map(|url| Self { url, bearer })
    }
}

impl WecomConfig {
    /// Reads `wecom` (or its file) out of a receiver's mapping; a wrong address is a fault.
    pub fn read(map: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Option<Self> {
        let url = secret::optional(map, "wecom", base, faults)?;
        checked(map, "wecom", &url, wecom_url, faults).map(|url| Self { url })
    }

    /// The bot's key, which alone is as good as the whole address.
    pub(super) fn key(&self) -> SecretString {
        let key = Url::parse(self.url.expose_secret()).ok().and_then(|url| key_of(&url)).unwrap_or_default();
        SecretString::from(key)
    }
}

fn fits_a_header(bearer: &SecretString) -> bool {
    bearer.expose_secret().chars().all(|c| c.is_ascii_graphic())
}

fn wecom_url(text: &str) -> Result<Url, Message> {
    let url = http::checked_url(text, WECOM_EXAMPLE)?;
    if key_of(&url).is_some() {
        return Ok(url);
    }
    Err(Message::new(
        format!("企业微信群机器人的地址里要有 key，形如 {WECOM_EXAMPLE}（群 → 群机器人 → 查看资料里复制）"),
        format!(
            "the address of a WeCom group bot has a key, like {WECOM_EXAMPLE} (copy it from the group's bot, under its \
             details)"
        ),
    ))
}

fn key_of(url: &Url) -> Option<String> {
    let key = url.query_pairs().find(|(name, _)| name == WECOM_KEY)?.1.into_owned();
    Some(key).filter(|key| !key.trim().is_empty())
}

/// The address as it is posted to, where it is a good one.
fn checked(
    map: &mut Map<'_>,
    key: &str,
    url: &SecretString,
    check: impl Fn(&str) -> Result<Url, Message>,
    faults: &mut Vec<Fault>,
) -> Option<SecretString> {
    match check(url.expose_secret()) {
        Ok(url) => Some(SecretString::from(String::from(url))),
        Err(message) => {
            let file = format!("{key}_file");
            let place = map.get(key).or_else(|| map.get(&file)).map_or(map.place(), |node| &node.place);
            faults.push(Fault::error(place.clone(), message));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn read<T>(yaml: &str, read: impl Fn(&mut Map<'_>, &mut Vec<Fault>) -> Option<T>) -> (Option<T>, String) {
        let mut faults = Vec::new();
        let node = parse("t.yaml", yaml, &mut faults).unwrap();
        let mut map = Map::of(&node, &Message::default(), &mut faults).unwrap();
        let found = read(&mut map, &mut faults);
        map.finish(&[], &mut faults);
        (found, faults.into_iter().map(|fault| fault.message.en).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn addresses_are_https_and_are_never_shown() {
        let table = [
            ("{http: 'https://pager.example/hook?token=s3cret', bearer: t-s3cret}", ""),
            ("{http: 'http://127.0.0.1:9093/s3cret'}", ""),
            ("{http: 'http://pager.example/s3cret'}", "an address must be https://"),
            ("{http: 's3cret'}", "an address looks like https://pager.example.com/hook"),
            ("{http: 'ftp://pager.example/s3cret'}", "an address must be https://"),
            ("{http: 'https://pager.example', bearer: 'Bearer s3cret'}", "bearer holds characters"),
        ];
        for (yaml, part) in table {
            let (config, faults) = read(yaml, |map, faults| HttpConfig::read(map, Path::new("/etc"), faults));
            assert!(faults.contains(part) && faults.is_empty() == part.is_empty(), "{yaml}: {faults}");
            assert!(!format!("{config:?}{faults}").contains("s3cret"), "{yaml}: {config:?} {faults}");
        }
    }

    #[test]
    fn a_wecom_bot_has_a_key() {
        let table = [
            ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx", Some("693a91f6-7xxx")),
            ("http://127.0.0.1:80/cgi-bin/webhook/send?debug=1&key=k", Some("k")),
            ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send", None),
            ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", None),
            ("http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", None),
        ];
        for (url, key) in table {
            let yaml = format!("{{wecom: '{url}'}}");
            let (config, faults) = read(&yaml, |map, faults| WecomConfig::read(map, Path::new("/etc"), faults));
            assert_eq!(config.map(|config| config.key().expose_secret().to_owned()).as_deref(), key, "{url}: {faults}");
            assert_eq!(faults.is_empty(), key.is_some(), "{url}: {faults}");
        }
    }
}
