//! Which executions a list shows: the meaning of `ExecutionFilter`, the same for every store.

use prost_types::Timestamp;

use crate::proto::{Execution, ExecutionFilter, execution::State};

/// Whether a summary passes a filter: every condition must hold, an absent one holds.
pub fn passes(filter: &ExecutionFilter, execution: &Execution) -> bool {
    (filter.workflow.is_empty() || filter.workflow == execution.workflow)
        && (filter.states.is_empty() || filter.states.contains(&execution.state))
        && is_child_of(&filter.parent_execution_id, execution)
        && created_within(filter, execution)
        && filter.labels.iter().all(|(key, wanted)| {
            execution
                .labels
                .get(key)
                .is_some_and(|value| wanted.is_empty() || wanted == value)
        })
}

/// Whether an execution in this state has ended.
pub(super) fn has_ended(execution: &Execution) -> bool {
    matches!(
        execution.state(),
        State::Completed | State::Failed | State::Cancelled | State::TimedOut
    )
}

fn is_child_of(parent: &str, execution: &Execution) -> bool {
    let of = execution.parent.as_ref();
    parent.is_empty() || of.is_some_and(|of| of.execution_id == parent)
}

fn created_within(filter: &ExecutionFilter, execution: &Execution) -> bool {
    let created = execution.create_time.as_ref().map(instant);
    let from = filter.create_time_from.as_ref().map(instant);
    let until = filter.create_time_until.as_ref().map(instant);
    from.is_none_or(|from| created.is_some_and(|created| created >= from))
        && until.is_none_or(|until| created.is_some_and(|created| created < until))
}

fn instant(time: &Timestamp) -> (i64, i32) {
    (time.seconds, time.nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Parent;

    fn execution() -> Execution {
        Execution {
            workflow: "order".into(),
            state: State::Running.into(),
            create_time: Some(at(100)),
            labels: [("team".to_owned(), "risk".to_owned())].into(),
            ..Execution::default()
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    fn label(key: &str, value: &str) -> ExecutionFilter {
        ExecutionFilter {
            labels: [(key.to_owned(), value.to_owned())].into(),
            ..ExecutionFilter::default()
        }
    }

    #[test]
    fn an_empty_filter_passes_everything() {
        assert!(passes(&ExecutionFilter::default(), &execution()));
    }

    #[test]
    fn the_create_time_range_takes_its_start_and_not_its_end() {
        let range = |from, until| ExecutionFilter {
            create_time_from: Some(at(from)),
            create_time_until: Some(at(until)),
            ..ExecutionFilter::default()
        };
        assert!(passes(&range(100, 101), &execution()));
        assert!(!passes(&range(99, 100), &execution()));
        assert!(!passes(&range(101, 200), &execution()));
    }

    #[test]
    fn a_label_with_an_empty_value_fits_any_value_but_not_absence() {
        assert!(passes(&label("team", ""), &execution()));
        assert!(passes(&label("team", "risk"), &execution()));
        assert!(!passes(&label("team", "sales"), &execution()));
        assert!(!passes(&label("tenant", ""), &execution()));
    }

    #[test]
    fn children_are_found_by_their_parent() {
        let of = |id: &str| ExecutionFilter {
            parent_execution_id: id.into(),
            ..ExecutionFilter::default()
        };
        let mut child = execution();
        assert!(!passes(&of("a"), &child));
        child.parent = Some(Parent {
            execution_id: "a".into(),
            ..Parent::default()
        });
        assert!(passes(&of("a"), &child));
        assert!(!passes(&of("b"), &child));
    }

    #[test]
    fn workflow_and_state_must_both_fit() {
        let both = |workflow: &str, state: State| ExecutionFilter {
            workflow: workflow.into(),
            states: vec![state.into()],
            ..ExecutionFilter::default()
        };
        assert!(passes(&both("order", State::Running), &execution()));
        assert!(!passes(&both("order", State::Failed), &execution()));
        assert!(!passes(&both("other", State::Running), &execution()));
    }
}
