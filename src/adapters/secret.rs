//! Secrets of the configuration: a key or its `<key>_file`, kept where no log and no `Debug` shows them.

use std::{io::Read, path::Path};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::yaml::map::Map,
    domain::{
        fault::{Fault, Place},
        text::Message,
    },
};

/// Bytes a secret's file may have.
pub const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Characters a secret has at least. A shorter one is easily guessed, and taking it out of every sentence would take
/// the sentence apart.
pub const SECRET_CHARS_MIN: usize = 8;

/// What stands where a secret stood.
pub const REDACTED: &str = "[secret]";

/// The text with every one of `secrets` taken out: what the other side says may repeat what it was sent. One that is
/// shorter than [`SECRET_CHARS_MIN`] stays: its letters stand in every word, and whoever wrote it was warned.
pub fn scrub(text: &str, secrets: &[&SecretString]) -> String {
    let mut out = text.to_owned();
    for secret in
        secrets.iter().map(|secret| secret.expose_secret()).filter(|secret| secret.chars().count() >= SECRET_CHARS_MIN)
    {
        if out.contains(secret) {
            out = out.replace(secret, REDACTED);
        }
    }
    out
}

/// A secret that must be there: under `key`, or in the file that `<key>_file` names (relative to `base`).
pub fn required(map: &mut Map<'_>, key: &str, base: &Path, faults: &mut Vec<Fault>) -> Option<SecretString> {
    let before = faults.len();
    let found = optional(map, key, base, faults);
    if found.is_none() && faults.len() == before {
        let message =
            Message::new(format!("缺少 “{key}”（或 “{key}_file”）"), format!("`{key}` is missing (or `{key}_file`)"));
        faults.push(Fault::error(map.place().clone(), message));
    }
    found
}

/// A secret that may be absent. Both keys at once, an empty one, an unreadable file are faults; none shows the secret.
pub fn optional(map: &mut Map<'_>, key: &str, base: &Path, faults: &mut Vec<Fault>) -> Option<SecretString> {
    let file_key = format!("{key}_file");
    let (plain, file) = (map.text(key, faults), map.text(&file_key, faults));
    let (text, place, named) = match (plain, file) {
        (None, None) => return None,
        (Some(_), Some((_, place))) => {
            let message = Message::new(
                format!("“{key}” 和 “{file_key}” 只能写一个"),
                format!("`{key}` and `{file_key}` exclude each other"),
            );
            faults.push(Fault::error(place, message));
            return None;
        }
        (Some((text, place)), None) => (text, place, key),
        (None, Some((path, place))) => (from_file(&base.join(path), &place, faults)?, place, &*file_key),
    };
    let text = text.trim();
    if text.is_empty() {
        let message = Message::new(format!("“{named}” 是空的"), format!("`{named}` is empty"));
        faults.push(Fault::error(place, message));
        return None;
    }
    let chars = text.chars().count();
    if chars < SECRET_CHARS_MIN {
        let message = Message::new(
            format!("“{named}” 只有 {chars} 个字：密钥太短容易猜中，日志里也遮不住。是不是没有复制完整？"),
            format!(
                "`{named}` is {chars} long: a secret this short is easily guessed and cannot be masked in logs. Was it \
                 copied whole?"
            ),
        );
        let hint =
            Message::new(format!("至少 {SECRET_CHARS_MIN} 个字"), format!("at least {SECRET_CHARS_MIN} characters"));
        faults.push(Fault::warning(place, message).with_hint(hint));
    }
    Some(SecretString::from(text.to_owned()))
}

fn from_file(path: &Path, place: &Place, faults: &mut Vec<Fault>) -> Option<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(SECRET_FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| error.to_string());
    let problem = match read {
        Ok(_) if text.len() as u64 <= SECRET_FILE_BYTES_MAX => return Some(text),
        Ok(_) => "larger than 64 KiB".to_owned(),
        Err(problem) => problem,
    };
    let shown = path.display();
    let message = Message::new(
        format!("读不了密钥文件 {shown}：{problem}。请检查路径和权限。"),
        format!("the secret's file {shown} cannot be read: {problem}. Check the path and the permissions."),
    );
    faults.push(Fault::error(place.clone(), message));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn read(yaml: &str, base: &Path) -> (Option<SecretString>, Vec<String>) {
        let mut faults = Vec::new();
        let node = parse("t.yaml", yaml, &mut faults).unwrap();
        let mut map = Map::of(&node, &Message::new("配置", "a configuration"), &mut faults).unwrap();
        let found = required(&mut map, "app_secret", base, &mut faults);
        map.finish(&[], &mut faults);
        (found, faults.into_iter().map(|fault| format!("{}: {}", fault.place, fault.message.en)).collect())
    }

    #[test]
    fn a_secret_comes_from_its_key_or_from_its_file_and_from_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("good"), "  s3cret-s3cret\n").unwrap();
        std::fs::write(dir.path().join("empty"), "\n").unwrap();
        std::fs::write(dir.path().join("large"), "x".repeat(70_000)).unwrap();
        let cases = [
            ("app_secret: s3cret-s3cret", Ok("s3cret-s3cret")),
            ("app_secret_file: good", Ok("s3cret-s3cret")),
            ("other: 1", Err("`app_secret` is missing (or `app_secret_file`)")),
            ("app_secret: ''", Err("`app_secret` is empty")),
            ("app_secret_file: empty", Err("`app_secret_file` is empty")),
            ("app_secret_file: nowhere", Err("cannot be read")),
            ("app_secret_file: large", Err("larger than 64 KiB")),
            ("{app_secret: s3cret-s3cret, app_secret_file: good}", Err("exclude each other")),
            ("app_secret: [s3cret-s3cret]", Err("expected text")),
        ];
        for (yaml, expected) in cases {
            let (found, faults) = read(yaml, dir.path());
            match expected {
                Ok(secret) => assert_eq!(found.unwrap().expose_secret(), secret, "{yaml}: {faults:?}"),
                Err(part) => {
                    assert!(found.is_none(), "{yaml}");
                    assert!(faults[0].contains(part), "{yaml}: {faults:?}");
                    assert!(!faults.join(" ").contains("s3cret"), "{yaml}: {faults:?}");
                }
            }
        }
    }

    #[test]
    fn a_short_secret_is_warned_of_and_takes_no_sentence_apart() {
        let (found, faults) = read("app_secret: s3cret7", Path::new("."));
        assert_eq!(found.unwrap().expose_secret(), "s3cret7");
        assert!(faults[0].contains("`app_secret` is 7 long") && !faults[0].contains("s3cret7"), "{faults:?}");
        assert_eq!(read("app_secret: s3cret78", Path::new(".")).1, [""; 0]);
    }

    #[test]
    fn what_was_sent_does_not_come_back() {
        let secrets = [SecretString::from("t-abcdef"), SecretString::from(""), SecretString::from("a")];
        let scrubbed = scrub("bad token t-abcdef (t-abcdef)", &[&secrets[0], &secrets[1], &secrets[2]]);
        assert_eq!(scrubbed, "bad token [secret] ([secret])");
    }
}
