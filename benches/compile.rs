//! Reading and compiling large definitions, without a server: what ValidateWorkflow and
//! RegisterWorkflow do with a text.
//!
//! `cargo bench --bench compile` prints, for several workflows of 1,000 steps, the milliseconds
//! of reading the text and of compiling and validating what was read, and how both grow when
//! there are twice as many steps: 2 is linear. Each is the best of some runs: what else the
//! machine does makes a run longer, never shorter. `TUTTI_BENCH_STEPS` sets the number of steps.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use tutti::core::{definition, limits::Limits, plan};

const RUNS: usize = 15;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Writes a definition with so many steps.
type Shape = fn(usize) -> String;

fn main() {
    let set = std::env::var("TUTTI_BENCH_STEPS").ok();
    let steps = set.and_then(|v| v.parse().ok()).unwrap_or(1_000);
    println!(
        "{steps:>8} steps {:>10} {:>12} {:>16}",
        "read ms", "compile ms", "growth, 2x steps"
    );
    let shapes: [(&str, Shape); 6] = [
        ("sequence", sequence),
        ("graph", graph),
        ("blocks", blocks),
        ("states", states),
        ("typed", typed),
        ("typed apart", typed_apart),
    ];
    for (name, shape) in shapes {
        let (read, compiled) = measure(&shape(steps));
        let (read_2, compiled_2) = measure(&shape(2 * steps));
        let growth = |once: Duration, twice: Duration| twice.as_secs_f64() / once.as_secs_f64();
        println!(
            "{name:>14} {:>10.1} {:>12.1} {:>8.1} {:>7.1}",
            read.as_secs_f64() * 1e3,
            compiled.as_secs_f64() * 1e3,
            growth(read, read_2),
            growth(compiled, compiled_2),
        );
    }
}

/// The least time of reading and of compiling a text that is right.
fn measure(source: &str) -> (Duration, Duration) {
    let limits = Limits::default();
    let mut least = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let parsed = definition::parse(source);
        let read = begun.elapsed();
        let workflow = parsed
            .workflow
            .unwrap_or_else(|| panic!("{:?}", parsed.findings));
        let begun = Instant::now();
        let compiled = plan::compile(&workflow, &limits);
        let compiling = begun.elapsed();
        let findings = compiled
            .map(|c| c.warnings)
            .unwrap_or_else(|findings| findings);
        assert_eq!(findings, []);
        least = (least.0.min(read), least.1.min(compiling));
    }
    least
}

fn head(mode: &str) -> String {
    format!("name: large\nmode: {mode}\ninput_schema: {{ type: object, required: [id] }}\nsteps:\n")
}

/// Each reads the one before, with the usual policies.
fn sequence(count: usize) -> String {
    let mut source = head("SEQUENCE");
    for n in 0..count {
        let before = match n {
            0 => "input.id".to_owned(),
            n => format!("steps.step-{}.output.text", n - 1),
        };
        let _ = write!(
            source,
            "- id: step-{n}
  agent: worker-{}
  when: vars.round > {n} || {before} != ''
  input: {{ text: \"{{{{ {before} }}}}\", note: \"Order {{{{ input.id }}}}, part {n}\" }}
  timeout: 30s
  retry: {{ preset: API_CALL, max_attempts: 3 }}
  save: {{ last: \"{{{{ output.text }}}}\" }}
",
            n % 7
        );
    }
    source
}

/// Each depends on some before it, by name and by what it reads.
fn graph(count: usize) -> String {
    let mut source = head("GRAPH");
    for n in 0..count {
        let _ = writeln!(source, "- id: step-{n}\n  agent: worker");
        if n > 3 {
            let (a, b, c) = (n - 1, n / 2, n / 3);
            let _ = writeln!(
                source,
                "  depends_on: [step-{a}]
  input: {{ half: \"{{{{ steps.step-{b}.output }}}}\", third: \"{{{{ steps.step-{c}.output.x }}}}\" }}"
            );
        }
    }
    source
}

/// Ten steps a block.
fn blocks(count: usize) -> String {
    let mut source = head("SEQUENCE");
    for block in 0..count / 11 {
        let _ = writeln!(
            source,
            "- id: block-{block}\n  block:\n    mode: PARALLEL\n    steps:"
        );
        for n in 0..10 {
            let _ = writeln!(
                source,
                "    - {{ id: step-{n}, agent: worker, input: \"{{{{ input.id }}}} {n}\" }}"
            );
        }
    }
    source
}

/// Each leads on to the next, or back to the first.
fn states(count: usize) -> String {
    let mut source = head("STATES");
    for n in 0..count {
        let _ = writeln!(source, "- id: step-{n}\n  agent: worker");
        if n + 1 < count {
            let _ = writeln!(
                source,
                "  next: [ {{ when: output.score < 3, to: step-0 }}, {{ to: step-{} }} ]",
                n + 1
            );
        }
    }
    source
}

/// Each with schemas and gates, the same for all.
fn typed(count: usize) -> String {
    with_types(count, |_| "text".to_owned())
}

/// Each with schemas of its own.
fn typed_apart(count: usize) -> String {
    with_types(count, |n| format!("text{n}"))
}

fn with_types(count: usize, member: impl Fn(usize) -> String) -> String {
    let mut source = head("SEQUENCE");
    for n in 0..count {
        let member = member(n);
        let _ = writeln!(
            source,
            "- id: step-{n}
  agent: worker
  input_schema: {{ type: object, required: [{member}], properties: {{ {member}: {{ type: string, minLength: 1 }} }} }}
  output_schema: {{ type: object, required: [{member}], properties: {{ {member}: {{ type: string }} }} }}
  gates: {{ after: [ {{ regex: '[.!?]$' }}, {{ cel: \"output.{member} != ''\" }} ] }}"
        );
    }
    source
}
