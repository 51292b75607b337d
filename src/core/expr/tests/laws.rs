//! Laws that hold for any data and any text.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-9_007_199_254_740_992_i64..=9_007_199_254_740_992).prop_map(Json::from),
        (-1.0e300..1.0e300).prop_map(|n: f64| Json::from(n)),
        ".{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map(".{0,6}", inner, 0..5)
                .prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

fn with_item(json: &Json) -> World {
    let mut world = World::default();
    world
        .variables
        .insert("item".into(), value::from_json(json));
    world
}

/// The value of `source`, `item` being `json`.
fn of(source: &str, json: &Json) -> Value {
    compile(source).eval(&with_item(json)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn data_survives_cel(json in any_json()) {
        let value = value::from_json(&json);
        for source in ["item", "[item][0]", "{'a': item}.a", "[item].map(x, x)[0]", "fromJson(toJson(item))"] {
            prop_assert_eq!(&of(source, &json), &value, "{}", source);
        }
        prop_assert_eq!(of("item == [item][0] && [item] == [item].map(x, x)", &json), value::boolean(true));
        prop_assert_eq!(of("fromJson(toJson(item)) == item", &json), value::boolean(true));
    }

    #[test]
    fn any_text_compiles_or_is_refused(text in ".{0,60}") {
        let _ = Template::compile(&value::string(text.clone()), &names());
        let _ = Expr::compile(&text, &names());
    }

    #[test]
    fn any_words_compile_or_are_refused(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "{{", "}}", "{", "}", "(", ")", "[", "]", "'", "\"", "\\", "$current", "$context.",
                "results.", "steps.", "order-validation", ".output", "input", ".n", "+", "-", "!",
                "?", ":", ",", "1", "2.5", "'a'", "in", "has(", ".map(x,", "//", "\n", "r'", "é", "'''",
            ]),
            0..14,
        )
    ) {
        let text = words.concat();
        if let Ok(template) = Template::compile(&value::string(text.clone()), &names()) {
            let _ = template.eval(&world());
        }
        if let Ok(expr) = Expr::compile(&text, &names()) {
            let _ = expr.eval(&world());
        }
    }

    #[test]
    fn text_without_braces_is_kept(text in "[^{$]{0,40}") {
        prop_assert_eq!(render(&json!(text.clone())), json!(text));
    }
}

#[test]
fn compiled_things_are_shared_between_threads() {
    fn shared<T: Send + Sync + std::fmt::Debug>() {}
    shared::<Expr>();
    shared::<Template>();
}
