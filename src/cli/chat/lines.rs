//! What is said: given beforehand, or line by line on stdin.

use std::{collections::VecDeque, io::BufRead as _};

use tokio::sync::mpsc;

use crate::cli::signals;

/// Lines read ahead of the turn; more wait in the pipe.
const LINES_AHEAD: usize = 1;

/// Where what is said comes from.
pub enum Lines {
    /// Known beforehand.
    Given(VecDeque<String>),
    /// Read by a thread of its own: a read of stdin cannot be given up.
    Stdin(mpsc::Receiver<String>),
}

/// What came next.
pub enum Line {
    /// A text.
    Text(String),
    /// Nothing more.
    End,
    /// Ctrl-C.
    Interrupt,
}

impl Lines {
    /// These, one after the other.
    pub fn given(texts: Vec<String>) -> Self {
        Self::Given(texts.into())
    }

    /// The lines of stdin.
    pub fn of_stdin() -> Self {
        let (sender, receiver) = mpsc::channel(LINES_AHEAD);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self::Stdin(receiver)
    }

    /// True when lines are read as they are written.
    pub fn is_stdin(&self) -> bool {
        matches!(self, Self::Stdin(_))
    }

    /// The next one.
    pub async fn next(&mut self) -> Line {
        match self {
            Self::Given(texts) => texts.pop_front().map_or(Line::End, Line::Text),
            Self::Stdin(lines) => tokio::select! {
                line = lines.recv() => line.map_or(Line::End, Line::Text),
                () = signals::interrupt() => Line::Interrupt,
            },
        }
    }
}
