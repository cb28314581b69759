//! The heartbeat: an address that is asked after each completed pass, so that whoever watches it notices when deskbell
//! goes silent. The whole address is a secret: whoever knows it can keep the watch quiet.

use std::{fmt, path::Path};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::{http, secret, yaml::map::Map},
    domain::{fault::Fault, time::Span},
};

/// The key under `operations`.
const KEY: &str = "heartbeat";

/// What such an address looks like.
const EXAMPLE: &str = "https://hc-ping.com/<id>";

/// How long an answer is waited for.
pub const PING_TIME_MAX: Span = Span::from_secs(10);

/// Where the heartbeat goes (`operations.heartbeat`).
#[derive(Clone)]
pub struct Heartbeat {
    url: SecretString,
    http: reqwest::Client,
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heartbeat")
    }
}

/// Reads `heartbeat`, or `heartbeat_file`, out of `operations`; a wrong address is a fault.
pub fn read(map: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Option<SecretString> {
    let url = secret::optional(map, KEY, base, faults)?;
    match http::checked_url(url.expose_secret(), EXAMPLE) {
        Ok(url) => Some(SecretString::from(String::from(url))),
        Err(message) => {
            let place = map.get(KEY).or_else(|| map.get("heartbeat_file")).map_or(map.place(), |node| &node.place);
            faults.push(Fault::error(place.clone(), message));
            None
        }
    }
}

impl Heartbeat {
    /// A heartbeat to this address.
    pub const fn new(url: SecretString, http: reqwest::Client) -> Self {
        Self { url, http }
    }

    /// Asks the address once; its answer is looked at no further than its status.
    ///
    /// # Errors
    /// It was not reached in time or did not like it: what happened, without the address.
    pub async fn ping(&self) -> Result<(), String> {
        let request = self.http.get(self.url.expose_secret()).timeout(PING_TIME_MAX.to_std());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("HTTP {}", answer.status().as_u16())),
            Err(error) => Err(secret::scrub(&http::Broken::from(error).reason, &[&self.url])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{adapters::yaml::parse::parse, domain::text::Message};

    #[test]
    fn the_address_is_checked_and_never_shown() {
        for (yaml, fault) in [
            ("{ heartbeat: 'https://hc-ping.com/s3cret' }", ""),
            ("{ heartbeat: 'http://127.0.0.1:9/s3cret' }", ""),
            ("{ heartbeat: 'http://hc-ping.com/s3cret' }", "an address must be https://"),
            ("{ heartbeat: 's3cret-words' }", "an address looks like https://hc-ping.com/<id>"),
            ("{}", ""),
        ] {
            let mut faults = Vec::new();
            let node = parse("t.yaml", yaml, &mut faults).unwrap();
            let mut map = Map::of(&node, &Message::default(), &mut faults).unwrap();
            let url = read(&mut map, Path::new("."), &mut faults);
            map.finish(&[], &mut faults);
            let said = faults.iter().map(|fault| fault.message.en.as_str()).collect::<Vec<_>>().join("; ");
            assert!(said.contains(fault) && said.is_empty() == fault.is_empty(), "{yaml}: {said}");
            assert!(!said.contains("s3cret") && !format!("{url:?}").contains("s3cret"), "{yaml}: {said}");
        }
    }
}
