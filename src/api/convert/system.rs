//! The requests and answers of SystemService.

use std::time::Duration;

use super::{Fields, Rejected};
use crate::{
    core::{limits::Limits, time::span},
    engine::{Audited, Part, Scope},
    proto::{
        BackupHeader, BackupTrailer, BrokenChain, CreateBackupResponse, Retention,
        SetRetentionRequest, VerifyAuditRequest, VerifyAuditResponse,
        create_backup_response as backup,
    },
};

/// The least time that ended executions may be kept for.
const AGE_MIN: Duration = Duration::from_secs(1);

/// Which executions are to be checked.
pub fn scope(request: VerifyAuditRequest, limits: &Limits) -> Result<Scope, Rejected> {
    let VerifyAuditRequest {
        namespace,
        execution_id,
        all_namespaces,
    } = request;
    let mut fields = Fields::new(limits);
    if all_namespaces {
        for (field, given) in [("namespace", &namespace), ("execution_id", &execution_id)] {
            if !given.is_empty() {
                fields.reject(field, "not with `all_namespaces`: leave one of them out");
            }
        }
        return fields.finish(Scope::All);
    }
    let namespace = fields.namespace(namespace);
    if execution_id.is_empty() {
        return fields.finish(Scope::Namespace(namespace));
    }
    let id = fields.execution_id(&execution_id);
    fields.finish(Scope::Execution { namespace, id })
}

/// How far checking is, as a message.
pub fn audited(audited: Audited) -> VerifyAuditResponse {
    let broken = audited.broken.into_iter().map(|(id, broken)| BrokenChain {
        execution_id: id.to_string(),
        sequence: broken.sequence,
        reason: broken.reason,
    });
    VerifyAuditResponse {
        executions: audited.executions,
        events: audited.events,
        broken: broken.collect(),
        done: audited.done,
        head: audited.head.map(|head| hex(&head)).unwrap_or_default(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a backup begins with.
pub fn header(version: &str) -> CreateBackupResponse {
    of_part(backup::Part::Header(BackupHeader {
        version: version.to_owned(),
    }))
}

/// A part of a backup as a message.
pub fn part(part: Part) -> CreateBackupResponse {
    of_part(match part {
        Part::Piece(bytes) => backup::Part::Chunk(bytes),
        Part::End(snapshot, sha256) => backup::Part::Trailer(BackupTrailer {
            commit: snapshot.commit,
            bytes: snapshot.bytes,
            sha256: sha256.to_vec(),
        }),
    })
}

fn of_part(part: backup::Part) -> CreateBackupResponse {
    CreateBackupResponse { part: Some(part) }
}

/// How long ended executions are to be kept.
pub fn retention(request: SetRetentionRequest, limits: &Limits) -> Result<Retention, Rejected> {
    let mut fields = Fields::new(limits);
    let Some(given) = request.retention else {
        fields.reject("retention", "required");
        return fields.finish(Retention::default());
    };
    let namespace = fields.namespace_at("retention.namespace", given.namespace);
    let workflow = workflow(&mut fields, "retention.workflow", given.workflow);
    if let Some(age) = &given.max_age
        && span(age).is_none_or(|age| age < AGE_MIN)
    {
        fields.reject("retention.max_age", "must be at least one second");
    }
    fields.finish(Retention {
        namespace,
        workflow,
        max_age: given.max_age,
        max_count: given.max_count,
        update_time: None,
    })
}

/// A namespace.
pub fn namespace(given: String, limits: &Limits) -> Result<String, Rejected> {
    let mut fields = Fields::new(limits);
    let namespace = fields.namespace(given);
    fields.finish(namespace)
}

/// What a rule is about: a workflow of a namespace, or the whole namespace.
pub fn subject(
    namespace: String,
    given: String,
    limits: &Limits,
) -> Result<(String, String), Rejected> {
    let mut fields = Fields::new(limits);
    let namespace = fields.namespace(namespace);
    let workflow = workflow(&mut fields, "workflow", given);
    fields.finish((namespace, workflow))
}

fn workflow(fields: &mut Fields<'_>, field: &str, given: String) -> String {
    if given.is_empty() {
        return given;
    }
    fields.lower_name(field, given)
}
