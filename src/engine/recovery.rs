//! Executions out of the store: those that are open when the server starts, and ended ones
//! that are asked for.

use std::sync::atomic::Ordering;

use uuid::Uuid;

use super::{Error, release::offer, shard::Parts};
use crate::{
    agents::{Dispatch, HeldLease},
    core::execution::{Execution, StepState, apply},
    proto::event,
    store::{self, Store},
};

/// How many events are read at once.
const EVENTS_PER_READ: usize = 1000;

/// Makes the agents known that were registered before.
pub fn load_agents(store: &dyn Store, dispatch: &dyn Dispatch) -> Result<(), store::Error> {
    for (namespace, agent) in store.agents()? {
        dispatch.put_agent(&namespace, agent);
    }
    Ok(())
}

/// The open executions of each shard.
///
/// # Errors
/// Those of the store; `Damaged` for an execution whose events do not fold.
pub fn load(parts: &Parts, shards: usize) -> Result<Vec<Vec<Execution>>, store::Error> {
    let mut loaded: Vec<Vec<Execution>> = (0..shards).map(|_| Vec::new()).collect();
    let open = parts.store.open_executions(None, usize::MAX)?;
    if !open.is_empty() {
        tracing::info!(executions = open.len(), "going on with open executions");
    }
    for store::Open { id, .. } in open {
        let execution = read(parts, id)
            .map_err(|error| store::Error::Damaged(format!("execution {id}: {error}")))?;
        loaded[super::start::shard_of(id, shards)].push(execution);
    }
    parts.open.store(0, Ordering::Relaxed);
    Ok(loaded)
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
