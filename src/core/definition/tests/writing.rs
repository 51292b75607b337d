//! Writing, comparing and identifying definitions; any text at all.

use proptest::prelude::*;

use super::*;

#[test]
fn a_definition_is_written_as_it_can_be_read() {
    let workflow = parsed(WHOLE);
    assert_eq!(parsed(&to_yaml(&workflow)), workflow);
    assert_eq!(parsed(&to_json(&workflow)), workflow);
    let small = parsed(
        "name: a\ntimeout: 90m\nsteps: [{ id: x, agent: y, when: 'input.a > 1', input: '{{ input }}', timeout: 1.5s }]",
    );
    assert_eq!(
        to_yaml(&small),
        "name: a\nsteps:\n  - id: x\n    when: input.a > 1\n    input: \"{{ input }}\"\n    timeout: 1500ms\n    agent: y\ntimeout: 90m\n"
    );
}

#[test]
fn the_fingerprint_follows_the_content_alone() {
    let one = parsed("name: a\nlabels: { x: '1', y: '2', z: '3' }\ntimeout: 60s\nsteps: []");
    let same = parsed("steps: []\ntimeout: 1m\nlabels: { z: '3', y: '2', x: '1' }\nname: a");
    let other = parsed("name: a\nlabels: { x: '1', y: '2', z: '4' }\ntimeout: 60s\nsteps: []");
    assert_eq!(fingerprint(&one), fingerprint(&same));
    assert_ne!(fingerprint(&one), fingerprint(&other));
}

#[test]
fn differences_are_told_field_by_field() {
    let before = parsed(
        "name: a\ntimeout: 1m\nlabels: { x: '1' }\ntags: [p, q]\nsteps:\n- { id: one, agent: a }\n- { id: two, agent: b, input: { k: 1, l: 2 } }\n- { id: three, agent: c }\n",
    );
    let after = parsed(
        "name: a\nlabels: { x: '2' }\ntags: [p]\nsteps:\n- { id: two, agent: b, input: { k: 5, l: 2 }, timeout: 5s }\n- { id: one, call: { agent: a } }\n- { id: four, agent: d }\n",
    );
    let differences = diff(&before, &after);
    let paths: Vec<_> = differences
        .iter()
        .map(|d| (d.path.as_str(), d.before.is_some(), d.after.is_some()))
        .collect();
    assert_eq!(
        paths,
        [
            ("labels.x", true, true),
            ("tags[1]", true, false),
            ("steps", true, true),
            ("steps[two].input.k", true, true),
            ("steps[two].timeout", false, true),
            ("steps[one].agent", true, false),
            ("steps[one].call", false, true),
            ("steps[three]", true, false),
            ("steps[four]", false, true),
            ("timeout", true, false),
        ]
    );
    assert_eq!(differences[3].after, Some(crate::core::value::number(5.0)));
    assert_eq!(diff(&before, &before), []);
}

proptest! {
    #[test]
    fn reading_never_panics(source in "\\PC*") {
        let _ = parse(&source);
    }

    #[test]
    fn reading_yaml_like_text_never_panics(
        source in "(name|steps|- id|  agent|when|<<|[a-z]|: |\\n|\\t|\\[|\\]|\\{|\\}|,|&a |\\*a|!!str |'|\"|\\||\\? |---|  |5|true|#|\\\\u)*"
    ) {
        let _ = parse(&source);
    }

    #[test]
    fn any_text_survives_writing_and_reading(text in "[ -~\\n\\t\\u{85}\\u{a0}é😀]*", key in "[ -~]{1,8}") {
        let mut workflow = Workflow { name: text.clone(), description: text, ..Workflow::default() };
        workflow.labels.insert(key, "v".into());
        prop_assert_eq!(parse(&to_yaml(&workflow)).workflow, Some(workflow.clone()));
        prop_assert_eq!(parse(&to_json(&workflow)).workflow, Some(workflow));
    }
}
