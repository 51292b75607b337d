//! Steps for each item of a list, and compiling them.

use super::{
    Block, Expr, Kind, Mode, NodeId,
    compile::{Compiler, blank},
    expressions::bare,
    steps::Around,
};
use crate::{
    core::value,
    proto::{self, block::Mode as WrittenMode},
};

/// Steps for each item of a list.
#[derive(Debug)]
pub struct Each {
    /// Gives the list.
    pub items: Expr,
    /// What is run for an item: a block in sequence, without an id.
    pub body: NodeId,
    /// How many items may be in progress at once; `None`: the server's limit.
    pub max_parallel: Option<u32>,
    /// How many items are run together as one list; `None`: each by itself.
    pub batch_size: Option<u32>,
    /// How many items may fail.
    pub max_failures: Option<u32>,
    /// The share of the items that may fail, above 0 and at most 1.
    pub max_failure_share: Option<f64>,
    /// How many items there may be, in all iterations around together, and the field that says
    /// it; `None`: the server's limit in each.
    pub most: Option<(u32, &'static str)>,
}

/// What the steps for an item may name besides.
pub(in crate::core) const ITEM_VARIABLES: [&str; 2] = ["item", "index"];

impl<'a> Compiler<'a> {
    pub(super) fn each(&mut self, each: &'a proto::Each, id: NodeId) -> Kind {
        let body = self.body(id, &each.steps, &ITEM_VARIABLES);
        self.each_over(each, body)
    }

    /// The collection that these fields describe, with `body` for an item.
    pub(in crate::core) fn each_over(&mut self, each: &proto::Each, body: NodeId) -> Kind {
        let items = self.items(&each.items);
        self.within_limit(
            ".max_parallel",
            each.max_parallel,
            self.limits.each_parallel_max,
            "each_parallel_max",
        );
        let share = each.max_failure_share;
        if !(0.0..=1.0).contains(&share) {
            let message = format!("{share} is not a share of the items");
            let hint = "give a number from 0 to 1";
            self.error(".max_failure_share", "out-of-range", message, hint);
        }
        let Some(items) = items else {
            return Kind::Set(Vec::new());
        };
        Kind::Each(Each {
            items,
            body,
            max_parallel: (each.max_parallel > 0).then_some(each.max_parallel),
            batch_size: (each.batch_size > 0).then_some(each.batch_size),
            max_failures: (each.max_failures > 0).then_some(each.max_failures),
            max_failure_share: (share > 0.0).then_some(share),
            most: None,
        })
    }

    fn items(&mut self, source: &str) -> Option<Expr> {
        if bare(source).is_empty() {
            let hint = "give a list: `items: input.documents`";
            self.error(".items", "required", "there are no items", hint);
            return None;
        }
        let items = self.within(".items", |c| c.expr(source))?;
        if let Some(constant) = items.constant()
            && !matches!(constant.kind, Some(value::Kind::ListValue(_)))
        {
            let message = format!("items are a list, not {}", value::to_text(constant));
            let hint = "give an expression whose value is a list: `input.documents`";
            self.error(".items", "wrong-type", message, hint);
        }
        Some(items)
    }

    /// The steps that are run anew for each item: one node without an id, with these as its
    /// children in sequence and `variables` in their reach.
    pub(super) fn body(
        &mut self,
        around: NodeId,
        steps: &'a [proto::Step],
        variables: &[&'static str],
    ) -> NodeId {
        let path = self.nodes[around.0 as usize].path.clone();
        let body = self.push(blank("", "", path, Some(around)), String::new());
        let within = Around {
            list: "steps",
            node: body,
            condition: "",
        };
        let sequence = WrittenMode::Sequence;
        // What an item or iteration did is forgotten with it: only a saga within can undo it.
        let undoes = std::mem::replace(&mut self.undoes, false);
        let (mode, children) =
            self.with_variables(variables, |c| c.children(steps, within, sequence));
        self.undoes = undoes;
        debug_assert_eq!(mode, Mode::Sequence);
        self.node(body).kind = Kind::Block(Block {
            mode,
            children,
            max_parallel: None,
            join: None,
            states: None,
        });
        body
    }

    /// Refuses a number above the server's limit of this name.
    pub(in crate::core) fn within_limit(
        &mut self,
        field: &str,
        given: u32,
        most: u32,
        limit: &str,
    ) {
        if given > most {
            let message = format!("{given} is more than the server's {most}");
            let hint = format!("limit `{limit}`: give at most {most}, or leave it out");
            self.error(field, "limit", message, hint);
        }
    }
}
