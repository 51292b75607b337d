//! Outputs kept from before: what identifies the work of a step, and its completion by what
//! another gave.

use std::{collections::BTreeMap, fmt::Write as _};

use prost::Message as _;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Given, RunId},
        plan::{Cache, Scope},
        time::Time,
        value::{self, Value},
    },
    proto::{StepCached, StepCompleted, event},
};

/// What identifies the work of a step: a SHA-256.
pub type CacheKey = [u8; 32];

/// An output that was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Cached {
    /// The execution that gave it.
    pub execution_id: Uuid,
    /// The event that told it.
    pub completed: StepCompleted,
}

/// An output to keep.
#[derive(Debug)]
pub struct Keep<'a> {
    /// What identifies the work.
    pub key: CacheKey,
    /// The execution that gave it.
    pub execution_id: Uuid,
    /// The sequence of the event that tells it.
    pub sequence: u64,
    /// The event.
    pub completed: &'a StepCompleted,
    /// From when it is not given any more.
    pub expire_time: Time,
}

/// The outputs that are kept: what is asked of it is for this moment, what it is told counts
/// once the events of the decision do.
pub trait Outputs {
    /// An output that was kept under a key and has not expired.
    fn find(&mut self, key: &CacheKey, now: Time) -> Option<Cached>;
    /// Keeps an output, in place of an earlier one.
    fn keep(&mut self, keep: Keep<'_>);
}

/// Outputs kept in memory alone, for the kernel by itself.
#[derive(Debug, Default)]
pub struct Remembered(BTreeMap<CacheKey, (Cached, Time)>);

impl Outputs for Remembered {
    fn find(&mut self, key: &CacheKey, now: Time) -> Option<Cached> {
        let (cached, expire_time) = self.0.get(key)?;
        (*expire_time > now).then(|| cached.clone())
    }

    fn keep(&mut self, keep: Keep<'_>) {
        let cached = Cached {
            execution_id: keep.execution_id,
            completed: keep.completed.clone(),
        };
        self.0.insert(keep.key, (cached, keep.expire_time));
    }
}

impl Turn<'_> {
    /// What identifies the step's work with this input; empty when its output is not kept.
    ///
    /// # Errors
    /// Class `expression` when its key cannot be made.
    pub fn cache_key(
        &self,
        run: RunId,
        input: &Value,
        context: Option<&Value>,
        who: &str,
    ) -> Result<String, Error> {
        let Some(cache) = &self.node(run).cache else {
            return Ok(String::new());
        };
        let given = Given {
            value: Some(input),
            ..Given::default()
        };
        let told = match &cache.key {
            None => None,
            Some(key) => Some(
                key.eval(&self.scope(run, given))
                    .map_err(|e| self.error(run, "expression", format!("cache.key: {e}")))?,
            ),
        };
        let told = match (told, context) {
            (Some(told), _) => told,
            (None, None) => input.clone(),
            (None, Some(context)) => value::list(vec![input.clone(), context.clone()]),
        };
        Ok(hex(&self.hash(cache, &told, who)))
    }

    fn hash(&self, cache: &Cache, told: &Value, who: &str) -> CacheKey {
        let id = self.execution.id.to_string();
        let (scope, within) = match cache.scope {
            Scope::Namespace => ("namespace", ""),
            Scope::Workflow => ("workflow", self.execution.workflow.as_str()),
            Scope::Execution => ("execution", id.as_str()),
        };
        let mut hash = Sha256::new();
        let parts = [
            scope.as_bytes(),
            self.execution.namespace.as_bytes(),
            within.as_bytes(),
            &cache.identity,
            who.as_bytes(),
            &told.encode_to_vec(),
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// Completes a step that has not begun by an output that was kept. False when there is none.
    pub fn complete_by_cache(&mut self, run: RunId, key: &str, input: &Value) -> bool {
        let found = unhex(key).and_then(|key| self.outputs.find(&key, self.now));
        let Some(found) = found else {
            return false;
        };
        let cached = StepCached {
            key: key.to_owned(),
            execution_id: found.execution_id.to_string(),
            input: Some(input.clone()),
        };
        self.emit(run, event::Kind::StepCached(cached));
        let completed = StepCompleted {
            attempt: 0,
            usage: None,
            ..found.completed
        };
        self.emit(run, event::Kind::StepCompleted(completed));
        self.step_ended(run);
        true
    }

    /// Keeps what a step has just completed with, if it says so.
    pub fn keep_output(&mut self, run: RunId, completed: &StepCompleted) {
        let Some(cache) = &self.execution.node(run).cache else {
            return;
        };
        let Some(key) = unhex(&self.execution.run(run).cache_key) else {
            return;
        };
        self.outputs.keep(Keep {
            key,
            execution_id: self.execution.id,
            sequence: self.execution.sequence,
            completed,
            expire_time: self.now.after(cache.ttl),
        });
    }
}

fn hex(key: &CacheKey) -> String {
    key.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<CacheKey> {
    let mut key = CacheKey::default();
    let digits = text.as_bytes().chunks_exact(2);
    if digits.len() != key.len() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(digits) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}
