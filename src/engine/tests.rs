//! Executions leave memory and come back, over a store in memory and the agents' own room.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::{shard::Message, *};
use crate::{
    agents::{
        Dispatch, Fact, HeldLease, Hub, Offer, Order, Refusal, Settled, TaskKey, Token, What,
    },
    core::{decide::Command, definition, plan::Target, value},
    proto::{Agent, event, execution::State},
    store::memory::Memory,
};

/// An engine that keeps one waiting execution in memory.
struct Case {
    engine: Engine,
    store: Arc<Memory>,
    told: Arc<Told>,
}

/// The agents' own room, and what became of the facts that it was told of.
struct Told {
    hub: Hub,
    settled: Mutex<Vec<Settled>>,
}

impl Dispatch for Told {
    fn carry_out(&self, orders: Vec<Order>) {
        let settled = orders.iter().filter_map(|order| match order {
            Order::Settle(settled) => Some(settled.clone()),
            _ => None,
        });
        self.settled.lock().unwrap().extend(settled);
        self.hub.carry_out(orders);
    }

    fn restore(&self, offer: Offer, lease: HeldLease) {
        self.hub.restore(offer, lease);
    }

    fn waiting_for(&self, key: TaskKey) -> Option<String> {
        self.hub.waiting_for(key)
    }

    fn obstacle(&self, namespace: &str, target: &Target) -> Option<String> {
        self.hub.obstacle(namespace, target)
    }

    fn put_agent(&self, namespace: &str, agent: Agent) {
        Dispatch::put_agent(&self.hub, namespace, agent);
    }

    fn remove_agent(&self, namespace: &str, id: &str) {
        Dispatch::remove_agent(&self.hub, namespace, id);
    }

    fn agent(&self, namespace: &str, id: &str) -> Option<Agent> {
        Dispatch::agent(&self.hub, namespace, id)
    }
}

impl Case {
    async fn new() -> Self {
        let limits = Limits {
            resident_executions_max: 1,
            ..Limits::default()
        };
        let told = Arc::new(Told {
            hub: Hub::new(&limits),
            settled: Mutex::default(),
        });
        let store = Arc::new(Memory::new());
        let options = Options {
            shards: NonZeroUsize::MIN,
            limits,
            ..Options::default()
        };
        let engine = Engine::start(store.clone(), told.clone(), options);
        let engine = engine.await.unwrap();
        told.hub.set_sink(engine.sink());
        Self {
            engine,
            store,
            told,
        }
    }

    async fn start(&self) -> Uuid {
        self.engine.handle().start(waits("")).await.unwrap()
    }

    /// Tells what workers did, and gives what became of it once that is durable.
    async fn tell(&self, facts: Vec<Fact>) -> Vec<Settled> {
        let all = facts.len();
        assert_eq!(self.engine.sink().tell(facts), []);
        while self.told.settled.lock().unwrap().len() < all {
            tokio::task::yield_now().await;
        }
        std::mem::take(&mut self.told.settled.lock().unwrap())
    }

    async fn is_in_memory(&self, id: Uuid) -> bool {
        let (reply, answer) = oneshot::channel();
        let shards = &self.engine.handle().inner.shards;
        shards[0].send(Message::Outline { id, reply }).unwrap();
        answer.await.unwrap().is_some()
    }

    /// An execution that has left memory, as another came.
    async fn left(&self) -> Uuid {
        let id = self.start().await;
        self.others_come(id).await;
        id
    }

    async fn others_come(&self, id: Uuid) {
        while self.is_in_memory(id).await {
            self.start().await;
        }
    }

    fn task(&self, id: Uuid) -> u64 {
        let events = self.store.events(id, 0, 10).unwrap();
        let scheduled =
            |e: &&crate::proto::Event| matches!(e.kind, Some(event::Kind::StepScheduled(_)));
        events.iter().find(scheduled).unwrap().sequence
    }
}

/// What to start: an execution that waits for a worker.
fn waits(request_id: &str) -> Start {
    let parsed = definition::parse("name: waits\nsteps: [ { id: a, agent: nobody } ]");
    Start {
        namespace: "default".into(),
        definition: parsed.workflow,
        request_id: request_id.into(),
        ..Start::default()
    }
}

/// A worker's acceptance and result of an attempt.
fn done(execution_id: Uuid, sequence: u64) -> [Fact; 2] {
    let key = TaskKey {
        execution_id,
        sequence,
    };
    let token = Token { key, lease: 7 };
    let accepted = What::Accepted {
        worker_id: "w".into(),
        agent: "nobody".into(),
        awaited: false,
    };
    let completed = What::Completed {
        output: value::null(),
        usage: None,
    };
    [accepted, completed].map(|what| Fact { token, what })
}

#[tokio::test]
async fn what_is_asked_while_an_execution_comes_back_happens_in_order() {
    let case = Case::new().await;
    let (handle, id) = (case.engine.handle(), case.left().await);
    let cancel = Command::Cancel {
        reason: "too late".into(),
    };
    let told = case.tell(done(id, case.task(id)).into());
    let shown = handle.execution("default", id);
    let cancelled = async { handle.command(id, cancel).unwrap().await };
    let (told, shown, cancelled) = futures::join!(told, shown, cancelled);
    assert!(
        told.iter().all(|settled| settled.result.is_ok()),
        "{told:?}"
    );
    assert!(
        matches!(cancelled, Err(Error::State { .. })),
        "{cancelled:?}"
    );
    assert_eq!(shown.unwrap().state(), State::Completed);
}

#[tokio::test]
async fn facts_told_together_count_whether_their_executions_are_in_memory_or_not() {
    let case = Case::new().await;
    let handle = case.engine.handle();
    let (away, also_away) = (case.left().await, case.left().await);
    let here = case.start().await;
    let [late, never] = done(Uuid::nil(), 2);
    let mut facts = vec![late, never];
    // Of each execution the acceptance first, then in another turn the result.
    let each = [away, here, also_away].map(|id| done(id, case.task(id)));
    for turn in 0..2 {
        facts.extend(each.iter().map(|facts| facts[turn].clone()));
    }
    let told = case.tell(facts).await;
    for id in [away, here, also_away] {
        let of_it = told.iter().filter(|s| s.token.key.execution_id == id);
        let of_it: Vec<_> = of_it.map(|s| (s.acceptance, s.result.clone())).collect();
        assert_eq!(of_it, [(true, Ok(())), (false, Ok(()))], "{told:?}");
        let ended = handle.execution("default", id).await.unwrap();
        assert_eq!(ended.state(), State::Completed);
    }
    let unknown = told.iter().filter(|s| s.token.key.execution_id.is_nil());
    let stale = Err(Refusal::Stale("there is no such execution".into()));
    let unknown: Vec<_> = unknown.map(|s| s.result.clone()).collect();
    assert_eq!(unknown, [stale.clone(), stale]);
}

#[tokio::test]
async fn who_waits_for_an_end_is_told_though_the_execution_left_memory() {
    let case = Case::new().await;
    let handle = case.engine.handle();
    let id = handle.start(waits("r")).await.unwrap();
    case.others_come(id).await;
    let again = case.engine.handle();
    let never = std::future::pending();
    let waiting = tokio::spawn(async move { again.run(waits("r"), never).await });
    while !case.is_in_memory(id).await {
        tokio::task::yield_now().await;
    }
    case.others_come(id).await;
    handle
        .terminate("default", id, "done".into())
        .await
        .unwrap();
    let ended = waiting.await.unwrap().unwrap();
    assert_eq!(ended.execution_id, id.to_string());
    assert_eq!(ended.state(), State::Cancelled);
    let after = handle.run(waits("r"), std::future::pending()).await;
    assert_eq!(after.unwrap(), ended);
}

#[tokio::test]
async fn commands_for_what_has_ended_or_never_was_are_refused() {
    let case = Case::new().await;
    let (handle, id) = (case.engine.handle(), case.left().await);
    handle
        .terminate("default", id, "done".into())
        .await
        .unwrap();
    let terminate = || Command::Terminate {
        reason: String::new(),
    };
    let refused = handle.command(id, terminate()).unwrap().await;
    assert!(matches!(refused, Err(Error::State { .. })), "{refused:?}");
    let nobody = handle.command(Uuid::nil(), terminate()).unwrap().await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })), "{nobody:?}");
    let open = case.left().await;
    let refused = handle.delete("default", open).await;
    assert!(matches!(refused, Err(Error::State { .. })), "{refused:?}");
    handle.delete("default", id).await.unwrap();
}
