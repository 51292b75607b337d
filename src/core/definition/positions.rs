//! Where the fields of a definition stand in its text.

use std::collections::HashMap;

use crate::core::finding::Finding;

/// Line and column, from 1, of every field path that the text holds.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    places: HashMap<String, (u32, u32), foldhash::fast::RandomState>,
}

impl Positions {
    /// Line and column of a field, or of the nearest known one around it.
    pub fn find(&self, path: &str) -> Option<(u32, u32)> {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(*place);
            }
            if path.is_empty() {
                return None;
            }
            path = &path[..path.rfind(['.', '[']).unwrap_or(0)];
        }
    }

    /// Puts line and column on every finding that has none.
    pub fn locate(&self, findings: &mut [Finding]) {
        for finding in findings.iter_mut().filter(|f| f.line == 0) {
            if let Some((line, column)) = self.find(&finding.path) {
                finding.line = line;
                finding.column = column;
            }
        }
    }

    /// Remembers where a field stands.
    pub(super) fn put(&mut self, path: &str, place: (u32, u32)) {
        self.places.insert(path.to_owned(), place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_field_is_found() {
        let mut positions = Positions::default();
        positions.put("", (1, 1));
        positions.put("steps[2].retry", (7, 5));
        assert_eq!(positions.find("steps[2].retry.max_attempts"), Some((7, 5)));
        assert_eq!(positions.find("steps[2].retry"), Some((7, 5)));
        assert_eq!(positions.find("steps[3].id"), Some((1, 1)));
        assert_eq!(Positions::default().find("steps"), None);
    }
}
