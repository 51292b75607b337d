//! Facts on their way to the engine: told in the order in which they came to be, without the
//! lock, and what becomes of them brought back.

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};

use super::{
    Failure, HeldLease, Hub, Refusal, TaskKey, TaskSink, Token,
    lease::Done,
    state::{Sink, State},
};
use crate::{core::value::Value, proto};

/// A fact the sink is to be told.
pub(super) enum Effect {
    Accepted {
        key: TaskKey,
        held: HeldLease,
        done: Done,
    },
    Completed {
        token: Token,
        output: Value,
        usage: Option<proto::Usage>,
    },
    Failed {
        token: Token,
        failure: Failure,
    },
    Chunk(proto::Chunk),
    /// The engine is asked for what is not in memory.
    Fetch(Vec<TaskKey>),
}

/// What became of a fact.
pub(super) enum Settled {
    Accepted(Token, Done, Result<(), Refusal>),
    Reported(Token, Result<(), Refusal>),
    Fetched(Vec<TaskKey>),
}

/// How many outcomes are brought back under one lock.
const SETTLED_AT_ONCE: usize = 256;

/// What `flush` finds when it looks.
enum Batch {
    /// Nothing to do, or someone else does it.
    Nothing,
    Tell(std::sync::Arc<dyn TaskSink>, Vec<Effect>),
    /// There is nobody to tell any more.
    Refuse(Vec<Effect>),
}

impl Hub {
    /// Tells the sink what there is to tell. One caller at a time does it, for all; the others
    /// return at once. Needs a runtime.
    pub(super) fn flush(&self) {
        let mut batch = self.locked(|state, _| state.begin_flush());
        loop {
            match batch {
                Batch::Nothing => return,
                Batch::Tell(sink, effects) => self.tell(&*sink, effects),
                Batch::Refuse(effects) => {
                    let refused = effects.into_iter().filter_map(refused).collect();
                    self.locked(|state, now| state.settled(refused, now));
                }
            }
            batch = self.locked(|state, _| state.next_batch());
        }
    }

    fn tell(&self, sink: &dyn TaskSink, effects: Vec<Effect>) {
        let told = effects.into_iter().filter_map(|e| tell(sink, e));
        let told: FuturesUnordered<_> = told.collect();
        if !told.is_empty() {
            tokio::spawn(self.clone().bring_back(told));
        }
    }

    async fn bring_back(self, told: FuturesUnordered<BoxFuture<'static, Settled>>) {
        let mut settled = told.ready_chunks(SETTLED_AT_ONCE);
        while let Some(settled) = settled.next().await {
            self.locked(|state, now| state.settled(settled, now));
            self.flush();
        }
    }
}

impl State {
    fn begin_flush(&mut self) -> Batch {
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
}

fn tell(sink: &dyn TaskSink, effect: Effect) -> Option<BoxFuture<'static, Settled>> {
    Some(match effect {
        Effect::Accepted { key, held, done } => {
            let token = Token {
                key,
                lease: held.lease,
            };
            let told = sink.accepted(key, held, done.is_some());
            told.map(move |result| Settled::Accepted(token, done, result))
                .boxed()
        }
        Effect::Completed {
            token,
            output,
            usage,
        } => sink
            .completed(token.key, token.lease, output, usage)
            .map(move |result| Settled::Reported(token, result))
            .boxed(),
        Effect::Failed { token, failure } => sink
            .failed(token.key, token.lease, failure)
            .map(move |result| Settled::Reported(token, result))
            .boxed(),
        Effect::Fetch(keys) => sink
            .fetch(keys.clone())
            .map(move |()| Settled::Fetched(keys))
            .boxed(),
        Effect::Chunk(chunk) => {
            sink.chunk(chunk);
            return None;
        }
    })
}

fn refused(effect: Effect) -> Option<Settled> {
    let gone = Err(Refusal::Unavailable);
    match effect {
        Effect::Accepted { key, held, done } => {
            let lease = held.lease;
            Some(Settled::Accepted(Token { key, lease }, done, gone))
        }
        Effect::Completed { token, .. } | Effect::Failed { token, .. } => {
            Some(Settled::Reported(token, gone))
        }
        Effect::Fetch(keys) => Some(Settled::Fetched(keys)),
        Effect::Chunk(_) => None,
    }
}
