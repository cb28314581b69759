//! What a busy helpdesk's list answers: 10,000 tickets in 50 pages, about 17 MB. The same numbers give the same bytes.

use std::fmt::Write as _;

/// Tickets in all.
pub(crate) const TICKETS: u64 = 10_000;

/// Tickets a page.
pub(crate) const PAGE: u64 = 200;

/// Pages.
pub(crate) const PAGES: u64 = TICKETS / PAGE;

/// What each page says there is in all: the platform shows the first half of the pages in one list and the second half in
/// another, because one list ends at 10,000.
const TOTAL: u64 = TICKETS / 2;

/// When the first generation was updated, in milliseconds.
pub(crate) const EPOCH_MS: u64 = 1_700_000_000_000;

const PRODUCTS: [&str; 5] = ["支付", "退款", "账号", "物流", "发票"];
const LEVELS: [&str; 4] = ["普通", "普通", "VIP", "SVIP"];
const CITIES: [&str; 4] = ["北京", "上海", "深圳", "杭州"];
const QUESTIONS: [&str; 4] = [
    "付款后订单一直显示待支付，已经等了两个小时，麻烦尽快处理",
    "退款申请三天没有进展，页面提示“处理中”，想知道什么时候能到账",
    "登录时收不到验证码，换了两个手机号都不行",
    "发票抬头写错了，需要作废重开，金额 1,280.00 元",
];

/// Page `page` (from 0) of generation `generation`: with each one, every ticket was updated a minute later.
pub(crate) fn page(generation: u64, page: u64) -> Vec<u8> {
    let mut out = String::with_capacity(400_000);
    write!(out, r#"{{"code":0,"data":{{"has_more":true,"tickets":["#).expect("a string takes everything");
    for number in page * PAGE..(page + 1) * PAGE {
        if number > page * PAGE {
            out.push(',');
        }
        ticket(&mut out, generation, number);
    }
    write!(out, r#"],"total":{TOTAL}}},"msg":"success"}}"#).expect("a string takes everything");
    out.into_bytes()
}

/// The id of ticket `number`.
pub(crate) fn ticket_id(number: u64) -> u64 {
    6_626_871_355_780_000_000 + number * 7_919
}

fn ticket(out: &mut String, generation: u64, number: u64) {
    let mix = mixed(number);
    let updated = EPOCH_MS + generation * 60_000 + number % 50_000;
    let created = EPOCH_MS - 86_400_000 * (1 + mix % 20);
    let status = [2, 3, 5, 5, 50, 51][(mix % 6) as usize];
    let closed = if status >= 50 { updated } else { 0 };
    let score = if status >= 50 { 1 + mix % 3 } else { 0 };
    let agent = mix % 60;
    let mut put = |text: std::fmt::Arguments<'_>| out.write_fmt(text).expect("a string takes everything");
    put(format_args!(
        r#"{{"ticket_id":"{}","helpdesk_id":"6626871355780366330","guest":{}"#,
        ticket_id(number),
        Person(mix, "客户")
    ));
    if mix.is_multiple_of(6) {
        put(format_args!(
            r#","comments":{{"content":"已联系客户，{}","created_at":{created},"id":{number},"user_avatar_url":"{}","user_id":72626560959191{:05},"user_name":"客服{agent}"}}"#,
            QUESTIONS[(mix % 4) as usize],
            Avatar(agent),
            agent
        ));
    }
    put(format_args!(
        r#","ticket_type":2,"status":{status},"score":{score},"created_at":{created},"updated_at":{updated},"closed_at":{closed}"#
    ));
    match mix % 2 {
        0 => put(format_args!(r#","agents":[{}]"#, Person(agent, "客服"))),
        _ => put(format_args!(r#","agents":[]"#)),
    }
    put(format_args!(r#","channel":{},"solve":1"#, mix % 15));
    put(format_args!(r#","agent_owner":{0},"customized_fields":["#, Person(agent, "客服")));
    let fields = [
        ("产品线", PRODUCTS[(mix % 5) as usize]),
        ("优先级", ["P0", "P1", "P2", "P2"][(mix / 7 % 4) as usize]),
        ("客户等级", LEVELS[(mix / 11 % 4) as usize]),
        ("问题描述", QUESTIONS[(mix / 13 % 4) as usize]),
    ];
    for (at, (name, value)) in fields.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        put(format_args!(
            r#"{comma}{{"id":"66345{at}8134556{at}","value":"{value}","key_name":"field_{at}","display_name":"{name}","position":{at},"required":false,"editable":true}}"#
        ));
    }
    put(format_args!(
        r#"],"agent_service_duration":{}.5,"agent_first_response_duration":{},"bot_service_duration":{},"agent_resolution_time":{},"actual_processing_time":{}"#,
        mix % 9_000,
        mix % 5_000,
        mix % 300,
        mix % 70_000,
        mix % 60_000
    ));
    put(format_args!(
        r#","agent_entry_time":{},"agent_first_response_time":{},"agent_last_response_time":{}}}"#,
        created + 60_000,
        created + 120_000,
        updated - 30_000
    ));
}

/// A number that looks like none in particular.
fn mixed(number: u64) -> u64 {
    let mut mix = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mix ^= mix >> 29;
    mix.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

struct Person(u64, &'static str);

impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(number, kind) = self;
        write!(
            f,
            r#"{{"id":"ou_{:032x}","avatar_url":"{}","name":"{kind}{}","email":"user{number}@example.com","department":"华东区服务部","city":"{}","country":"CN"}}"#,
            u128::from(mixed(*number)) << 40 | u128::from(*number),
            Avatar(*number),
            number % 10_000,
            CITIES[(number % 4) as usize]
        )
    }
}

struct Avatar(u64);

impl std::fmt::Display for Avatar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://s1.feishucdn.com/v1/{:x}.webp", mixed(self.0))
    }
}
