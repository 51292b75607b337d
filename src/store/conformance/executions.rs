//! What lists of executions must show.

use prost_types::Timestamp;
use uuid::Uuid;

use super::{Subject, committed, inconsistent, now_and_later, open_ids, samples::*, sequences};
use crate::{
    proto::{Execution, ExecutionFilter, execution::State},
    store::{Store, Write},
};

fn listed(store: &dyn Store, namespace: &str, filter: &ExecutionFilter) -> Vec<u64> {
    let page = store.executions(namespace, filter, None, 1000).unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(number).collect()
}

/// Which of the samples an execution is.
fn number(execution: &Execution) -> u64 {
    execution.create_time.unwrap().seconds as u64
}

pub fn executions_are_listed_the_newest_first<S: Subject>() {
    let subject = committed::<S>([vec![start(3), start(1)], vec![start(7), start(5), start(2)]]);
    now_and_later(subject, |store| {
        let any = ExecutionFilter::default();
        assert_eq!(listed(store, "default", &any), [7, 3, 2, 1]);
        assert_eq!(listed(store, "other", &any), [5]);
        assert!(listed(store, "none", &any).is_empty());
    });
}

pub fn executions_are_paged_without_gap_or_duplicate<S: Subject>() {
    let subject = committed::<S>([(1..=13).map(start).collect()]);
    now_and_later(subject, |store| {
        let any = ExecutionFilter::default();
        for limit in [1, 2, 3, 11, 12] {
            let (mut all, mut cursor, mut pages) = (Vec::new(), None, 0);
            loop {
                let page = store.executions("default", &any, cursor, limit).unwrap();
                all.extend(page.items.iter().map(number));
                pages += 1;
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(all, [13, 12, 11, 9, 8, 7, 6, 4, 3, 2, 1]);
            assert_eq!(pages, 11_usize.div_ceil(limit), "the last page has no next");
        }
    });
}

pub fn executions_are_filtered<S: Subject>() {
    let ended = |n| append(n, 2..=2, Some(State::Completed));
    let groups = [
        (1..=400).map(start).collect(),
        vec![ended(1), ended(2), ended(303)],
    ];
    let subject = committed::<S>(groups);
    let wanted = |fits: &dyn Fn(u64) -> bool| -> Vec<u64> {
        (1..=400).rev().filter(|n| n % 5 != 0 && fits(*n)).collect()
    };
    now_and_later(subject, |store| {
        let by = |change: &dyn Fn(&mut ExecutionFilter)| {
            let mut filter = ExecutionFilter::default();
            change(&mut filter);
            listed(store, "default", &filter)
        };
        assert_eq!(
            by(&|f| f.workflow = "order".into()),
            wanted(&|n| n % 3 == 0)
        );
        assert_eq!(
            by(&|f| f.states = vec![State::Completed.into()]),
            [303, 2, 1]
        );
        assert_eq!(
            by(&|f| {
                f.workflow = "order".into();
                f.states = vec![State::Completed.into(), State::Failed.into()];
            }),
            [303]
        );
        let range = |from: Timestamp, until: Timestamp| {
            by(&|f| {
                f.create_time_from = Some(from);
                f.create_time_until = Some(until);
            })
        };
        assert_eq!(range(at(200), at(203)), [202, 201]);
        assert_eq!(range(at(-5), at(3)), [2, 1]);
        assert!(range(at(203), at(200)).is_empty());
        assert!(range(at(i64::MAX), at(i64::MIN)).is_empty());
        let labelled = |value: &str| by(&|f| drop(f.labels.insert("third".into(), value.into())));
        assert_eq!(labelled("1"), wanted(&|n| n % 3 == 1));
        assert_eq!(labelled(""), wanted(&|_| true));
        assert!(labelled("4").is_empty());
    });
}

pub fn open_executions_are_those_not_ended<S: Subject>() {
    let to = |n, state| append(n, 2..=2, Some(state));
    let subject = committed::<S>([
        (1..=9).rev().map(start).collect(),
        vec![
            to(1, State::Completed),
            to(2, State::Failed),
            to(3, State::Cancelled),
        ],
        vec![
            to(4, State::TimedOut),
            to(5, State::Paused),
            to(6, State::Waiting),
        ],
        vec![append(7, 2..=2, None), Write::DeleteExecution { id: id(8) }],
        vec![
            append(1, 3..=3, Some(State::Running)),
            append(2, 3..=3, None),
        ],
    ]);
    now_and_later(subject, |store| {
        let open: Vec<Uuid> = [1, 5, 6, 7, 9].map(id).into();
        assert_eq!(open_ids(store), open);
    });
}

pub fn a_deleted_execution_is_gone_and_may_begin_again<S: Subject>() {
    let delete = || vec![Write::DeleteExecution { id: id(1) }];
    let subject = committed::<S>([
        vec![
            append_sized(1, 1..=9, 3000, Some(State::Completed)),
            start(2),
        ],
        delete(),
        delete(),
    ]);
    let subject = now_and_later(subject, |store| {
        assert_eq!(store.execution(id(1)).unwrap(), None);
        assert!(store.events(id(1), 0, 10).unwrap().is_empty());
        assert_eq!(listed(store, "default", &ExecutionFilter::default()), [2]);
        assert_eq!(open_ids(store), [id(2)]);
    });
    inconsistent(subject.store(), vec![append(1, 10..=10, None)]);
    subject.store().commit(vec![start(1)]).unwrap();
    now_and_later(subject, |store| assert_eq!(sequences(store, 1, 0, 10), [1]));
}
