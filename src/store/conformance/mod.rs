//! What every store must do, run against each implementation: `suite!` makes one test of each
//! case below.
#![allow(clippy::unwrap_used)]

mod audit;
mod executions;
pub mod samples;
mod staging;
mod standings;
mod upkeep;

use uuid::Uuid;

use self::samples::*;
pub use self::{audit::*, executions::*, staging::*, standings::*, upkeep::*};
use super::{Error, Store, Write};
use crate::proto::execution::State;

/// A store to be tested.
pub trait Subject: Sized {
    /// A new, empty one.
    fn new() -> Self;
    /// The store.
    fn store(&self) -> &dyn Store;
    /// The same store after the process was started again.
    fn reopened(self) -> Self;
}

/// Makes a test of each case for a `Subject`.
macro_rules! suite {
    ($subject:ty: $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                crate::store::conformance::$case::<$subject>();
            }
        )*
    };
    ($subject:ty) => {
        crate::store::conformance::suite! { $subject:
            events_are_read_back_in_pages
            events_of_any_size_are_read_back
            an_unknown_execution_has_nothing
            a_group_is_written_whole_or_not_at_all
            what_does_not_follow_is_refused
            a_group_may_touch_an_execution_more_than_once
            the_last_summary_counts
            executions_are_listed_the_newest_first
            executions_are_paged_without_gap_or_duplicate
            executions_are_filtered
            open_executions_are_those_not_ended
            where_an_execution_stands_is_kept_until_its_next_event
            open_executions_are_paged_with_where_they_stand
            an_execution_stands_at_its_last_event
            a_deleted_execution_is_gone_and_may_begin_again
            requests_are_kept_by_namespace
            requests_are_paged_in_order_and_forgotten
            outputs_are_kept_paged_in_order_and_forgotten
            workflows_with_executions_are_listed_by_name
            rules_of_retention_are_kept_replaced_and_forgotten
            versions_of_a_workflow_are_kept_apart
            workflows_are_listed_by_name_with_their_newest_version
            agents_are_kept_replaced_and_forgotten
            what_is_staged_is_not_there_before_it_is_committed
            parts_are_committed_in_the_order_they_are_given_whenever_they_were_staged
            parts_that_do_not_follow_are_refused_with_all_of_their_group
            parts_of_one_group_delete_and_begin_anew
            small_writes_are_staged_at_once
            it_stays_readable_once_closed
            chains_are_verified_alike_and_paged_by_id
        }
    };
}
pub(crate) use suite;

fn committed<S: Subject>(groups: impl IntoIterator<Item = Vec<Write>>) -> S {
    let subject = S::new();
    for group in groups {
        subject.store().commit(group).unwrap();
    }
    subject
}

/// Checks now and once more after a restart.
fn now_and_later<S: Subject>(subject: S, check: impl Fn(&dyn Store)) -> S {
    check(subject.store());
    let subject = subject.reopened();
    check(subject.store());
    subject
}

fn sequences(store: &dyn Store, n: u64, after: u64, limit: usize) -> Vec<u64> {
    let events = store.events(id(n), after, limit).unwrap();
    events.into_iter().map(|event| event.sequence).collect()
}

fn open_ids(store: &dyn Store) -> Vec<Uuid> {
    let open = store.open_executions(None, usize::MAX).unwrap();
    open.into_iter().map(|open| open.id).collect()
}

fn inconsistent(store: &dyn Store, group: Vec<Write>) {
    let refused = store.commit(group).unwrap_err();
    assert!(matches!(refused, Error::Inconsistent(_)), "{refused}");
}

pub fn events_are_read_back_in_pages<S: Subject>() {
    let groups = [
        vec![append(1, 1..=5, Some(State::Running))],
        vec![append(1, 6..=9, None)],
    ];
    now_and_later(committed::<S>(groups), |store| {
        let all = store.events(id(1), 0, 100).unwrap();
        assert_eq!(all, (1..=9).map(|s| event(1, s, 40)).collect::<Vec<_>>());
        assert_eq!(sequences(store, 1, 3, 4), [4, 5, 6, 7]);
        assert_eq!(sequences(store, 1, 5, 1), [6]);
        assert!(sequences(store, 1, 9, 10).is_empty());
        assert!(sequences(store, 1, u64::MAX, 10).is_empty());
        assert!(sequences(store, 1, 0, 0).is_empty());
    });
}

pub fn events_of_any_size_are_read_back<S: Subject>() {
    let sizes = [1, 4000, 4096, 9000, 70_000, 300_000];
    let events: Vec<_> = (1..).zip(sizes).map(|(s, b)| event(1, s, b)).collect();
    let group = vec![Write::Append {
        id: id(1),
        events: events.clone(),
        summary: Some(Box::new(summary(1, State::Running))),
    }];
    now_and_later(committed::<S>([group]), |store| {
        assert_eq!(store.events(id(1), 0, 100).unwrap(), events);
        assert_eq!(store.events(id(1), 3, 2).unwrap(), events[3..5]);
    });
}

pub fn an_unknown_execution_has_nothing<S: Subject>() {
    now_and_later(committed::<S>([vec![start(2)]]), |store| {
        assert_eq!(store.execution(id(1)).unwrap(), None);
        assert!(store.events(id(1), 0, 10).unwrap().is_empty());
        assert_eq!(store.request("default", "r").unwrap(), None);
        assert_eq!(store.workflow("default", "w", None).unwrap(), None);
        assert!(store.workflow_versions("default", "w").unwrap().is_empty());
    });
}

pub fn a_group_is_written_whole_or_not_at_all<S: Subject>() {
    let subject = committed::<S>([vec![start(1)]]);
    let gap = vec![
        start(2),
        append(1, 2..=2, Some(State::Completed)),
        put_agent("default", agent("a", 1)),
        append(1, 4..=4, None),
    ];
    inconsistent(subject.store(), gap);
    let subject = now_and_later(subject, |store| {
        assert_eq!(store.execution(id(2)).unwrap(), None);
        assert_eq!(sequences(store, 1, 0, 10), [1]);
        assert_eq!(open_ids(store), [id(1)]);
        assert!(store.agents().unwrap().is_empty());
    });
    subject
        .store()
        .commit(vec![append(1, 2..=2, None)])
        .unwrap();
}

pub fn what_does_not_follow_is_refused<S: Subject>() {
    let subject = committed::<S>([vec![append(1, 1..=3, Some(State::Running))]]);
    let without_events = Write::Append {
        id: id(1),
        events: vec![],
        summary: None,
    };
    let of_another = Write::Append {
        id: id(1),
        events: vec![event(2, 4, 1)],
        summary: None,
    };
    let summary_of_another = Write::Append {
        id: id(1),
        events: vec![event(1, 4, 1)],
        summary: Some(Box::new(summary(2, State::Running))),
    };
    let store = subject.store();
    for write in [
        append(1, 3..=3, None),
        append(1, 5..=5, None),
        append(2, 2..=2, Some(State::Running)),
        append(2, 1..=1, None),
        without_events,
        of_another,
        summary_of_another,
    ] {
        inconsistent(store, vec![write]);
    }
    store.commit(vec![append(1, 4..=4, None)]).unwrap();
}

pub fn a_group_may_touch_an_execution_more_than_once<S: Subject>() {
    let group = vec![
        start(1),
        append(1, 2..=3, None),
        append(1, 4..=4, Some(State::Completed)),
        Write::DeleteExecution { id: id(1) },
        start(1),
        append(1, 2..=2, None),
    ];
    now_and_later(committed::<S>([group]), |store| {
        assert_eq!(sequences(store, 1, 0, 10), [1, 2]);
        assert_eq!(
            store.execution(id(1)).unwrap(),
            Some(summary(1, State::Running))
        );
        assert_eq!(open_ids(store), [id(1)]);
    });
}

pub fn the_last_summary_counts<S: Subject>() {
    let mut long = summary(1, State::Running);
    long.labels.insert("long".into(), "l".repeat(20_000));
    let with_long = Write::Append {
        id: id(1),
        events: vec![event(1, 1, 1)],
        summary: Some(Box::new(long.clone())),
    };
    let subject = committed::<S>([vec![with_long], vec![append(1, 2..=2, None)]]);
    let subject = now_and_later(subject, |store| {
        assert_eq!(store.execution(id(1)).unwrap().as_ref(), Some(&long));
    });
    let ended = append(1, 3..=3, Some(State::Failed));
    subject.store().commit(vec![ended]).unwrap();
    now_and_later(subject, |store| {
        assert_eq!(
            store.execution(id(1)).unwrap(),
            Some(summary(1, State::Failed))
        );
    });
}

pub fn requests_are_kept_by_namespace<S: Subject>() {
    let subject = committed::<S>([
        vec![put_request("a", "r", 1), put_request("b", "r", 2)],
        vec![put_request("a", "r\0s", 3), put_request("a", "", 4)],
        vec![put_request("b", "r", 5)],
    ]);
    now_and_later(subject, |store| {
        assert_eq!(store.request("a", "r").unwrap(), Some(request(1)));
        assert_eq!(store.request("b", "r").unwrap(), Some(request(5)));
        assert_eq!(store.request("a", "r\0s").unwrap(), Some(request(3)));
        assert_eq!(store.request("a", "").unwrap(), Some(request(4)));
        assert_eq!(store.request("a", "s").unwrap(), None);
    });
}

pub fn versions_of_a_workflow_are_kept_apart<S: Subject>() {
    let put = |version, bytes| put_workflow("n", workflow("w", version, bytes));
    let subject = committed::<S>([
        vec![put(1, 10), put(2, 50_000), put(300, 10)],
        vec![
            put_workflow("n", workflow("w\0", 7, 1)),
            put_workflow("m", workflow("w", 9, 1)),
        ],
        vec![
            put(4, 9000),
            delete_workflow("n", "w", 300),
            delete_workflow("n", "w", 5),
        ],
    ]);
    now_and_later(subject, |store| {
        let versions = [(1, 10), (2, 50_000), (4, 9000)].map(|(v, b)| workflow("w", v, b));
        assert_eq!(store.workflow_versions("n", "w").unwrap(), versions);
        let [first, second, newest] = versions;
        assert_eq!(store.workflow("n", "w", Some(1)).unwrap(), Some(first));
        assert_eq!(store.workflow("n", "w", Some(2)).unwrap(), Some(second));
        assert_eq!(store.workflow("n", "w", None).unwrap(), Some(newest));
        assert_eq!(store.workflow("n", "w", Some(300)).unwrap(), None);
        assert_eq!(
            store.workflow("m", "w", None).unwrap(),
            Some(workflow("w", 9, 1))
        );
    });
}

pub fn workflows_are_listed_by_name_with_their_newest_version<S: Subject>() {
    let put = |name: &str, version| put_workflow("n", workflow(name, version, 5000));
    let subject = committed::<S>([
        vec![
            put("b", 1),
            put("a", 2),
            put("b", 2),
            put("c", 1),
            put("a-b", 1),
        ],
        vec![
            put_workflow("m", workflow("d", 1, 1)),
            delete_workflow("n", "c", 1),
        ],
        vec![put("d", 1)],
    ]);
    now_and_later(subject, |store| {
        let names = |after: &str, limit| -> Vec<(String, u32)> {
            let workflows = store.workflows("n", after, limit).unwrap();
            workflows.into_iter().map(|w| (w.name, w.version)).collect()
        };
        let all = [("a", 2), ("a-b", 1), ("b", 2), ("d", 1)].map(|(n, v)| (n.to_owned(), v));
        assert_eq!(names("", 10), all);
        assert_eq!(names("a", 2), all[1..3]);
        assert_eq!(names("aa", 1), all[2..3]);
        assert!(names("d", 10).is_empty());
        assert!(names("", 0).is_empty());
    });
}

pub fn agents_are_kept_replaced_and_forgotten<S: Subject>() {
    let subject = committed::<S>([
        vec![
            put_agent("n", agent("b", 20_000)),
            put_agent("n", agent("a", 1)),
        ],
        vec![
            put_agent("m", agent("z", 9000)),
            put_agent("n", agent("b", 7)),
        ],
        vec![
            put_agent("m", agent("y", 9000)),
            delete_agent("m", "z"),
            delete_agent("m", "x"),
        ],
    ]);
    now_and_later(subject, |store| {
        let kept = [
            ("m", agent("y", 9000)),
            ("n", agent("a", 1)),
            ("n", agent("b", 7)),
        ];
        assert_eq!(
            store.agents().unwrap(),
            kept.map(|(n, agent)| (n.to_owned(), agent))
        );
    });
}

pub fn it_stays_readable_once_closed<S: Subject>() {
    let subject = committed::<S>([vec![start(1)]]);
    subject.store().close().unwrap();
    subject.store().close().unwrap();
    now_and_later(subject, |store| assert_eq!(sequences(store, 1, 0, 10), [1]));
}
