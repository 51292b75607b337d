//! One thing to say about a definition: the shared shape of all validation.

pub use crate::proto::Finding;
use crate::proto::finding::Severity;

/// A finding that keeps the definition from being registered.
pub fn error(
    path: impl Into<String>,
    rule: &str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Finding {
    finding(Severity::Error, path, rule, message, hint)
}

/// A finding about something that is likely not meant.
pub fn warning(
    path: impl Into<String>,
    rule: &str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Finding {
    finding(Severity::Warning, path, rule, message, hint)
}

/// True when one of the findings is an error.
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity() == Severity::Error)
}

/// The known name nearest to `given`, when near enough to be meant.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        // The difference in characters bounds the distance from below and is cheap to know.
        .filter(|name| {
            let apart = given.chars().count().abs_diff(name.chars().count());
            apart <= distance_max(given, name)
        })
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| *distance <= distance_max(given, name))
        .min()
        .map(|(_, name)| name)
}

/// How many edits apart two names may be for one to be meant by the other.
fn distance_max(given: &str, name: &str) -> usize {
    1 + name.len().max(given.len()) / 4
}

fn finding(
    severity: Severity,
    path: impl Into<String>,
    rule: &str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Finding {
    Finding {
        severity: severity.into(),
        path: path.into(),
        rule: rule.into(),
        message: message.into(),
        hint: hint.into(),
        line: 0,
        column: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant_when_near_enough() {
        let known = ["timeout", "retry", "total_timeout", "größe"];
        assert_eq!(did_you_mean("timeuot", known), Some("timeout"));
        assert_eq!(did_you_mean("grösse", known), Some("größe"));
        assert_eq!(did_you_mean("when", known), None);
        assert_eq!(did_you_mean("", known), None);
    }
}
