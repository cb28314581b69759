//! What an SLA rule has beyond other rules: its clock, its targets, and the steps on the way.

use std::sync::Arc;

use crate::{
    adapters::{
        rulebook::{
            condition::Compiler,
            contradiction::contradicts_itself,
            ground::Ground,
            keys::{choice, not_zero, pace_of, severity, template_of},
            ladder::{RUNGS_MAX, check_count},
            names::Names,
            notify::{About, mention_of, required_to, urgent_of},
            words::{self, SEVERITIES, STEP_KEYS, TARGET_KEYS, english},
        },
        yaml::{
            duration::Written,
            map::{Map, did_you_mean, text_of, wait_of},
            nearest::nearest,
            tree::{Node, NodeKind},
        },
    },
    domain::{
        calendar::Pace,
        condition::{Clock, Condition, Operator, Target, Test},
        fault::{Fault, Place},
        field::Field,
        rule::{Rung, RungAt, Severity},
        sla::{Sla, SlaAt, SlaTarget},
        text::Message,
        time::Span,
    },
};

/// Lines of `target`.
pub(super) const TARGETS_MAX: usize = 50;
/// The most hundredths of a target that a step may wait for.
pub(super) const PERCENT_MAX: u32 = 1_000;

/// The clock, the targets and the pauses of an SLA rule on tickets on which `when` holds.
pub(super) fn read(
    map: &mut Map<'_>,
    pace: &Pace,
    when: Option<&Condition>,
    compiler: &mut Compiler<'_>,
) -> Option<Sla> {
    let clock = map.required("clock", compiler.faults).and_then(|node| clock(node, compiler.faults));
    let pauses = pauses(map, clock, when, compiler.faults);
    let targets = map.required("target", compiler.faults).map(|node| targets(node, pace, when, compiler));
    let targets = targets.filter(|targets| !targets.is_empty());
    Some(Sla { clock: clock?, pauses: pauses?, targets: targets? })
}

fn clock(node: &Node, faults: &mut Vec<Fault>) -> Option<Clock> {
    let (text, place) = text_of(node, faults)?;
    let found = words::clock(&text);
    if found.is_none() {
        let message = Message::new(format!("没有叫 “{text}” 的计时"), format!("there is no clock `{text}`"));
        let known = Clock::ALL.into_iter().flat_map(|clock| [clock.name(), clock.words().zh]);
        let hint = nearest(&text, known).map_or_else(
            || {
                let (zh, en): (Vec<&str>, Vec<&str>) =
                    Clock::ALL.into_iter().map(|clock| (clock.words().zh, clock.name())).unzip();
                Message::new(format!("可以写：{}", zh.join("、")), format!("here may stand: {}", en.join(", ")))
            },
            did_you_mean,
        );
        faults.push(Fault::error(place, message).with_hint(hint));
    }
    found
}

/// The statuses in which the clock rests; a clock that rests wherever the rule applies is a fault.
fn pauses(
    map: &mut Map<'_>,
    clock: Option<Clock>,
    when: Option<&Condition>,
    faults: &mut Vec<Fault>,
) -> Option<Arc<[i64]>> {
    let Some(node) = map.filled("pause_in") else { return Some(Arc::from([])) };
    let codes = Compiler::statuses(node, faults)?;
    if let Some(clock) = clock.filter(|clock| matches!(clock, Clock::InStatus | Clock::QueueTime | Clock::ServiceTime))
    {
        let message = Message::new(
            format!("{} 只在它自己的状态里走，pause_in 对它不起作用", clock.words().zh),
            format!("`{}` runs in a status of its own: `pause_in` does nothing to it", clock.name()),
        );
        faults.push(
            Fault::error(node.place.clone(), message).with_hint(Message::new("删掉 pause_in", "take `pause_in` out")),
        );
        return None;
    }
    if let (Some(when), Some(status)) = (when, Field::find("status")) {
        let paused = Test { target: Target::Field(status), operator: Operator::CodeIs(Arc::clone(&codes)) };
        let runs = Condition::Not(Box::new(Condition::Test(paused)));
        if contradicts_itself(when).is_none() && contradicts_itself(&Condition::All(vec![when.clone(), runs])).is_some()
        {
            let message = Message::new(
                "条件只在暂停的状态里成立，计时永远不走",
                "the condition only holds in statuses in which the clock rests: it would never run",
            );
            faults.push(Fault::error(node.place.clone(), message));
            return None;
        }
    }
    Some(codes)
}

fn targets(node: &Node, pace: &Pace, when: Option<&Condition>, compiler: &mut Compiler<'_>) -> Vec<SlaTarget> {
    if let NodeKind::Scalar(_) = node.kind {
        return span(node, pace, compiler.faults)
            .map(|is| SlaTarget { when: None, is, pace: pace.clone() })
            .into_iter()
            .collect();
    }
    let items = node.one_or_many();
    if items.is_empty() || items.len() > TARGETS_MAX {
        let message = Message::new(
            format!("“target” 是一个时长，或 1 到 {TARGETS_MAX} 行"),
            format!("`target` is a duration, or has 1 to {TARGETS_MAX} lines"),
        );
        compiler.faults.push(Fault::error(node.place.clone(), message));
    }
    let mut found: Vec<SlaTarget> = Vec::new();
    let mut for_all: Option<Place> = None;
    let mut whole = true;
    for item in items.iter().take(TARGETS_MAX) {
        if let Some(earlier) = &for_all {
            let message = Message::new(
                format!("这一行永远用不到：第 {} 行没有 when，已经管了所有工单", earlier.line),
                format!("this line is never used: line {} has no `when` and takes every ticket", earlier.line),
            );
            let hint = Message::new("把没有 when 的一行放到最后", "put the line without `when` last");
            compiler.faults.push(Fault::error(item.place.clone(), message).with_hint(hint));
            break;
        }
        match target(item, pace, when, compiler) {
            Some(target) => {
                if target.when.is_none() {
                    for_all = Some(item.place.clone());
                }
                found.push(target);
            }
            None => whole = false,
        }
    }
    if let (None, true, Some(last)) = (for_all, whole, items.last()) {
        let message = Message::new(
            "最后一行有 when：都不符合的工单没有目标，也不会提醒",
            "the last line has a `when`: tickets that match no line have no target, and nobody is told",
        );
        let hint =
            Message::new("加一行没有 when 的，例如 - { is: 4h }", "add a line without `when`, such as - { is: 4h }");
        compiler.faults.push(Fault::warning(last.place.clone(), message).with_hint(hint));
    }
    found
}

fn target(node: &Node, pace: &Pace, when: Option<&Condition>, compiler: &mut Compiler<'_>) -> Option<SlaTarget> {
    let what = Message::new("一行目标，例如 { is: 4h }", "a line such as { is: 4h }");
    let mut map = Map::with_twins(node, &what, |word| english(TARGET_KEYS, word), compiler.faults)?;
    let own = map.filled("calendar").is_some();
    let pace = if own { pace_of(&mut map, compiler.names, compiler.faults) } else { Some(pace.clone()) };
    let is_node = map.required("is", compiler.faults);
    let is = is_node.zip(pace.as_ref()).and_then(|(node, pace)| span(node, pace, compiler.faults));
    let for_node = map.filled("when");
    let condition = for_node.map(|node| compiler.on(Ground::Target).condition(node));
    map.finish(&[], compiler.faults);
    let condition = match condition {
        Some(None) => return None,
        found => found.flatten(),
    };
    if let (Some(condition), Some(when), Some(node)) = (&condition, when, for_node)
        && contradicts_itself(when).is_none()
        && let Some(what) = contradicts_itself(&Condition::All(vec![when.clone(), condition.clone()]))
    {
        let message = Message::new(
            format!("这一行永远用不到：它对“{}”的要求和规则的 when 矛盾", what.zh),
            format!("this line is never used: what it demands of `{}` contradicts the rule's `when`", what.en),
        );
        compiler.faults.push(Fault::error(node.place.clone(), message));
    }
    Some(SlaTarget { when: condition, is: is?, pace: pace? })
}

fn span(node: &Node, pace: &Pace, faults: &mut Vec<Fault>) -> Option<Span> {
    let span = wait_of(node, pace, faults)?.span;
    if span == Span::ZERO {
        faults.push(not_zero("target", &node.place));
        return None;
    }
    Some(span)
}

/// The steps: each later than the one before on every target, and none less severe.
pub(super) fn steps(map: &mut Map<'_>, sla: Option<&Sla>, names: &Names, faults: &mut Vec<Fault>) -> Vec<Rung> {
    let Some(node) = map.required("steps", faults) else { return Vec::new() };
    let items = node.one_or_many();
    check_count("steps", items, &node.place, faults);
    let targets = sla.map_or(&[][..], |sla| &sla.targets);
    let mut rungs: Vec<Rung> = Vec::new();
    let mut highest: Option<Severity> = None;
    for item in items.iter().take(RUNGS_MAX) {
        let Some((rung, places)) = step(item, targets, names, faults) else { continue };
        if let (RungAt::Sla(at), Some(RungAt::Sla(earlier))) = (&rung.at, rungs.last().map(|rung| &rung.at))
            && targets.iter().any(|target| at.of(target.is) <= earlier.of(target.is))
        {
            faults.push(not_later(places.at.clone()));
        }
        if let (Some(severity), Some(before), Some(place)) = (rung.severity, highest, places.severity)
            && severity < before
        {
            let message = Message::new(
                format!("级别在下降：上一步已经是 {}", before.name()),
                format!("the severity falls: the step before is {} already", before.name()),
            );
            faults.push(Fault::error(place, message));
        }
        highest = highest.max(rung.severity);
        rungs.push(rung);
    }
    rungs
}

fn not_later(place: Place) -> Fault {
    let message = Message::new(
        "这一步没有比上一步更晚：步骤要按先后排",
        "this step is not later than the one before: steps stand in the order they come",
    );
    let hint = Message::new(
        "-15m 是到目标前 15 分钟，75% 是目标的四分之三，100% 是目标，+30m 是目标后 30 分钟",
        "-15m is 15 minutes before the target, 75% three quarters of it, 100% the target, +30m half an hour past it",
    );
    Fault::error(place, message).with_hint(hint)
}

struct StepPlaces {
    at: Place,
    severity: Option<Place>,
}

fn step(node: &Node, targets: &[SlaTarget], names: &Names, faults: &mut Vec<Fault>) -> Option<(Rung, StepPlaces)> {
    let what = Message::new("一个步骤，例如 { at: 75%, to: owner }", "a step such as { at: 75%, to: owner }");
    let mut map = Map::with_twins(node, &what, |word| english(STEP_KEYS, word), faults)?;
    let at_node = map.required("at", faults);
    let at = at_node.and_then(|node| at(node, targets, faults));
    let severity_node = map.filled("severity");
    let severity = severity_node.and_then(|node| choice("severity", node, SEVERITIES, faults)).map(severity);
    let to = required_to(&mut map, About::Ticket, names, faults);
    let template = template_of(&mut map, names, faults);
    let mention = mention_of(&mut map, About::Ticket, faults);
    let urgent = urgent_of(&mut map, faults);
    map.finish(&[], faults);
    let places = StepPlaces { at: at_node?.place.clone(), severity: severity_node.map(|node| node.place.clone()) };
    Some((Rung { at: RungAt::Sla(at?), severity, to: to?, template, mention, urgent }, places))
}

/// `75%`, `+30m`, `-15m`.
fn at(node: &Node, targets: &[SlaTarget], faults: &mut Vec<Fault>) -> Option<SlaAt> {
    let (text, place) = text_of(node, faults)?;
    let text = text.trim();
    if let Some(percent) = text.strip_suffix(['%', '％']) {
        let percent = percent.trim().parse::<u32>().ok().filter(|percent| (1..=PERCENT_MAX).contains(percent));
        if percent.is_none() {
            let message = Message::new(
                format!("百分比是 1% 到 {PERCENT_MAX}% 的整数"),
                format!("a percentage is whole, from 1% to {PERCENT_MAX}%"),
            );
            faults.push(Fault::error(place, message));
        }
        return percent.map(SlaAt::Percent);
    }
    let (make, rest): (fn(Span) -> SlaAt, &str) = if let Some(rest) = text.strip_prefix(['+', '＋']) {
        (SlaAt::Past, rest)
    } else if let Some(rest) = text.strip_prefix(['-', '－']) {
        (SlaAt::Before, rest)
    } else {
        let what = Message::new("75%、+30m 或 -15m 这样的时点", "a point such as 75%, +30m or -15m");
        let fault = node.expected(&what);
        faults.push(match Written::read(text) {
            Ok(_) => fault.with_hint(Message::new(
                format!("目标之后写 +{text}，目标之前写 -{text}"),
                format!("past the target is +{text}, before it -{text}"),
            )),
            Err(_) => fault,
        });
        return None;
    };
    let span = at_span(rest, targets, &place, faults)?;
    let at = make(span);
    if let SlaAt::Before(span) = at
        && let Some(target) = targets.iter().find(|target| target.is <= span)
    {
        let minutes = target.is.as_secs() / 60;
        let message = Message::new(
            format!("“{text}” 比目标还早：有一行目标只有 {minutes} 分钟"),
            format!("`{text}` is before the clock starts: one target is {minutes} minutes"),
        );
        let hint = Message::new("用百分比，例如 75%", "use a percentage, such as 75%");
        faults.push(Fault::error(place, message).with_hint(hint));
        return None;
    }
    Some(at)
}

/// A duration that must mean the same on the calendars of all targets.
fn at_span(text: &str, targets: &[SlaTarget], place: &Place, faults: &mut Vec<Fault>) -> Option<Span> {
    let written = match Written::read(text) {
        Ok(written) => written,
        Err(message) => {
            faults.push(Fault::error(place.clone(), message));
            return None;
        }
    };
    let mut spans: Vec<Span> = Vec::new();
    let paces: Vec<&Pace> = targets.iter().map(|target| &target.pace).collect();
    for pace in if paces.is_empty() { vec![&Pace::Wall] } else { paces } {
        match written.wait(pace) {
            Ok(wait) => spans.push(wait.span),
            Err(message) => {
                faults.push(Fault::error(place.clone(), message));
                return None;
            }
        }
    }
    spans.dedup();
    match spans.as_slice() {
        [span] if *span > Span::ZERO => Some(*span),
        [_] => {
            let hint = Message::new("目标本身写 100%", "the target itself is 100%");
            faults.push(not_zero("at", place).with_hint(hint));
            None
        }
        _ => {
            let message = Message::new(
                format!("“{text}” 在各行目标的日历上不一样长"),
                format!("`{text}` is not the same on the calendars of all targets"),
            );
            let hint = Message::new("写成小时和分钟，或百分比", "write hours and minutes, or a percentage");
            faults.push(Fault::error(place.clone(), message).with_hint(hint));
            None
        }
    }
}
