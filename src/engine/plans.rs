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
    kept: Arc<Mutex<HashMap<Key, Arc<Plan>>>>,
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
        if let Some(version) = version {
            let key = (namespace.to_owned(), name.to_owned(), version);
            if let Some(plan) = self.lock().get(&key) {
                return Ok((version, Arc::clone(plan)));
            }
        }
        let found = self.store.workflow(namespace, name, version)?;
        let Some(found) = found else {
            return Err(not_found(name, version));
        };
        let key = (namespace.to_owned(), name.to_owned(), found.version);
        if let Some(plan) = self.lock().get(&key) {
            return Ok((found.version, Arc::clone(plan)));
        }
        let plan = accepted(&found.workflow.unwrap_or_default())?;
        let mut kept = self.lock();
        if kept.len() >= PLANS_MAX {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&plan));
        Ok((found.version, plan))
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

    /// Forgets a version that was deleted.
    pub fn forget(&self, namespace: &str, name: &str, version: u32) {
        let key = (namespace.to_owned(), name.to_owned(), version);
        self.lock().remove(&key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Plan>>> {
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
