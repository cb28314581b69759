//! Turns that go back to whoever had them: each ends what is theirs; what is another's only those who manage, who name
//! them, and both people hear of it.

use crate::domain::{
    deed::{Act, Acted, Tone},
    desk::{acts::refused, covers::Asker, machine::Desk, outcome::Write},
    id::{RotaName, Subject},
    receiver::{PersonId, Receiver},
    rota::{Cover, Rota, words},
    text::Message,
    time::Timestamp,
};

/// Covers that are named to whoever ends none.
const NAMED_MAX: usize = 3;

impl Desk {
    /// Ends what the asker stands in for, and what they said; or what concerns the person who is named.
    pub(super) fn end_covers(
        &mut self,
        act: &Act,
        rota: Option<&RotaName>,
        person: Option<&PersonId>,
        now: Timestamp,
    ) -> Acted {
        let rota = match self.rota_meant(rota, &act.by) {
            Ok(rota) => rota,
            Err(acted) => return acted,
        };
        let asker = match self.asker(&rota, act) {
            Ok(asker) => asker,
            Err(acted) => return acted,
        };
        let person = person.map(|person| self.as_written(&rota, person));
        let over = match self.covers_meant(act, &rota, &asker, person.as_ref(), now) {
            Ok(over) => over,
            Err(acted) => return acted,
        };
        self.rosters.covers.retain(|cover| !over.contains(cover));
        over.iter().for_each(|cover| self.write(Write::DropCover(Box::new(cover.clone()))));
        let by = self.people.named(&act.by).words();
        let (mut zh, mut en) = (Vec::new(), Vec::new());
        for cover in &over {
            let words = self.ended_words(&rota, cover, now);
            zh.push(words.zh);
            en.push(words.en);
        }
        let (zh, en) = (zh.join("；"), en.join("; "));
        let note = Message::new(format!("{} 撤销顶班：{zh}", by.zh), format!("ended by {}: {en}", by.en));
        self.journal(now, (&Subject::Service, None, 0), "cover", note);
        // Whoever is on call again from now on gets the handover, which says it too.
        let came: Vec<PersonId> = self.came(&rota, now).into_iter().map(|(person, _)| person).collect();
        for cover in &over {
            self.tell_given_back(act, &rota, cover, &came, now);
        }
        let arranged = Message::new(format!("{} 撤销了顶班", by.zh), format!("{} ended the cover", by.en));
        self.see_to_rota_with(&rota.name, Some(arranged), now);
        let count = over.len();
        Acted {
            tone: Tone::Done,
            words: Message::new(format!("已撤销 {count} 处顶班。{zh}"), format!("{count} taken back. {en}")),
            card: None,
        }
    }

    /// The covers that end: the asker's own, or those of the person whom someone who manages names.
    fn covers_meant(
        &self,
        act: &Act,
        rota: &Rota,
        asker: &Asker,
        person: Option<&PersonId>,
        now: Timestamp,
    ) -> Result<Vec<Cover>, Acted> {
        let is_meant = |cover: &&Cover| {
            let of = |person: &PersonId| cover.person == *person;
            cover.rota == rota.name && cover.until > now && person.is_none_or(of)
        };
        let is_theirs = |cover: &Cover| Some(&cover.person) == asker.person.as_ref() || cover.by.is_same(&act.by);
        let meant = self.rosters.covers.iter().filter(is_meant).cloned();
        let (mut theirs, mut others): (Vec<Cover>, Vec<Cover>) = meant.partition(is_theirs);
        if asker.manages && person.is_some() {
            theirs.append(&mut others);
        }
        if !theirs.is_empty() {
            return Ok(theirs);
        }
        if others.is_empty() {
            let words = Message::new("没有可以交还的顶班", "there is nothing to give back");
            return Err(Acted { tone: Tone::Already, words, card: None });
        }
        let (zh, en): (Vec<String>, Vec<String>) = others
            .iter()
            .take(NAMED_MAX)
            .map(|cover| self.cover_words(rota, cover, now))
            .map(|words| (words.zh, words.en))
            .unzip();
        let (zh, en) = (zh.join("；"), en.join("; "));
        let who = others.first().map(|cover| self.name_of(&cover.person)).unwrap_or_default();
        Err(refused(if asker.manages {
            Message::new(
                format!("没有您的顶班，没有改。别人的顶班要写明是谁的：/值班 交还 {who}。现有：{zh}"),
                format!(
                    "none of these is yours: nothing was changed. Name whose cover ends: /oncall back {who}. There is {en}"
                ),
            )
        } else {
            Message::new(
                format!("没有您的顶班，没有改。别人的只能由本人、安排的人或 chat.access.manage 里的人撤销。现有：{zh}"),
                format!(
                    "none of these is yours: nothing was changed. Others' are ended by themselves, by who arranged them, or by people whom chat.access.manage names. There is {en}"
                ),
            )
        }))
    }

    /// Who is on call instead, and who no longer is.
    fn ended_words(&self, rota: &Rota, cover: &Cover, now: Timestamp) -> Message {
        let (name, shift, who) = (&rota.name, &cover.shift, self.name_of(&cover.person));
        let instead = self.instead_of(rota, cover, now);
        let names: Vec<String> = instead.iter().map(|person| self.name_of(person)).collect();
        let (zh_again, en_again) = match names.as_slice() {
            [] => ("没有人值班".to_string(), "nobody is".to_string()),
            names => (format!("恢复由 {} 值班", names.join("、")), format!("{} is again", names.join(", "))),
        };
        let from = words::clock(rota.zone, cover.from.max(now), now);
        let until = words::clock(rota.zone, cover.until, now);
        Message::new(
            format!("{name} {shift}：{from} 到 {until} 不再由 {who} 顶班，{zh_again}"),
            format!("{name} {shift}: from {from} until {until} {who} is no longer on call, {en_again}"),
        )
    }

    /// Who is on a cover's shift in its time, now that it is over.
    fn instead_of(&self, rota: &Rota, cover: &Cover, now: Timestamp) -> Vec<PersonId> {
        let place = rota.shifts.iter().position(|shift| shift.name == cover.shift);
        let stretches = words::stretches(rota, &self.rosters.covers, cover.from.max(now), cover.until);
        let duties = stretches.into_iter().flat_map(|stretch| stretch.duties);
        let mut people: Vec<PersonId> =
            duties.filter(|duty| Some(duty.shift) == place).map(|duty| duty.person).collect();
        people.sort();
        people.dedup();
        people
    }

    /// Whoever stood in hears that they do not any more, and whoever has the turn again that they do, each in their
    /// direct chat; not whoever did it, and not those who get the handover.
    fn tell_given_back(&mut self, act: &Act, rota: &Rota, cover: &Cover, came: &[PersonId], now: Timestamp) {
        let (words, by) = (self.ended_words(rota, cover, now), self.people.named(&act.by).words());
        let words =
            Message::new(format!("{}（{} 撤销）", words.zh, by.zh), format!("{} (ended by {})", words.en, by.en));
        let mut concerned = vec![cover.person.clone()];
        concerned.extend(self.instead_of(rota, cover, now));
        concerned.dedup();
        for person in concerned {
            if !came.contains(&person) && !self.asks_themselves(act, rota, &person) && !self.has_left(&person) {
                self.announce_to("cover", Receiver::name_of_person(&person), words.clone(), now);
            }
        }
    }
}
