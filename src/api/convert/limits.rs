//! The limits as they are published.

use crate::{
    core::{limits::Limits, time},
    proto,
};

/// Every limit. Destructured, so that one added to the kernel is published or does not compile.
pub fn published(limits: &Limits) -> proto::Limits {
    let Limits {
        message_bytes_max,
        calls_waiting_max,
        payload_bytes_max,
        workflow_steps_max,
        workflow_depth_max,
        workflow_bytes_max,
        child_depth_max,
        open_executions_max,
        resident_executions_max,
        execution_events_max,
        parallel_steps_max,
        each_items_max,
        each_parallel_max,
        execution_steps_shown_max,
        retry_attempts_max,
        page_size_max,
        finally_timeout,
        expression_bytes_max,
        worker_credits_max,
        lease_timeout,
        accept_timeout,
        disk_reserve_bytes,
        pending_bytes_max,
        group_bytes_max,
        iterations_max,
        decompose_depth_max,
        request_id_timeout,
        cache_timeout,
    } = limits;
    proto::Limits {
        message_bytes_max: wide(*message_bytes_max),
        calls_waiting_max: wide(*calls_waiting_max),
        payload_bytes_max: wide(*payload_bytes_max),
        workflow_steps_max: narrow(*workflow_steps_max),
        workflow_depth_max: narrow(*workflow_depth_max),
        workflow_bytes_max: wide(*workflow_bytes_max),
        child_depth_max: *child_depth_max,
        open_executions_max: wide(*open_executions_max),
        resident_executions_max: wide(*resident_executions_max),
        execution_events_max: *execution_events_max,
        parallel_steps_max: *parallel_steps_max,
        each_items_max: narrow(*each_items_max),
        each_parallel_max: *each_parallel_max,
        execution_steps_shown_max: narrow(*execution_steps_shown_max),
        retry_attempts_max: *retry_attempts_max,
        page_size_max: narrow(*page_size_max),
        finally_timeout: Some(time::message(*finally_timeout)),
        expression_bytes_max: narrow(*expression_bytes_max),
        worker_credits_max: *worker_credits_max,
        lease_timeout: Some(time::message(*lease_timeout)),
        accept_timeout: Some(time::message(*accept_timeout)),
        disk_reserve_bytes: *disk_reserve_bytes,
        pending_bytes_max: wide(*pending_bytes_max),
        group_bytes_max: u64::from(*group_bytes_max),
        iterations_max: *iterations_max,
        decompose_depth_max: *decompose_depth_max,
        request_id_timeout: Some(time::message(*request_id_timeout)),
        cache_timeout: Some(time::message(*cache_timeout)),
    }
}

fn wide(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX)
}

fn narrow(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
