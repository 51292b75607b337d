//! The input of an execution as the command line takes it: JSON, a file, stdin, or members
//! one by one.

use std::io::Read;

use clap::Args;
use serde_json::{Map, Value as Json};
use tonic::{Code, Status};

use super::failure::Failure;
use crate::core::value::{self, Value};

/// The options that give an execution its input.
#[derive(Clone, Debug, Default, Args)]
pub struct InputArgs {
    /// The input: JSON, @FILE with JSON, or - for JSON on stdin
    #[arg(long, short, value_name = "JSON|@FILE|-")]
    pub input: Option<String>,

    /// A member of the input: KEY=TEXT, KEY=@FILE (the file's text) or KEY:=JSON
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub members: Vec<String>,
}

impl InputArgs {
    /// The input; `None` when none was given.
    ///
    /// # Errors
    /// `Failure::Usage` for what cannot be read or is not JSON.
    pub fn read(&self) -> Result<Option<Value>, Failure> {
        let json = assemble(self, &mut std::io::stdin().lock())?;
        Ok(json.as_ref().map(value::from_json))
    }

    /// Why the input was refused; where a `--set` gave a text that is wanted as what it reads
    /// like, with the way to give that.
    pub fn refused(&self, status: Status) -> Failure {
        let of_type = "is not of type";
        if status.code() != Code::InvalidArgument || !status.message().contains(of_type) {
            return status.into();
        }
        let texts = self.members.iter().filter_map(|m| m.split_once('='));
        let mut texts = texts.filter(|(key, _)| !key.ends_with(':'));
        let like =
            |text: &str| serde_json::from_str::<Json>(text).is_ok_and(|json| !json.is_string());
        let told = Failure::from(status);
        match texts.find(|(_, text)| like(text)) {
            Some((key, text)) => usage(format!(
                "{told} (--set {key}={text} gives a text: write --set {key}:={text})"
            )),
            None => told,
        }
    }
}

fn assemble(args: &InputArgs, stdin: &mut impl Read) -> Result<Option<Json>, Failure> {
    let whole = match &args.input {
        Some(text) => Some(parse("--input", &fetch("--input", text, stdin)?)?),
        None => None,
    };
    if args.members.is_empty() {
        return Ok(whole);
    }
    let mut members = match whole {
        None => Map::new(),
        Some(Json::Object(members)) => members,
        Some(_) => {
            return Err(usage("--set adds members, but --input is not an object"));
        }
    };
    for member in &args.members {
        let (key, value) = parse_member(member, stdin)?;
        members.insert(key, value);
    }
    Ok(Some(Json::Object(members)))
}

/// `-`: stdin; `@FILE`: the file; anything else stands for itself.
///
/// # Errors
/// `Failure::Usage` for what cannot be read.
pub fn fetch(option: &str, text: &str, stdin: &mut impl Read) -> Result<String, Failure> {
    match text.strip_prefix('@') {
        Some("-") => read_stdin(option, stdin),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| usage(format!("{option}: cannot read {path}: {e}"))),
        None if text == "-" => read_stdin(option, stdin),
        None => Ok(text.to_owned()),
    }
}

fn read_stdin(option: &str, stdin: &mut impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    stdin
        .read_to_string(&mut text)
        .map_err(|e| usage(format!("{option}: cannot read stdin: {e}")))?;
    Ok(text)
}

fn parse(option: &str, text: &str) -> Result<Json, Failure> {
    serde_json::from_str(text).map_err(|e| {
        usage(format!(
            "{option} is not JSON: {e} (a file is given as @FILE, stdin as -)"
        ))
    })
}

fn parse_member(member: &str, stdin: &mut impl Read) -> Result<(String, Json), Failure> {
    let Some((key, given)) = member.split_once('=') else {
        return Err(usage(format!("--set {member}: write it as KEY=VALUE")));
    };
    let (name, is_json) = match key.strip_suffix(':') {
        Some(name) => (name, true),
        None => (key, false),
    };
    if name.is_empty() {
        return Err(usage(format!("--set {member}: the key is missing")));
    }
    let option = format!("--set {name}");
    // A lone `-` is a text like any other here; stdin is `@-`.
    let text = match given {
        "-" => given.to_owned(),
        _ => fetch(&option, given, stdin)?,
    };
    let value = if is_json {
        parse(&option, &text)?
    } else {
        Json::String(text)
    };
    Ok((name.to_owned(), value))
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::Usage(text.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(input: Option<&str>, members: &[&str], stdin: &str) -> Result<Option<Json>, String> {
        let args = InputArgs {
            input: input.map(str::to_owned),
            members: members.iter().map(|m| (*m).to_owned()).collect(),
        };
        assemble(&args, &mut stdin.as_bytes()).map_err(|f| f.to_string())
    }

    #[test]
    fn a_text_where_a_number_is_wanted_is_told_how_to_be_one() {
        let args = InputArgs {
            input: None,
            members: vec!["who=Ada".into(), "n=4".into()],
        };
        let refused = |message: &str| args.refused(Status::invalid_argument(message)).to_string();
        assert_eq!(
            refused("input/n: \"4\" is not of type \"number\""),
            "input/n: \"4\" is not of type \"number\" \
             (--set n=4 gives a text: write --set n:=4)"
        );
        assert_eq!(refused("input: is required"), "input: is required");
    }

    #[test]
    fn input_is_json_or_stdin_or_nothing() {
        assert_eq!(read(Some(r#"{"a":1}"#), &[], ""), Ok(Some(json!({"a": 1}))));
        assert_eq!(read(Some("-"), &[], "[1,2]"), Ok(Some(json!([1, 2]))));
        assert_eq!(read(None, &[], ""), Ok(None));
    }

    #[test]
    fn input_may_be_a_file() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), r#"{"from":"file"}"#).expect("it is written");
        let given = format!("@{}", file.path().display());
        assert_eq!(
            read(Some(&given), &[], ""),
            Ok(Some(json!({"from": "file"})))
        );
        let member = format!("text={given}");
        let expected = json!({"text": r#"{"from":"file"}"#});
        assert_eq!(read(None, &[&member], ""), Ok(Some(expected)));
    }

    #[test]
    fn members_are_text_unless_said_to_be_json() {
        let members = ["name=Ada", "age:=36", "note=a=b", "dash=-", "rest=@-"];
        assert_eq!(
            read(Some(r#"{"name":"x","kept":true}"#), &members, "piped"),
            Ok(Some(json!({
                "name": "Ada", "age": 36, "note": "a=b", "dash": "-", "rest": "piped", "kept": true
            })))
        );
    }

    #[test]
    fn what_cannot_be_used_is_said_with_the_option() {
        let said = |input, members: &[&str]| read(input, members, "").expect_err("it is refused");
        assert!(said(Some("{"), &[]).starts_with("--input is not JSON"));
        assert!(said(Some("@/no/such/file"), &[]).contains("cannot read /no/such/file"));
        assert!(said(Some("3"), &["a=b"]).contains("not an object"));
        assert!(said(None, &["a"]).contains("KEY=VALUE"));
        assert!(said(None, &["=b"]).contains("the key is missing"));
        assert!(said(None, &["a:=nope"]).starts_with("--set a is not JSON"));
    }
}
