//! Plans of registered versions, compiled once and shared.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Error;
use crate::{
    core::{
        limits::Limits,
        plan::{self, Plan},
    },
    proto::{ExecutionStarted, Workflow},
    store::Store,
};

/// The most plans kept; the whole cache is dropped when it is full.
const PLANS_MAX: usize = 4096;

type Key = (String, String, u32);

/// The plans. Cheap to clone.
#[derive(Clone)]
pub struct Plans {
    store: Arc<dyn Store>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    plans: HashMap<Key, Arc<Plan>>,
    /// The newest version by namespace and name.
    newest: HashMap<(String, String), u32>,
}

impl Plans {
    /// An empty cache over a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            kept: Arc::default(),
        }
    }

    /// The plan of a registered version; `None` names the newest.
    ///
    /// # Errors
    /// `NotFound`; those of the store.
    pub fn registered(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<(u32, Arc<Plan>), Error> {
        if let Some(kept) = self.kept(namespace, name, version) {
            return Ok(kept);
        }
        let found = self.store.workflow(namespace, name, version)?;
        let Some(found) = found else {
            return Err(not_found(name, version));
        };
        let plan = accepted(&found.workflow.unwrap_or_default())?;
        let mut kept = self.lock();
        if kept.plans.len() >= PLANS_MAX {
            *kept = Kept::default();
        }
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        if version.is_none() {
            let newest = (namespace.clone(), name.clone());
            kept.newest.insert(newest, found.version);
        }
        let key = (namespace, name, found.version);
        kept.plans.insert(key, Arc::clone(&plan));
        Ok((found.version, plan))
    }

    fn kept(&self, namespace: &str, name: &str, version: Option<u32>) -> Option<(u32, Arc<Plan>)> {
        let kept = self.lock();
        let name = (namespace.to_owned(), name.to_owned());
        let version = version.or_else(|| kept.newest.get(&name).copied())?;
        let plan = kept.plans.get(&(name.0, name.1, version))?;
        Some((version, Arc::clone(plan)))
    }

    /// The plan that an execution was started with; its version may have been deleted since.
    ///
    /// # Errors
    /// As `registered`.
    pub fn of(&self, started: &ExecutionStarted) -> Result<Arc<Plan>, Error> {
        if let Some(definition) = &started.definition {
            return accepted(definition);
        }
        let (namespace, name) = (&started.namespace, &started.workflow);
        let version = Some(started.version);
        let found = match self.registered(namespace, name, version) {
            Err(Error::NotFound { .. }) => self.registered(&deleted(namespace), name, version),
            found => found,
        };
        found.map(|(_, plan)| plan)
    }

    /// A version was registered or deleted: what is known of the name is looked up anew.
    pub fn changed(&self, namespace: &str, name: &str, version: u32) {
        let name = (namespace.to_owned(), name.to_owned());
        let mut kept = self.lock();
        kept.newest.remove(&name);
        kept.plans.remove(&(name.0, name.1, version));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where deleted versions of a namespace are set aside. No request can name it: a namespace
/// has no `/`.
pub(super) fn deleted(namespace: &str) -> String {
    format!("{namespace}/deleted")
}

/// The plan of a definition that was accepted before: today's limits do not count.
fn accepted(definition: &Workflow) -> Result<Arc<Plan>, Error> {
    let limits = Limits {
        workflow_steps_max: usize::MAX,
        workflow_depth_max: usize::MAX,
        workflow_bytes_max: usize::MAX,
        expression_bytes_max: usize::MAX,
        retry_attempts_max: u32::MAX,
        each_parallel_max: u32::MAX,
        iterations_max: u32::MAX,
        ..Limits::default()
    };
    let compiled = plan::compile(definition, &limits).map_err(|findings| {
        let first = findings.first().map_or("", |f| f.message.as_str());
        Error::Internal(format!(
            "workflow {} was accepted and does not compile now: {first}",
            definition.name
        ))
    })?;
    Ok(Arc::new(compiled.plan))
}

pub(super) fn not_found(name: &str, version: Option<u32>) -> Error {
    match version {
        Some(version) => Error::NotFound {
            kind: "workflow version",
            name: format!("{name} version {version}"),
        },
        None => Error::NotFound {
            kind: "workflow",
            name: name.to_owned(),
        },
    }
}
