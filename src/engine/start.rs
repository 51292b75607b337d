//! Starting executions: which plan, which id, which shard; idempotent under a request id.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use prost::Message as _;
use tokio::sync::oneshot;
use twox_hash::XxHash3_64;
use uuid::Uuid;

use super::{
    Error, Handle,
    handle::STARTS_IN_FLIGHT_KIB_MAX,
    shard::{Admitted, Message, Starting},
};
use crate::{
    core::{
        decide,
        definition::fingerprint,
        plan::Plan,
        value::{self, Value},
    },
    proto::{Execution, Workflow},
};

/// What to start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// The namespace; never empty.
    pub namespace: String,
    /// The name of a registered workflow; empty with `definition`.
    pub workflow: String,
    /// The version; 0: the newest.
    pub version: u32,
    /// A definition to run without registering it.
    pub definition: Option<Workflow>,
    /// The input; `None` is null.
    pub input: Option<Value>,
    /// Makes the start idempotent; may be empty.
    pub request_id: String,
    /// Labels for the execution.
    pub labels: HashMap<String, String>,
}

impl Handle {
    /// Starts an execution; durable when it returns. Under the same request id the same
    /// execution is returned.
    ///
    /// # Errors
    /// `Definition`, `NotFound`, `Invalid`, `RequestReused`, `Exhausted`, `Unavailable`.
    pub async fn start(&self, start: Start) -> Result<Uuid, Error> {
        let answer = self.begin(start, None).await?;
        answer.await.map_err(|_| Error::Unavailable)?
    }

    /// Starts an execution as `start` does, and gives it once it has ended, or as it stands
    /// when `until` has.
    ///
    /// # Errors
    /// Those of `start` and `execution`.
    pub async fn run(
        &self,
        start: Start,
        until: impl Future<Output = ()>,
    ) -> Result<Execution, Error> {
        let namespace = start.namespace.clone();
        let (end, ended) = oneshot::channel();
        let started = self.begin(start, Some(end)).await?;
        let ended = tokio::select! {
            biased;
            ended = ended => ended,
            () = until => Ok(None),
        };
        if let Ok(Some(ended)) = ended {
            return Ok(ended);
        }
        let id = started.await.map_err(|_| Error::Unavailable)??;
        self.execution(&namespace, id).await
    }

    /// Hands a start to its shard. Gives where the answer comes.
    async fn begin(
        &self,
        start: Start,
        end: Option<oneshot::Sender<Option<Execution>>>,
    ) -> Result<oneshot::Receiver<Result<Uuid, Error>>, Error> {
        let inner = &self.inner;
        inner.admission.room(|| inner.parts.store.pressure()).await;
        let share = Arc::clone(&inner.starts).acquire_owned().await;
        let room = Arc::clone(&inner.starts_kib).acquire_many_owned(input_kib(&start));
        let admitted = Admitted {
            _share: share.map_err(|_| Error::Unavailable)?,
            _room: room.await.map_err(|_| Error::Unavailable)?,
            _versions: Arc::clone(&inner.definitions).read_owned().await,
        };
        // Only told apart under a request id.
        let body_hash = match start.request_id.as_str() {
            "" => 0,
            _ => body_hash(&start),
        };
        let (version, plan) = self.plan(&start)?;
        let shard = match start.request_id.as_str() {
            "" => None,
            request_id => Some(shard_of((&start.namespace, request_id), inner.shards.len())),
        };
        let id = new_id(shard, inner.shards.len());
        let (reply, answer) = oneshot::channel();
        let starting = Starting {
            plan,
            start: decide::Start {
                id,
                namespace: start.namespace,
                version,
                definition: start.definition,
                input: start
                    .input
                    .filter(|v| !value::is_null(v))
                    .unwrap_or_else(value::null),
                labels: start.labels,
                request_id: start.request_id,
                parent: None,
                agents: HashMap::new(),
            },
            body_hash,
            reply,
            end,
            admitted,
        };
        self.send(id, Message::Start(Box::new(starting)))?;
        Ok(answer)
    }

    fn plan(&self, start: &Start) -> Result<(u32, Arc<Plan>), Error> {
        match &start.definition {
            Some(definition) => {
                let compiled = self
                    .validate(definition)
                    .map_err(|findings| Error::Definition { findings })?;
                Ok((0, Arc::new(compiled.plan)))
            }
            None => {
                let version = (start.version > 0).then_some(start.version);
                let plans = &self.inner.parts.plans;
                plans.registered(&start.namespace, &start.workflow, version)
            }
        }
    }
}

/// The size of a start's input in KiB, at most all there is room for.
fn input_kib(start: &Start) -> u32 {
    let bytes = start.input.as_ref().map_or(0, Value::encoded_len);
    u32::try_from(bytes >> 10)
        .unwrap_or(u32::MAX)
        .min(STARTS_IN_FLIGHT_KIB_MAX)
}

/// The shard of an execution, by its id; or of a request, by its name.
pub(super) fn shard_of(name: impl Hash, shards: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    usize::try_from(hasher.finish() % (shards as u64)).expect("less than the number of shards")
}

/// A new id, of the given shard if one is: starts under one request id meet in one shard.
fn new_id(shard: Option<usize>, shards: usize) -> Uuid {
    loop {
        let id = Uuid::now_v7();
        if shard.is_none_or(|shard| shard_of(id, shards) == shard) {
            return id;
        }
    }
}

/// A hash of what a start asks for, the same for the same request whoever sends it, and over
/// versions of the server: it is kept.
fn body_hash(start: &Start) -> u64 {
    let labels: BTreeMap<&String, &String> = start.labels.iter().collect();
    let definition = start.definition.as_ref().map(fingerprint);
    let input = start.input.clone().unwrap_or_else(value::null);
    let mut body = Vec::new();
    let mut add = |bytes: &[u8]| {
        body.extend((bytes.len() as u64).to_be_bytes());
        body.extend(bytes);
    };
    add(start.workflow.as_bytes());
    add(&start.version.to_be_bytes());
    add(&definition.unwrap_or_default());
    add(&input.encode_to_vec());
    for (key, label) in labels {
        add(key.as_bytes());
        add(label.as_bytes());
    }
    XxHash3_64::oneshot(&body)
}
