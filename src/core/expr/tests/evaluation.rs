//! Values of expressions: numbers, operators, functions, macros, lent data.

use serde_json::json;

use super::*;

fn table(rows: &[(&str, Json)]) {
    for (source, expected) in rows {
        assert_eq!(&eval(source), expected, "{source}");
    }
}

#[test]
fn numbers_mix_as_in_json() {
    table(&[
        ("steps.a.output.total * 1.5", json!(63)),
        ("1.5 * steps.a.output.total", json!(63)),
        ("steps.a.output.total + 0.5", json!(42.5)),
        ("0.5 + steps.a.output.total", json!(42.5)),
        ("steps.a.output.total - 0.5", json!(41.5)),
        ("input.price - 1", json!(9.5)),
        ("input.price / 2", json!(5.25)),
        ("input.n / 4", json!(10)),
        ("input.n / 4.0", json!(10.5)),
        ("input.n % 5", json!(2)),
        ("-input.n", json!(-42)),
        ("-input.price", json!(-10.5)),
        ("7 / 2", json!(3)),
        ("2 * 3 + 4.5", json!(10.5)),
        ("3u + 1.5", json!(4.5)),
        ("input.big", json!(9_007_199_254_740_992_i64)),
        ("double(input.n) / 4", json!(10.5)),
        ("int(input.price)", json!(10)),
        ("index + 1", json!(1)),
    ]);
}

#[test]
fn numbers_compare_across_their_kinds() {
    for source in [
        "input.n == 42.0",
        "42.0 == input.n",
        "input.n < 42.5",
        "42.5 > input.n",
        "input.price > 10",
        "10 <= input.price",
        "input.price != 10",
        "input.n in [41.0, 42.0]",
        "1.0 in input.list",
        "3u == 3",
        "[1, 2, 3] == input.list",
        "input.list == [1.0, 2, 3u]",
    ] {
        assert_eq!(eval(source), json!(true), "{source}");
    }
}

#[test]
fn impossible_arithmetic_is_an_error_that_says_why() {
    for (source, expected) in [
        ("input.n / 0", "division by zero"),
        ("input.n / 0.0", "division by zero"),
        ("input.price / 0", "division by zero"),
        ("input.n % 0", "division by zero"),
        (
            "9223372036854775807 + input.n",
            "larger than a whole number",
        ),
        ("input.price * 1e308 * 1e308", "not a number that JSON has"),
        ("input.n + 'x'", "`+` does not apply to int and string"),
        ("'x' - input.n", "`-` does not apply to string and int"),
        ("input.name > 3", "`>` does not apply to string and int"),
        ("input.none + 1", "`+` does not apply to null and int"),
        ("!input.n", "`!` does not apply to int"),
    ] {
        let message = failure(source);
        assert!(message.contains(expected), "{source}: {message}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (source, expected) in [
        ("steps.a.output.totl", "no such key: totl"),
        ("steps.a.output.totl > 1", "no such key: totl"),
        ("input.deep.q.b", "no such key: q"),
        ("input.none.x", "no such key: x (null has none)"),
        ("input.name.x + 'a'", "no such key: x (a string has none)"),
        ("input.list[7]", "index out of bounds: 7 of 3"),
        ("input.list[index + 7]", "index out of bounds: 7"),
        ("input.people.map(p, p.nme)", "no such key: nme"),
        ("input.people[0].nme", "no such key: nme"),
        ("last", "`last` has no value here"),
        ("last.x == 1", "`last` has no value here"),
        ("steps['nope' + '']", "no such key: nope"),
        ("has(input.gone.x)", "no such key: gone"),
        ("input.list.x", "no such key: x"),
        (
            "input.people.map(p, p.name.x)",
            "no such key: a value of type string has none",
        ),
    ] {
        let message = failure(source);
        assert!(message.starts_with(expected), "{source}: {message}");
    }
}

#[test]
fn an_error_quotes_the_expression_as_it_was_written() {
    let error = compile("{{ $previous.q  +  1 }}")
        .eval(&world())
        .unwrap_err();
    assert_eq!(error.source_text, "$previous.q  +  1");
    assert_eq!(error.to_string(), "no such key: q in `$previous.q  +  1`");
    assert_eq!(error.rule, "expression");
}

#[test]
fn the_standard_library_works_on_lent_data() {
    table(&[
        ("size(input.list)", json!(3)),
        ("input.list.size()", json!(3)),
        ("size(input.name)", json!(3)),
        ("size(input)", json!(12)),
        ("input.name.contains('d')", json!(true)),
        (
            "input.name.startsWith('A') && input.name.endsWith('a')",
            json!(true),
        ),
        ("input.name.matches('^A.a$')", json!(true)),
        ("has(input.name)", json!(true)),
        ("has(input.gone)", json!(false)),
        ("has(input.none.x)", json!(false)),
        ("has(steps.a.output.total)", json!(true)),
        ("has(steps.a)", json!(true)),
        ("input.people.filter(p, has(p.name)).size()", json!(2)),
        ("input.list.all(x, x > 0)", json!(true)),
        ("input.list.exists(x, x == 2)", json!(true)),
        ("input.list.exists_one(x, x > 2)", json!(true)),
        ("input.list.filter(x, x > 1)", json!([2, 3])),
        ("input.list.map(x, x * 2)", json!([2, 4, 6])),
        ("input.list.map(x, x > 1, x * 1.5)", json!([3, 4.5])),
        ("input.people.map(p, p.name)", json!(["Bo", "Cy"])),
        ("input.people.filter(p, p.age > 18)[0].name", json!("Cy")),
        ("input.people[index + 1].name", json!("Cy")),
    ]);
    table(&[
        ("string(input.n)", json!("42")),
        ("string(input.price)", json!("10.5")),
        ("int('7') + 1", json!(8)),
        ("double('1.5')", json!(1.5)),
        (
            "type(input.n) == int && type(input.price) == double",
            json!(true),
        ),
        (
            "type(input) == map && type(input.list) == list",
            json!(true),
        ),
        (
            "timestamp('2027-01-01T00:00:00Z') + duration('90s')",
            json!("2027-01-01T00:01:30Z"),
        ),
        (
            "timestamp('2027-01-01T00:00:00.5+01:00')",
            json!("2026-12-31T23:00:00.500Z"),
        ),
        (
            "timestamp('2027-01-01T00:00:00Z').getFullYear()",
            json!(2027),
        ),
        ("duration('10s')", json!("10s")),
        ("duration('-1500ms')", json!("-1.5s")),
        ("b'hi'", json!("aGk=")),
        ("type(1)", json!("int")),
        ("{1: 'a', true: 'b'}", json!({"1": "a", "true": "b"})),
        (
            "{'x': input.list, 'y': [input.none]}",
            json!({"x": [1, 2, 3], "y": [null]}),
        ),
        ("input.yes ? input.name : 'no'", json!("Ada")),
        ("input.none == null", json!(true)),
        ("'na' + 'me' in input", json!(true)),
        ("input['na' + 'me']", json!("Ada")),
        ("input['a-b']", json!("dashed")),
        ("input.`a-b`", json!("dashed")),
        ("input.?gone.orValue('x')", json!("x")),
        (
            "input.?deep.?a.orValue('x')",
            json!({"b": [10, {"c": "x"}]}),
        ),
        ("input.?none.?x.orValue('x')", json!("x")),
        ("optional.none()", json!(null)),
        ("input.?name", json!("Ada")),
    ]);
}

#[test]
fn the_added_functions_work() {
    table(&[
        ("input.words.join(', ')", json!("b, a")),
        ("['a', 'b'].join()", json!("ab")),
        ("input.words.sort()", json!(["a", "b"])),
        ("[2.5, 3, 1, 2].sort()", json!([1, 2, 2.5, 3])),
        ("[3u, 2.5, -1].sort()", json!([-1, 2.5, 3])),
        (
            "[9007199254740993, 9007199254740992.0, 9007199254740992].sort().map(n, string(n))",
            json!(["9007199254740992", "9007199254740992", "9007199254740993"]),
        ),
        (
            "[{'n': 'pen', 'p': 12}, {'n': 'ink', 'p': 8.5}].sortBy(i, -i.p)[0].n",
            json!("pen"),
        ),
        (
            "[[2, 'b'], [1, 'x'], [2, 'a']].sortBy(r, r[0]).map(r, r[1])",
            json!(["x", "b", "a"]),
        ),
        ("[true, false].sort()", json!([false, true])),
        ("[].sort()", json!([])),
        ("input.people.sortBy(p, -p.age)[0].name", json!("Cy")),
        ("input.list.reverse()", json!([3, 2, 1])),
        ("input.list.slice(1, 3)", json!([2, 3])),
        ("[[1], [2]].flatten()", json!([1, 2])),
        ("' x '.trim().upperAscii()", json!("X")),
        ("'a,b'.split(',')", json!(["a", "b"])),
        ("'aXbX'.replace('X', '-')", json!("a-b-")),
        ("'aXbX'.replace('X', '-', 1)", json!("a-bX")),
        ("'hello'.substring(1, 3)", json!("el")),
        ("math.greatest(input.n, 3, 50.5)", json!(50.5)),
        ("math.least(input.list)", json!(1)),
        ("math.ceil(input.price)", json!(11)),
        ("math.ceil(input.n)", json!(42)),
        ("math.round(2.5) + math.abs(-1)", json!(4)),
        ("toJson(input.people[0])", json!(r#"{"age":3,"name":"Bo"}"#)),
        (
            "fromJson('{\"a\": [1, 2.5, null]}').a",
            json!([1, 2.5, null]),
        ),
        ("fromJson('{\"a\": 2}').a * 2", json!(4)),
        ("base64.encode(b'hi')", json!("aGk=")),
        (
            "input.list + [4] + input.list",
            json!([1, 2, 3, 4, 1, 2, 3]),
        ),
        (
            "input.people.filter(p, p.age > 3).sortBy(p, p.name)[0].age",
            json!(30),
        ),
        ("optional.of(1).value()", json!(1)),
    ]);
    assert!(failure("fromJson('{')").starts_with("fromJson: "));
    assert!(failure("input.list.join()").starts_with("join: takes strings"));
}

#[test]
fn equality_sees_through_lent_and_made_values() {
    for source in [
        "input.people[0] == {'name': 'Bo', 'age': 3}",
        "{'name': 'Bo', 'age': 3.0} == input.people[0]",
        "[input.people[0]] == input.people.filter(p, p.age == 3)",
        "input.people == input.people.map(p, p)",
        "{'name': 'Bo', 'age': 3} in input.people",
        "input.people[0] in [{'name': 'Bo', 'age': 3}]",
        "input.people[0] != input.people[1]",
        "input.list != input",
        "input != null",
        "input.list == input.list",
        "!(input.list == [1, 2])",
        "steps.a.error.class == 'timeout'",
        "steps.a.state == 'COMPLETED'",
        "steps.a.attempts == 2",
    ] {
        assert_eq!(eval(source), json!(true), "{source}");
    }
}

#[test]
fn steps_as_a_whole_can_be_read() {
    table(&[
        ("size(steps)", json!(8)),
        (
            "steps.exists(id, steps[id].state == 'FAILED')",
            json!(false),
        ),
        (
            "steps.filter(id, steps[id].output == null)",
            json!(["pre-check"]),
        ),
        ("steps['order' + '-validation'].output.total", json!(100)),
        ("'a' in steps", json!(true)),
        (
            "steps.order",
            json!({"output": 5, "state": "COMPLETED", "attempts": 2,
            "error": {"class": "timeout", "message": "slow", "step": "order"}}),
        ),
    ]);
    let whole = eval("steps");
    assert_eq!(whole["a"]["output"]["total"], json!(42));
    let references = compile("steps['a' + 'b'].output").references().clone();
    assert!(references.steps_dynamic && references.steps.is_empty());
}

#[test]
fn maps_iterate_in_the_order_of_their_keys() {
    let expected = json!(["a", "b", "c", "d", "e", "f"]);
    let made = "{'f': 1, 'c': 2, 'a': 3, 'e': 4, 'b': 5, 'd': 6}.map(k, k)";
    assert_eq!(eval(made), expected);
    assert_eq!(eval("input.people[0].map(k, k)"), json!(["age", "name"]));
    let bound = "[{'f': 1, 'c': 2, 'a': 3, 'e': 4, 'b': 5, 'd': 6}].map(m, m.map(k, k))[0]";
    assert_eq!(eval(bound), expected);
}

#[test]
fn only_booleans_are_conditions() {
    assert!(compile("input.n > 41").eval_bool(&world()).unwrap());
    assert!(!compile("{{ input.n > 42 }}").eval_bool(&world()).unwrap());
    let error = compile("input.n").eval_bool(&world()).unwrap_err();
    assert_eq!(error.message, "must be true or false, is 42");
}

#[test]
fn a_branch_not_taken_is_not_evaluated() {
    assert_eq!(
        eval("has(input.gone) ? input.gone.x : 'none'"),
        json!("none")
    );
    assert_eq!(eval("input.yes || last.x"), json!(true));
    assert_eq!(eval("has(input.gone) && input.gone > 1"), json!(false));
}

#[test]
fn variables_that_macros_bind_hide_others() {
    assert_eq!(eval("input.list.map(input, input + 1)"), json!([2, 3, 4]));
    assert_eq!(eval("[{'a': 1}].map(steps, steps.a)"), json!([1]));
    let references = compile("[1].map(input, input)").references().clone();
    assert!(references.variables.is_empty());
}
