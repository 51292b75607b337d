//! Nothing that is written or given makes compiling or evaluating crash or run away.

use serde_json::json;

use super::{super::nesting::NESTING_MAX, *};

#[test]
fn what_is_nested_too_deep_is_refused() {
    let many = 10_000;
    for (open, inside, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{'a':", "1", "}"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("- ", "1", ""),
        ("", "1", "+1"),
        ("", "1", " - 1"),
        ("", "1", " in [1]"),
        ("", "input", ".a"),
        ("", "input", "[0]"),
        ("", "input.name", ".trim()"),
        ("", "1", " == 1"),
        ("true ? 1 : ", "1", ""),
        ("size(", "[]", ")"),
        ("[1].map(x, ", "x", ")"),
        ("(", "", ""),
        ("", "", ")"),
    ] {
        let source = format!("{}{inside}{}", open.repeat(many), close.repeat(many));
        let result = Expr::compile(&source, &names());
        assert!(result.is_err(), "{open}{inside}{close}");
    }
}

#[test]
fn what_is_nested_up_to_the_limit_works() {
    let levels = NESTING_MAX - 6;
    for (open, inside, close) in [
        ("(", "input.n", ")"),
        ("[", "input.n", "]"),
        ("!", "input.yes", ""),
        ("", "input.n", " + 1"),
        ("", "input.n", " * 1"),
        ("input.yes ? 1 : ", "1", ""),
    ] {
        let source = format!("{}{inside}{}", open.repeat(levels), close.repeat(levels));
        assert!(compile(&source).eval(&world()).is_ok(), "{source}");
    }
    let wide = vec!["input.n == 1"; 300].join(" || ");
    assert_eq!(eval(&wide), json!(false));
    let list = format!("size([{}])", vec!["input.n"; 500].join(","));
    assert_eq!(eval(&list), json!(500));
}

fn with_list(length: usize) -> World {
    let mut world = world();
    let numbers = (0..length).map(|n| value::number(n as f64)).collect();
    world.variables.insert("item".into(), value::list(numbers));
    let text = value::string("x".repeat(length * 1000));
    world.variables.insert("last".into(), text);
    world
}

#[test]
fn nested_macros_end_when_they_cost_too_much() {
    let world = with_list(1000);
    for source in [
        "item.map(x, item.map(y, x + y)).size()",
        "item.map(x, item.map(y, item.map(z, x + y + z)))",
        "item.filter(x, item.filter(y, x > y && y > x).size() > 0)",
        "item.all(x, item.all(y, x + y >= 0))",
        "item.exists(x, item.exists(y, x + y < 0))",
        "item.exists(x, item.map(y, y).size() < 0 || item.exists(z, z < 0))",
        "item.exists_one(x, item.exists_one(y, x + y < 0))",
        "item.map(x, last + last)",
        "item.map(x, [last + last, last])",
        "last.replace('x', last)",
        "item.map(x, last).join('')",
        "item.map(x, item)",
        "item.filter(x, x in item.map(y, y))",
        "item.map(x, toJson(item))",
    ] {
        let error = compile(source).eval(&world).expect_err(source);
        assert!(
            error.message.starts_with("too much work"),
            "{source}: {error}"
        );
    }
}

#[test]
fn long_lists_are_within_the_bound() {
    let world = with_list(20_000);
    let sum = compile("item.filter(x, x % 2 == 0).map(x, x * 2).size()").eval(&world);
    assert_eq!(value::to_json(&sum.unwrap()), json!(10_000));
    let whole = compile("{'all': item}").eval(&world).unwrap();
    assert_eq!(
        value::to_json(&whole)["all"].as_array().unwrap().len(),
        20_000
    );
}
