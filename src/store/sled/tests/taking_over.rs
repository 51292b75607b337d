//! What a crash leaves of a layer that was being taken over into the state.

use bytes::Bytes;
use sled::IVec;

use super::{
    super::{
        apply::Changes,
        drain,
        frame::Position,
        history,
        layer::{Commit, Layer},
        state::State,
    },
    *,
};
use crate::{
    proto::execution::State as Now,
    store::{Write, conformance::samples::*},
};

/// A directory whose state has some executions, and whose journal goes on: one of them goes on,
/// one ends, one is forgotten, others begin, small and large.
fn behind() -> TempDir {
    let subject = OnDisk::with(no_checkpoint());
    let commit = |group| subject.store.commit(group).unwrap();
    for n in 1..=4 {
        commit(vec![start(n)]);
    }
    commit(vec![append(4, 2..=2, Some(Now::Completed))]);
    subject.keeper(Task::Drain);
    commit(vec![append(1, 2..=3, None), append(1, 4..=4, None)]);
    commit(vec![
        append(2, 2..=2, Some(Now::Failed)),
        put_request("default", "r", 1),
    ]);
    commit(vec![Write::DeleteExecution { id: id(4) }]);
    commit((5..=30).map(start).collect());
    commit(vec![append_sized(6, 2..=4, 9000, None)]);
    subject.killed()
}

fn state_of(directory: &TempDir) -> State {
    State::open(&directory.path().join("state"), small().cache_bytes).unwrap()
}

/// What the state lacks of the journal, as the layer that is taken over.
fn lacking(directory: &TempDir, state: &State) -> (Changes, Position) {
    let mut layer = Layer::default();
    let standing = state.standing().unwrap();
    history::read(&directory.path().join("journal"), standing, &mut |frame| {
        let payload = Bytes::copy_from_slice(frame.payload);
        layer.fold(Commit::read(payload, frame.position)?)
    })
    .unwrap();
    (drain::changes(state, &layer).unwrap(), layer.end)
}

fn entries(state: &State) -> Vec<(IVec, IVec)> {
    state.all().map(Result::unwrap).collect()
}

/// What the state comes to when all is taken over that was committed, and one commit more.
fn at_last(directory: &TempDir) -> Vec<(IVec, IVec)> {
    let (store, _) = open(directory).unwrap();
    assert_eq!(store.events(id(1), 0, 9).unwrap().len(), 4);
    assert_eq!(store.open_executions(None, 99).unwrap().len(), 28);
    store.commit(vec![append(1, 5..=5, None)]).unwrap();
    store.work.have_done(Task::Drain).unwrap();
    let verified = store.verify_executions(None, 99).unwrap().items;
    assert_eq!(verified.len(), 29);
    assert!(verified.iter().all(|one| one.broken.is_none()));
    entries(&store.work.kept.state)
}

#[test]
fn a_crash_at_any_moment_of_taking_over_comes_to_the_same() {
    let original = behind();
    let copied = || {
        let directory = tempfile::tempdir().unwrap();
        copy(original.path(), directory.path());
        directory
    };
    let expected = {
        let directory = copied();
        let state = state_of(&directory);
        let (changes, end) = lacking(&directory, &state);
        state.apply(changes, end, || {}).unwrap();
        drop(state);
        at_last(&directory)
    };
    let mut whole = false;
    let mut steps = 1;
    while !whole {
        let directory = copied();
        let state = state_of(&directory);
        let (changes, end) = lacking(&directory, &state);
        whole = state.apply_some(changes, end, steps).unwrap();
        drop(state);
        assert!(at_last(&directory) == expected, "after {steps} steps");
        steps += 7;
    }
    assert!(steps > 100);
}

#[test]
fn a_journal_that_ends_before_what_the_state_has_a_part_of_is_refused() {
    let directory = behind();
    let state = state_of(&directory);
    let (changes, end) = lacking(&directory, &state);
    let later = Position {
        commit: end.commit + 1,
        ..end
    };
    state.apply_some(changes, later, 3).unwrap();
    drop(state);
    let refused = open(&directory).unwrap_err().to_string();
    assert!(
        refused.contains("what lies between is missing"),
        "{refused}"
    );
}

#[test]
fn a_layer_is_taken_over_while_a_read_goes_on() {
    let subject = OnDisk::with(no_checkpoint());
    subject.store.commit(vec![start(1)]).unwrap();
    subject.keeper(Task::Drain);
    subject.store.commit(vec![append(1, 2..=2, None)]).unwrap();
    let kept = &subject.store.work.kept;
    let end = kept.overlay().end().unwrap();
    let mut seen = 0;
    // The layer is still in the overlay, and what it comes to may be in the state.
    let applied = kept.state.apply(Changes::default(), end, || {
        seen = subject.store.events(id(1), 0, 9).unwrap().len();
    });
    applied.unwrap();
    assert_eq!(seen, 2);
}
