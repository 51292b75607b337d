//! `map_reduce`: a collection with one call for each item, then one call over the list of what
//! they gave.

use crate::{
    core::plan::{Compiler, ITEM_VARIABLES, Input, Kind, NodeId},
    proto::{Each, MapReduce},
};

/// The pattern as nodes: `map[n]/call`, then `reduce`.
pub(in crate::core) fn compile(c: &mut Compiler<'_>, written: &MapReduce, id: NodeId) -> Kind {
    let map = c.pattern_node(id, "map");
    let each = Each {
        items: written.items.clone(),
        max_parallel: written.max_parallel,
        batch_size: written.batch_size,
        max_failures: written.max_failures,
        max_failure_share: written.max_failure_share,
        ..Each::default()
    };
    let body = c.pattern_node(map, "");
    let call = c.with_variables(&ITEM_VARIABLES, |c| {
        c.required_call(".map", written.map.as_ref(), |c, call| {
            c.pattern_call(body, "call", call, Input::Previous)
        })
    });
    c.node(body).kind = c.in_sequence(call.into_iter().collect());
    c.node(map).kind = c.each_over(&each, body);
    c.node(map).hides_steps = true;
    c.node(body).hides_steps = true;
    let mut children = vec![map];
    if let Some(reduce) = &written.reduce {
        let input = Input::Previous;
        children.push(c.within(".reduce", |c| c.pattern_call(id, "reduce", reduce, input)));
    }
    c.node(id).hides_steps = true;
    c.in_sequence(children)
}
