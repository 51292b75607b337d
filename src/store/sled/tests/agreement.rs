//! `sled` and `memory` answer alike, whatever they were told and however often the process
//! was started again.

use std::ops::RangeInclusive;

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestCaseError},
};

use super::*;
use crate::{
    proto::{ExecutionFilter, execution::State},
    store::{Write, conformance::samples::*, memory::Memory},
};

const EXECUTIONS: RangeInclusive<u64> = 1..=6;
const NAMES: [&str; 3] = ["a", "a\0b", "b"];

/// One thing to do. Small numbers, so that writes meet.
#[derive(Clone, Debug)]
enum Step {
    Append {
        n: u64,
        count: u64,
        bytes: usize,
        /// By how much the first sequence misses the one that is due: mostly 0.
        miss: u64,
        state: Option<i32>,
    },
    Stand(u64, i64),
    Delete(u64),
    PutRequest(usize, u64),
    PutWorkflow(usize, u32, usize),
    DeleteWorkflow(usize, u32),
    PutAgent(usize, usize),
    DeleteAgent(usize),
}

#[derive(Clone, Debug)]
enum Action {
    Commit(Vec<Step>),
    Restart,
    Drain,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let miss = prop_oneof![30 => Just(0_u64), 1 => 1_u64..3];
    let bytes = prop_oneof![8 => 0_usize..100, 1 => 4000_usize..20_000];
    let append = (
        EXECUTIONS,
        1_u64..5,
        bytes,
        miss,
        prop::option::of(1_i32..=9),
    );
    prop_oneof![
        8 => append.prop_map(|(n, count, bytes, miss, state)| {
            Step::Append { n, count, bytes, miss, state }
        }),
        4 => (EXECUTIONS, -9_i64..9).prop_map(|(n, due)| Step::Stand(n, due)),
        1 => EXECUTIONS.prop_map(Step::Delete),
        1 => (0..NAMES.len(), EXECUTIONS).prop_map(|(r, n)| Step::PutRequest(r, n)),
        1 => (0..NAMES.len(), 1_u32..4, 0_usize..9000)
            .prop_map(|(w, v, bytes)| Step::PutWorkflow(w, v, bytes)),
        1 => (0..NAMES.len(), 1_u32..4).prop_map(|(w, v)| Step::DeleteWorkflow(w, v)),
        1 => (0..NAMES.len(), 0_usize..9000).prop_map(|(a, bytes)| Step::PutAgent(a, bytes)),
        1 => (0..NAMES.len()).prop_map(Step::DeleteAgent),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => prop::collection::vec(step(), 1..6).prop_map(Action::Commit),
        2 => Just(Action::Restart),
        2 => Just(Action::Drain),
        1 => Just(Action::Close),
    ]
}

/// The group that the steps come to over what the store holds.
fn group(store: &dyn Store, steps: &[Step]) -> Vec<Write> {
    let mut lasts: [u64; 7] = [0; 7];
    for n in EXECUTIONS {
        lasts[n as usize] = store.events(id(n), 0, usize::MAX).unwrap().len() as u64;
    }
    steps.iter().map(|step| write(step, &mut lasts)).collect()
}

fn write(step: &Step, lasts: &mut [u64; 7]) -> Write {
    match step {
        Step::Append {
            n,
            count,
            bytes,
            miss,
            state,
        } => {
            let last = &mut lasts[*n as usize];
            let first = *last + 1 + miss;
            let started = (*last == 0).then_some(State::Pending as i32);
            *last = first + count - 1;
            let state = state.or(started).map(|s| State::try_from(s).unwrap());
            append_sized(*n, first..=*last, *bytes, state)
        }
        Step::Stand(n, due) => stand(*n, lasts[*n as usize], *due),
        Step::Delete(n) => {
            lasts[*n as usize] = 0;
            Write::DeleteExecution { id: id(*n) }
        }
        Step::PutRequest(r, n) => put_request("n", NAMES[*r], *n),
        Step::PutWorkflow(w, version, bytes) => {
            put_workflow("n", workflow(NAMES[*w], *version, *bytes))
        }
        Step::DeleteWorkflow(w, version) => delete_workflow("n", NAMES[*w], *version),
        Step::PutAgent(a, bytes) => put_agent(NAMES[*a], agent("a", *bytes)),
        Step::DeleteAgent(a) => delete_agent(NAMES[*a], "a"),
    }
}

/// Asserts that every read gives the same.
fn agree(one: &dyn Store, other: &dyn Store) {
    let all = |store: &dyn Store| store.verify_executions(None, 100).unwrap();
    assert_eq!(all(one), all(other));
    macro_rules! same {
        ($read:ident($($argument:expr),*)) => {
            assert_eq!(one.$read($($argument),*).unwrap(), other.$read($($argument),*).unwrap())
        };
    }
    for n in EXECUTIONS {
        same!(events(id(n), 0, usize::MAX));
        same!(events(id(n), n, 3));
        same!(execution(id(n)));
    }
    for name in NAMES {
        same!(request("n", name));
        same!(workflow_versions("n", name));
        same!(workflow("n", name, None));
        same!(workflow("n", name, Some(2)));
        same!(workflows("n", name, 2));
    }
    same!(workflows("n", "", 10));
    same!(agents());
    same!(open_executions(None, usize::MAX));
    same!(open_executions(Some(id(3)), 2));
    for filter in filters() {
        for namespace in ["default", "other"] {
            same!(executions(namespace, &filter, None, 2));
            same!(executions(namespace, &filter, Some(id(4)), 10));
        }
    }
}

fn filters() -> [ExecutionFilter; 4] {
    let any = ExecutionFilter::default;
    [
        any(),
        ExecutionFilter {
            workflow: "order".into(),
            ..any()
        },
        ExecutionFilter {
            states: vec![State::Pending.into(), State::Failed.into()],
            ..any()
        },
        ExecutionFilter {
            create_time_from: Some(at(2)),
            create_time_until: Some(at(5)),
            ..any()
        },
    ]
}

fn sled_like_memory(mut on_disk: OnDisk, actions: Vec<Action>) -> Result<(), TestCaseError> {
    let memory = Memory::new();
    for action in actions {
        match action {
            Action::Commit(steps) => {
                let group = group(&memory, &steps);
                let expected = memory.commit(group.clone()).map_err(|e| e.to_string());
                let got = on_disk.store.commit(group).map_err(|e| e.to_string());
                prop_assert_eq!(got, expected);
            }
            Action::Restart => {
                on_disk = on_disk.reopened();
                agree(&on_disk.store, &memory);
            }
            Action::Drain => on_disk.keeper(Task::Drain),
            Action::Close => on_disk.store.close().unwrap(),
        }
    }
    agree(&on_disk.store, &memory);
    Ok(())
}

proptest! {
    #![proptest_config(Config {
        cases: 24,
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn sled_and_memory_answer_alike(actions in prop::collection::vec(action(), 1..40)) {
        sled_like_memory(OnDisk::new(), actions)?;
    }

    /// Only what is asked for is taken over: the layers are larger, and more is in them.
    #[test]
    fn an_overlay_over_the_state_answers_like_memory(
        actions in prop::collection::vec(action(), 1..40)
    ) {
        sled_like_memory(OnDisk::with(no_checkpoint()), actions)?;
    }
}
