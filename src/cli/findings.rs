//! What is said about definitions: one line for each finding, in the form editors and
//! people know from compilers.

use super::output::{Paint, Tone};
use crate::proto::{Finding, finding::Severity};

/// `file:line:column: error[rule] path: message (hint)`.
pub fn line(label: &str, finding: &Finding, paint: Paint) -> String {
    let (severity, tone) = match finding.severity() {
        Severity::Error | Severity::Unspecified => ("error", Tone::Bad),
        Severity::Warning => ("warning", Tone::Warn),
    };
    let mut text = place(label, finding);
    text.push_str(": ");
    text.push_str(&paint.tone(tone, &format!("{severity}[{}]", finding.rule)));
    if !finding.path.is_empty() {
        text.push(' ');
        text.push_str(&finding.path);
    }
    text.push_str(": ");
    text.push_str(&finding.message);
    if !finding.hint.is_empty() {
        text.push_str(&format!(" ({})", finding.hint));
    }
    text
}

/// Prints all findings to stderr.
pub fn print(label: &str, findings: &[Finding], paint: Paint) {
    for finding in findings {
        eprintln!("{}", line(label, finding, paint));
    }
}

fn place(label: &str, finding: &Finding) -> String {
    match (finding.line, finding.column) {
        (0, _) => label.to_owned(),
        (line, 0) => format!("{label}:{line}"),
        (line, column) => format!("{label}:{line}:{column}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::finding::{error, warning};

    #[test]
    fn a_finding_is_one_line_with_its_place_rule_and_hint() {
        let mut finding = error(
            "steps[2].agent",
            "unknown-field",
            "no such field",
            "remove it",
        );
        finding.line = 7;
        finding.column = 5;
        assert_eq!(
            line("a.yaml", &finding, Paint::new(false)),
            "a.yaml:7:5: error[unknown-field] steps[2].agent: no such field (remove it)"
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let finding = warning("", "empty", "nothing to do", "");
        assert_eq!(
            line("a.yaml", &finding, Paint::new(false)),
            "a.yaml: warning[empty]: nothing to do"
        );
    }
}
