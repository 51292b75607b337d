//! The commands that the documents and the examples print do what they say: each `tutti run` of an
//! example gives it an input that its schema takes.

use std::fs;

use serde_json::{Map, Value as Json};
use tutti::core::{definition, schema::Schema, value};

use super::{files, pages, read};

#[test]
fn every_printed_run_of_an_example_gives_what_its_schema_wants() {
    let sources = pages().chain(files("examples", "yaml"));
    let texts = sources.map(|page| fs::read_to_string(page).unwrap());
    let commands: Vec<String> = texts
        .flat_map(|text| runs(&text.replace("\\\n#", "")).collect::<Vec<_>>())
        .collect();
    let wrong: Vec<String> = commands.iter().filter_map(|run| fault(run)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(commands.len() >= 20, "only {} were found", commands.len());
}

/// What stands behind `tutti run ` for an example, to the end of the line or of the code.
fn runs(text: &str) -> impl Iterator<Item = String> {
    let found = text.split("tutti run ").skip(1);
    let commands = found.map(|rest| rest.split(['\n', '`', '|']).next().unwrap_or(""));
    commands
        .filter(|command| command.starts_with("examples/"))
        .map(str::to_owned)
}

/// What is wrong with a command.
fn fault(command: &str) -> Option<String> {
    let words = words(command);
    let file = &words[0];
    let definition = definition::parse(&read(file));
    let schema = definition.workflow.unwrap().input_schema?;
    let input = value::from_json(&input(&words[1..]));
    let broken = Schema::compile(&schema).unwrap().violations(&input);
    let why: Vec<String> = broken
        .into_iter()
        .map(|violation| format!("{} {}", violation.pointer, violation.message))
        .collect();
    (!why.is_empty()).then(|| format!("{command}: {}", why.join("; ")))
}

/// The input that the options give.
fn input(options: &[String]) -> Json {
    let mut whole = Json::Null;
    for pair in options.chunks(2) {
        match pair {
            [option, given] if option == "--input" => whole = json(given),
            [option, given] if option == "--set" => {
                let (key, given) = given.split_once('=').unwrap();
                let (key, member) = match key.strip_suffix(':') {
                    Some(key) => (key, json(given)),
                    None => (key, Json::String(content(given))),
                };
                if whole.is_null() {
                    whole = Json::Object(Map::new());
                }
                whole[key] = member;
            }
            other => panic!("{other:?}: teach the test this option"),
        }
    }
    whole
}

fn json(given: &str) -> Json {
    serde_json::from_str(&content(given)).unwrap()
}

/// A text, or that of the file it names.
fn content(given: &str) -> String {
    given.strip_prefix('@').map_or(given.to_owned(), read)
}

/// The words of a command, as a shell splits them, to the comment at its end.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.trim().chars() {
        let last = words.last_mut().unwrap();
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => last.push(c),
            ('\'' | '"', None) => quote = Some(c),
            (' ', None) if last.is_empty() => {}
            (' ', None) => words.push(String::new()),
            ('#', None) if last.is_empty() => break,
            (c, None) => last.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
