//! Executions leave memory and come back, over a store in memory and the agents' own room.
#![allow(clippy::unwrap_used)]

use uuid::Uuid;

use super::*;
use crate::{
    agents::Hub,
    core::{decide::Command, definition, value},
    proto::{event, execution::State},
    store::memory::Memory,
};

/// An engine that keeps one waiting execution in memory.
struct Case {
    engine: Engine,
    store: Arc<Memory>,
}

impl Case {
    async fn new() -> Self {
        let limits = Limits {
            resident_executions_max: 1,
            ..Limits::default()
        };
        let hub = Hub::new(&limits);
        let store = Arc::new(Memory::new());
        let options = Options {
            shards: NonZeroUsize::MIN,
            limits,
            ..Options::default()
        };
        let engine = Engine::start(store.clone(), Arc::new(hub.clone()), options);
        let engine = engine.await.unwrap();
        hub.set_sink(engine.sink());
        Self { engine, store }
    }

    async fn start(&self) -> Uuid {
        let parsed = definition::parse("name: waits\nsteps: [ { id: a, agent: nobody } ]");
        let start = Start {
            namespace: "default".into(),
            definition: parsed.workflow,
            ..Start::default()
        };
        self.engine.handle().start(start).await.unwrap()
    }

    /// An execution that has left memory, as another came.
    async fn left(&self) -> Uuid {
        let id = self.start().await;
        self.others_come(id).await;
        id
    }

    async fn others_come(&self, id: Uuid) {
        let stands = || {
            let open = self.store.open_executions(None, usize::MAX).unwrap();
            open.iter().any(|o| o.id == id && o.standing.is_some())
        };
        while !stands() {
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

#[tokio::test]
async fn what_is_asked_while_an_execution_comes_back_happens_in_order() {
    let case = Case::new().await;
    let (handle, id) = (case.engine.handle(), case.left().await);
    let (task, lease) = (case.task(id), 7);
    let accept = Command::Accept {
        task,
        worker_id: "w".into(),
        agent: "nobody".into(),
        lease,
    };
    let complete = Command::Complete {
        task,
        lease,
        output: value::null(),
        usage: None,
    };
    let cancel = Command::Cancel {
        reason: "too late".into(),
    };
    let accepted = handle.command(id, accept, false).unwrap();
    let completed = handle.command(id, complete, true).unwrap();
    let shown = handle.execution("default", id);
    let cancelled = handle.command(id, cancel, true).unwrap();
    let (accepted, completed, cancelled, shown) =
        futures::join!(accepted, completed, cancelled, shown);
    accepted.unwrap();
    completed.unwrap();
    assert!(
        matches!(cancelled, Err(Error::State { .. })),
        "{cancelled:?}"
    );
    assert_eq!(shown.unwrap().state(), State::Completed);
}

#[tokio::test]
async fn who_waits_for_an_end_is_told_though_the_execution_left_memory() {
    let case = Case::new().await;
    let (handle, id) = (case.engine.handle(), case.left().await);
    let waiting = case.engine.handle();
    let waiting = tokio::spawn(async move { waiting.ended("default", id, None).await });
    tokio::task::yield_now().await;
    case.others_come(id).await;
    handle
        .terminate("default", id, "done".into())
        .await
        .unwrap();
    let ended = waiting.await.unwrap().unwrap();
    assert_eq!(ended.state(), State::Cancelled);
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
    let refused = handle.command(id, terminate(), true).unwrap().await;
    assert!(matches!(refused, Err(Error::State { .. })), "{refused:?}");
    let nobody = handle
        .command(Uuid::nil(), terminate(), true)
        .unwrap()
        .await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })), "{nobody:?}");
    let open = case.left().await;
    let refused = handle.delete("default", open).await;
    assert!(matches!(refused, Err(Error::State { .. })), "{refused:?}");
    handle.delete("default", id).await.unwrap();
}
