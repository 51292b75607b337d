//! `refine`: rounds of drafts and reviews.

use super::*;

const ARTICLE: &str = "
steps:
  - id: article
    input: { topic: '{{ input }}' }
    refine:
      draft: { agent: writer }
      review: { agent: reviewer }
      until: review.score >= 0.8
      revise: { agent: editor }
      max_rounds: 3
";

#[test]
fn a_draft_is_revised_until_its_review_accepts_it() {
    let mut case = given(ARTICLE, json!("moss"));
    assert_eq!(case.waiting(), ["article[1]/draft"]);
    assert_eq!(case.input("article[1]/draft"), json!({"topic": "moss"}));
    case.complete("article[1]/draft", json!("d1"));
    assert_eq!(
        case.input("article[1]/review"),
        json!({"input": {"topic": "moss"}, "draft": "d1", "round": 1})
    );
    case.complete("article[1]/review", json!({"score": 0.5}));
    assert_eq!(case.step("article[2]/draft"), StepState::Skipped);
    assert_eq!(
        case.input("article[2]/revise"),
        json!({"input": {"topic": "moss"}, "draft": "d1", "review": {"score": 0.5}, "round": 2})
    );
    case.complete("article[2]/revise", json!("d2"));
    assert_eq!(
        case.input("article[2]/review"),
        json!({"input": {"topic": "moss"}, "draft": "d2", "round": 2})
    );
    case.complete("article[2]/review", json!({"score": 0.9}));
    assert_eq!(
        case.output(),
        json!({"article": {"output": "d2", "review": {"score": 0.9}, "rounds": 2, "accepted": true}})
    );
}

#[test]
fn the_last_draft_is_given_when_none_was_accepted() {
    let mut case = given(ARTICLE, json!("moss"));
    case.complete("article[1]/draft", json!(1))
        .complete("article[1]/review", json!({"score": 0}));
    for round in 2..=3 {
        case.complete(&format!("article[{round}]/revise"), json!(round))
            .complete(&format!("article[{round}]/review"), json!({"score": 0}));
    }
    assert_eq!(
        case.output(),
        json!({"article": {"output": 3, "review": {"score": 0}, "rounds": 3, "accepted": false}})
    );
}

#[test]
fn who_drafts_revises_and_the_draft_speaks_for_itself_when_nobody_else_does() {
    let mut case = given(
        "
steps:
  - id: r
    refine:
      draft: { skill: writing, input: { first: '{{ previous }}' }, retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }
      until: draft > 1 || round == 4
    output: '{{ output.output }}'
",
        json!("x"),
    );
    assert_eq!(case.input("r[1]/draft"), json!({"first": "x"}));
    case.complete("r[1]/draft", json!(0));
    assert_eq!(
        case.input("r[2]/revise"),
        json!({"input": "x", "draft": 0, "review": null, "round": 2})
    );
    case.fail("r[2]/revise", "unavailable").after(1);
    case.complete("r[2]/revise", json!(1))
        .complete("r[3]/revise", json!(2));
    assert_eq!(case.output(), json!({"r": 2}));
}
