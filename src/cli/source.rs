//! Definitions as the command line names them: a file, stdin, or a registered name.

use std::{io::Read as _, path::Path};

use super::failure::Failure;

/// What FILE|NAME names.
#[derive(Debug, PartialEq, Eq)]
pub enum Subject {
    /// The text of a file.
    File(SourceFile),
    /// A registered workflow: its name and version, 0 for the newest.
    Registered {
        /// The name.
        name: String,
        /// The version; 0: the newest.
        version: u32,
    },
}

/// The text of a definition and what to call it in messages.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path as given, or `<stdin>`.
    pub label: String,
    /// Its text.
    pub text: String,
}

impl Subject {
    /// Reads FILE or takes NAME or NAME@VERSION. A file is what exists as one, has a path
    /// separator, or ends in `.yaml`, `.yml` or `.json`; `-` is stdin.
    ///
    /// # Errors
    /// `Failure::Usage` for a file that cannot be read or a version that is no number.
    pub fn of(given: &str) -> Result<Self, Failure> {
        if names_a_file(given) {
            return SourceFile::read(given).map(Self::File);
        }
        let (name, version) = match given.split_once('@') {
            None => (given, 0),
            Some((name, version)) => (name, parse_version(given, version)?),
        };
        Ok(Self::Registered {
            name: name.to_owned(),
            version,
        })
    }
}

impl SourceFile {
    /// Reads a file; `-` is stdin.
    ///
    /// # Errors
    /// `Failure::Usage` when it cannot be read.
    pub fn read(path: &str) -> Result<Self, Failure> {
        let (label, text) = if path == "-" {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            ("<stdin>", read.map(|_| text))
        } else {
            (path, std::fs::read_to_string(path))
        };
        match text {
            Ok(text) => Ok(Self {
                label: label.to_owned(),
                text,
            }),
            Err(e) => Err(Failure::Usage(format!("cannot read {label}: {e}"))),
        }
    }
}

fn names_a_file(given: &str) -> bool {
    let path = Path::new(given);
    let definition = path
        .extension()
        .is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
    given == "-" || definition || path.components().count() > 1 || path.is_file()
}

fn parse_version(given: &str, version: &str) -> Result<u32, Failure> {
    match version.parse() {
        Ok(version) if version > 0 => Ok(version),
        _ => Err(Failure::Usage(format!(
            "{given}: a version is a number from 1: NAME@3"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(name: &str, version: u32) -> Subject {
        Subject::Registered {
            name: name.to_owned(),
            version,
        }
    }

    #[test]
    fn a_name_may_carry_a_version() {
        assert_eq!(
            Subject::of("hello").expect("a name"),
            registered("hello", 0)
        );
        assert_eq!(
            Subject::of("hello@3").expect("a name"),
            registered("hello", 3)
        );
        assert_eq!(
            Subject::of("a.b-c").expect("a name"),
            registered("a.b-c", 0)
        );
    }

    #[test]
    fn what_looks_like_a_file_is_read_as_one() {
        for given in ["missing.yaml", "dir/missing", "missing.json"] {
            let refused = Subject::of(given).expect_err(given).to_string();
            assert!(
                refused.starts_with(&format!("cannot read {given}")),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_version_that_is_no_number_is_refused() {
        for given in ["hello@x", "hello@0", "hello@"] {
            assert!(
                Subject::of(given)
                    .expect_err(given)
                    .to_string()
                    .contains("NAME@3")
            );
        }
    }
}
