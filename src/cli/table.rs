//! Tables: columns aligned by the width that a terminal gives them, no borders.

use console::measure_text_width;

use super::output::{Paint, Tone};

/// A table being filled.
#[derive(Debug)]
pub struct Table {
    headers: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// Text in a tone.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            // A cell is a line: whatever came over the wire must not break the table.
            text: text.into().replace(['\n', '\r', '\t'], " "),
            tone,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl Table {
    /// An empty table with these headers.
    pub fn new(headers: impl Into<Vec<&'static str>>) -> Self {
        Self {
            headers: headers.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: one cell for each header.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        let cells = cells.into();
        debug_assert_eq!(cells.len(), self.headers.len(), "one cell for each header");
        self.rows.push(cells);
    }

    /// The table as text, without a line end after the last row; `empty` when it has no rows.
    pub fn render(&self, paint: Paint, empty: &str) -> String {
        if self.rows.is_empty() {
            return empty.to_owned();
        }
        let widths = self.widths();
        let headers = self.headers.iter().map(|h| Cell::new(*h, Tone::Dim));
        let mut lines = vec![line(&headers.collect::<Vec<_>>(), &widths, paint)];
        lines.extend(self.rows.iter().map(|row| line(row, &widths, paint)));
        lines.join("\n")
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headers.iter().map(|h| measure_text_width(h)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(measure_text_width(&cell.text));
            }
        }
        widths
    }
}

/// One line; the last column is not padded, so that nothing trails.
fn line(cells: &[Cell], widths: &[usize], paint: Paint) -> String {
    let last = cells.iter().rposition(|c| !c.text.is_empty());
    let mut text = String::new();
    for (i, (cell, width)) in cells.iter().zip(widths).enumerate() {
        text.push_str(&paint.tone(cell.tone, &cell.text));
        if last.is_none_or(|last| i >= last) {
            break;
        }
        let gap = width - measure_text_width(&cell.text) + 2;
        text.push_str(&" ".repeat(gap));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let mut table = Table::new(["NAME", "STATE", "NOTE"]);
        table.row([Cell::from("größe"), "COMPLETED".into(), "".into()]);
        table.row([Cell::from("b"), "FAILED".into(), "two\nlines".into()]);
        assert_eq!(
            table.render(Paint::new(false), "none"),
            "NAME   STATE      NOTE\n\
             größe  COMPLETED\n\
             b      FAILED     two lines"
        );
    }

    #[test]
    fn a_table_without_rows_says_what_is_missing() {
        let table = Table::new(["NAME"]);
        assert_eq!(
            table.render(Paint::new(false), "no workflows"),
            "no workflows"
        );
    }
}
