//! What compiling refuses, and how it says so.

use super::*;

/// The rules, messages and hints of `source`'s errors, in one text each.
fn told(source: &str) -> Vec<String> {
    let one = |e: Error| {
        assert_eq!(e.source_text, source.trim(), "{source}");
        assert!(!e.message.contains('\n'), "{source}: {}", e.message);
        format!("{}: {} ({})", e.rule, e.message, e.hint)
    };
    errors(source).into_iter().map(one).collect()
}

fn assert_told(source: &str, parts: &[&str]) {
    let told = told(source);
    assert_eq!(told.len(), 1, "{source}: {told:?}");
    for part in parts {
        assert!(told[0].contains(part), "{source}: {told:?} lacks {part}");
    }
}

#[test]
fn unknown_steps_are_named_with_what_is_near() {
    for (source, parts) in [
        (
            "steps.ordr.output",
            &[
                "unknown-step: unknown step `ordr`",
                "did you mean `order`?",
                "`checks`",
            ][..],
        ),
        (
            "steps.order-validaton.output.total",
            &["unknown step `order-validaton`", "`order-validation`"],
        ),
        ("steps['x-y'].state", &["unknown step `x-y`"]),
        ("has(steps.nope)", &["unknown step `nope`"]),
        ("nope_output.x", &["unknown-step", "unknown step `nope`"]),
        ("step_9_output", &["unknown-step", "no step 9", "has 4"]),
        ("step_0_output", &["unknown-step", "no step 0"]),
        (
            "$context.results.resarch_plan.x",
            &["unknown step `resarch_plan`", "research_plan"],
        ),
        (
            "steps.checks.output[2]",
            &["unknown-step", "no child 2", "`grammar`, `facts-check`"],
        ),
        ("steps.checks.output[-1]", &["unknown-step", "no child -1"]),
        ("checks_output[5].ok", &["no child 5"]),
        ("steps[0].output", &["unknown step `0`"]),
    ] {
        assert_told(source, parts);
    }
}

#[test]
fn unknown_fields_of_steps_are_refused() {
    assert_told(
        "steps.a.ouput.total",
        &["unknown-field: a step has no `ouput`", "steps.a.output?"],
    );
    assert_told(
        "steps.a.total",
        &["a step has no `total`", "steps.a.output.total"],
    );
    assert_told("has(steps.a.total)", &["a step has no `total`"]);
    assert_told("steps['a']['status']", &["a step has no `status`", "state"]);
}

#[test]
fn unknown_variables_are_named_with_what_is_near() {
    assert_told(
        "inpt.x",
        &[
            "unknown-variable: unknown variable `inpt`",
            "did you mean `input`?",
        ],
    );
    assert_told(
        "outer.x",
        &["unknown variable `outer`", "write steps.outer.output"],
    );
    assert_told(
        "zzzzzzz",
        &["unknown variable `zzzzzzz`", "known here are `input`"],
    );
    assert_told("input.list.map(x, y + x)", &["unknown variable `y`"]);
    assert_told("[1].map(x, x)[0] + x", &["unknown variable `x`"]);
    assert_told(
        "$foo.x",
        &[
            "unknown-variable: unknown reference `$foo`",
            "$context.results.STEP",
        ],
    );
    assert_told(
        "$context.resuts.a",
        &["unknown reference `$context.resuts`"],
    );
    assert_told("$context", &["unknown reference `$context`"]);
    assert_told("1 + $", &["unknown reference `$`"]);
    let none = Names::default();
    let error = Expr::compile("previous_step_output", &none).unwrap_err();
    assert_eq!(error[0].message, "unknown variable `previous_step_output`");
    let error = Expr::compile("steps.a.output", &none).unwrap_err();
    assert_eq!(error[0].hint, "no step is in reach here");
}

#[test]
fn unknown_functions_are_refused() {
    assert_told(
        "siz(input.list)",
        &[
            "unknown-function: unknown function `siz`",
            "did you mean `size`?",
        ],
    );
    assert_told("input.name.lower()", &["unknown function `lower`"]);
    assert_told(
        "contains(input.name, 'a')",
        &["`contains` is called as value.contains()"],
    );
    assert_told("input.n.string()", &["`string` is called as string(value)"]);
    assert_told(
        "input.list.map(x)",
        &["`map` is called with the wrong number of arguments"],
    );
    assert_told("lists.range(1000000)", &["unknown function `lists.range`"]);
}

#[test]
fn syntax_errors_tell_the_column() {
    for (source, part) in [
        (
            "input.n >",
            "expected an expression, found the end (column 10)",
        ),
        ("1 +* 2", "unexpected `*` (column 4)"),
        ("(input.n", "expected `)` (column 9)"),
        ("input..x", "column 7"),
        ("'open", "column"),
        ("input.n > 1 )", "unexpected `)` (column 13)"),
        ("input.n input.n", "unexpected `input` (column 9)"),
        ("$current.x + * 2", "unexpected `*` (column 14)"),
        ("steps.order-validation.output + * 2", "column 33"),
        ("'é' + * 2", "unexpected `*` (column 7)"),
        ("for", "reserved"),
        ("has(1)", "has()"),
        ("[1].map(1, 2)", "simple name"),
        ("input.x = 3", "column 9"),
        ("", "empty"),
        ("{{ }}", "empty"),
    ] {
        let errors = errors(source);
        assert!(
            errors.iter().all(|e| e.rule == "expression"),
            "{source}: {errors:?}"
        );
        assert!(
            errors.iter().all(|e| !e.message.contains('\n')),
            "{source}: {errors:?}"
        );
        assert!(errors[0].message.contains(part), "{source}: {errors:?}");
    }
    let lines = errors("input.n > 1 &&\n  * 2");
    assert!(lines[0].message.contains("line 2, column 3"), "{lines:?}");
}

#[test]
fn all_errors_are_told_together() {
    let told = told("steps.x.output + inpt + steps.a.out + foo(1) + steps.x.state");
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn messages_cannot_be_made() {
    assert_told("Order{id: 1}", &["expression", "messages cannot be made"]);
}

#[test]
fn braces_around_an_expression_hold_all_of_it() {
    assert!(
        errors("{{ 1 }} + {{ 2 }}")[0]
            .message
            .contains("text after the closing")
    );
    assert!(errors("{{ 1 ")[0].message.contains("never closed"));
    assert_eq!(
        errors("{{ 'a }}")[0].hint,
        "a quote inside it is not closed either"
    );
}
