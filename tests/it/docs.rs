//! What the documents print is true: every definition in them validates, and so does every
//! example; what they link to is there; no call and no limit is left out.

mod commands;

use std::{
    fs,
    path::{Path, PathBuf},
};

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tutti::{
    core::{limits::Limits, plan},
    proto::{FILE_DESCRIPTOR_SET, finding::Severity},
};

#[test]
fn every_definition_in_the_documents_validates() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (line, source) in definitions(&text) {
            checked += 1;
            let place = format!("{}:{line}", page.display());
            wrong.extend(errors(&source).map(|error| format!("{place}: {error}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked >= 10, "only {checked} definitions were found");
}

#[test]
fn every_example_validates() {
    let examples: Vec<PathBuf> = files("examples", "yaml").collect();
    let wrong: Vec<String> = examples
        .iter()
        .flat_map(|example| {
            let source = fs::read_to_string(example).unwrap();
            let errors: Vec<String> = errors(&source).collect();
            let place = example.display().to_string();
            errors.into_iter().map(move |e| format!("{place}: {e}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!examples.is_empty());
}

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let around = page.parent().unwrap();
        for target in links(&text) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let linked = match file {
                "" => page.clone(),
                file => around.join(file),
            };
            let found = linked.exists() && (heading.is_empty() || has_heading(&linked, heading));
            if !found {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_call_is_in_the_page_about_the_api() {
    let page = read("docs/api.md");
    let calls = protos().into_iter().flat_map(|file| file.service);
    let names = calls.flat_map(|service| service.method).map(|m| m.name);
    let missing: Vec<String> = names
        .map(|name| name.unwrap())
        .filter(|name| !mentions(&page, name))
        .collect();
    assert!(missing.is_empty(), "not in docs/api.md: {missing:?}");
}

#[test]
fn every_limit_is_in_the_page_about_operations() {
    let page = read("docs/operations.md");
    let messages = protos().into_iter().flat_map(|file| file.message_type);
    let limits = messages.filter(|message| message.name() == "Limits");
    let fields: Vec<String> = limits
        .flat_map(|message| message.field)
        .map(|field| format!("`{}`", field.name()))
        .collect();
    assert!(!fields.is_empty());
    let missing: Vec<&String> = fields.iter().filter(|name| !page.contains(*name)).collect();
    assert!(missing.is_empty(), "not in docs/operations.md: {missing:?}");
}

fn protos() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let own = |file: &FileDescriptorProto| file.package() == "tutti.v1";
    set.file.into_iter().filter(own).collect()
}

fn read(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap()
}

/// True when the page has the word as a whole.
fn mentions(page: &str, word: &str) -> bool {
    page.split(|c: char| !c.is_alphanumeric())
        .any(|w| w == word)
}

/// The Markdown pages of the repository.
fn pages() -> impl Iterator<Item = PathBuf> {
    ["", "docs", "examples", "clients/python", "clients/rust"]
        .into_iter()
        .flat_map(|directory| files(directory, "md"))
}

fn files(directory: &str, extension: &str) -> impl Iterator<Item = PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries = fs::read_dir(&directory).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    paths.sort();
    paths.into_iter()
}

/// The fenced YAML blocks that are whole definitions, each with the line it begins in.
fn definitions(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        if line.trim_end() != "```yaml" {
            continue;
        }
        let block: Vec<(usize, &str)> = lines
            .by_ref()
            .take_while(|(_, line)| line.trim_end() != "```")
            .collect();
        if let Some((number, first)) = block.first()
            && first.starts_with("name:")
        {
            let text: Vec<&str> = block.iter().map(|(_, line)| *line).collect();
            found.push((number + 1, text.join("\n")));
        }
    }
    found
}

/// What makes a definition invalid.
fn errors(source: &str) -> impl Iterator<Item = String> {
    let checked = plan::check(source, &Limits::default());
    checked
        .findings
        .into_iter()
        .filter(|finding| finding.severity() == Severity::Error)
        .map(|f| format!("line {}: {}: {} ({})", f.line, f.path, f.message, f.hint))
}

/// The targets of Markdown links, those to other places left out.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://") && !target.contains(' '))
}

/// True when the page has a heading of this anchor, as GitHub makes them.
fn has_heading(page: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let mut anchors = headings.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    });
    anchors.any(|known| known == anchor)
}
