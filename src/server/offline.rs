//! What is done with a data directory while no server has it open: checked. Called by the command line.

use std::path::Path;

use uuid::Uuid;

use crate::store::{
    Broken, Error, Store as _,
    sled::{Options, SledStore},
};

/// How many executions are checked before it is told how far that is.
const CHECKED_AT_ONCE: usize = 100;

/// What checking a data directory found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Executions.
    pub executions: u64,
    /// Their events that are as they were written.
    pub events: u64,
    /// Executions that are not, each with its first broken event.
    pub broken: Vec<(Uuid, Broken)>,
}

impl Checked {
    /// It as JSON, with the names of VerifyAudit's answer.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let broken = self.broken.iter().map(|(id, broken)| {
            serde_json::json!({
                "execution_id": id.to_string(),
                "sequence": broken.sequence,
                "reason": broken.reason,
            })
        });
        serde_json::json!({
            "executions": self.executions,
            "events": self.events,
            "broken": broken.collect::<Vec<_>>(),
        })
    }
}

/// Checks the whole of a data directory; `tell` is called now and then with how many
/// executions are done.
///
/// # Errors
/// `Error::InUse` while a server has it open; `Error::Damaged` naming segment and offset or
/// file; `Error::Io`.
pub fn verify(data: &Path, tell: &mut dyn FnMut(u64)) -> Result<Checked, Error> {
    let store = open(data)?;
    let (mut checked, mut after) = (Checked::default(), None);
    loop {
        let page = store.verify_executions(after, CHECKED_AT_ONCE)?;
        for found in page.items {
            checked.executions += 1;
            checked.events += found.events;
            let broken = found.broken.map(|broken| (found.id, broken));
            checked.broken.extend(broken);
        }
        tell(checked.executions);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    store.close()?;
    Ok(checked)
}

/// Opens a data directory that is there: none is made.
fn open(data: &Path) -> Result<SledStore, Error> {
    if !data.is_dir() {
        return Err(Error::Io {
            context: format!("there is no data directory {}", data.display()),
            source: std::io::ErrorKind::NotFound.into(),
        });
    }
    let (store, opened) = SledStore::open(data, Options::default())?;
    tracing::debug!(?opened, "opened the data directory");
    Ok(store)
}
