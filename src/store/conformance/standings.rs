//! Where executions stand that only wait.

use uuid::Uuid;

use super::*;
use crate::{core::execution::Standing, store::Open};

/// Where each of these executions stands.
fn stand_at(store: &dyn Store, expected: &[(u64, Option<i64>)]) {
    let expected = expected.iter().map(|(n, due)| Open {
        id: id(*n),
        standing: due.map(standing),
    });
    let open = store.open_executions(None, usize::MAX).unwrap();
    assert_eq!(open, expected.collect::<Vec<_>>());
}

pub fn where_an_execution_stands_is_kept_until_its_next_event<S: Subject>() {
    let mut brought_up = summary(2, State::Running);
    brought_up.progress_percent = 50.0;
    let with_summary = Write::Stand {
        id: id(2),
        sequence: 1,
        standing: Standing::default(),
        summary: Some(Box::new(brought_up.clone())),
    };
    let subject = committed::<S>([
        vec![start(1), start(2), start(3), start(4), start(5)],
        vec![stand(1, 1, 9), with_summary, stand(3, 1, 7), stand(4, 1, 5)],
        vec![append(3, 2..=2, None), append(4, 2..=2, None)],
        vec![stand(4, 2, -3), stand(5, 1, 2)],
        vec![append(5, 2..=2, Some(State::Completed)), stand(5, 2, 1)],
    ]);
    let subject = now_and_later(subject, |store| {
        let open = store.open_executions(None, usize::MAX).unwrap();
        let standings: Vec<_> = open.into_iter().map(|open| open.standing).collect();
        let nothing = Standing::default();
        assert_eq!(
            standings,
            [Some(standing(9)), Some(nothing), None, Some(standing(-3))]
        );
        let kept = store.execution(id(2)).unwrap();
        assert_eq!(kept.as_ref(), Some(&brought_up));
        assert_eq!(sequences(store, 2, 0, 10), [1]);
    });
    let delete = Write::DeleteExecution { id: id(4) };
    let group = vec![append(1, 2..=2, None), delete];
    subject.store().commit(group).unwrap();
    subject
        .store()
        .commit(vec![append(2, 2..=2, None)])
        .unwrap();
    now_and_later(subject, |store| {
        stand_at(store, &[(1, None), (2, None), (3, None)]);
    });
}

pub fn open_executions_are_paged_with_where_they_stand<S: Subject>() {
    let subject = committed::<S>([
        (1..=5).map(start).collect(),
        vec![stand(2, 1, 20), stand(4, 1, 40)],
    ]);
    now_and_later(subject, |store| {
        let page = |after: Option<u64>, limit| -> Vec<Uuid> {
            let page = store.open_executions(after.map(id), limit).unwrap();
            page.into_iter().map(|open| open.id).collect()
        };
        assert_eq!(page(None, 2), [id(1), id(2)]);
        assert_eq!(page(Some(2), 2), [id(3), id(4)]);
        assert_eq!(page(Some(4), 2), [id(5)]);
        assert!(page(Some(5), 2).is_empty());
        assert!(page(None, 0).is_empty());
        let all = [
            (1, None),
            (2, Some(20)),
            (3, None),
            (4, Some(40)),
            (5, None),
        ];
        stand_at(store, &all);
    });
}

pub fn an_execution_stands_at_its_last_event<S: Subject>() {
    let subject = committed::<S>([vec![append(1, 1..=3, Some(State::Running))]]);
    let summary_of_another = Write::Stand {
        id: id(1),
        sequence: 3,
        standing: standing(1),
        summary: Some(Box::new(summary(2, State::Running))),
    };
    for write in [
        stand(1, 2, 1),
        stand(1, 4, 1),
        stand(2, 0, 1),
        summary_of_another,
    ] {
        inconsistent(subject.store(), vec![write]);
    }
    let group = vec![append(1, 4..=4, None), stand(1, 4, 1)];
    subject.store().commit(group).unwrap();
    now_and_later(subject, |store| stand_at(store, &[(1, Some(1))]));
}
