//! What lies under the key of an open execution: nothing, or where it stands. The tags below
//! are part of the format on disk: they are added to, never changed or used again.

use prost::Message;

use super::record;
use crate::{
    core::{
        execution::{PRIORITY, Queued, Standing},
        plan::{Select, Target},
        time::Time,
    },
    proto::call,
    store::Error,
};

/// A `Standing`, as it is kept.
#[derive(Clone, PartialEq, Message)]
struct Kept {
    #[prost(string, tag = "1")]
    namespace: String,
    /// In nanoseconds since 1970.
    #[prost(sfixed64, optional, tag = "2")]
    due: Option<i64>,
    #[prost(message, repeated, tag = "3")]
    queued: Vec<KeptQueued>,
    /// Always true: what is kept is never empty.
    #[prost(bool, tag = "4")]
    stands: bool,
}

/// A `Queued`, as it is kept. Without a skill it is for an agent.
#[derive(Clone, PartialEq, Message)]
struct KeptQueued {
    #[prost(uint64, tag = "1")]
    task: u64,
    #[prost(string, tag = "2")]
    agent: String,
    #[prost(string, tag = "3")]
    skill: String,
    #[prost(btree_map = "string, string", tag = "4")]
    labels: std::collections::BTreeMap<String, String>,
    /// A `proto::call::Select`.
    #[prost(int32, tag = "5")]
    select: i32,
    /// In nanoseconds since 1970.
    #[prost(sfixed64, tag = "6")]
    schedule_time: i64,
    /// 0 in what was kept before there were any: the middle one.
    #[prost(uint32, tag = "7")]
    priority: u32,
    #[prost(string, tag = "8")]
    fairness_key: String,
    #[prost(string, tag = "9")]
    sticky_key: String,
    #[prost(bool, tag = "10")]
    has_next: bool,
}

/// What is kept of a standing; never empty.
pub fn written(standing: Standing) -> Vec<u8> {
    let kept = Kept {
        namespace: standing.namespace,
        due: standing.due.map(Time::as_nanos),
        queued: standing.queued.into_iter().map(Into::into).collect(),
        stands: true,
    };
    kept.encode_to_vec()
}

/// The standing kept under the key of an open execution, if there is one.
///
/// # Errors
/// `Error::Damaged`.
pub fn read(value: &[u8]) -> Result<Option<Standing>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    let kept: Kept = record::decode(value, "where an execution stands")?;
    Ok(Some(Standing {
        namespace: kept.namespace,
        due: kept.due.map(Time::from_nanos),
        queued: kept.queued.into_iter().map(Into::into).collect(),
        related: false,
    }))
}

impl From<Queued> for KeptQueued {
    fn from(queued: Queued) -> Self {
        let kept = Self {
            task: queued.task,
            schedule_time: queued.schedule_time.as_nanos(),
            priority: queued.priority.into(),
            fairness_key: queued.fairness_key,
            has_next: queued.has_next,
            ..Self::default()
        };
        match queued.target {
            Target::Agent(agent) => Self { agent, ..kept },
            Target::Skill {
                skill,
                labels,
                select,
            } => Self {
                skill,
                labels,
                select: match select {
                    Select::RoundRobin => call::Select::RoundRobin.into(),
                    Select::LeastLoaded => call::Select::LeastLoaded.into(),
                    Select::Sticky(_) => call::Select::Sticky.into(),
                },
                sticky_key: match select {
                    Select::Sticky(key) => key.into(),
                    _ => String::new(),
                },
                ..kept
            },
        }
    }
}

impl From<KeptQueued> for Queued {
    fn from(kept: KeptQueued) -> Self {
        let target = if kept.skill.is_empty() {
            Target::Agent(kept.agent)
        } else {
            Target::Skill {
                skill: kept.skill,
                labels: kept.labels,
                select: match call::Select::try_from(kept.select) {
                    Ok(call::Select::LeastLoaded) => Select::LeastLoaded,
                    Ok(call::Select::Sticky) => Select::Sticky(kept.sticky_key.into()),
                    _ => Select::RoundRobin,
                },
            }
        };
        Self {
            task: kept.task,
            target,
            has_next: kept.has_next,
            priority: u8::try_from(kept.priority)
                .ok()
                .filter(|p| *p > 0)
                .unwrap_or(PRIORITY),
            fairness_key: kept.fairness_key,
            schedule_time: Time::from_nanos(kept.schedule_time),
        }
    }
}
