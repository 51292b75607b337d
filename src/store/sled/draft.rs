//! What groups of writes change in the state: collected over the state as it is, so that later
//! writes see earlier ones, and then applied at once.

use std::collections::{BTreeMap, HashMap};

use prost::Message as _;
use uuid::Uuid;

use super::{
    super::{Error, filter},
    chunks,
    heads::{Head, Heads},
    keys,
    record::{self, Append, Change, Group, PutAgent, PutRequest, PutWorkflow, Stand},
    state::State,
};
use crate::proto::Execution;

/// Keys of the state with their new values; `None` where a key goes.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Changes that are being collected.
pub struct Draft<'a> {
    state: &'a State,
    heads: &'a mut Heads,
    changed_heads: HashMap<Uuid, Head>,
    changes: Changes,
}

impl<'a> Draft<'a> {
    /// No changes yet.
    pub fn new(state: &'a State, heads: &'a mut Heads) -> Self {
        Self {
            state,
            heads,
            changed_heads: HashMap::new(),
            changes: Changes::new(),
        }
    }

    /// Adds what a group changes. The group follows from what is kept.
    ///
    /// # Errors
    /// `Error::Damaged` when the group or the state is not readable, and `Error::Io`.
    pub fn add(&mut self, group: Group) -> Result<(), Error> {
        for entry in group.entries {
            let change = entry.change.ok_or_else(|| {
                Error::Damaged("a write of a kind that this version does not know".into())
            })?;
            self.add_change(change)?;
        }
        Ok(())
    }

    /// The changes, and where the executions they touch then stand.
    pub fn finish(self) -> (Changes, HashMap<Uuid, Head>) {
        (self.changes, self.changed_heads)
    }

    fn add_change(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Append(append) => self.append(append),
            Change::Stand(stand) => self.stand(stand),
            Change::DeleteExecution(id) => self.delete_execution(record::id(&id)?),
            Change::PutRequest(PutRequest {
                namespace,
                request_id,
                record,
            }) => {
                let record = record.unwrap_or_default().encode_to_vec();
                self.put(keys::request(&namespace, &request_id), record);
                Ok(())
            }
            Change::PutWorkflow(PutWorkflow {
                namespace,
                workflow,
            }) => {
                let workflow = workflow.unwrap_or_default();
                let key = keys::workflow(&namespace, &workflow.name, workflow.version);
                self.put_value(&key, &workflow.encode_to_vec())
            }
            Change::DeleteWorkflow(key) => {
                self.delete_all(&keys::workflow(&key.namespace, &key.name, key.version))
            }
            Change::PutAgent(PutAgent { namespace, agent }) => {
                let agent = agent.unwrap_or_default();
                let key = keys::agent(&namespace, &agent.id);
                self.put_value(&key, &agent.encode_to_vec())
            }
            Change::DeleteAgent(key) => self.delete_all(&keys::agent(&key.namespace, &key.id)),
        }
    }

    fn append(&mut self, append: Append) -> Result<(), Error> {
        let id = record::id(&append.id)?;
        let mut head = self.head(id)?;
        let is_new = head.last_sequence == 0;
        for pack in append.packs {
            self.put_value(&keys::events(id, pack.last_sequence), &pack.events)?;
            head.last_sequence = pack.last_sequence;
        }
        if std::mem::take(&mut head.stands) {
            self.put(keys::open(id), Vec::new());
        }
        if let Some(summary) = append.summary {
            self.put_value(&keys::summary(id), &summary.encode_to_vec())?;
            if is_new {
                for key in indexes(id, &summary) {
                    self.put(key, Vec::new());
                }
            }
            let open = !filter::has_ended(&summary);
            if open != head.open {
                self.set(keys::open(id), open.then(Vec::new));
                head.open = open;
            }
        }
        self.changed_heads.insert(id, head);
        Ok(())
    }

    fn stand(&mut self, stand: Stand) -> Result<(), Error> {
        let id = record::id(&stand.id)?;
        let mut head = self.head(id)?;
        if !head.open {
            return Ok(());
        }
        self.put(keys::open(id), stand.standing);
        head.stands = true;
        self.changed_heads.insert(id, head);
        match stand.summary {
            Some(summary) => self.put_value(&keys::summary(id), &summary.encode_to_vec()),
            None => Ok(()),
        }
    }

    fn delete_execution(&mut self, id: Uuid) -> Result<(), Error> {
        let key = keys::summary(id);
        let Some(summary) = chunks::join(&key, |part| self.get(part))? else {
            return Ok(());
        };
        let summary: Execution = record::decode(&summary, "a summary")?;
        for key in indexes(id, &summary) {
            self.set(key, None);
        }
        self.set(keys::open(id), None);
        self.delete_all(&key)?;
        self.delete_all(&keys::events_of(id))?;
        self.changed_heads.insert(id, Head::default());
        Ok(())
    }

    fn head(&mut self, id: Uuid) -> Result<Head, Error> {
        match self.changed_heads.get(&id) {
            Some(head) => Ok(*head),
            None => self.state.head(self.heads, id),
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.changes.get(key) {
            Some(changed) => Ok(changed.clone()),
            None => self.state.get(key),
        }
    }

    fn put_value(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        for (key, part) in chunks::split(key, value)? {
            self.put(key, part);
        }
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.set(key, Some(value));
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.changes.insert(key, value);
    }

    fn delete_all(&mut self, prefix: &[u8]) -> Result<(), Error> {
        let changed = self
            .changes
            .range_mut(prefix.to_vec()..)
            .take_while(|(key, _)| key.starts_with(prefix));
        for (_, value) in changed {
            *value = None;
        }
        for key in self.state.keys(prefix) {
            self.set(key?, None);
        }
        Ok(())
    }
}

/// The index keys of an execution. They are written once: namespace and workflow never change.
fn indexes(id: Uuid, summary: &Execution) -> [Vec<u8>; 2] {
    let namespace = keys::namespace_index(&summary.namespace);
    let workflow = keys::workflow_index(&summary.namespace, &summary.workflow);
    [keys::with_id(namespace, id), keys::with_id(workflow, id)]
}
