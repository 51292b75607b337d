//! Where a watch is shown: as a live tree on a terminal, as lines elsewhere, as JSON for
//! programs, or not at all.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    journal,
    render::{self, Line},
    tree::Tree,
};
use crate::{
    cli::{failure::Failure, global::Global, json, output, output::Paint, time},
    proto::Event,
};

/// Shows a watch.
#[derive(Debug)]
pub enum View {
    /// A tree that is drawn again and again, on a terminal's stderr.
    Live(Live),
    /// One line for each event, on stderr.
    Lines,
    /// One JSON document for each event, a line each, on stdout.
    Json,
}

/// The live tree.
#[derive(Debug)]
pub struct Live {
    bar: ProgressBar,
    paint: Paint,
    frame: usize,
}

impl View {
    /// The live tree on a terminal, lines elsewhere.
    pub fn progress(global: &Global) -> Self {
        if console::user_attended_stderr() {
            Self::Live(Live::new(global.stderr()))
        } else {
            Self::Lines
        }
    }

    /// Shows an event that the tree has taken in.
    ///
    /// # Errors
    /// Those of writing to stdout.
    pub fn event(&mut self, tree: &Tree, event: &Event) -> Result<(), Failure> {
        match self {
            Self::Live(_) => Ok(()),
            Self::Lines => {
                eprintln!("{}", journal::line(event, tree.started));
                Ok(())
            }
            Self::Json => output::print(&json::line(event, "tutti.v1.Event")?),
        }
    }

    /// Shows that time has passed.
    pub fn tick(&mut self, tree: &Tree) {
        if let Self::Live(live) = self {
            live.draw(tree);
        }
    }

    /// Shows what a step waits for; told once for each change.
    pub fn waiting(&mut self, path: &str, note: &str) {
        if let Self::Lines = self {
            eprintln!("{path}  {note}");
        }
    }

    /// Leaves the tree as it stands.
    pub fn finish(&mut self, tree: &Tree) {
        if let Self::Live(live) = self {
            live.finish(tree);
        }
    }
}

impl Live {
    fn new(paint: Paint) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg}").expect("the template is well-formed");
        bar.set_style(style);
        Self {
            bar,
            paint,
            frame: 0,
        }
    }

    fn draw(&mut self, tree: &Tree) {
        self.frame = self.frame.wrapping_add(1);
        let (height, width) = size();
        let lines = render::lines_within(tree, time::now(), self.frame, height.saturating_sub(1));
        self.bar.set_message(self.text(&lines, width));
        self.bar.tick();
    }

    /// Takes the moving tree away and leaves the whole one, however long it is.
    fn finish(&mut self, tree: &Tree) {
        self.bar.finish_and_clear();
        let lines = render::lines(tree, time::now(), self.frame);
        let (_, width) = size();
        eprintln!("{}", self.text(&lines, width));
    }

    fn text(&self, lines: &[Line], width: usize) -> String {
        let painted: Vec<String> = lines.iter().map(|l| l.paint(self.paint, width)).collect();
        painted.join("\n")
    }
}

/// Rows and columns of the terminal.
fn size() -> (usize, usize) {
    let (rows, columns) = console::Term::stderr().size();
    (usize::from(rows), usize::from(columns))
}
