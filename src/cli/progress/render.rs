//! The tree as lines: pure, so that tests see what a terminal sees.

use console::measure_text_width;

use super::{row::Row, tree::Tree, words::said};
use crate::{
    cli::{
        output::{Paint, Tone},
        time,
    },
    core::time::Time,
    proto::{execution::State, step_execution::State as StepState},
};

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// The widest that ids and doers may make their column.
const COLUMN_MAX: usize = 32;

/// A line: pieces of text with their tones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<(Tone, String)>);

impl Line {
    fn with(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }

    /// The line as a terminal of `width` columns takes it.
    pub fn paint(&self, paint: Paint, width: usize) -> String {
        let painted = self.0.iter().map(|(tone, text)| paint.tone(*tone, text));
        console::truncate_str(&painted.collect::<String>(), width, "…").into_owned()
    }
}

/// Every line of the tree at `now`; `frame` counts up to turn the spinners.
pub fn lines(tree: &Tree, now: Time, frame: usize) -> Vec<Line> {
    let mut lines = vec![headline(tree, now)];
    lines.extend(
        step_lines(tree, now, frame)
            .into_iter()
            .map(|(_, line)| line),
    );
    lines
}

/// As `lines`, but at most `height` of them: the steps of least interest are left out and
/// counted in a last line.
pub fn lines_within(tree: &Tree, now: Time, frame: usize, height: usize) -> Vec<Line> {
    let steps = step_lines(tree, now, frame);
    let mut lines = vec![headline(tree, now)];
    if steps.len() < height {
        lines.extend(steps.into_iter().map(|(_, line)| line));
        return lines;
    }
    let room = height.saturating_sub(2);
    let hidden = steps.len() - room;
    lines.extend(of_most_interest(steps, room));
    lines.push(Line::default().with(Tone::Dim, format!("   … and {hidden} more steps")));
    lines
}

/// The `room` lines of most interest, in their order.
fn of_most_interest(steps: Vec<(u8, Line)>, room: usize) -> Vec<Line> {
    let mut ranked: Vec<(u8, usize)> = steps.iter().map(|s| s.0).zip(0..).collect();
    ranked.sort_unstable();
    let mut kept: Vec<usize> = ranked.into_iter().take(room).map(|(_, i)| i).collect();
    kept.sort_unstable();
    let mut lines: Vec<Option<Line>> = steps.into_iter().map(|(_, line)| Some(line)).collect();
    kept.into_iter().filter_map(|i| lines[i].take()).collect()
}

fn headline(tree: &Tree, now: Time) -> Line {
    let version = match tree.version {
        0 => String::new(),
        version => format!(" v{version}"),
    };
    let (ended, known) = tree.progress();
    let elapsed = tree
        .started
        .map(|started| time::span(tree.ended.unwrap_or(now).since(started)))
        .unwrap_or_default();
    let mut line = Line::default()
        .with(Tone::Strong, format!("{}{version}", tree.workflow))
        .with(Tone::Plain, "  ")
        .with(state_tone(tree.state), tree.state.as_str_name())
        .with(Tone::Plain, format!("  {ended}/{known} steps  {elapsed}"));
    if tree.attempt > 1 {
        line = line.with(Tone::Warn, format!("  attempt {}", tree.attempt));
    }
    if let Some(due) = tree.due {
        let wait = time::span(due.since(now));
        line = line.with(Tone::Warn, format!("  tries again in {wait}"));
    }
    if let Some(error) = &tree.error {
        line = line.with(Tone::Bad, format!("  {}", said(Some(error))));
    }
    line.with(Tone::Dim, format!("  {}", tree.execution_id))
}

/// The colour of an execution's state.
pub fn state_tone(state: State) -> Tone {
    match state {
        State::Completed => Tone::Good,
        State::Failed | State::TimedOut => Tone::Bad,
        State::Running => Tone::Busy,
        State::Waiting | State::Paused | State::Compensating | State::Cancelled => Tone::Warn,
        State::Unspecified | State::Pending => Tone::Dim,
    }
}

/// A line for each step, with its rank: the lower, the more it matters.
fn step_lines(tree: &Tree, now: Time, frame: usize) -> Vec<(u8, Line)> {
    let branches = branches(&tree.rows);
    let label = |row: &Row, branch: &str| measure_text_width(branch) + measure_text_width(row.id());
    let pairs = || tree.rows.iter().zip(&branches);
    let labels = pairs().map(|(r, b)| label(r, b)).max().unwrap_or(0);
    let doers = tree.rows.iter().map(|r| measure_text_width(&r.doer));
    let doers = doers.max().unwrap_or(0).min(COLUMN_MAX);
    pairs()
        .map(|(row, branch)| {
            let gap = " ".repeat(labels - label(row, branch) + 2);
            let doer = console::pad_str(&row.doer, doers, console::Alignment::Left, Some("…"));
            let (symbol, tone) = symbol(row, tree.has_ended(), frame);
            let line = Line::default()
                .with(Tone::Dim, branch.as_str())
                .with(tone, symbol)
                .with(Tone::Plain, format!(" {}{gap}", row.id()))
                .with(Tone::Dim, format!("{doer}  "));
            (rank(row.state), describe(line, row, now))
        })
        .collect()
}

/// The branches of the tree in front of each row: `├─ `, `│  └─ `, …
fn branches(rows: &[Row]) -> Vec<String> {
    let is_last = |i: usize| {
        let depth = rows[i].depth();
        let mut rest = rows[i + 1..].iter().map(Row::depth);
        rest.find(|d| *d <= depth).is_none_or(|d| d < depth)
    };
    let mut open: Vec<bool> = Vec::new();
    let mut branches = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let last = is_last(i);
        open.resize(row.depth(), false);
        let around = open.iter().map(|open| if *open { "│  " } else { "   " });
        let own = if last { "└─ " } else { "├─ " };
        branches.push(around.chain([own]).collect());
        open.push(!last);
    }
    branches
}

fn symbol(row: &Row, over: bool, frame: usize) -> (&'static str, Tone) {
    match row.state {
        StepState::Completed => ("✔", Tone::Good),
        StepState::Failed if row.tolerated => ("✖", Tone::Warn),
        StepState::Failed => ("✖", Tone::Bad),
        StepState::Running if !over => (SPINNER[frame % SPINNER.len()], Tone::Busy),
        StepState::Waiting if !over => ("◌", Tone::Warn),
        StepState::Retrying if !over => ("↻", Tone::Warn),
        StepState::Skipped => ("⊘", Tone::Dim),
        StepState::Cancelled => ("■", Tone::Warn),
        StepState::Compensated => ("↶", Tone::Warn),
        _ => ("○", Tone::Dim),
    }
}

/// What is said of a step after its name: how long, which attempt, what of it.
fn describe(line: Line, row: &Row, now: Time) -> Line {
    let line = match row.state {
        StepState::Pending | StepState::Unspecified => return line,
        StepState::Skipped => line.with(Tone::Dim, "skipped"),
        StepState::Retrying => line.with(Tone::Warn, retrying(row, now)),
        StepState::Waiting if row.note.is_empty() => line.with(Tone::Dim, "queued"),
        StepState::Waiting => line,
        _ => line.with(Tone::Plain, took(row, now)),
    };
    let line = match &row.items {
        Some(items) => line.with(Tone::Plain, format!("  {}", items.words())),
        None => line,
    };
    if row.note.is_empty() {
        return line;
    }
    let tone = match row.state {
        StepState::Failed if !row.tolerated => Tone::Bad,
        StepState::Failed | StepState::Retrying | StepState::Waiting => Tone::Warn,
        _ => Tone::Dim,
    };
    let first = line.0.last().is_some_and(|(_, text)| text.ends_with("  "));
    let gap = if first { "" } else { "  " };
    line.with(tone, format!("{gap}{}", row.note.replace('\n', " ")))
}

fn took(row: &Row, now: Time) -> String {
    let Some(started) = row.started else {
        return String::new();
    };
    let span = time::span(row.ended.unwrap_or(now).since(started));
    match row.attempt {
        0 | 1 => span,
        attempt => format!("{span}  attempt {attempt}"),
    }
}

fn retrying(row: &Row, now: Time) -> String {
    let of = match row.max_attempts {
        0 => String::new(),
        most => format!(" of {most}"),
    };
    let wait = row
        .due
        .map(|due| time::span(due.since(now)))
        .unwrap_or_default();
    format!("attempt {}{of} in {wait}", row.attempt)
}

fn rank(state: StepState) -> u8 {
    match state {
        StepState::Failed => 0,
        StepState::Running | StepState::Retrying => 1,
        StepState::Waiting | StepState::Cancelled => 2,
        StepState::Pending | StepState::Unspecified => 3,
        StepState::Completed | StepState::Skipped | StepState::Compensated => 4,
    }
}
