//! The messages of a definition as data: their descriptors, and the names that the language
//! has but this version does not serve.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MessageDescriptor};

static WORKFLOW: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    DescriptorPool::decode(tutti_proto::v1::FILE_DESCRIPTOR_SET)
        .expect("the descriptors were written by the build")
        .get_message_by_name("tutti.v1.Workflow")
        .expect("the package has a workflow")
});

/// The descriptor of `tutti.v1.Workflow`.
pub fn workflow() -> MessageDescriptor {
    WORKFLOW.clone()
}

/// True when `name` is a kind of step of a later version.
pub fn is_later_kind(message: &str, name: &str) -> bool {
    message == "Step" && ["approval", "publish"].contains(&snake(name).as_str())
}

/// True when `name` is a field that the language has and this version does not serve.
pub fn is_later_field(message: &str, name: &str) -> bool {
    let later: &[&str] = match message {
        "Workflow" | "Step" => &["budget", "sla"],
        "Call" | "PatternCall" => &["hedge"],
        "Gate" => &["approval", "escalate"],
        "Wait" => &["event"],
        _ => &[],
    };
    later.contains(&snake(name).as_str())
}

/// True when `name` is an enum value that the language has and this version does not serve.
pub fn is_later_value(enumeration: &str, name: &str) -> bool {
    let later: &[&str] = match enumeration {
        "Select" => &["LOWEST_LATENCY", "LOWEST_COST", "WEIGHTED", "ADAPTIVE"],
        "OnViolation" => &["ESCALATE"],
        _ => &[],
    };
    later.contains(&name)
}

/// `maxAttempts` as `max_attempts`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
