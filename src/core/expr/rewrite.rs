//! The changes to a syntax tree that put `operators` in the place of CEL's own, and the meter
//! into whatever repeats or grows.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, operators},
};

use super::{
    library, macros,
    parse::{call, node},
};

/// The variable that holds the meter. Not a name that users can write.
pub(super) const METER: &str = "@meter";

/// `has(operand.field)` as a call.
pub(super) fn has(select: &mut SelectExpr) -> Expr {
    let operand = std::mem::take(&mut *select.operand);
    let field = LiteralValue::String(std::mem::take(&mut select.field).into());
    call(library::HAS, vec![operand, node(Expr::Literal(field))]).expr
}

/// Puts our operators in the place of CEL's, where the two differ for the operands.
pub(super) fn replace_operator(call: &mut CallExpr) {
    let [left, right] = &call.args[..] else {
        return;
    };
    let literal = |e: &IdedExpr| matches!(e.expr, Expr::Literal(_));
    let own = match call.func_name.as_str() {
        operators::ADD if matches!(&left.expr, Expr::Ident(name) if name == macros::GATHERED) => {
            return;
        }
        operators::ADD => library::ADD,
        operators::SUBSTRACT => library::SUBTRACT,
        operators::MULTIPLY => library::MULTIPLY,
        operators::DIVIDE => library::DIVIDE,
        operators::EQUALS if !literal(left) && !literal(right) => library::EQUAL,
        operators::NOT_EQUALS if !literal(left) && !literal(right) => library::UNEQUAL,
        operators::IN if !is_list_of(right, literal) => library::CONTAINED,
        _ => return,
    };
    call.func_name = own.to_owned();
    if matches!(own, library::ADD | library::CONTAINED) {
        call.args.push(meter());
    }
}

fn is_list_of(tree: &IdedExpr, test: impl Fn(&IdedExpr) -> bool) -> bool {
    matches!(&tree.expr, Expr::List(list) if list.elements.iter().all(test))
}

/// Makes each round of a macro, and each value it keeps, go through the meter. The forms that
/// `map` and `filter` expand to are kept, since the crate evaluates them without copying.
pub(super) fn meter_rounds(macro_: &mut ComprehensionExpr) {
    if matches!(&macro_.accu_init.expr, Expr::List(list) if list.elements.is_empty())
        && let Expr::Call(step) = &mut macro_.loop_step.expr
    {
        return meter_appending(step);
    }
    if !is_false(&macro_.loop_cond) {
        through_meter(&mut macro_.loop_cond);
    }
}

fn meter_appending(step: &mut CallExpr) {
    if step.func_name == operators::CONDITIONAL {
        if let Some(guard) = step.args.first_mut() {
            through_meter(guard);
        }
        if let Some(IdedExpr {
            expr: Expr::Call(append),
            ..
        }) = step.args.get_mut(1)
        {
            meter_appending(append);
        }
    } else if let Some(IdedExpr {
        expr: Expr::List(kept),
        ..
    }) = step.args.get_mut(1)
    {
        kept.elements.iter_mut().for_each(through_meter);
    }
}

fn through_meter(tree: &mut IdedExpr) {
    let value = std::mem::take(tree);
    *tree = call(library::STEP, vec![meter(), value]);
}

fn is_false(tree: &IdedExpr) -> bool {
    matches!(&tree.expr, Expr::Literal(LiteralValue::Boolean(b)) if !*b.inner())
}

pub(super) fn meter() -> IdedExpr {
    node(Expr::Ident(METER.to_owned()))
}
