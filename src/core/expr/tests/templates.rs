//! Templates.

use serde_json::json;

use super::*;

#[test]
fn a_string_that_is_one_expression_keeps_the_type() {
    for (template, expected) in [
        (json!("{{ input.n }}"), json!(42)),
        (json!("  {{input.list}}\n"), json!([1, 2, 3])),
        (json!("{{ input.none }}"), json!(null)),
        (json!("{{ true }}"), json!(true)),
        (
            json!("{{ {'a': {'b': input.n}} }}"),
            json!({"a": {"b": 42}}),
        ),
        (json!("{{ {'a': {'b': 1}}}}"), json!({"a": {"b": 1}})),
        (json!("{{ '}}' }}"), json!("}}")),
        (json!("{{ '{{' + input.name }}"), json!("{{Ada")),
        (json!("{{ r'\\' + \"'\" }}"), json!("\\'")),
        (json!("{{ input.n // the answer }}"), json!(42)),
        (json!("$current.x"), json!(7)),
        (json!(" $previous.list[0] "), json!(5)),
        (json!("$result.id"), json!("r1")),
        (json!("$context.results.checks[0]"), json!({"ok": true})),
        (
            json!("$context.results.order-validation"),
            json!({"total": 100, "lines": [{"sku": "s1"}]}),
        ),
        (json!("$context.input.deep.a.b[1].c"), json!("x")),
    ] {
        assert_eq!(render(&template), expected, "{template}");
    }
}

#[test]
fn expressions_in_text_become_text() {
    for (template, expected) in [
        (
            "Order {{ input.n }} of {{ input.name }}!",
            "Order 42 of Ada!",
        ),
        ("{{ input.n }}{{ input.price }}", "4210.5"),
        ("list: {{ input.list }}", "list: [1,2,3]"),
        ("none: [{{ input.none }}]", "none: []"),
        ("{{ input.people[0] }}.", r#"{"age":3,"name":"Bo"}."#),
        ("yes: {{ input.yes }}", "yes: true"),
        ("é {{ input.name }} ü", "é Ada ü"),
        ("{{ '{{' }} and }}", "{{ and }}"),
    ] {
        assert_eq!(render(&json!(template)), json!(expected), "{template}");
    }
}

#[test]
fn other_text_stays_text() {
    for text in [
        "costs $5",
        "$currency",
        "$",
        "$$current",
        "$current price",
        "$current.",
        "$5.00",
        "a }} b",
        "{ input }",
        "$context",
        "$current.50",
        "$previous-year",
        "",
        "  ",
        "$results.x",
        "$current[",
    ] {
        assert_eq!(render(&json!(text)), json!(text), "{text}");
    }
}

#[test]
fn objects_and_lists_are_compiled_through() {
    let template = json!({
        "{{ key }}": "kept", "n": 1.5, "on": true, "none": null,
        "list": ["{{ input.n }}", {"deep": "hi {{ input.name }}"}],
    });
    assert_eq!(
        render(&template),
        json!({
            "{{ key }}": "kept", "n": 1.5, "on": true, "none": null,
            "list": [42, {"deep": "hi Ada"}],
        })
    );
    let compiled = Template::compile(&value::from_json(&template), &names()).unwrap();
    assert_eq!(
        compiled.references().variables.iter().collect::<Vec<_>>(),
        ["input"]
    );
}

#[test]
fn every_error_is_told_with_its_place() {
    let template = json!({
        "a": ["ok", "{{ inpt.x }}"],
        "b": {"c": "x {{ steps.nope.output }} y {{ 1 + }}"},
        "d": "{{ open",
        "e": "$context.nope.x",
    });
    let errors = Template::compile(&value::from_json(&template), &names()).unwrap_err();
    let told: Vec<_> = errors
        .iter()
        .map(|(path, e)| (path.as_str(), e.rule))
        .collect();
    assert_eq!(
        told,
        [
            (".a[1]", "unknown-variable"),
            (".b.c", "unknown-step"),
            (".b.c", "expression"),
            (".d", "expression"),
            (".e", "unknown-variable"),
        ]
    );
    assert_eq!(errors[3].1.message, "`{{` at character 1 is never closed");
    let whole = Template::compile(&value::string("{{ inpt }}"), &names()).unwrap_err();
    assert_eq!(whole[0].0, "");
}

#[test]
fn a_failing_expression_fails_the_template() {
    let template = value::from_json(&json!({"a": "x {{ input.gone }}"}));
    let error = Template::compile(&template, &names())
        .unwrap()
        .eval(&world())
        .unwrap_err();
    assert_eq!(error.message, "no such key: gone");
    assert_eq!(error.source_text, "input.gone");
}

#[test]
fn what_always_fails_fails_when_it_is_evaluated() {
    let template = Template::compile(&value::string("{{ 1 / 0 }}"), &names()).unwrap();
    assert_eq!(
        template.eval(&world()).unwrap_err().message,
        "division by zero"
    );
}
