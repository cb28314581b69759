//! Trouble of every kind and cuts at any moment, all from one seed: in the end every alert was told, and told once.

use deskbell::{domain::time::Span, sim::faults::Faults};

use crate::world::{Plot, START, TEAM, World, bad_score};

/// Numbers from a seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_each_alert_is_told_exactly_once() {
    for seed in 0..6 {
        let mut numbers = Numbers(seed);
        let plot = Plot { rules: vec![bad_score()], ..Plot::default() };
        let mut world = World::start(plot, |platform| *platform.faults_mut() = Faults::everything(0.04)).await;
        let mut bad = Vec::new();
        for _ in 0..30 {
            world.pass(Span::from_ms(numbers.below(60_000) as i64)).await;
            let is_bad = numbers.below(3) > 0;
            let id = world.file(|ticket| ticket.score = Some(if is_bad { 1 } else { 3 }));
            if is_bad {
                bad.push(id);
            }
            if numbers.below(4) == 0 {
                world.kill().await;
                world.pass(Span::from_ms(numbers.below(90_000) as i64)).await;
                world.wake();
            }
        }
        world.platform(|platform, _| *platform.faults_mut() = Faults::default());
        world.pass(Span::from_hours(3)).await;
        let cards = world.cards(TEAM);
        for id in &bad {
            let told = cards.iter().filter(|card| card.text().contains(id.as_str())).count();
            assert_eq!(told, 1, "seed {seed}: ticket {id} was told {told} times");
        }
        assert_eq!(cards.len(), bad.len(), "seed {seed}");
        let left = world.port().view();
        assert!(left.desk.outbox.is_empty(), "seed {seed}: {:?}", left.desk.outbox);
        assert!(world.now() > START.as_ms());
        world.stop().await;
    }
}
