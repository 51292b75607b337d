//! What can be seen of types before anything runs.

use super::*;

const TYPED: &str = "input_schema: { type: object, additionalProperties: false, required: [topic], properties: {
  topic: { type: string }, sizes: { type: array, items: { type: object, properties: { width: { type: number } } } } } }
output_schema: { type: object, required: [title], properties: { title: { type: string }, pages: { type: integer } } }";

const PLAN: &str = "id: plan, agent: p, output_schema: { type: object, properties: { items: { type: array }, count: { type: integer } } }";

fn step(fields: &str) -> Vec<String> {
    found(&with_steps(
        TYPED,
        &[PLAN, &format!("id: x, agent: y, {fields}")],
    ))
}

#[test]
fn members_that_a_schema_does_not_have_are_warned_of() {
    for (input, expected) in [
        ("{{ input.topic }} {{ input.sizes[0].width }}", vec![]),
        ("{{ input.titel }}", vec!["W unknown-member steps[1].input"]),
        (
            "{{ input.sizes[0].widht }}",
            vec!["W unknown-member steps[1].input"],
        ),
        // Other members are let in here, and this one is like none of those named.
        ("{{ input.sizes[0].colour }}", vec![]),
        (
            "{{ input.topic.name }}",
            vec!["W unknown-member steps[1].input"],
        ),
        ("{{ steps.plan.output.items }}", vec![]),
        (
            "{{ steps.plan.output.itmes }}",
            vec!["W unknown-member steps[1].input"],
        ),
        (
            "{{ steps.plan.output.count.x }}",
            vec!["W unknown-member steps[1].input"],
        ),
        ("{{ steps.plan.output.other }}", vec![]),
        ("{{ steps.plan.state }} {{ vars.x }}", vec![]),
        ("{{ has(input.titel) }}", vec![]),
    ] {
        assert_eq!(step(&format!("input: '{input}'")), expected, "{input}");
    }
}

#[test]
fn the_warning_says_what_there_is() {
    let source = with_steps(
        TYPED,
        &["id: x, agent: y, input: '{{ input.titel + input.sizse }}'"],
    );
    let findings = check(&source, &Limits::default()).findings;
    let said: Vec<_> = findings.iter().map(|f| (&*f.message, &*f.hint)).collect();
    assert_eq!(
        said,
        [
            (
                "by its schema `input` has no `sizse`",
                "did you mean `sizes`?"
            ),
            (
                "by its schema `input` has no `titel`",
                "it has sizes, topic"
            ),
        ]
    );
}

#[test]
fn a_schema_that_leaves_room_is_not_held_to_its_properties() {
    for word in [
        "anyOf: [ {} ]",
        "patternProperties: { t: {} }",
        "$ref: '#/$defs/x', $defs: { x: {} }",
    ] {
        let head = format!(
            "input_schema: {{ additionalProperties: false, properties: {{ topic: {{}} }}, {word} }}"
        );
        let source = with_steps(&head, &["id: x, agent: y, input: '{{ input.topci }}'"]);
        assert_eq!(found(&source), [""; 0], "{word}");
    }
}

#[test]
fn an_input_that_cannot_fulfil_its_schema_is_refused() {
    let schema =
        "input_schema: { type: object, required: [a], additionalProperties: false, properties: {
        a: { type: number }, b: { type: array, items: { type: string } } } }";
    for (input, expected) in [
        ("{ a: 1, b: [x, '{{ input.topic }}'] }", vec![]),
        ("{ a: '{{ steps.plan.output.count }}' }", vec![]),
        ("{ a: '{{ vars.x }}' }", vec![]),
        (
            "{ a: '{{ vars.x }} pieces' }",
            vec!["E wrong-type steps[1].input.a"],
        ),
        (
            "{ a: '{{ input.topic }}' }",
            vec!["E wrong-type steps[1].input.a"],
        ),
        (
            "{ a: '{{ steps.plan.output.items }}' }",
            vec!["E wrong-type steps[1].input.a"],
        ),
        (
            "{ a: 1, b: [ '{{ vars.x }}', { c: '{{ vars.x }}' } ] }",
            vec!["E wrong-type steps[1].input.b[1]"],
        ),
        ("{ b: '{{ vars.x }}' }", vec!["E wrong-type steps[1].input"]),
        (
            "{ a: '{{ vars.x }}', c: 1 }",
            vec!["E wrong-type steps[1].input.c"],
        ),
        ("[ '{{ vars.x }}' ]", vec!["E wrong-type steps[1].input"]),
        ("'{{ input }}'", vec![]),
        // A constant is held to all of the schema.
        (
            "{ a: 1, b: [x, 2] }",
            vec!["E wrong-type steps[1].input.b[1]"],
        ),
        ("7", vec!["E wrong-type steps[1].input"]),
    ] {
        assert_eq!(
            step(&format!("input: {input}, {schema}")),
            expected,
            "{input}"
        );
    }
}

#[test]
fn outputs_and_what_is_handed_on_to_a_state_are_held_to_their_schemas() {
    let schema = "output_schema: { type: object, required: [a] }";
    let found_of = |fields: &str| step(&format!("{schema}, {fields}"));
    assert_eq!(
        found_of("output: { b: '{{ output }}' }"),
        ["E wrong-type steps[1].output"]
    );
    assert_eq!(found_of("output: { a: '{{ output }}' }"), [""; 0]);
    let source = with_steps(&format!("{TYPED}\noutput: {{ title: 3 }}"), &[PLAN]);
    assert_eq!(found(&source), ["E wrong-type output.title"]);
    let states = [
        "id: a, agent: x, next: [ { to: b, input: { n: 'no {{ output }}' } } ]",
        "id: b, agent: x, input_schema: { properties: { n: { type: number } } }",
    ];
    let source = with_steps("mode: STATES", &states);
    assert_eq!(found(&source), ["E wrong-type steps[0].next[0].input.n"]);
}
