//! What keeps the store in order while it serves: checking the audit's chains, copies of the
//! whole, compaction.

use std::{io, sync::Arc};

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Error, Handle, handle::blocking, recovery::not_found};
use crate::{
    proto::ExecutionFilter,
    store::{Broken, Compacted, Link, Page, Snapshot, Store, Verification},
};

/// How many executions are checked before it is told how far that is.
const CHECKED_AT_ONCE: usize = 100;
/// The size of a piece of a backup, in bytes.
const PIECE_BYTES: usize = 1 << 20;
/// How many pieces of a backup may wait to be sent.
const PIECES_MAX: usize = 4;

/// Which executions are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One.
    Execution {
        /// Its namespace.
        namespace: String,
        /// Its id.
        id: Uuid,
    },
    /// Those of a namespace.
    Namespace(String),
    /// All of all namespaces.
    All,
}

/// How far checking is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// Executions checked so far.
    pub executions: u64,
    /// Their events that are as they were written.
    pub events: u64,
    /// What was found broken since the last time.
    pub broken: Vec<(Uuid, Broken)>,
    /// Nothing is left to check.
    pub done: bool,
    /// The last link, when one execution was asked for.
    pub head: Option<Link>,
}

/// A check of chains on its way.
pub struct Audit {
    store: Arc<dyn Store>,
    scope: Scope,
    cursor: Option<Uuid>,
    told: Audited,
}

impl Audit {
    /// Goes on: how far it is then; `None` once all was told. Cancel safe.
    ///
    /// # Errors
    /// `NotFound`, `DataLoss`.
    pub async fn next(&mut self) -> Option<Result<Audited, Error>> {
        if self.told.done {
            return None;
        }
        let (store, scope) = (Arc::clone(&self.store), self.scope.clone());
        let cursor = self.cursor;
        let checked = blocking(move || check(store.as_ref(), &scope, cursor)).await;
        let page = match checked {
            Ok(page) => page,
            Err(error) => {
                self.told.done = true;
                return Some(Err(error));
            }
        };
        self.cursor = page.next;
        self.told.broken.clear();
        self.told.done = page.next.is_none();
        for found in page.items {
            self.told.executions += 1;
            self.told.events += found.events;
            if matches!(self.scope, Scope::Execution { .. }) {
                self.told.head = Some(found.head);
            }
            let broken = found.broken.map(|broken| (found.id, broken));
            self.told.broken.extend(broken);
        }
        Some(Ok(self.told.clone()))
    }
}

fn check(
    store: &dyn Store,
    scope: &Scope,
    cursor: Option<Uuid>,
) -> Result<Page<Verification, Uuid>, Error> {
    match scope {
        Scope::All => Ok(store.verify_executions(cursor, CHECKED_AT_ONCE)?),
        Scope::Execution { namespace, id } => {
            let known = store.execution(*id)?;
            known
                .filter(|execution| execution.namespace == *namespace)
                .ok_or_else(|| not_found(*id))?;
            let found = store.verify_execution(*id)?;
            let items = vec![found.ok_or_else(|| not_found(*id))?];
            Ok(Page { items, next: None })
        }
        Scope::Namespace(namespace) => {
            let any = ExecutionFilter::default();
            let page = store.executions(namespace, &any, cursor, CHECKED_AT_ONCE)?;
            let mut items = Vec::with_capacity(page.items.len());
            for execution in page.items {
                if let Ok(id) = execution.execution_id.parse() {
                    items.extend(store.verify_execution(id)?);
                }
            }
            let next = page.next;
            Ok(Page { items, next })
        }
    }
}

/// What a backup gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The next bytes of the file.
    Piece(Vec<u8>),
    /// The end: what was copied, and the SHA-256 of all pieces.
    End(Snapshot, [u8; 32]),
}

/// A backup on its way.
pub struct Backup {
    parts: mpsc::Receiver<Result<Part, Error>>,
    ended: bool,
}

impl Backup {
    /// The next part; `None` after the end. Cancel safe; dropping it gives the backup up.
    ///
    /// # Errors
    /// `State` for a store that keeps nothing on disk; `DataLoss`.
    pub async fn next(&mut self) -> Option<Result<Part, Error>> {
        if self.ended {
            return None;
        }
        let part = self.parts.recv().await.unwrap_or_else(|| {
            let words = "the backup broke off without saying why";
            Err(Error::Internal(words.into()))
        });
        self.ended = !matches!(part, Ok(Part::Piece(_)));
        Some(part)
    }
}

impl Handle {
    /// Checks the chains of executions, a part at a time.
    pub fn audit(&self, scope: Scope) -> Audit {
        Audit {
            store: Arc::clone(&self.inner.parts.store),
            scope,
            cursor: None,
            told: Audited::default(),
        }
    }

    /// Copies the whole store as it stands at one commit.
    ///
    /// # Errors
    /// `State` while another backup is made.
    pub fn backup(&self) -> Result<Backup, Error> {
        let alone = Arc::clone(&self.inner.backup).try_lock_owned();
        let alone = alone.map_err(|_| Error::State {
            subject: "a backup".into(),
            reason: "is being made already: wait for its end".into(),
        })?;
        let store = Arc::clone(&self.inner.parts.store);
        let (sender, parts) = mpsc::channel(PIECES_MAX);
        tokio::task::spawn_blocking(move || {
            let _alone = alone;
            let mut sink = Sink::new(sender);
            let copied = store.snapshot(&mut sink).map_err(Error::from);
            sink.end(copied);
        });
        Ok(Backup {
            parts,
            ended: false,
        })
    }

    /// Rewrites the store so that what was deleted takes no space any more.
    ///
    /// # Errors
    /// `State` for a store that keeps nothing on disk; `DataLoss`.
    pub async fn compact(&self) -> Result<Compacted, Error> {
        let store = Arc::clone(&self.inner.parts.store);
        blocking(move || Ok(store.compact()?)).await
    }
}

/// Cuts what is written into pieces and hands them on; waits while too many wait.
struct Sink {
    sender: mpsc::Sender<Result<Part, Error>>,
    piece: Vec<u8>,
    hash: Sha256,
}

impl Sink {
    fn new(sender: mpsc::Sender<Result<Part, Error>>) -> Self {
        Self {
            sender,
            piece: Vec::with_capacity(PIECE_BYTES),
            hash: Sha256::new(),
        }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        self.hash.update(&piece);
        let sent = self.sender.blocking_send(Ok(Part::Piece(piece)));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes the backup"))
    }

    fn end(mut self, copied: Result<Snapshot, Error>) {
        let handed_on = self.hand_on();
        let end = copied.map(|snapshot| Part::End(snapshot, self.hash.finalize().into()));
        if handed_on.is_ok() {
            let _ = self.sender.blocking_send(end);
        }
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE_BYTES - self.piece.len();
        let taken = bytes.len().min(room);
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE_BYTES {
            self.hand_on()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
