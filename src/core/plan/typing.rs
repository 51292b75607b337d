//! What can be seen of types before anything runs: members that are read though a schema has
//! none of that name, and values that cannot fulfil the schema they are held to. Only what is
//! certain, or a likely slip of the pen, is said; where a schema leaves room nothing is.

use super::compile::Compiler;
use crate::core::{
    expr::{Key, Read, References, Shape, Source, Template},
    finding::did_you_mean,
    schema::Schema,
    value::{self, Kind, Value},
};

/// Words of a schema that may let members in which its `properties` do not name.
const LEAVES_ROOM: [&str; 10] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "patternProperties",
];

impl<'a> Compiler<'a> {
    /// Warns of what is read and, by the schema of what it is read from, is not there.
    pub(super) fn check_reads(&mut self, references: &References) {
        for read in &references.reads {
            let Some(schema) = self.schema_of(&read.source) else {
                continue;
            };
            if let Err((message, hint)) = schema_at(schema, read) {
                self.warn("", "unknown-member", message, hint);
            }
        }
    }

    /// What is read here fulfils this schema, if any.
    fn schema_of(&self, source: &Source) -> Option<&'a Value> {
        match source {
            Source::Variable(name) if name == "input" => self.input_schema,
            Source::Variable(_) => None,
            Source::Output(id) => {
                let level = self.levels.iter().rev();
                let mut found = level.filter_map(|l| l.steps.get(*l.places.get(id.as_str())?));
                found.next()?.output_schema.as_ref()
            }
        }
    }

    /// Where what the template gives cannot fulfil the schema: place in the value, and why.
    pub(super) fn clashes(
        &self,
        template: Option<&Template>,
        schema: Option<&Value>,
        compiled: Option<&Schema>,
    ) -> Vec<(String, String)> {
        let mut clashes = Vec::new();
        let (Some(template), Some(schema), Some(compiled)) = (template, schema, compiled) else {
            return clashes;
        };
        match template.shape() {
            Shape::Constant(constant) => {
                let broken = compiled.violations(constant).into_iter();
                clashes.extend(broken.map(|v| (place(&v.pointer), v.message)));
            }
            shape => self.clash(schema, &shape, String::new(), &mut clashes),
        }
        clashes
    }

    /// Reports what cannot fulfil a schema, at `field`.
    pub(super) fn report_clashes(&mut self, field: &str, clashes: Vec<(String, String)>) {
        for (place, message) in clashes {
            let hint = "change the value or the schema: the step would fail with `validation`";
            self.error(&format!("{field}{place}"), "wrong-type", message, hint);
        }
    }

    fn clash(
        &self,
        schema: &Value,
        shape: &Shape<'_>,
        place: String,
        clashes: &mut Vec<(String, String)>,
    ) {
        let wanted = types(schema);
        let given = self.types_of(shape);
        if let (Some(wanted), Some(given)) = (&wanted, &given)
            && !given.iter().any(|given| fits(given, wanted))
        {
            let (given, wanted) = (given.join(" or "), wanted.join(" or "));
            clashes.push((
                place,
                format!("it gives {given}, the schema wants {wanted}"),
            ));
            return;
        }
        match shape {
            Shape::Object(members) => self.clash_of_members(schema, members, &place, clashes),
            Shape::List(items) => {
                if let Some(schema) = value::member(schema, "items") {
                    for (index, item) in items.iter().enumerate() {
                        self.clash(schema, item, format!("{place}[{index}]"), clashes);
                    }
                }
            }
            _ => {}
        }
    }

    fn clash_of_members(
        &self,
        schema: &Value,
        members: &[(&str, Shape<'_>)],
        place: &str,
        clashes: &mut Vec<(String, String)>,
    ) {
        let named = |name: &str| members.iter().any(|(member, _)| *member == name);
        for required in texts(value::member(schema, "required")) {
            if !named(required) {
                let message = format!("the schema wants a member `{required}`");
                clashes.push((place.to_owned(), message));
            }
        }
        for (name, shape) in members {
            let place = format!("{place}.{name}");
            match value::member(schema, "properties").and_then(|p| value::member(p, name)) {
                Some(schema) => self.clash(schema, shape, place, clashes),
                None if is_closed(schema) && !leaves_room(schema) => {
                    clashes.push((place, format!("the schema has no member `{name}`")));
                }
                None => {}
            }
        }
    }

    /// The types that a value of this shape may have; `None`: any.
    fn types_of(&self, shape: &Shape<'_>) -> Option<Vec<&'a str>> {
        let types = match shape {
            Shape::Constant(constant) => vec![type_of(constant)],
            Shape::Text => vec!["string"],
            Shape::List(_) => vec!["array"],
            Shape::Object(_) => vec!["object"],
            Shape::Read(read) => {
                let schema = self.schema_of(&read.source)?;
                return types(schema_at(schema, read).ok()??);
            }
            Shape::Unknown => return None,
        };
        Some(types)
    }
}

/// The schema that what is read fulfils; `None` where nothing is known of it.
///
/// # Errors
/// Message and hint, when by the schema nothing is there.
fn schema_at<'s>(schema: &'s Value, read: &Read) -> Result<Option<&'s Value>, (String, String)> {
    let mut at = schema;
    for (depth, key) in read.keys.iter().enumerate() {
        let below = match key {
            Key::Index(_) => value::member(at, "items"),
            Key::Name(name) => match value::member(at, "properties") {
                Some(properties) => match value::member(properties, name) {
                    Some(member) => Some(member),
                    None => return missing(at, properties, read, depth).map_or(Ok(None), Err),
                },
                None => return not_an_object(at, read, depth).map_or(Ok(None), Err),
            },
        };
        match below {
            Some(below) => at = below,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

fn missing(
    schema: &Value,
    properties: &Value,
    read: &Read,
    depth: usize,
) -> Option<(String, String)> {
    if leaves_room(schema) {
        return None;
    }
    let Some(Kind::StructValue(properties)) = &properties.kind else {
        return None;
    };
    let name = read.keys[depth].to_string();
    let mut known: Vec<&str> = properties.fields.keys().map(String::as_str).collect();
    known.sort_unstable();
    let near = did_you_mean(&name, known.iter().copied());
    if near.is_none() && !is_closed(schema) {
        return None;
    }
    let message = format!("by its schema `{}` has no `{name}`", read.upto(depth));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    Some((message, hint))
}

fn not_an_object(schema: &Value, read: &Read, depth: usize) -> Option<(String, String)> {
    let types = types(schema)?;
    if types.contains(&"object") {
        return None;
    }
    let (from, name, types) = (read.upto(depth), &read.keys[depth], types.join(" or "));
    let message = format!("by its schema `{from}` is {types}: it has no `{name}`");
    Some((
        message,
        "read the value itself, or change the schema".into(),
    ))
}

fn leaves_room(schema: &Value) -> bool {
    LEAVES_ROOM
        .iter()
        .any(|word| value::member(schema, word).is_some())
}

/// True when no members but those named are let in.
fn is_closed(schema: &Value) -> bool {
    ["additionalProperties", "unevaluatedProperties"]
        .iter()
        .filter_map(|word| value::member(schema, word))
        .any(|word| matches!(word.kind, Some(Kind::BoolValue(false))))
}

/// The types that a schema lets in; `None`: any, or what cannot be told.
fn types(schema: &Value) -> Option<Vec<&str>> {
    let types = value::member(schema, "type")?;
    let types = match &types.kind {
        Some(Kind::StringValue(one)) => vec![one.as_str()],
        _ => texts(Some(types)),
    };
    (!types.is_empty()).then_some(types)
}

fn texts(list: Option<&Value>) -> Vec<&str> {
    let Some(Kind::ListValue(list)) = list.and_then(|list| list.kind.as_ref()) else {
        return Vec::new();
    };
    let texts = list.values.iter().filter_map(|item| match &item.kind {
        Some(Kind::StringValue(text)) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn type_of(constant: &Value) -> &'static str {
    match &constant.kind {
        None | Some(Kind::NullValue(_)) => "null",
        Some(Kind::BoolValue(_)) => "boolean",
        Some(Kind::NumberValue(_)) => "number",
        Some(Kind::StringValue(_)) => "string",
        Some(Kind::ListValue(_)) => "array",
        Some(Kind::StructValue(_)) => "object",
    }
}

/// True when a value of this type may be let in; any number may be a whole one.
fn fits(given: &str, wanted: &[&str]) -> bool {
    let is_number = |name: &str| matches!(name, "number" | "integer");
    let mut wanted = wanted.iter();
    wanted.any(|wanted| *wanted == given || (is_number(wanted) && is_number(given)))
}

/// A JSON pointer as the path of a field.
fn place(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        match name.parse::<usize>() {
            Ok(index) => path.push_str(&format!("[{index}]")),
            Err(_) => path.push_str(&format!(".{name}")),
        }
    }
    path
}
