//! What upkeep asks of a store: request ids, workflows with executions, rules of retention.

use super::{Subject, committed, now_and_later, samples::*};
use crate::{
    proto::Retention,
    store::{OutputRecord, Write},
};

pub fn requests_are_paged_in_order_and_forgotten<S: Subject>() {
    let name = |namespace: &str, id: &str| (namespace.to_owned(), id.to_owned());
    let put = |n: u64| put_request(namespace(n), &format!("r{n}"), n);
    let forget = |n: u64| Write::DeleteRequest {
        namespace: namespace(n).into(),
        request_id: format!("r{n}"),
    };
    let subject = committed::<S>([
        (1..=6).map(put).collect(),
        vec![forget(2), forget(5), forget(9)],
        vec![put(7)],
    ]);
    now_and_later(subject, |store| {
        let page = |after, limit| -> Vec<String> {
            let found = store.requests(after, limit).unwrap();
            found.into_iter().map(|((_, id), _)| id).collect()
        };
        assert_eq!(page(None, 9), ["r1", "r3", "r4", "r6", "r7"]);
        assert_eq!(page(None, 2), ["r1", "r3"]);
        assert_eq!(page(Some(name("default", "r3")), 2), ["r4", "r6"]);
        assert_eq!(page(Some(name("default", "r7")), 2), [""; 0]);
        let first = store.requests(None, 1).unwrap().remove(0);
        assert_eq!(first, (name("default", "r1"), request(1)));
    });
}

pub fn outputs_are_kept_paged_in_order_and_forgotten<S: Subject>() {
    let record = |n: u64| OutputRecord {
        execution_id: id(n),
        sequence: n,
        expire_time: at(i64::try_from(n).unwrap()),
    };
    let put = |key: u8, n: u64| Write::PutOutput {
        key: [key; 32],
        record: record(n),
    };
    let forget = |key: u8| Write::DeleteOutput { key: [key; 32] };
    let subject = committed::<S>([
        (0..5).map(|n| put(n, n.into())).collect(),
        vec![forget(1), forget(4), forget(99), put(2, 12)],
        vec![put(u8::MAX, 7)],
    ]);
    now_and_later(subject, |store| {
        assert_eq!(store.output(&[2; 32]).unwrap(), Some(record(12)));
        assert_eq!(store.output(&[4; 32]).unwrap(), None);
        let page = |after: Option<u8>, limit| -> Vec<u8> {
            let found = store.outputs(after.map(|key| [key; 32]), limit).unwrap();
            found.into_iter().map(|(key, _)| key[0]).collect()
        };
        assert_eq!(page(None, 9), [0, 2, 3, u8::MAX]);
        assert_eq!(page(Some(0), 2), [2, 3]);
        assert_eq!(page(Some(3), 2), [u8::MAX]);
        assert_eq!(store.outputs(None, 1).unwrap(), [([0; 32], record(0))]);
    });
}

pub fn workflows_with_executions_are_listed_by_name<S: Subject>() {
    let subject = committed::<S>([
        (1..=6).map(start).collect(),
        vec![Write::DeleteExecution { id: id(4) }],
    ]);
    let name = |n: u64| {
        let summary = summary(n, crate::proto::execution::State::Running);
        (summary.namespace, summary.workflow)
    };
    let mut all: Vec<_> = [1, 2, 3, 5, 6].map(name).into();
    all.sort();
    all.dedup();
    now_and_later(subject, |store| {
        assert_eq!(store.executed_workflows(None, 99).unwrap(), all);
        let first = store.executed_workflows(None, 2).unwrap();
        assert_eq!(first, all[..2]);
        let rest = store.executed_workflows(first.last().cloned(), 99).unwrap();
        assert_eq!(rest, all[2..]);
    });
}

pub fn rules_of_retention_are_kept_replaced_and_forgotten<S: Subject>() {
    let rule = |namespace: &str, workflow: &str, max_count| Retention {
        namespace: namespace.into(),
        workflow: workflow.into(),
        max_count,
        ..Retention::default()
    };
    let put = |rule| Write::PutRetention {
        retention: Box::new(rule),
    };
    let forget = Write::DeleteRetention {
        namespace: "a".into(),
        workflow: String::new(),
    };
    let subject = committed::<S>([
        vec![
            put(rule("b", "", 1)),
            put(rule("a", "x", 2)),
            put(rule("a", "", 3)),
        ],
        vec![put(rule("a", "x", 4)), forget],
    ]);
    now_and_later(subject, |store| {
        let expected = [rule("a", "x", 4), rule("b", "", 1)];
        assert_eq!(store.retentions().unwrap(), expected);
    });
}
