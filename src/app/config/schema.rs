//! The schema of `deskbell.yaml`, for editors: what the sections read, with the same leniency. Any scalar may hold a
//! variable of the environment.

use serde_json::{Map, Value, json};

use crate::{
    adapters::{
        calendars::read,
        rulebook::schema::conditions::{CONDITION, definitions},
        yaml::schema::{
            Object, document, filled_text, flag, integer, list, one_or_many, or_variable, pattern, refer,
            span_or_variable, text, with_variable, words, words_or,
        },
    },
    app::config::{
        calendars::OTHERWISE,
        inhibit::{self, INHIBITS_MAX},
        privacy::{MASKS, SHOW_MAX, show_words},
        storm,
        words::NAME_CHARS_MAX,
    },
    domain::{privacy::GUEST_TEXT_MAX, receiver::HTTP_PER_SECOND_MAX, text::Words},
    web::tokens::Scope,
};

/// Items of any list; the sections' own limits are lower and say so better.
const LIST_MAX: usize = 1_000;

/// The schema of the configuration.
pub fn config() -> Value {
    let title = Words { zh: "deskbell 的配置", en: "the configuration of deskbell" };
    document(title, root().schema(), all_definitions())
}

fn all_definitions() -> Map<String, Value> {
    let mut all = definitions();
    all.insert("source".to_string(), source().schema());
    all.insert("receiver".to_string(), receiver().schema());
    all.insert("team".to_string(), team().schema());
    all.insert("inhibition".to_string(), inhibition().schema());
    all.insert("alerts".to_string(), alerts().schema());
    all.insert("rota".to_string(), rota().schema());
    all.insert("calendar".to_string(), calendar().schema());
    all
}

const fn doc(zh: &'static str, en: &'static str) -> Words {
    Words { zh, en }
}

fn choice(all: &[&str]) -> Value {
    with_variable(words(all.iter().copied()))
}

fn operations() -> Object {
    let object = Object::new().required(&["to"], filled_text(), doc("接收方的名字", "a receiver's name"));
    let heartbeat = doc("每读完一遍就请求一次的网址", "an address that is asked after each completed pass");
    secret(object, "heartbeat", "heartbeat_file", heartbeat)
}

fn root() -> Object {
    Object::new()
        .optional(&["timezone"], text(), doc("人看时间、定时器跑的时区", "the zone people read times in; an IANA name"))
        .optional(&["locale"], choice(&["zh", "en"]), doc("卡片的语言", "the language of the cards"))
        .required(&["feishu"], feishu().schema(), doc("飞书应用", "the Feishu app"))
        .optional(&["http"], http().schema(), doc("怎么连外网", "the way out"))
        .required(&["sources"], named("source"), doc("工单从哪里来", "where tickets come from"))
        .required(&["receivers"], named("receiver"), doc("提醒发到哪里", "where alerts go"))
        .optional(
            &["operations"],
            operations().schema(),
            doc("deskbell 自己的故障告诉谁", "who hears of deskbell's own troubles"),
        )
        .optional(&["teams"], named("team"), doc("团队，先符合的为准", "the teams; the first that matches"))
        .optional(&["rotas"], rotas(), doc("值班表：谁在什么时候值班", "who is on call when"))
        .optional(&["calendars"], named("calendar"), doc("办公时间", "office hours by name"))
        .optional(&["chat"], chat().schema(), doc("群里谁能用", "who may use it in chat"))
        .optional(
            &["storm"],
            storm(),
            doc("同一规则短时间提醒太多时合为一条汇总；off 关掉", "too many alerts at once become one digest; or off"),
        )
        .optional(
            &["inhibit"],
            list(refer("inhibition"), INHIBITS_MAX),
            doc("一条响着时，哪些不另外提醒", "which alerts are held back while another one rings"),
        )
        .optional(&["privacy"], privacy().schema(), doc("能显示客户的什么", "what may be shown of a guest"))
        .optional(&["server"], server().schema(), doc("在哪里监听", "where deskbell listens"))
        .optional(&["store"], store().schema(), doc("数据放在哪里", "where it keeps what it knows"))
        .optional(&["rules"], text(), doc("规则的目录", "the folder of rules"))
        .optional(&["templates"], text(), doc("模板的目录", "the folder of templates"))
}

/// Things with names of one's own.
fn named(definition: &str) -> Value {
    Object::new().keys_like(&format!(r"^[^.:/\\]{{1,{NAME_CHARS_MAX}}}$"), refer(definition)).at_least(1).schema()
}

/// A secret, or the file it stands in.
fn secret(object: Object, key: &'static str, file_key: &'static str, words: Words) -> Object {
    let in_file = doc("密钥所在的文件，相对配置文件", "the file the secret stands in, from this file's folder");
    object.optional(&[key], text(), words).optional(&[file_key], text(), in_file)
}

/// The same, where one of the two must be there.
fn needed_secret(object: Object, key: &'static str, file_key: &'static str, words: Words) -> Object {
    secret(object, key, file_key, words).one_of(&[key, file_key])
}

fn feishu() -> Object {
    let calls = json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, pattern(&or_variable("^ *[0-9]+ *$"))] });
    let object = Object::new()
        .optional(&["base_url"], text(), doc("开放平台地址", "the platform's address"))
        .required(&["app_id"], filled_text(), doc("应用的 App ID", "the app's id"))
        .optional(
            &["plan"],
            words_or(words(["free", "paid"]), calls),
            doc("每月 API 次数：free（1 万）、paid，或一个数字", "API calls a month: free (10,000), paid, or a number"),
        )
        .optional(&["events"], events().schema(), doc("事件怎么来", "how events arrive"))
        .optional(&["limits"], limits().schema(), doc("发送和调用的速度", "how fast may be sent"));
    needed_secret(object, "app_secret", "app_secret_file", doc("应用的 App Secret", "the app's secret"))
}

fn events() -> Object {
    let switch = || with_variable(flag());
    let object = Object::new()
        .optional(
            &["long_connection"],
            switch(),
            doc(
                "长连接：不需要公网地址，默认打开",
                "the long connection: no public address needed, on unless switched off",
            ),
        )
        .optional(&["http"], switch(), doc("飞书推送到 /feishu/events", "Feishu posts to /feishu/events"));
    let token = doc("加密策略里的 Verification Token", "the verification token of the encryption strategy");
    let key = doc("加密策略里的 Encrypt Key", "the encrypt key of the encryption strategy");
    let object = secret(object, "verification_token", "verification_token_file", token);
    secret(object, "encrypt_key", "encrypt_key_file", key)
}

fn limits() -> Object {
    let number = || with_variable(integer(1..=1_000_000));
    Object::new()
        .optional(&["chat_per_second"], number(), doc("每秒发到一个群的条数", "messages to a chat a second"))
        .optional(&["api_per_second"], number(), doc("每个接口每秒次数", "calls to an API a second"))
        .optional(&["api_per_minute"], number(), doc("每个接口每分钟次数", "calls to an API a minute"))
}

fn http() -> Object {
    Object::new()
        .optional(&["proxy"], text(), doc("system、none，或 http://主机:端口", "system, none, or http://host:port"))
        .optional(&["ca_file"], text(), doc("额外信任的证书（PEM）", "further trusted certificates (PEM)"))
}

fn source() -> Object {
    let caption = or_variable(r"^field:\s*\S");
    let object = Object::new()
        .required(&["kind"], choice(&["feishu_helpdesk"]), doc("哪一种来源", "what kind of source"))
        .required(&["helpdesk_id"], filled_text(), doc("服务台的 ID", "the helpdesk's id"))
        .optional(
            &["poll"],
            schedule(),
            doc("多久读一次：秒 分 时 日 月 星期", "when it is polled: sec min hour day month weekday"),
        )
        .optional(&["sweep"], schedule(), doc("多久全量核对一次", "when everything open is read again"))
        .optional(&["overlap"], span_or_variable(), doc("每次往回多读多久", "how far each poll reaches back"))
        .optional(
            &["catch_up"],
            choice(&["digest", "each", "none"]),
            doc("已经成立的怎么告知", "how what already holds is announced"),
        )
        .optional(
            &["subject"],
            one_or_many(pattern(&format!("{caption}|^first_guest_message$")), LIST_MAX),
            doc("标题取自哪里，先有值的为准", "where the subject stands; the first that has a value"),
        )
        .optional(&["priority"], pattern(&caption), doc("优先级取自哪个字段", "the field that holds the priority"));
    needed_secret(object, "helpdesk_token", "helpdesk_token_file", doc("服务台的令牌", "the helpdesk's token"))
}

fn receiver() -> Object {
    let person = doc(
        "一个人：飞书邮箱、手机号，或以 ou_ 开头的 ID",
        "a person: their Feishu email, mobile number, or an id that begins with ou_",
    );
    let per_second = with_variable(json!({ "type": "integer", "minimum": 1, "maximum": HTTP_PER_SECOND_MAX }));
    let object = Object::new()
        .optional(
            &["chat_id"],
            chat_id(),
            doc("群 ID，deskbell chats 会列出", "a chat's id; deskbell chats lists them"),
        )
        .optional(&["person"], pattern(&or_variable(r"^\s*ou_|@|^\s*\+?[0-9]{7,15}\s*$")), person)
        .optional(
            &["external"],
            with_variable(flag()),
            doc("允许这个群是外部群；不发客户的内容", "it may be an external chat; nothing of the guest is told there"),
        )
        .optional(&["locale"], choice(&["zh", "en"]), doc("发给它的语言", "the language it is told in"))
        .optional(&["quiet"], quiet().schema(), doc("什么时候不打扰它", "when it is left in peace"))
        .optional(
            &["fallback"],
            filled_text(),
            doc("发不到时改发给哪个接收方", "the receiver that is told in its place when it refuses for good"),
        )
        .optional(
            &["per_second"],
            per_second,
            doc("http 每秒最多几条，默认 10", "notices a second to `http` at most; 10 if absent"),
        );
    let object = secret(object, "webhook", "webhook_file", doc("自定义机器人的地址", "a custom bot's address"));
    let object =
        secret(object, "secret", "secret_file", doc("自定义机器人的签名密钥", "the custom bot's signing secret"));
    let object = secret(object, "wecom", "wecom_file", doc("企业微信群机器人的地址", "a WeCom group bot's address"));
    let alertmanager = doc("收 Alertmanager webhook（version 4）的地址", "where Alertmanager's webhook JSON is posted");
    let object = secret(object, "http", "http_file", alertmanager);
    let object = secret(object, "bearer", "bearer_file", doc("http 要的令牌", "the token that `http` asks for"));
    object.one_of(&["chat_id", "person", "webhook", "webhook_file", "wecom", "wecom_file", "http", "http_file"])
}

fn privacy() -> Object {
    let known = show_words();
    let field = pattern(&or_variable(r"^\s*(field|字段)\s*[:：].*\S"));
    let shown = words_or(words(known.iter().map(String::as_str)), field);
    let masks: Vec<&str> = MASKS.iter().flat_map(|(en, zh, _)| [*en, *zh]).collect();
    let chars = i64::try_from(GUEST_TEXT_MAX).unwrap_or(i64::MAX);
    Object::new()
        .optional(
            &["show"],
            list(shown, SHOW_MAX),
            doc("显示客户的哪些内容，没列出的不显示", "what of the guest is shown; what is not listed is not"),
        )
        .optional(&["mask"], list(choice(&masks), LIST_MAX), doc("打码的内容", "what is masked wherever it stands"))
        .optional(
            &["guest_text"],
            with_variable(integer(0..=chars)),
            doc("引用的话最多几个字，0 就不引用", "characters quoted of what was said; 0: nothing"),
        )
        .optional(&["forward"], with_variable(flag()), doc("卡片能不能转发", "whether cards may be forwarded"))
        .optional(
            &["raw"],
            with_variable(flag()),
            doc("模板能不能用 raw（没有打码的工单）", "whether templates may name raw, the ticket without masks"),
        )
}

fn quiet() -> Object {
    Object::new()
        .required(&["calendar"], filled_text(), doc("哪个日历的时段", "the calendar whose hours they are"))
        .optional(
            &["except"],
            choice(&["info", "warning", "critical", "提示", "警告", "严重"]),
            doc("这样严重或更严重的照发", "alerts this serious or more are told all the same"),
        )
}

fn inhibition() -> Object {
    let same = with_variable(words(inhibit::words().1));
    Object::new()
        .required(
            &["while"],
            refer("alerts"),
            doc("什么响着；级别指这一级及以上", "what rings; of this severity or higher"),
        )
        .required(
            &["mutes"],
            refer("alerts"),
            doc("什么不另外提醒；级别指这一级及以下", "what is held back; of this severity or lower"),
        )
        .optional(&["same"], one_or_many(same, LIST_MAX), doc("两边必须相同的", "what both must have in common"))
}

fn alerts() -> Object {
    Object::new()
        .optional(&["rule"], filled_text(), doc("规则的名字", "a rule's name"))
        .optional(&["severity"], with_variable(words(inhibit::words().0)), doc("级别", "a severity"))
        .optional(&["source"], filled_text(), doc("来源的名字", "a source's name"))
        .optional(&["team"], filled_text(), doc("团队的名字", "a team's name"))
        .optional(&["when"], refer(CONDITION), doc("工单的条件", "a condition on the ticket"))
        .at_least(1)
}

fn team() -> Object {
    Object::new()
        .optional(
            &["when"],
            refer(CONDITION),
            doc("哪些工单归它；不写就是剩下的全部", "which tickets are its own; absent: all that are left"),
        )
        .required(
            &["to"],
            filled_text(),
            doc("team 是谁：接收方，或一个人", "whom `team` means: a receiver, or a person"),
        )
        .optional(&["lead"], text(), doc("team.lead 是谁", "whom `team.lead` means"))
        .optional(
            &["oncall"],
            text(),
            doc(
                "team.oncall 是谁：值班表、接收方，或一个人",
                "whom `team.oncall` means: a rota, a receiver, or a person",
            ),
        )
}

/// There may be none.
fn rotas() -> Value {
    Object::new().keys_like(&format!(r"^[^.:/\\]{{1,{NAME_CHARS_MAX}}}$"), refer("rota")).schema()
}

fn rota() -> Object {
    let shift = Object::new()
        .required(&["name"], filled_text(), doc("班次的名字", "its name"))
        .required(&["hours"], frame(), doc("从几点到几点，可以跨夜", "its hours; they may cross midnight"))
        .required(
            &["change"],
            pattern(&or_variable("^\\s*([Dd][Aa][Ii][Ll][Yy]|每[天日]|.*[0-9０-９]\\s*[:：].*)\\s*$")),
            doc("什么时候换人：daily，或 \"mon 09:00\"", "when the next member's turn begins: daily, or \"mon 09:00\""),
        )
        .required(
            &["members"],
            one_or_many(filled_text(), LIST_MAX),
            doc("轮流的人：邮箱、手机号或 ou_", "who takes turns: emails, mobile numbers or ids"),
        );
    Object::new()
        .required(&["start"], date(), doc("第一天，从这天起轮", "the first day; turns count from it"))
        .required(&["shifts"], list(shift.schema(), LIST_MAX), doc("班次", "the shifts"))
        .optional(
            &["dates"],
            text(),
            doc("指定日期的人：CSV，date,shift,email", "who is on call on which date: a CSV of date,shift,email"),
        )
        .optional(&["backup"], filled_text(), doc("没人值班时找谁", "who is called where nobody is on call"))
        .optional(
            &["calendar"],
            text(),
            doc("按哪个日历的长假提醒确认，默认 office", "before whose long holidays it is to be confirmed; office"),
        )
}

fn chat_id() -> Value {
    pattern(&or_variable(r"^oc_[A-Za-z0-9_-]+$"))
}

fn chat() -> Object {
    Object::new().optional(&["access"], access().schema(), doc("谁能做什么", "who may do what"))
}

fn access() -> Object {
    let who = || {
        let chats = json!({ "type": "array", "items": chat_id(), "maxItems": LIST_MAX });
        json!({ "if": { "type": "array" }, "then": chats, "else": choice(&["everyone", "receivers"]) })
    };
    let by_source = Object::new().others(who()).schema();
    Object::new()
        .optional(
            &["look"],
            json!({ "if": { "type": "object" }, "then": by_source, "else": who() }),
            doc("谁能查工单；可以按来源分别写", "who may look tickets up; may differ by source"),
        )
        .optional(&["act"], who(), doc("谁能处理提醒", "who may act on alerts"))
        .optional(
            &["manage"],
            json!({ "type": "array", "items": text(), "maxItems": LIST_MAX }),
            doc("谁能管理", "who may manage"),
        )
        .optional(
            &["direct"],
            choice(&["members", "everyone", "nobody"]),
            doc("单聊机器人", "direct chats with the bot"),
        )
}

/// `off`, or when a storm begins and ends.
fn storm() -> Value {
    let off = with_variable(json!({ "enum": ["off", false] }));
    json!({ "if": { "type": ["string", "boolean"] }, "then": off, "else": storm_keys().schema() })
}

fn storm_keys() -> Object {
    let number = with_variable(integer(storm::ABOVE));
    let span = span_or_variable;
    Object::new()
        .optional(&["above"], number, doc("一个接收方、一条规则超过几条", "more than so many of a rule to a receiver"))
        .optional(&["within"], span(), doc("在多长时间内", "within this time"))
        .optional(&["calm_for"], span(), doc("多久没有新的就结束", "it is over when none came for so long"))
        .optional(&["refresh"], span(), doc("汇总最多多久更新一次", "the digest is updated at most this often"))
}

fn server() -> Object {
    let object = Object::new()
        .optional(&["listen"], text(), doc("飞书的回调，IP:端口", "the platform's callbacks, IP:port"))
        .optional(&["admin_listen"], text(), doc("运维接口，IP:端口", "for operators, IP:port"))
        .optional(&["public_url"], text(), doc("外面看到的地址", "how the outside reaches `listen`"));
    let object = secret(object, "api_token", "api_token_file", doc("/api 要的令牌", "what /api asks for"));
    let scope = words(Scope::ALL.map(Scope::name));
    let token = needed_secret(Object::new(), "token", "token_file", doc("令牌", "the token"))
        .optional(&["scope"], scope, doc("能做什么，默认 read", "what it may do; read unless told otherwise"))
        .schema();
    let tokens = Object::new().keys_like(&format!(r"^[^.:/\\]{{1,{NAME_CHARS_MAX}}}$"), token).schema();
    object.optional(&["api_tokens"], tokens, doc("给程序用的令牌，各有名字", "tokens for programs, by name"))
}

fn store() -> Object {
    Object::new().optional(&["path"], filled_text(), doc("数据目录", "the folder")).optional(
        &["retention"],
        span_or_variable(),
        doc("已关闭的工单保留多久", "how long closed tickets are kept"),
    )
}

/// One cron line, or one for each calendar and one for all other time.
fn schedule() -> Value {
    let other_time = doc("日历以外的时间", "all other time");
    let lines = Object::new().required(&[OTHERWISE], text(), other_time).others(text()).at_least(2).schema();
    json!({ "if": { "type": "object" }, "then": lines, "else": text() })
}

fn calendar() -> Object {
    let week = Object::new().others(frames()).at_least(1).schema();
    let half_days = Object::new().others(frames()).schema();
    let mut object = Object::new();
    for (en, zh) in read::KEYS {
        let names: &[&str] = &[en, zh];
        object = match *en {
            "week" => object.required(names, week.clone(), doc("每周的时段", "the frames of a week")),
            "timezone" => object.optional(names, text(), doc("按哪个时区", "the zone its frames are read in")),
            "half_days" => {
                object.optional(names, half_days.clone(), doc("半天的日子", "days with frames of their own"))
            }
            "workdays" => object.optional(names, many(date()), doc("补班的日子", "weekend days that are worked")),
            _ => object.optional(names, many(text()), doc("放假：cn，或日期", "days off: cn, or dates")),
        };
    }
    object
}

/// Frames of a day, one alone or a list; an empty one is a day off.
fn frames() -> Value {
    many(frame())
}

fn frame() -> Value {
    pattern(&or_variable(r"[0-9０-９]\s*[:：].*[0-9０-９]"))
}

/// A date, or a stretch of dates.
fn date() -> Value {
    pattern(&or_variable(r"^[\s0-9０-９.．\-－]+$"))
}

fn many(item: Value) -> Value {
    let all = json!({ "type": "array", "items": item, "maxItems": LIST_MAX });
    json!({ "if": { "type": "array" }, "then": all, "else": item })
}

/// The schema of a file of public holidays (`calendars/cn.yaml`).
pub fn public_holidays() -> Value {
    let dates = || json!({ "type": "array", "items": date(), "maxItems": LIST_MAX });
    let year = Object::new().required(&["holidays"], dates(), doc("放假的日子", "days off")).optional(
        &["workdays"],
        dates(),
        doc("为它们补班的周末", "weekend days that are worked for them"),
    );
    let years = Object::new().keys_like("^[+]?[0-9]{4}$", year.schema());
    document(doc("deskbell 的节假日", "public holidays of deskbell"), years.schema(), Map::new())
}
