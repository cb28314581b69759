//! `deskbell take`, `release`, `done`, `snooze`: what is done about an alert from the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{
        alerts::{json as shown, plain},
        api::{Api, part},
        args::Format,
        prepare,
        run::Stop,
        terminal::Terminal,
    },
    domain::actor::at_command_line,
    web::acts::Done,
};

/// The variables that say who is at the keyboard, in the order they count.
const USER_VARIABLES: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// Which alert, and who acts.
#[derive(Clone, Debug, Args)]
pub struct DeedArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 提醒的编号（4F7A2C），在卡片下面和 deskbell alerts 里 · The alert's reference, in its card's footer
    pub reference: String,
    /// Who acts and how it is said.
    #[command(flatten)]
    pub manner: Manner,
}

/// Who acts, and what the answer looks like.
#[derive(Clone, Debug, Args)]
pub struct Manner {
    /// 以谁的名义；卡片和日志里写这个名字，并注明是从命令行代行。默认是系统用户名 · In whose name; cards say that it was done at the command line
    #[arg(long = "as", value_name = "NAME", value_parser = someone)]
    pub by: Option<String>,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// A name that says who: in both languages, because it is asked before the language is known.
fn someone(typed: &str) -> Result<String, String> {
    let name: String = typed.chars().filter(|c| !c.is_control()).collect();
    match name.trim() {
        "" => Err("名字是空的，写上是谁 · the name is empty: say who".to_string()),
        name => Ok(name.to_string()),
    }
}

impl Manner {
    /// Who acts: the name given and the account it is done from, else the account.
    pub fn name(&self) -> String {
        at_command_line(self.by.as_deref(), account().as_deref())
    }
}

/// Whoever asks at the command line.
pub fn by() -> String {
    at_command_line(None, account().as_deref())
}

/// The account that runs this: by its name, else by its number.
fn account() -> Option<String> {
    let said = |name: &&str| std::env::var(name).ok().filter(|it| !it.is_empty());
    USER_VARIABLES.iter().find_map(said).or_else(numbered_account)
}

/// The name that the system's list gives the number of this process's account, else the number.
#[cfg(target_os = "linux")]
fn numbered_account() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").ok()?.uid();
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(named_in(&list, uid).unwrap_or_else(|| format!("uid {uid}")))
}

/// Elsewhere nothing says it without the variables.
#[cfg(not(target_os = "linux"))]
const fn numbered_account() -> Option<String> {
    None
}

/// The account with this number in a list as `/etc/passwd` writes it.
#[cfg(any(target_os = "linux", test))]
fn named_in(list: &str, uid: u32) -> Option<String> {
    let mut accounts = list.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = accounts.find(|parts| parts.get(2).is_some_and(|number| number.parse() == Ok(uid)))?;
    found.first().map(|name| (*name).to_string()).filter(|name| !name.is_empty())
}

/// How long it is put off.
#[derive(Clone, Debug, Args)]
pub struct SnoozeArguments {
    /// Which alert, and who acts.
    #[command(flatten)]
    pub deed: DeedArguments,
    /// 多久：30m、2h、1d、tomorrow（明天），或 "next workday"（下个工作日） · How long
    #[arg(value_name = "30m|2h|next workday")]
    pub long: String,
}

/// Does something about an alert.
pub fn run(arguments: &DeedArguments, verb: &str, terminal: Terminal) -> Result<(), Stop> {
    let path = format!("/api/v1/alerts/{}/{verb}", part(&arguments.reference));
    act(&arguments.config, &path, json!({}), &arguments.manner, terminal)
}

/// Puts an alert off.
pub fn snooze(arguments: &SnoozeArguments, terminal: Terminal) -> Result<(), Stop> {
    let SnoozeArguments { deed, long } = arguments;
    let path = format!("/api/v1/alerts/{}/snooze", part(&deed.reference));
    act(&deed.config, &path, json!({ "for": long }), &deed.manner, terminal)
}

/// Does it and shows what became of it.
pub fn act(config: &Path, path: &str, mut body: Value, manner: &Manner, terminal: Terminal) -> Result<(), Stop> {
    let (server, _) = prepare::door(config, terminal)?;
    sign(&mut body, manner);
    let done: Done = prepare::small_runtime()?.block_on(Api::of(&server)?.post(path, &body))?;
    show(&done, manner.format, terminal);
    Ok(())
}

/// Who does it goes with what is done.
pub fn sign(body: &mut Value, manner: &Manner) {
    if let Some(object) = body.as_object_mut() {
        object.insert("by".to_string(), json!(manner.name()));
    }
}

/// What became of it.
pub fn show(done: &Done, format: Format, terminal: Terminal) {
    match format {
        Format::Json => terminal.print(&shown(done)),
        Format::Text => terminal.print(&plain(done.words.get(terminal.locale))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_called_by_the_name_that_the_system_gives_it() {
        let list = "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:7:7::/:\nlilei:x:1000:1000:Li Lei:/home/li:/bin/sh\n";
        for (uid, name) in [(0, Some("root")), (1000, Some("lilei")), (7, None), (8, None)] {
            assert_eq!(named_in(list, uid).as_deref(), name, "{uid}");
        }
    }
}
