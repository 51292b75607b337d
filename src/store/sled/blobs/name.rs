//! The name of a blob: the SHA-256 of its bytes.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// How long a name is, in bytes.
pub const NAME_BYTES: usize = 32;

/// The name of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name([u8; NAME_BYTES]);

impl Name {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes the bytes of a name; `None` when they are not 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut name = [0; NAME_BYTES];
        let digits = text.as_bytes();
        if digits.len() != 2 * NAME_BYTES {
            return None;
        }
        for (byte, pair) in name.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
        Some(Self(name))
    }

    /// Where its file lies below the directory of blobs: `ab/cdef…`.
    pub fn path(&self, directory: &Path) -> PathBuf {
        let text = self.to_string();
        let (first, rest) = text.split_at(2);
        directory.join(first).join(rest)
    }

    /// The name that a file has below the directory of blobs; `None` for any other file.
    pub fn of_file(first: &str, rest: &str) -> Option<Self> {
        Self::parse(&format!("{first}{rest}"))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        let name = Name::of(b"payload");
        assert_eq!(Name::parse(&name.to_string()), Some(name));
        assert_eq!(Name::parse("zz"), None);
        assert_eq!(Name::from_slice(name.as_bytes()), Some(name));
        let path = name.path(Path::new("blobs"));
        assert!(path.starts_with(format!("blobs/{:02x}", name.0[0])));
    }
}
