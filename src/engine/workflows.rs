//! Definitions and agents: registered, listed, forgotten. Not owned by a shard; changes are
//! made one after the other.

use std::sync::Arc;

use super::{
    Error, Handle, Registered, clock,
    handle::blocking,
    plans::{deleted, not_found},
};
use crate::{
    core::{definition::fingerprint, plan::Plan},
    proto::{Agent, ExecutionFilter, Workflow, WorkflowVersion, agent, execution::State},
    store::Write,
};

/// How many executions are looked at at once for being pinned to a version.
const EXECUTIONS_PER_READ: usize = 500;

impl Handle {
    /// Registers a definition, of which `plan` was compiled. A number that a deleted version
    /// had is not given again.
    ///
    /// # Errors
    /// `DataLoss`, `Unavailable`.
    pub async fn register_workflow(
        &self,
        namespace: &str,
        workflow: Workflow,
        plan: &Plan,
    ) -> Result<Registered, Error> {
        let _alone = self.inner.definitions.write().await;
        let versions = self.versions(namespace, &workflow.name).await?;
        let print = fingerprint(&workflow);
        let same = versions.iter().rev().find(|version| {
            version
                .workflow
                .as_ref()
                .is_some_and(|w| fingerprint(w) == print && *w == workflow)
        });
        if let Some(same) = same {
            return Ok(Registered {
                version: same.version,
                created: false,
            });
        }
        let name = workflow.name.clone();
        let set_aside = self.versions(&deleted(namespace), &workflow.name).await?;
        let taken = versions.iter().chain(&set_aside).map(|v| v.version);
        let version = taken.max().unwrap_or(0) + 1;
        self.commit(vec![Write::PutWorkflow {
            namespace: namespace.to_owned(),
            workflow: Box::new(WorkflowVersion {
                name: workflow.name.clone(),
                version,
                create_time: Some(clock::now().into()),
                description: workflow.description.clone(),
                labels: plan.labels.clone().into_iter().collect(),
                workflow: Some(workflow),
            }),
        }])
        .await?;
        self.inner.parts.plans.changed(namespace, &name, version);
        Ok(Registered {
            version,
            created: true,
        })
    }

    /// One version of a workflow; `None`: the newest.
    ///
    /// # Errors
    /// `NotFound`, `DataLoss`.
    pub async fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<WorkflowVersion, Error> {
        let store = Arc::clone(&self.inner.parts.store);
        let (space, wanted) = (namespace.to_owned(), name.to_owned());
        let found = blocking(move || Ok(store.workflow(&space, &wanted, version)?)).await?;
        found.ok_or_else(|| not_found(name, version))
    }

    /// All versions of a workflow, ascending.
    ///
    /// # Errors
    /// `NotFound` when there is none; `DataLoss`.
    pub async fn workflow_versions(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let versions = self.versions(namespace, name).await?;
        if versions.is_empty() {
            return Err(not_found(name, None));
        }
        Ok(versions)
    }

    /// The newest version of each workflow with a name greater than `after`.
    ///
    /// # Errors
    /// `DataLoss`.
    pub async fn workflows(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let store = Arc::clone(&self.inner.parts.store);
        let (namespace, after) = (namespace.to_owned(), after.to_owned());
        blocking(move || Ok(store.workflows(&namespace, &after, limit)?)).await
    }

    /// Deletes one version (`None`: all) unless an open execution is pinned to it; how many.
    /// Nobody finds it any more, but executions that ended with it can still be shown.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Unavailable`.
    pub async fn delete_workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<u32, Error> {
        let _alone = self.inner.definitions.write().await;
        let versions = self.versions(namespace, name).await?;
        let doomed: Vec<WorkflowVersion> = versions
            .into_iter()
            .filter(|v| version.is_none_or(|wanted| wanted == v.version))
            .collect();
        if doomed.is_empty() {
            return Err(not_found(name, version));
        }
        let numbers: Vec<u32> = doomed.iter().map(|v| v.version).collect();
        self.refuse_if_pinned(namespace, name, &numbers).await?;
        let writes = doomed.into_iter().flat_map(|v| set_aside(namespace, v));
        self.commit(writes.collect()).await?;
        for version in &numbers {
            self.inner.parts.plans.changed(namespace, name, *version);
        }
        Ok(u32::try_from(numbers.len()).unwrap_or(u32::MAX))
    }

    async fn refuse_if_pinned(
        &self,
        namespace: &str,
        name: &str,
        doomed: &[u32],
    ) -> Result<(), Error> {
        use State::{Compensating, Paused, Pending, Running, Waiting};
        let filter = ExecutionFilter {
            workflow: name.to_owned(),
            states: [Pending, Running, Paused, Waiting, Compensating]
                .map(i32::from)
                .to_vec(),
            ..ExecutionFilter::default()
        };
        let mut cursor = None;
        loop {
            let page = self
                .executions(namespace, filter.clone(), cursor, EXECUTIONS_PER_READ)
                .await?;
            let pinned = page.items.iter().find(|e| doomed.contains(&e.version));
            if let Some(pinned) = pinned {
                return Err(Error::State {
                    subject: format!("workflow {name} version {}", pinned.version),
                    reason: format!(
                        "is in use by execution {}, which is open",
                        pinned.execution_id
                    ),
                });
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Keeps an agent (already checked) and makes it known to the hub; true when it is new.
    /// `create_time` and, for a known one, `state` stay as they were.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn register_agent(&self, namespace: &str, agent: Agent) -> Result<bool, Error> {
        let _alone = self.inner.agents.lock().await;
        let known = self.inner.parts.dispatch.agent(namespace, &agent.id);
        self.put_agent(namespace, agent, known.as_ref()).await?;
        Ok(known.is_none())
    }

    /// Keeps an agent that a worker brought along, unless it is known.
    pub(super) async fn register_if_unknown(
        &self,
        namespace: &str,
        agent: Agent,
    ) -> Result<(), Error> {
        let _alone = self.inner.agents.lock().await;
        if self
            .inner
            .parts
            .dispatch
            .agent(namespace, &agent.id)
            .is_some()
        {
            return Ok(());
        }
        self.put_agent(namespace, agent, None).await
    }

    /// Forgets an agent.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn deregister_agent(&self, namespace: &str, id: &str) -> Result<(), Error> {
        let _alone = self.inner.agents.lock().await;
        self.known_agent(namespace, id)?;
        self.commit(vec![Write::DeleteAgent {
            namespace: namespace.to_owned(),
            id: id.to_owned(),
        }])
        .await?;
        self.inner.parts.dispatch.remove_agent(namespace, id);
        Ok(())
    }

    /// Says whether an agent is given tasks.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn set_agent_state(
        &self,
        namespace: &str,
        id: &str,
        state: agent::State,
    ) -> Result<(), Error> {
        let _alone = self.inner.agents.lock().await;
        let mut known = self.known_agent(namespace, id)?;
        known.state = state.into();
        let before = known.clone();
        self.put_agent(namespace, known, Some(&before)).await
    }

    fn known_agent(&self, namespace: &str, id: &str) -> Result<Agent, Error> {
        let known = self.inner.parts.dispatch.agent(namespace, id);
        known.ok_or_else(|| Error::NotFound {
            kind: "agent",
            name: id.to_owned(),
        })
    }

    async fn put_agent(
        &self,
        namespace: &str,
        mut agent: Agent,
        known: Option<&Agent>,
    ) -> Result<(), Error> {
        agent.state = known.map_or(agent::State::Active.into(), |k| k.state);
        agent.create_time = known
            .and_then(|k| k.create_time)
            .or_else(|| Some(clock::now().into()));
        // What the hub counts is not kept.
        (agent.workers, agent.running_tasks, agent.waiting_tasks) = (0, 0, 0);
        self.commit(vec![Write::PutAgent {
            namespace: namespace.to_owned(),
            agent: Box::new(agent.clone()),
        }])
        .await?;
        self.inner.parts.dispatch.put_agent(namespace, agent);
        Ok(())
    }

    async fn versions(&self, namespace: &str, name: &str) -> Result<Vec<WorkflowVersion>, Error> {
        let store = Arc::clone(&self.inner.parts.store);
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        blocking(move || Ok(store.workflow_versions(&namespace, &name)?)).await
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        match self.inner.parts.commits.commit(writes).await? {
            true => Ok(()),
            false => Err(Error::Unavailable),
        }
    }
}

/// Takes a version away from its namespace and sets it aside.
fn set_aside(namespace: &str, workflow: WorkflowVersion) -> [Write; 2] {
    let delete = Write::DeleteWorkflow {
        namespace: namespace.to_owned(),
        name: workflow.name.clone(),
        version: workflow.version,
    };
    let keep = Write::PutWorkflow {
        namespace: deleted(namespace),
        workflow: Box::new(workflow),
    };
    [keep, delete]
}
