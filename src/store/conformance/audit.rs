//! What the audit must find.

use prost::Message as _;

use super::{Subject, committed, now_and_later, samples::*};
use crate::{proto::execution::State, store::audit::Chain};

pub fn chains_are_verified_alike_and_paged_by_id<S: Subject>() {
    let subject = committed::<S>([
        vec![start(1), start(2), start(3)],
        vec![append(1, 2..=4, None), append_sized(2, 2..=2, 9000, None)],
        vec![append(1, 5..=5, Some(State::Completed))],
    ]);
    let expected = |n, bytes: &[usize]| {
        let mut chain = Chain::new(id(n));
        for (sequence, bytes) in (1..).zip(bytes) {
            let mut event = event(n, sequence, *bytes);
            event.execution_id.clear();
            chain.add(&event.encode_to_vec());
        }
        chain.verified()
    };
    let all = [
        expected(1, &[40; 5]),
        expected(2, &[40, 9000]),
        expected(3, &[40]),
    ];
    now_and_later(subject, |store| {
        for found in &all {
            let verified = store.verify_execution(found.id).unwrap();
            assert_eq!(verified.as_ref(), Some(found));
        }
        assert_eq!(store.verify_execution(id(4)).unwrap(), None);
        let first = store.verify_executions(None, 2).unwrap();
        assert_eq!(first.items, all[..2]);
        let second = store.verify_executions(first.next, 2).unwrap();
        assert_eq!(second.items, all[2..]);
        assert_eq!(second.next, None);
    });
}
