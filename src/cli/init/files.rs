//! The files a new configuration begins with. Never overwrites anything; secrets stand in files of their own that only
//! their owner reads.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

use crate::domain::{id::ChatId, plan::Plan};

macro_rules! shipped {
    ($($file:literal),+ $(,)?) => {
        /// The rules and templates a configuration begins with: path in the folder, and text.
        pub const STARTERS: &[(&str, &str)] =
            &[$(($file, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $file)))),+];
    };
}

shipped![
    "rules/_defaults.yaml",
    "rules/dissatisfied.yaml",
    "rules/dissatisfied.test.yaml",
    "rules/waiting-for-user.yaml",
    "rules/waiting-for-user.test.yaml",
    "rules/custom-field.yaml",
    "rules/custom-field.test.yaml",
    "rules/first-response.yaml",
    "rules/first-response.test.yaml",
    "rules/nobody-assigned.yaml",
    "rules/nobody-assigned.test.yaml",
    "rules/agent-silent.yaml",
    "rules/agent-silent.test.yaml",
    "rules/stuck-in-queue.yaml",
    "rules/stuck-in-queue.test.yaml",
    "rules/queue-building-up.yaml",
    "rules/queue-building-up.test.yaml",
    "rules/reopened-twice.yaml",
    "rules/reopened-twice.test.yaml",
    "rules/bot-unsolved.yaml",
    "rules/bot-unsolved.test.yaml",
    "rules/words-of-complaint.yaml",
    "rules/words-of-complaint.test.yaml",
    "templates/dissatisfied.zh.hbs",
    "templates/dissatisfied.en.hbs",
    "templates/waiting-for-user.zh.hbs",
    "templates/waiting-for-user.en.hbs",
    "templates/custom-field.zh.hbs",
    "templates/custom-field.en.hbs",
    "templates/agent-silent.zh.hbs",
    "templates/agent-silent.en.hbs",
    "templates/words-of-complaint.zh.hbs",
    "templates/words-of-complaint.en.hbs",
    "calendars/cn.yaml",
    "schemas/rules.json",
    "schemas/config.json",
    "schemas/calendars.json",
    "schemas/tests.json",
];

/// What a version control system must not see.
const IGNORED: &str = "/secrets/\n/data/\n/rehearsal-*.jsonl\n";

/// What a new configuration says.
#[derive(Debug)]
pub struct Draft {
    /// Where the API is.
    pub base_url: String,
    /// The app.
    pub app_id: String,
    /// Its secret.
    pub app_secret: SecretString,
    /// The helpdesk.
    pub helpdesk_id: String,
    /// Its token.
    pub helpdesk_token: SecretString,
    /// The chat that receives alerts; absent: to be filled in.
    pub chat: Option<ChatId>,
    /// How many API calls a month there are.
    pub plan: Plan,
    /// What `deskbell status` asks with.
    pub api_token: SecretString,
}

/// What stands for a chat nobody has chosen yet; `check` says what to do.
pub const CHAT_TO_FILL_IN: &str = "在这里填群 ID";

impl Draft {
    /// The configuration: some twenty lines that say what they are.
    pub fn configuration(&self) -> String {
        let chat = self.chat.as_ref().map_or(CHAT_TO_FILL_IN, ChatId::as_str);
        let (plan, poll, sweep) = match self.plan {
            Plan::Paid => ("paid".to_string(), "*/30 * * * * *", "0 */15 * * * *"),
            // 30 days of 96 polls of 2 calls and 2 sweeps of some 5: 6,060 of the 7,000 that polling may spend.
            Plan::Calls(_) => ("free".to_string(), "0 */15 * * * *", "0 0 8,20 * * *"),
        };
        let Self { base_url, app_id, helpdesk_id, .. } = self;
        format!(
            r#"# yaml-language-server: $schema=schemas/config.json
# 全部设置见 deskbell.example.yaml；改完先运行 deskbell check
# Everything that can be set: deskbell.example.yaml; run deskbell check after a change
timezone: Asia/Shanghai
locale: zh
feishu:
  base_url: {base_url}
  app_id: {app_id}
  app_secret_file: secrets/app_secret
  plan: {plan}                  # free 每月 1 万次 10,000 calls a month | paid
  # 消息和点击默认走长连接，不需要公网地址；有公网地址的，也可以走 HTTP
  # Messages and clicks come over the long connection, no public address needed; over HTTP, too, where there is one:
  # events: {{ http: true, verification_token_file: secrets/verification_token, encrypt_key_file: secrets/encrypt_key }}
sources:
  it-desk:
    kind: feishu_helpdesk
    helpdesk_id: "{helpdesk_id}"
    helpdesk_token_file: secrets/helpdesk_token
    poll: "{poll}"     # 秒 分 时 日 月 星期 · second minute hour day month weekday
    sweep: "{sweep}"    # 全量核对 · everything open is read again
    # subject: ["field:问题描述"]    # 标题取自哪个字段，deskbell fields 会列出 · which field holds the subject
receivers:
  support: {{ chat_id: {chat} }}      # deskbell chats 列出群 ID · lists the ids
  # 还可以是人 person、自定义机器人 webhook、企业微信 wecom、外部 http · Also a person, a custom bot, WeCom, http
teams:
  support: {{ to: support, lead: support }}   # 规则里的 team 和 team.lead；lead 可以写组长的邮箱 · lead: may be an email
calendars:
  office:                            # 规则按它算办公时间 · the hours that rules count
    week: {{ mon-fri: ["09:30-12:00", "13:30-18:30"] }}
    holidays: [cn]                   # calendars/cn.yaml：节假日和调休 · public holidays
operations: {{ to: support }}       # deskbell 自己的故障发给谁 · who hears of its own troubles
server: {{ api_token_file: secrets/api_token }}
store: {{ path: ./data }}
rules: ./rules
templates: ./templates
"#
        )
    }

    /// Every file, relative to the folder: its text, and whether only the owner may read it.
    fn files(&self) -> Vec<(&'static str, String, bool)> {
        let secret = |secret: &SecretString| format!("{}\n", secret.expose_secret());
        let mut files = vec![
            ("secrets/app_secret", secret(&self.app_secret), true),
            ("secrets/helpdesk_token", secret(&self.helpdesk_token), true),
            ("secrets/api_token", secret(&self.api_token), true),
            (".gitignore", IGNORED.to_string(), false),
        ];
        files.extend(STARTERS.iter().map(|(name, text)| (*name, (*text).to_string(), false)));
        files.push(("deskbell.yaml", self.configuration(), false)); // last: with it the folder is whole
        files
    }

    /// Writes every file; gives those written. Fails before the first one if any of them is there already.
    pub fn write(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        if let Some(there) = standing(dir) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, there.display().to_string()));
        }
        let mut written = Vec::new();
        for (name, text, private) in self.files() {
            let path = dir.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o644 });
            let mut file = options.open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            written.push(path);
        }
        Ok(written)
    }
}

/// The first file of a configuration that stands in the folder already.
pub fn standing(dir: &Path) -> Option<PathBuf> {
    let fixed = ["deskbell.yaml", "secrets/app_secret", "secrets/helpdesk_token", "secrets/api_token", ".gitignore"];
    let names = fixed.into_iter().chain(STARTERS.iter().map(|(name, _)| *name));
    names.map(|name| dir.join(name)).find(|path| path.symlink_metadata().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::load::load;

    fn draft(plan: Plan, chat: Option<&str>) -> Draft {
        Draft {
            base_url: "https://open.feishu.cn".to_string(),
            app_id: "cli_a1".to_string(),
            app_secret: SecretString::from("app-secret-value"),
            helpdesk_id: "6626871355780366330".to_string(),
            helpdesk_token: SecretString::from("ht-value"),
            chat: chat.map(ChatId::from),
            plan,
            api_token: SecretString::from("0123456789abcdef0123456789abcdef"),
        }
    }

    #[test]
    fn what_is_written_loads_without_any_environment() {
        for plan in [Plan::Paid, Plan::Calls(10_000)] {
            let dir = tempfile::tempdir().unwrap();
            draft(plan, Some("oc_a")).write(dir.path()).unwrap();
            let loaded = load(&dir.path().join("deskbell.yaml"), &|_| None);
            let setup = loaded.setup.unwrap_or_else(|| panic!("{:#?}", loaded.faults));
            assert!(!setup.calls.is_over(), "{}", setup.calls.words());
            assert_eq!(setup.rules.rules.len(), 11);
            let text = fs::read_to_string(dir.path().join("deskbell.yaml")).unwrap();
            assert!(!text.contains("value"), "{text}");
        }
    }

    #[test]
    fn a_chat_to_fill_in_is_a_fault_that_says_how() {
        let dir = tempfile::tempdir().unwrap();
        draft(Plan::Paid, None).write(dir.path()).unwrap();
        let loaded = load(&dir.path().join("deskbell.yaml"), &|_| None);
        assert!(loaded.setup.is_none());
        assert!(
            loaded
                .faults
                .iter()
                .any(|fault| fault.hint.as_ref().is_some_and(|hint| hint.en.contains("deskbell chats")))
        );
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_the_owners_alone_and_nothing_is_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        draft(Plan::Paid, None).write(dir.path()).unwrap();
        let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("secrets/app_secret"), mode("secrets/helpdesk_token")), (0o600, 0o600));
        fs::write(dir.path().join("deskbell.yaml"), "mine").unwrap();
        let error = draft(Plan::Paid, None).write(dir.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(dir.path().join("deskbell.yaml")).unwrap(), "mine");
    }
}
