//! Facts on their way to the engine: told in the order in which they came to be, without the
//! lock. What becomes of them comes back as an order.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Fact, Hub, Refusal, Settled, TaskKey, TaskSink,
    state::{Sink, State},
};
use crate::proto;

/// Something the sink is to be told.
pub(super) enum Effect {
    Fact(Fact),
    Chunk(proto::Chunk),
    /// The engine is asked for what is not in memory.
    Fetch(Vec<TaskKey>),
}

/// What there is to tell.
pub(super) enum Batch {
    /// Nothing to do, or someone else does it.
    Nothing,
    Tell(Arc<dyn TaskSink>, Vec<Effect>),
    /// There is nobody to tell any more.
    Refuse(Vec<Effect>),
}

impl Hub {
    /// Tells a batch that `begin_flush` gave, and what has gathered meanwhile. One caller at a
    /// time does it, for all; the others are given nothing to tell.
    pub(super) fn tell_all(&self, mut batch: Batch) {
        loop {
            batch = match batch {
                Batch::Nothing => return,
                Batch::Tell(sink, effects) => {
                    let refused = self.tell(&*sink, effects);
                    self.locked(|state, now| {
                        for settled in refused {
                            state.settled(settled, now);
                        }
                        state.next_batch()
                    })
                }
                Batch::Refuse(effects) => self.locked(|state, now| {
                    for effect in effects {
                        state.refuse(effect, now);
                    }
                    state.next_batch()
                }),
            };
        }
    }

    /// Tells the sink. Gives what became of facts that it does not take.
    fn tell(&self, sink: &dyn TaskSink, effects: Vec<Effect>) -> Vec<Settled> {
        let mut facts = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Fact(fact) => facts.push(fact),
                Effect::Chunk(chunk) => sink.chunk(chunk),
                Effect::Fetch(keys) => {
                    let fetched = sink.fetch(keys.clone());
                    let hub = self.clone();
                    tokio::spawn(async move {
                        fetched.await;
                        hub.told(|state, now| state.fetched(&keys, now));
                    });
                }
            }
        }
        match facts.is_empty() {
            true => Vec::new(),
            false => sink.tell(facts),
        }
    }
}

impl State {
    pub fn begin_flush(&mut self) -> Batch {
        if self.flushing {
            return Batch::Nothing;
        }
        self.next_batch()
    }

    fn next_batch(&mut self) -> Batch {
        self.flushing = !self.effects.is_empty() && !matches!(self.sink, Sink::Unset);
        if !self.flushing {
            return Batch::Nothing;
        }
        let effects = std::mem::take(&mut self.effects);
        match &self.sink {
            Sink::Set(sink) => Batch::Tell(sink.clone(), effects),
            Sink::Unset | Sink::Gone => Batch::Refuse(effects),
        }
    }

    /// What becomes of an effect when there is nobody to be told.
    fn refuse(&mut self, effect: Effect, now: Instant) {
        match effect {
            Effect::Fact(fact) => self.settled(fact.refused(Refusal::Unavailable), now),
            Effect::Fetch(keys) => self.fetched(&keys, now),
            Effect::Chunk(_) => {}
        }
    }
}
