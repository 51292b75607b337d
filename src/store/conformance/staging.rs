//! What is staged, and what a commit makes of it.

use super::*;
use crate::store::Attempt;

pub fn what_is_staged_is_not_there_before_it_is_committed<S: Subject>() {
    let subject = S::new();
    let store = subject.store();
    let staged = store.stage(vec![start(1)]).unwrap();
    assert_eq!(staged.writes(), 1);
    assert!(sequences(store, 1, 0, 10).is_empty());
    assert_eq!(store.execution(id(1)).unwrap(), None);
    store.commit_staged(vec![staged]).unwrap();
    assert_eq!(sequences(store, 1, 0, 10), [1]);
    drop(store.stage(vec![append(1, 2..=2, None)]).unwrap());
    now_and_later(subject, |store| {
        assert_eq!(sequences(store, 1, 0, 10), [1], "what is dropped never was");
    });
}

pub fn parts_are_committed_in_the_order_they_are_given_whenever_they_were_staged<S: Subject>() {
    let subject = S::new();
    let store = subject.store();
    let third = store.stage(vec![append(1, 4..=5, None)]).unwrap();
    let second = store.stage(vec![append(1, 2..=3, None), start(2)]).unwrap();
    let first = store.stage(vec![start(1)]).unwrap();
    store.commit_staged(vec![first, second]).unwrap();
    store.commit_staged(vec![third]).unwrap();
    now_and_later(subject, |store| {
        assert_eq!(sequences(store, 1, 0, 10), [1, 2, 3, 4, 5]);
        assert_eq!(sequences(store, 2, 0, 10), [1]);
    });
}

pub fn parts_that_do_not_follow_are_refused_with_all_of_their_group<S: Subject>() {
    let subject = committed::<S>([vec![start(1)]]);
    let store = subject.store();
    let stage = |write| store.stage(vec![write]).unwrap();
    let group = vec![
        stage(append(1, 2..=2, None)),
        stage(start(2)),
        stage(append(1, 4..=4, None)),
    ];
    let refused = store.commit_staged(group).unwrap_err();
    assert!(matches!(refused, Error::Inconsistent(_)), "{refused}");
    now_and_later(subject, |store| {
        assert_eq!(sequences(store, 1, 0, 10), [1]);
        assert!(sequences(store, 2, 0, 10).is_empty());
    });
}

pub fn parts_of_one_group_delete_and_begin_anew<S: Subject>() {
    let subject = committed::<S>([vec![append(1, 1..=3, Some(State::Completed))]]);
    let store = subject.store();
    let stage = |write| store.stage(vec![write]).unwrap();
    let group = vec![stage(Write::DeleteExecution { id: id(1) }), stage(start(1))];
    store.commit_staged(group).unwrap();
    now_and_later(subject, |store| assert_eq!(sequences(store, 1, 0, 10), [1]));
}

pub fn small_writes_are_staged_at_once<S: Subject>() {
    let subject = S::new();
    let store = subject.store();
    let Attempt::Staged(staged) = store.stage_at_once(vec![start(1)]).unwrap() else {
        panic!("nothing of it is large");
    };
    store.commit_staged(vec![staged]).unwrap();
    assert_eq!(sequences(store, 1, 0, 10), [1]);
    let nothing = Write::Append {
        id: id(1),
        events: Vec::new(),
        summary: None,
    };
    let contradiction = store.stage_at_once(vec![nothing]);
    assert!(matches!(contradiction, Err(Error::Inconsistent(_))));
}
