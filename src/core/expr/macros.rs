//! Calls that stand for other expressions, besides the macros that CEL's parser expands:
//! `list.sortBy(x, key)`, `math.greatest(a, b, c)` and `math.least(a, b, c)`.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, Expr, ListExpr, LiteralValue, operators},
};

use super::parse::{call, node};

/// The name CEL gives to what a macro gathers.
pub(super) const GATHERED: &str = "@result";

/// Rewrites a call that is one of these macros.
pub(super) fn expand(tree: &mut IdedExpr) {
    let Expr::Call(call) = &mut tree.expr else {
        return;
    };
    match (call.func_name.as_str(), &call.target) {
        ("greatest", Some(target)) if is_math(target) => extreme(call, "math.@max"),
        ("least", Some(target)) if is_math(target) => extreme(call, "math.@min"),
        ("sortBy", Some(_)) => sort_by(tree),
        _ => {}
    }
}

fn is_math(target: &IdedExpr) -> bool {
    matches!(&target.expr, Expr::Ident(space) if space == "math")
}

/// The function takes one number, two, or a list.
fn extreme(call: &mut CallExpr, function: &str) {
    if call.args.is_empty() {
        return;
    }
    call.target = None;
    call.func_name = function.to_owned();
    if call.args.len() > 2 {
        let all = std::mem::take(&mut call.args);
        call.args = vec![node(Expr::List(ListExpr::new(all)))];
    }
}

/// `list.sortBy(x, key)` is `list` sorted by `list.map(x, key)`; the list is evaluated once.
fn sort_by(tree: &mut IdedExpr) {
    let Expr::Call(CallExpr {
        target: Some(list),
        args,
        ..
    }) = &mut tree.expr
    else {
        return;
    };
    let [
        IdedExpr {
            expr: Expr::Ident(item),
            ..
        },
        key,
    ] = &mut args[..]
    else {
        return;
    };
    let unsorted = || node(Expr::Ident("@unsorted".to_owned()));
    let keys = map(unsorted(), std::mem::take(item), std::mem::take(key));
    let sorted = node(Expr::Call(CallExpr {
        func_name: "@sortByAssociatedKeys".to_owned(),
        target: Some(Box::new(unsorted())),
        args: vec![keys],
    }));
    *tree = bind("@unsorted", std::mem::take(&mut **list), sorted);
}

/// `result` with `name` bound to `value`: a macro without rounds.
fn bind(name: &str, value: IdedExpr, result: IdedExpr) -> IdedExpr {
    node(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: node(Expr::List(ListExpr::new(Vec::new()))),
        iter_var: "@unused".to_owned(),
        iter_var2: None,
        accu_var: name.to_owned(),
        accu_init: value,
        loop_cond: node(Expr::Literal(LiteralValue::Boolean(false.into()))),
        loop_step: node(Expr::Ident(name.to_owned())),
        result,
    })))
}

/// What CEL's parser makes of `list.map(item, value)`.
fn map(list: IdedExpr, item: String, value: IdedExpr) -> IdedExpr {
    let gathered = || node(Expr::Ident(GATHERED.to_owned()));
    let list_of = |elements| node(Expr::List(ListExpr::new(elements)));
    node(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: list,
        iter_var: item,
        iter_var2: None,
        accu_var: GATHERED.to_owned(),
        accu_init: list_of(Vec::new()),
        loop_cond: node(Expr::Literal(LiteralValue::Boolean(true.into()))),
        loop_step: call(operators::ADD, vec![gathered(), list_of(vec![value])]),
        result: gathered(),
    })))
}
