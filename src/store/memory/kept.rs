//! What is in memory, and what each write makes of it.

use std::collections::BTreeMap;

use prost::Message as _;
use uuid::Uuid;

use crate::{
    core::{decide::CacheKey, execution::Standing},
    proto::{Agent, Event, Execution, Retention, WorkflowVersion},
    store::{OutputRecord, RequestRecord, Verification, Write, audit::Chain, filter},
};

/// All that is kept.
#[derive(Debug, Default)]
pub struct Kept {
    pub executions: BTreeMap<Uuid, Run>,
    pub requests: BTreeMap<(String, String), RequestRecord>,
    pub outputs: BTreeMap<CacheKey, OutputRecord>,
    pub retentions: BTreeMap<(String, String), Retention>,
    pub workflows: BTreeMap<(String, String, u32), WorkflowVersion>,
    pub agents: BTreeMap<(String, String), Agent>,
}

/// An execution.
#[derive(Debug, Default)]
pub struct Run {
    pub events: Vec<Event>,
    pub summary: Execution,
    pub standing: Option<Standing>,
}

impl Run {
    /// Nothing changes what is in memory, so its chain is whole.
    pub fn verify(&self, id: Uuid) -> Verification {
        let mut chain = Chain::new(id);
        for event in &self.events {
            let mut event = event.clone();
            event.execution_id.clear();
            chain.add(&event.encode_to_vec());
        }
        chain.verified()
    }
}

impl Kept {
    pub fn last_sequence(&self, id: Uuid) -> u64 {
        let last = self.executions.get(&id).and_then(|run| run.events.last());
        last.map_or(0, |event| event.sequence)
    }

    pub fn versions(&self, namespace: &str, name: &str) -> Vec<&WorkflowVersion> {
        let from = (namespace.to_owned(), name.to_owned(), 0);
        let until = (namespace.to_owned(), name.to_owned(), u32::MAX);
        self.workflows.range(from..=until).map(|(_, w)| w).collect()
    }

    fn stand(&mut self, id: Uuid, standing: Standing, summary: Option<Box<Execution>>) {
        let run = self.executions.get_mut(&id);
        if let Some(run) = run.filter(|run| !filter::has_ended(&run.summary)) {
            run.standing = Some(standing);
            if let Some(summary) = summary {
                run.summary = *summary;
            }
        }
    }

    fn append(&mut self, id: Uuid, events: Vec<Event>, summary: Option<Box<Execution>>) {
        let run = self.executions.entry(id).or_default();
        run.events.extend(events);
        run.standing = None;
        if let Some(summary) = summary {
            run.summary = *summary;
        }
    }

    pub fn apply(&mut self, write: Write) {
        match write {
            Write::Append {
                id,
                events,
                summary,
            } => self.append(id, events, summary),
            Write::Stand {
                id,
                standing,
                summary,
                ..
            } => self.stand(id, standing, summary),
            Write::DeleteExecution { id } => {
                self.executions.remove(&id);
            }
            Write::PutOutput { key, record } => {
                self.outputs.insert(key, record);
            }
            Write::DeleteOutput { key } => {
                self.outputs.remove(&key);
            }
            Write::PutRequest {
                namespace,
                request_id,
                record,
            } => {
                self.requests.insert((namespace, request_id), record);
            }
            Write::DeleteRequest {
                namespace,
                request_id,
            } => {
                self.requests.remove(&(namespace, request_id));
            }
            Write::PutRetention { retention } => {
                let name = (retention.namespace.clone(), retention.workflow.clone());
                self.retentions.insert(name, *retention);
            }
            Write::DeleteRetention {
                namespace,
                workflow,
            } => {
                self.retentions.remove(&(namespace, workflow));
            }
            Write::PutWorkflow {
                namespace,
                workflow,
            } => {
                let key = (namespace, workflow.name.clone(), workflow.version);
                self.workflows.insert(key, *workflow);
            }
            Write::DeleteWorkflow {
                namespace,
                name,
                version,
            } => {
                self.workflows.remove(&(namespace, name, version));
            }
            Write::PutAgent { namespace, agent } => {
                self.agents.insert((namespace, agent.id.clone()), *agent);
            }
            Write::DeleteAgent { namespace, id } => {
                self.agents.remove(&(namespace, id));
            }
        }
    }
}
