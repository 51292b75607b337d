//! Executions out of the store: those that are open when the server starts, and ended ones
//! that are asked for.

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Error,
    commit::Failed,
    release::offer,
    shard::{self, Mailbox, Message, Parts, TakenUp},
    start::shard_of,
};
use crate::{
    agents::{Dispatch, HeldLease},
    core::execution::{Execution, StepState, apply},
    proto::event,
    store::{self, Store},
};

/// How many events are read at once.
const EVENTS_PER_READ: usize = 1000;
/// How many open executions are taken up at once.
const OPEN_PER_READ: usize = 1000;

/// Makes the agents known that were registered before.
pub fn load_agents(store: &dyn Store, dispatch: &dyn Dispatch) -> Result<(), store::Error> {
    for (namespace, agent) in store.agents()? {
        dispatch.put_agent(&namespace, agent);
    }
    Ok(())
}

/// Takes up what was open when the server stopped, in order: the first page before it returns,
/// the rest in the background. What is asked of an execution before its turn makes it come at
/// once.
///
/// # Errors
/// Those of the store.
pub async fn take_up(
    parts: Parts,
    shards: Vec<Mailbox>,
    failed: Failed,
) -> Result<(), store::Error> {
    let next = next_page(&parts, &shards, None).await?;
    tokio::spawn(async move {
        let mut next = next;
        while next.is_some() {
            match next_page(&parts, &shards, next).await {
                Ok(more) => next = more,
                Err(error) => {
                    tracing::error!(%error, "open executions cannot be taken up: stopping");
                    failed.send_replace(Some(error.to_string()));
                    return;
                }
            }
        }
    });
    Ok(())
}

/// Takes up the page after an execution; gives the last one of it when there are more.
async fn next_page(
    parts: &Parts,
    shards: &[Mailbox],
    after: Option<Uuid>,
) -> Result<Option<Uuid>, store::Error> {
    let read = {
        let (parts, shards) = (parts.clone(), shards.len());
        move || page(&parts, shards, after)
    };
    let (pages, last) = tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| store::Error::Damaged(error.to_string()))??;
    let (done, mut taken_up) = mpsc::channel(1);
    for (shard, page) in shards.iter().zip(pages) {
        let done = done.clone();
        // A shard that has ended takes nothing up.
        let _ = shard.send(Message::TakeUp {
            page,
            to: last,
            done,
        });
    }
    drop(done);
    taken_up.recv().await;
    Ok(last)
}

/// What each shard takes up next, and the last execution of it; `None` with the last page.
fn page(
    parts: &Parts,
    shards: usize,
    after: Option<Uuid>,
) -> Result<(Vec<Vec<TakenUp>>, Option<Uuid>), store::Error> {
    let open = parts.store.open_executions(after, OPEN_PER_READ)?;
    let last = open.last().filter(|_| open.len() == OPEN_PER_READ);
    let last = last.map(|open| open.id);
    let mut pages: Vec<Vec<TakenUp>> = (0..shards).map(|_| Vec::new()).collect();
    for store::Open { id, standing } in open {
        let taken_up = match standing {
            Some(standing) => TakenUp::Waits(id, standing),
            None => match shard::read(parts, id) {
                Ok(execution) => TakenUp::Whole(Box::new(execution)),
                Err(error) => {
                    tracing::error!(%error, execution_id = %id, "an open execution is left aside");
                    continue;
                }
            },
        };
        pages[shard_of(id, shards)].push(taken_up);
    }
    Ok((pages, last))
}

/// An execution, folded from its events.
///
/// # Errors
/// `NotFound`; `DataLoss` when its events do not fold; those of the store.
pub fn read(parts: &Parts, id: Uuid) -> Result<Execution, Error> {
    let mut after = 0;
    let mut execution: Option<Execution> = None;
    loop {
        let events = parts.store.events(id, after, EVENTS_PER_READ)?;
        let full = events.len() == EVENTS_PER_READ;
        for event in &events {
            match &mut execution {
                Some(execution) => apply(execution, event),
                None => execution = Some(create(parts, event)?),
            }
            after = event.sequence;
        }
        if !full {
            break;
        }
    }
    execution.ok_or_else(|| not_found(id))
}

fn create(parts: &Parts, event: &crate::proto::Event) -> Result<Execution, Error> {
    let Some(event::Kind::ExecutionStarted(started)) = &event.kind else {
        let words = format!(
            "execution {} does not begin with its start",
            event.execution_id
        );
        return Err(Error::DataLoss(words));
    };
    Execution::create(parts.plans.of(started)?, event).map_err(Error::DataLoss)
}

/// Hands out again what an execution had handed out: what waits goes back to the queue, what
/// a worker holds is kept for it.
pub fn hand_out(execution: &Execution, dispatch: &dyn Dispatch) {
    for (run, step) in execution.runs() {
        let Some(task) = execution.dispatch_of(run) else {
            continue;
        };
        let (namespace, workflow) = (&execution.namespace, &execution.workflow);
        let offer = offer(execution.id, namespace.clone(), workflow.clone(), task);
        match step.state {
            StepState::Waiting => dispatch.enqueue(offer),
            StepState::Running => dispatch.restore(
                offer,
                HeldLease {
                    worker_id: step.worker_id.clone(),
                    agent: step.agent.clone(),
                    lease: step.lease,
                },
            ),
            _ => {}
        }
    }
}

pub(super) fn not_found(id: Uuid) -> Error {
    Error::NotFound {
        kind: "execution",
        name: id.to_string(),
    }
}
