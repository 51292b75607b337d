//! An engine for the random runs: fences by lease, and now and then cannot take a result.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};

use super::rig::ticket;
use crate::{
    agents::{
        Dispatch as _, Fact, Hub, Offer, Order, Refusal, Settled, TaskKey, TaskSink, Token, What,
    },
    proto::{Agent, Chunk},
};

/// What the engine knows of an attempt.
struct Attempt {
    offer: Offer,
    lease: Option<u64>,
    ended: bool,
}

/// Plays the engine: fences by lease, releases what has ended.
pub struct Engine {
    hub: Hub,
    attempts: Arc<Mutex<BTreeMap<TaskKey, Attempt>>>,
    random: Mutex<Random>,
    /// False once the faults have stopped.
    pub failing: AtomicBool,
}

impl Engine {
    pub fn new(hub: &Hub, seed: u64) -> Self {
        Self {
            hub: hub.clone(),
            attempts: Arc::default(),
            random: Mutex::new(Random(seed)),
            failing: AtomicBool::new(true),
        }
    }

    /// An attempt begins.
    pub fn schedule(&self, offer: &Offer) {
        let attempt = Attempt {
            offer: offer.clone(),
            lease: None,
            ended: false,
        };
        self.attempts.lock().unwrap().insert(offer.key, attempt);
    }

    /// The execution of an attempt leaves memory, when it only waits.
    pub fn leave(&self, key: TaskKey) {
        let attempts = self.attempts.lock().unwrap();
        if let Some(attempt) = attempts.get(&key).filter(|a| a.lease.is_none() && !a.ended) {
            self.hub.wait(ticket(&attempt.offer));
        }
    }

    /// An attempt is not wanted any more.
    pub fn withdraw(&self, key: TaskKey) {
        let mut attempts = self.attempts.lock().unwrap();
        attempts.get_mut(&key).unwrap().ended = true;
    }

    /// Attempts that have not ended.
    pub fn open(&self) -> Vec<TaskKey> {
        let attempts = self.attempts.lock().unwrap();
        let open = attempts.iter().filter(|(_, a)| !a.ended);
        open.map(|(key, _)| *key).collect()
    }

    /// A result under a lease. Now and then the engine cannot take it.
    fn end(&self, key: TaskKey, lease: u64) -> BoxFuture<'static, Result<(), Refusal>> {
        let mut random = self.random.lock().unwrap();
        if random.one_in(8) && self.failing.load(Relaxed) {
            return async { Err(Refusal::Unavailable) }.boxed();
        }
        let mut attempts = self.attempts.lock().unwrap();
        let attempt = attempts.get_mut(&key).expect("only what was queued ends");
        if attempt.ended || attempt.lease != Some(lease) {
            return async { Err(Refusal::Stale("fenced".into())) }.boxed();
        }
        attempt.ended = true;
        let (hub, wait) = (self.hub.clone(), random.millis(20));
        async move {
            tokio::time::sleep(wait).await;
            hub.release(key);
            Ok(())
        }
        .boxed()
    }
}

impl Engine {
    fn accept(&self, token: Token) -> BoxFuture<'static, Result<(), Refusal>> {
        let mut attempts = self.attempts.lock().unwrap();
        let attempt = attempts
            .get_mut(&token.key)
            .expect("only what was queued starts");
        if attempt.ended {
            return async { Err(Refusal::Stale("it has ended".into())) }.boxed();
        }
        assert_eq!(attempt.lease, None, "leased twice");
        attempt.lease = Some(token.lease);
        let wait = self.random.lock().unwrap().millis(20);
        async move {
            tokio::time::sleep(wait).await;
            Ok(())
        }
        .boxed()
    }
}

impl TaskSink for Engine {
    fn tell(&self, facts: Vec<Fact>) -> Vec<Settled> {
        for fact in facts {
            let settled = fact.refused(Refusal::Unavailable);
            let answer = match fact.what {
                What::Accepted { .. } => self.accept(fact.token),
                _ => self.end(fact.token.key, fact.token.lease),
            };
            let hub = self.hub.clone();
            tokio::spawn(async move {
                let result = answer.await;
                hub.carry_out(vec![Order::Settle(Settled { result, ..settled })]);
            });
        }
        Vec::new()
    }

    fn fetch(&self, keys: Vec<TaskKey>) -> BoxFuture<'static, ()> {
        let wait = self.random.lock().unwrap().millis(20);
        let (hub, attempts) = (self.hub.clone(), self.attempts.clone());
        async move {
            tokio::time::sleep(wait).await;
            for key in keys {
                let attempts = attempts.lock().unwrap();
                match &attempts[&key] {
                    attempt if attempt.ended => hub.withdraw(key, "it has ended"),
                    attempt if attempt.lease.is_some() => {}
                    attempt => hub.enqueue(attempt.offer.clone()),
                }
            }
        }
        .boxed()
    }

    fn chunk(&self, _: Chunk) {}

    fn register(&self, space: String, agent: Agent) -> BoxFuture<'static, Result<(), Refusal>> {
        self.hub.put_agent(&space, agent);
        async { Ok(()) }.boxed()
    }
}

/// A seeded row of numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn millis(&mut self, most: usize) -> Duration {
        Duration::from_millis(self.below(most) as u64)
    }
}
