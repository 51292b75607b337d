//! `refine`: a draft, reviewed and revised until it is good enough. Each round is an iteration: the
//! draft, in the first round made and then revised, and its review.

use serde_json::json;

use crate::{
    core::{
        expr::Expr,
        plan::{Compiler, Input, Kind, Loop, Name, NodeId, Seen},
        value,
    },
    proto::{PatternCall, Refine},
};

/// The rounds of a refinement that may take any number.
const ROUNDS_DEFAULT: u32 = 4;

/// What the pattern's own expressions may name besides.
const OWN_VARIABLES: [&str; 5] = ["given", "draft", "review", "round", "exit"];

/// The pattern as nodes: in each iteration `draft` or `revise`, then `review`.
pub(in crate::core) fn compile(c: &mut Compiler<'_>, written: &Refine, id: NodeId) -> Kind {
    let max_iterations = c.iterations(".max_rounds", written.max_rounds, ROUNDS_DEFAULT);
    let body = c.pattern_node(id, "");
    c.node(body).names = names(written);
    let steps = [
        draft(c, written, body),
        revise(c, written, body),
        review(c, written, body),
    ];
    let until = until(c, written);
    let (output, gives) = c.with_variables(&OWN_VARIABLES, |c| {
        let output = json!({"draft": "{{ draft }}", "review": "{{ review }}"});
        let gives = json!({
            "output": "{{ draft }}", "review": "{{ review }}", "rounds": "{{ round }}",
            "accepted": "{{ exit == 'CONDITION' }}",
        });
        (c.own(&output), c.own(&gives))
    });
    c.node(body).kind = c.one_by_one(steps.into_iter().flatten().collect());
    c.node(body).output = output;
    c.node(body).hides_steps = true;
    (c.node(id).gives, c.node(id).hides_steps) = (gives, true);
    Kind::Loop(Box::new(Loop {
        while_: None,
        until,
        max_iterations,
        must_end: false,
        body,
    }))
}

fn names(written: &Refine) -> Vec<Name> {
    let output = |ids: &[&str]| {
        let ids = ids.iter().map(|id| (*id).to_owned());
        Seen::Output(ids.collect(), &[])
    };
    vec![
        ("given", Seen::Given),
        ("round", Seen::Index),
        ("draft", output(&["draft", "revise"])),
        (
            "review",
            match written.review {
                Some(_) => output(&["review"]),
                None => Seen::Constant(value::null()),
            },
        ),
    ]
}

/// What expressions of the user may name of a draft and its review.
fn known(written: &Refine) -> &'static [&'static str] {
    match written.review {
        Some(_) => &["draft", "round", "review"],
        None => &["draft", "round"],
    }
}

/// The call that makes the first draft, of what the step was given.
fn draft(c: &mut Compiler<'_>, written: &Refine, body: NodeId) -> Option<NodeId> {
    let draft = c.required_call(".draft", written.draft.as_ref(), |c, call| {
        c.pattern_call(body, "draft", call, Input::Previous)
    })?;
    c.with_variables(&OWN_VARIABLES, |c| c.only_when(draft, "round == 1"));
    Some(draft)
}

/// The call that revises what the round before made.
fn revise(c: &mut Compiler<'_>, written: &Refine, body: NodeId) -> Option<NodeId> {
    let input = c.with_variables(&OWN_VARIABLES, |c| {
        c.own_input(&json!({
            "input": "{{ given }}", "draft": "{{ draft }}", "review": "{{ review }}",
            "round": "{{ round }}",
        }))
    });
    let revise = match (&written.revise, &written.draft) {
        (Some(call), _) => c.with_variables(known(written), |c| {
            c.within(".revise", |c| c.pattern_call(body, "revise", call, input))
        }),
        (None, Some(drafter)) => {
            // Who drafts revises too; what is wrong with it was said of `draft`.
            let call = PatternCall {
                input: None,
                ..drafter.clone()
            };
            c.unheard(|c| c.pattern_call(body, "revise", &call, input))
        }
        (None, None) => return None,
    };
    c.with_variables(&OWN_VARIABLES, |c| c.only_when(revise, "round > 1"));
    c.node(revise).names = vec![
        ("draft", Seen::Last(&["draft"])),
        ("review", Seen::Last(&["review"])),
    ];
    Some(revise)
}

fn review(c: &mut Compiler<'_>, written: &Refine, body: NodeId) -> Option<NodeId> {
    let call = written.review.as_ref()?;
    let input = c.with_variables(&OWN_VARIABLES, |c| {
        c.own_input(&json!({
            "input": "{{ given }}", "draft": "{{ draft }}", "round": "{{ round }}",
        }))
    });
    let review = c.with_variables(&["draft", "round"], |c| {
        c.within(".review", |c| c.pattern_call(body, "review", call, input))
    });
    Some(review)
}

fn until(c: &mut Compiler<'_>, written: &Refine) -> Vec<Expr> {
    if written.until.trim().is_empty() {
        let hint = "say when a draft is good enough: `until: review.score >= 0.8`";
        c.error(".until", "required", "nothing accepts a draft", hint);
    }
    let until = c.with_variables(known(written), |c| c.asked(".until", &written.until));
    until.into_iter().collect()
}
