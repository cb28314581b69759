//! What people do about alerts: each deed once, whoever comes first, and each answered.

use crate::domain::{
    alert::{Alert, AlertKey, AlertState, EndReason},
    deed::{Act, Acted, Deed, Place, Rest, Tone, Which},
    desk::{lists::bare_reference, machine::Desk, outbox::card_of},
    text::Message,
    time::Timestamp,
};

impl Desk {
    /// Does what a person wants done, once, and answers them.
    pub(super) fn act(&mut self, act: &Act, now: Timestamp) {
        let again = self.seen.contains_key(&act.id);
        let act = &self.placed(act);
        let before = self.out.writes.len();
        let acted = match self.may_act(act) {
            Err(why) => {
                self.note_refusal(act, now);
                refused(why)
            }
            Ok(()) => self.carry_out(act, again, now),
        };
        self.note_place(act, before);
        if again {
            self.counters.redelivered += 1;
        } else if acted.tone == Tone::Done {
            self.remember(act.id.clone(), now); // what changed nothing may be asked for again
        }
        *self.counters.acts.entry(acted.tone).or_default() += 1;
        self.out.acted = Some(acted);
    }

    fn carry_out(&mut self, act: &Act, again: bool, now: Timestamp) -> Acted {
        if let Some(digest) = self.digest_meant(&act.deed) {
            return self.act_together(act, &digest, again, now);
        }
        match &act.deed {
            Deed::Take(which) => self.on_alert(act, which, again, now, Self::do_take),
            Deed::Release(which) => self.on_alert(act, which, again, now, Self::do_release),
            Deed::Done(which) => self.on_alert(act, which, again, now, Self::do_end),
            Deed::Snooze(which, rest) => {
                let rest = *rest;
                self.on_alert(act, which, again, now, move |desk, act, alert, now| {
                    desk.do_put_off(act, alert, rest, now)
                })
            }
            Deed::Look(which, _) => self.on_alert(act, which, false, now, |_, _, alert, _| Acted {
                tone: Tone::Done,
                words: alert.why.clone(),
                card: None,
            }),
            Deed::Silence(_) if again && !self.has_asked_for_silence(act) => repeated(),
            Deed::ForgetGuest(_) if again => repeated(),
            Deed::ForgetGuest(guest) => self.forget_guest(act, guest, now),
            Deed::EndSilence(_) | Deed::Cover(_) | Deed::EndCovers(..) | Deed::ConfirmRoster(_) if again => repeated(),
            Deed::Silence(new) => {
                let acted = self.add_silence(act, new, now);
                self.with_clicked_card(act, acted, now)
            }
            Deed::EndSilence(id) => self.end_silence(act, *id, now),
            Deed::Retry(_) | Deed::Forget(_) => self.see_to_letter(act, again, now),
            Deed::Cover(new) => self.cover(act, new, now),
            Deed::EndCovers(rota, person) => self.end_covers(act, rota.as_ref(), person.as_ref(), now),
            Deed::ConfirmRoster(rota) => self.confirm_roster(act, rota.as_ref(), now),
        }
    }

    /// Does something to the alert that is meant, unless it is over or was done by this very act before; the card that
    /// was clicked comes back as it is afterwards.
    fn on_alert(
        &mut self,
        act: &Act,
        which: &Which,
        again: bool,
        now: Timestamp,
        deed: impl FnOnce(&mut Self, &Act, &Alert, Timestamp) -> Acted,
    ) -> Acted {
        let Some(alert) = self.alert_meant(which, act).cloned() else { return self.missing(which, &act.place) };
        let acted = match &alert.state {
            AlertState::Ended { ended_at, reason, .. } => self.over(*ended_at, reason.words().into(), now),
            AlertState::Pending => Acted {
                tone: Tone::Missing,
                words: Message::new("这条还没有开始提醒", "this one does not ring yet"),
                card: None,
            },
            AlertState::Firing { .. } if again => repeated(),
            AlertState::Firing { .. } => deed(self, act, &alert, now),
        };
        self.with_card(act, &alert.key, alert.episode, acted, now)
    }

    fn over(&self, ended_at: Timestamp, why: Message, now: Timestamp) -> Acted {
        let at = self.clock_words(ended_at, now);
        let words =
            Message::new(format!("这条提醒 {at} 已结束：{}", why.zh), format!("this alert ended at {at}: {}", why.en));
        Acted { tone: Tone::Already, words, card: None }
    }

    fn do_take(&mut self, act: &Act, alert: &Alert, now: Timestamp) -> Acted {
        match &alert.taken {
            // Whoever was asked how it stands answers by taking it once more.
            Some(taken) if taken.by.is_same(&act.by) && taken.asked_at.is_none() => {
                let until = self.clock_words(taken.until, now);
                let words = Message::new(format!("已由你接手，到 {until}"), format!("you have it until {until}"));
                Acted { tone: Tone::Already, words, card: None }
            }
            Some(taken) if !taken.by.is_same(&act.by) && taken.asked_at.is_none() => {
                let (who, at) = (taken.by.words(), self.clock_words(taken.at, now));
                let reference = alert.reference();
                let (zh, en) = match act.place {
                    Place::Chat(..) => ("先点“交回”再接手".to_string(), "give it back first".to_string()),
                    Place::Admin => {
                        let command = format!("deskbell release {reference}");
                        (format!("先运行 {command}"), format!("run {command} first"))
                    }
                };
                let words = Message::new(
                    format!("{} {at} 已接手。要换人，{zh}", who.zh),
                    format!("{} took it at {at}. To take over, {en}", who.en),
                );
                Acted { tone: Tone::Already, words, card: None }
            }
            _ => {
                let alert = self.take(alert, act.by.clone(), now);
                let until = alert.taken.map(|taken| self.clock_words(taken.until, now)).unwrap_or_default();
                done(Message::new(
                    format!("已由你接手，到 {until} 前不再提醒和升级。不会改动飞书里的负责人"),
                    format!(
                        "you have it: no reminders and no escalation until {until}. The owner in the helpdesk stays as it is"
                    ),
                ))
            }
        }
    }

    fn do_release(&mut self, act: &Act, alert: &Alert, now: Timestamp) -> Acted {
        if alert.taken.is_none() && alert.snoozed.is_none() {
            let words = Message::new("现在没有人接手", "nobody has it");
            return Acted { tone: Tone::Already, words, card: None };
        }
        let who = act.by.words();
        let why = Message::new(format!("{} 交回", who.zh), format!("given back by {}", who.en));
        self.release(alert, why, now);
        done(Message::new("已交回，重新开始提醒和升级", "given back: reminders and escalation begin anew"))
    }

    fn do_end(&mut self, act: &Act, alert: &Alert, now: Timestamp) -> Acted {
        let alert = Alert { ended_by: Some(act.by.clone()), ..alert.clone() };
        let key = alert.key.clone();
        // As long as the condition holds it does not ring again; the next event of an event rule is a new one.
        let latched = self.rule_named(&key.rule).is_some_and(|rule| !rule.is_event());
        self.end(alert, EndReason::Handled, latched, now);
        self.look_again(&key.subject, &key.rule, now);
        done(Message::new(
            "已记为处理好。条件一直成立就不会再响；不再成立后又成立，才算新的一次",
            "noted as handled: it does not ring again while the condition goes on holding",
        ))
    }

    fn do_put_off(&mut self, act: &Act, alert: &Alert, rest: Rest, now: Timestamp) -> Acted {
        if let Some(taken) = &alert.taken {
            let (who, until) = (taken.by.words(), self.clock_words(taken.until, now));
            let words = Message::new(
                format!("{} 已接手，到 {until} 前本来就不会再提醒", who.zh),
                format!("{} has it: it does not remind before {until} anyway", who.en),
            );
            return Acted { tone: Tone::Already, words, card: None };
        }
        let rule = self.rule_named(&alert.key.rule).cloned();
        match self.rest_until(rule.as_deref(), rest, now) {
            Err(why) => refused(why),
            Ok(until) => {
                self.put_off(alert, act.by.clone(), until, now);
                let mut until = self.day_words(until, now);
                if rest == Rest::NextWorkday {
                    until.zh.push_str("，即下个工作日");
                    until.en.push_str(", the next working day");
                }
                done(Message::new(
                    format!("已推迟到 {}，之前不再提醒和升级", until.zh),
                    format!("put off until {}: no reminders and no escalation before then", until.en),
                ))
            }
        }
    }

    /// The alert that is meant, in its present episode where the one named goes on in it on the same card.
    fn alert_meant(&self, which: &Which, act: &Act) -> Option<&Alert> {
        match which {
            Which::Episode(key, episode) => {
                let present = self.alert(key);
                let same_card = |alert: &&Alert| {
                    alert.episode == *episode || act.clicked.as_ref().is_some_and(|message| self.shows(message, alert))
                };
                present.filter(same_card).or_else(|| self.episode(key, *episode))
            }
            Which::Reference(text) => self.alert_called(text),
        }
    }

    fn shows(&self, message: &crate::domain::id::MessageId, alert: &Alert) -> bool {
        let card = |line: &crate::domain::alert::Line| self.cards.get(&card_of(alert, &line.receiver));
        alert.lines.iter().filter_map(card).any(|card| card.message.as_ref() == Some(message))
    }

    /// The alert of this reference: one that rings first, then the one that ended last. The reference of an earlier
    /// episode leads to the present one: it may stand in what people wrote while the card was the same.
    pub(super) fn alert_called(&self, reference: &str) -> Option<&Alert> {
        let reference = bare_reference(reference);
        let present = |(key, episode): &(AlertKey, u32)| self.alert(key).filter(|alert| alert.episode == *episode);
        let first = |named: Vec<&'_ Alert>| -> Option<AlertKey> {
            let firing = named.iter().find(|alert| alert.is_firing());
            firing.or_else(|| named.iter().max_by_key(|alert| alert.fired_at())).map(|alert| alert.key.clone())
        };
        let named = first(self.index.called(&reference).filter_map(present).collect());
        let formerly =
            || first(self.index.formerly_called(&reference).filter_map(|(key, _)| self.alert(key)).collect());
        self.alert(&named.or_else(formerly)?)
    }

    /// Whether this may be done here. In a direct chat members are told from others before it comes to the desk; whoever
    /// clicks on a card that deskbell sent to them in person may.
    fn may_act(&self, act: &Act) -> Result<(), Message> {
        let allowed = match &act.place {
            Place::Admin => true,
            Place::Chat(..) if self.is_told_in_person(act) => true,
            Place::Chat(chat, kind) => self.may_act_in(chat, *kind),
        };
        if allowed {
            return Ok(());
        }
        Err(Message::new(
            "这个群不能处理提醒。请到收到提醒的群里操作，或请管理员把本群加进 chat.access.act",
            "alerts cannot be acted on in this chat. Do it where the alert arrived, or ask an admin to add this chat to chat.access.act",
        ))
    }
}

impl Desk {
    /// There is no such alert; whoever typed the beginning of a reference reads which ones begin so.
    fn missing(&self, which: &Which, place: &Place) -> Acted {
        let candidates = match which {
            Which::Reference(typed) => self.references_like(typed),
            Which::Episode(..) => None,
        };
        candidates.map_or_else(|| missing(which, place), |words| Acted { tone: Tone::Missing, words, card: None })
    }
}

/// The very same deed once more.
pub(super) fn repeated() -> Acted {
    let words = Message::new("这一步已经处理过，现在就是最新的", "this was done before; what you see is up to date");
    Acted { tone: Tone::Already, words, card: None }
}

const fn done(words: Message) -> Acted {
    Acted { tone: Tone::Done, words, card: None }
}

/// What may not be done, and why.
pub(super) const fn refused(words: Message) -> Acted {
    Acted { tone: Tone::Refused, words, card: None }
}

fn missing(which: &Which, place: &Place) -> Acted {
    let list = match place {
        Place::Chat(..) => "/alerts",
        Place::Admin => "deskbell alerts",
    };
    let words = match which {
        Which::Reference(reference) => {
            let reference: String = reference.trim().trim_start_matches('#').chars().take(12).collect();
            Message::new(
                format!("没有编号 #{reference} 的提醒。编号在卡片底部，{list} 列出正在响的"),
                format!(
                    "no alert is called #{reference}. The reference stands at the foot of its card; {list} lists what rings"
                ),
            )
        }
        Which::Episode(..) => Message::new(
            format!("这张卡片的提醒已不在了。{list} 列出正在响的"),
            format!("the alert of this card is gone; {list} lists what rings"),
        ),
    };
    Acted { tone: Tone::Missing, words, card: None }
}
