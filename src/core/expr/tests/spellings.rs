//! Every spelling of the reference documents.

use serde_json::json;

use super::*;

#[test]
fn every_spelling_means_what_the_documents_say() {
    for (source, expected) in [
        ("previous_step_output", json!({"x": 7, "list": [5, 6]})),
        ("previous_step_output.x + 1", json!(8)),
        ("step_1_output.total", json!(42)),
        ("step_2_output.total", json!(100)),
        ("step_3_output[1].ok", json!(false)),
        ("all_previous_outputs.order", json!(5)),
        ("all_step_outputs", json!({"a": {"total": 42}})),
        ("a_output.total", json!(42)),
        ("order_validation_output.total", json!(100)),
        ("order-validation_output.total", json!(100)),
        ("outer_output", json!("out")),
        ("research_plan_output.sources[0]", json!("s")),
        ("$current", json!({"x": 7, "list": [5, 6]})),
        ("$current.x", json!(7)),
        ("$current.list[1]", json!(6)),
        ("$previous.x > 5", json!(true)),
        ("$result.charge_id", json!("c1")),
        ("$result", json!({"id": "r1", "charge_id": "c1"})),
        ("$context.input.name", json!("Ada")),
        ("$context.input['name']", json!("Ada")),
        (
            "$context.results.a",
            json!({"total": 42, "rate": 1.5, "tags": ["x", "y"]}),
        ),
        ("$context.results.a.tags[0]", json!("x")),
        ("$context.results.order-validation.total", json!(100)),
        ("$context.results['order-validation'].total", json!(100)),
        ("$context.results.checks[0].ok", json!(true)),
        ("$context.results.checks[1]", json!({"ok": false})),
        ("$context.results.a.total + $current.x", json!(49)),
        ("steps.order-validation.output.total", json!(100)),
        ("steps.order-validation.output.lines[0].sku", json!("s1")),
        ("steps.order-validation.output.total-1", json!(99)),
        ("steps[\"order-validation\"].output.total", json!(100)),
        ("steps['order-validation'].state", json!("COMPLETED")),
        ("steps.2fa.output.code", json!(123)),
        ("steps.pre-check.output", json!(null)),
        ("steps.checks.output[0]", json!({"ok": true})),
        ("steps.checks.output[1].ok", json!(false)),
        ("steps.checks.output.grammar.ok", json!(true)),
        ("steps.checks.output['facts-check'].ok", json!(false)),
        ("checks_output[0].ok", json!(true)),
        ("steps.a.output.tags[1]", json!("y")),
        ("steps.order.output -total", json!(4)),
    ] {
        assert_eq!(eval(source), expected, "{source}");
        assert_eq!(
            eval(&format!("{{{{ {source} }}}}")),
            expected,
            "{source} in braces"
        );
    }
}

#[test]
fn a_dash_subtracts_where_no_step_has_it_in_its_id() {
    assert_eq!(eval("steps.order.output-total"), json!(4));
    assert_eq!(eval("input.n-1"), json!(41));
    assert_eq!(eval("total-index"), json!(1));
}

#[test]
fn spellings_inside_string_literals_are_text() {
    assert_eq!(
        eval("'$current ' + \"steps.order-validation.output\" + r'$x'"),
        json!("$current steps.order-validation.output$x")
    );
    assert_eq!(
        eval("'previous_step_output'"),
        json!("previous_step_output")
    );
    assert_eq!(eval("'''$x ' \" steps.2fa'''"), json!("$x ' \" steps.2fa"));
}

#[test]
fn an_exact_variable_wins_over_a_spelling() {
    let mut names = names();
    names.variables.push("a_output");
    let expr = Expr::compile("a_output", &names).unwrap();
    assert!(expr.references().variables.contains("a_output"));
    assert!(expr.references().steps.is_empty());
}

#[test]
fn a_step_of_that_very_id_wins_over_the_nth() {
    let mut names = names();
    names.levels[1] = Level::new(vec![StepName {
        id: "step_1".into(),
        children: Vec::new(),
    }]);
    let expr = Expr::compile("step_1_output", &names).unwrap();
    assert_eq!(
        expr.references().steps.iter().collect::<Vec<_>>(),
        ["step_1"]
    );
}

#[test]
fn references_tell_what_is_read() {
    let of = |source: &str| compile(source).references().clone();
    let read =
        of("$context.results.a.total + step_2_output.total + input.n + previous_step_output.x");
    assert_eq!(
        read.steps.iter().collect::<Vec<_>>(),
        ["a", "order-validation"]
    );
    assert_eq!(
        read.variables.iter().collect::<Vec<_>>(),
        ["input", "previous"]
    );
    assert!(!read.steps_dynamic);
    let read = of("{{ all_step_outputs }}");
    assert_eq!(
        read.variables.iter().collect::<Vec<_>>(),
        ["all_step_outputs"]
    );
    let read = of("has(steps.a) && has(steps.order.output.x)");
    assert_eq!(read.steps.iter().collect::<Vec<_>>(), ["a", "order"]);
    assert!(of("size(steps)").steps_dynamic);
}
