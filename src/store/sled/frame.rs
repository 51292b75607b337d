//! How a record lies in a segment: a fixed header, little-endian, and the payload.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | the segment's mark, made from its salt |
//! | 4..8 | CRC32C of the segment's salt and all that follows here |
//! | 8..12 | length of the payload |
//! | 12..20 | commit number |
//! | 20..28 | running hash: XXH3 of the payload, seeded with the hash of the commit before |
//! | 28.. | payload |
//!
//! The salt, drawn for each segment, makes what an earlier use of a recycled segment left
//! behind unreadable, and keeps anyone from putting bytes into a payload that read, or only
//! begin, as a record.

use twox_hash::XxHash3_64;

/// Where a history stands: a commit and the hash of all payloads up to it. The beginning is
/// commit 0 with hash 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The commit's number, from 1 without gaps.
    pub commit: u64,
    /// The running hash after it.
    pub hash: u64,
}

impl Position {
    /// Where the history stands once this payload is committed.
    pub fn after(self, payload: &[u8]) -> Self {
        Self {
            commit: self.commit + 1,
            hash: XxHash3_64::oneshot_with_seed(self.hash, payload),
        }
    }

    /// How it is kept in the state.
    pub fn to_bytes(self) -> Vec<u8> {
        [self.commit.to_be_bytes(), self.hash.to_be_bytes()].concat()
    }

    /// Reads it; `None` when it is not whole.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (commit, hash) = bytes.split_first_chunk()?;
        Some(Self {
            commit: u64::from_be_bytes(*commit),
            hash: u64::from_be_bytes(hash.try_into().ok()?),
        })
    }
}

/// The size of a record's header, in bytes.
pub const HEADER_BYTES: usize = 28;
const MARK_BYTES: usize = 4;
const CHECKED_FROM: usize = 8;

/// A record, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Where the history stands after it, as the record says.
    pub position: Position,
    /// What it holds.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Its size in the segment, in bytes.
    pub fn bytes(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }
}

/// Why there is no record to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was written here.
    Nothing,
    /// Something was, and it is not a whole record.
    Broken(&'static str),
}

/// Writes a record whose payload is given in parts and, behind it, an empty header: the end,
/// until the next record is written over it. Gives where the history stands after it.
///
/// # Panics
/// When the payload's length does not fit 32 bits.
pub fn write(into: &mut Vec<u8>, salt: u64, before: Position, parts: &[&[u8]]) -> Position {
    into.clear();
    into.extend([0; HEADER_BYTES]);
    for part in parts {
        into.extend_from_slice(part);
    }
    let payload = &into[HEADER_BYTES..];
    let length = u32::try_from(payload.len()).expect("the caller bounds groups below 4 GiB");
    let position = before.after(payload);
    into[..MARK_BYTES].copy_from_slice(&mark(salt));
    into[8..12].copy_from_slice(&length.to_le_bytes());
    into[12..20].copy_from_slice(&position.commit.to_le_bytes());
    into[20..HEADER_BYTES].copy_from_slice(&position.hash.to_le_bytes());
    let crc = checksum(salt, &into[CHECKED_FROM..]);
    into[MARK_BYTES..CHECKED_FROM].copy_from_slice(&crc.to_le_bytes());
    into.extend([0; HEADER_BYTES]);
    position
}

/// Reads the record that begins here.
///
/// # Errors
/// A `Fault` when there is none.
pub fn read(bytes: &[u8], salt: u64) -> Result<Frame<'_>, Fault> {
    let Some(header) = bytes.get(..HEADER_BYTES) else {
        return Err(if bytes.iter().all(|byte| *byte == 0) {
            Fault::Nothing
        } else {
            Fault::Broken("the record's header is cut short")
        });
    };
    if header.iter().all(|byte| *byte == 0) {
        return Err(Fault::Nothing);
    }
    if header[..MARK_BYTES] != mark(salt) {
        return Err(Fault::Broken("no record begins here"));
    }
    let length = number::<4>(&header[8..12]) as usize;
    let Some(payload) = bytes[HEADER_BYTES..].get(..length) else {
        return Err(Fault::Broken("the record is cut short"));
    };
    let crc = checksum(salt, &bytes[CHECKED_FROM..HEADER_BYTES + length]);
    if u64::from(crc) != number::<4>(&header[4..8]) {
        return Err(Fault::Broken("the record's checksum does not fit"));
    }
    Ok(Frame {
        position: Position {
            commit: number::<8>(&header[12..20]),
            hash: number::<8>(&header[20..28]),
        },
        payload,
    })
}

/// Where a whole record with a later commit than `after` begins, if one does anywhere.
pub fn find(bytes: &[u8], salt: u64, after: u64) -> Option<usize> {
    let [begin, ..] = mark(salt);
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| *byte == begin) {
        let at = from + found;
        if read(&bytes[at..], salt).is_ok_and(|frame| frame.position.commit > after) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// What each record of a segment begins with. No byte is zero, so that zeros are passed fast.
fn mark(salt: u64) -> [u8; MARK_BYTES] {
    let bytes = salt.to_le_bytes();
    [bytes[0] | 1, bytes[1] | 1, bytes[2] | 1, bytes[3] | 1]
}

/// A little-endian number of at most 8 bytes.
fn number<const N: usize>(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..N].copy_from_slice(bytes);
    u64::from_le_bytes(wide)
}

fn checksum(salt: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SALT: u64 = 7;

    fn record(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (begin, end) = payload.split_at(payload.len() / 2);
        let after = write(&mut bytes, SALT, Position::default(), &[begin, end]);
        assert_eq!(after, Position::default().after(payload));
        bytes
    }

    #[test]
    fn a_record_comes_back_and_is_followed_by_nothing() {
        let bytes = record(b"group");
        let frame = read(&bytes, SALT).unwrap();
        assert_eq!(frame.payload, b"group");
        assert_eq!(frame.position, Position::default().after(b"group"));
        assert_eq!(read(&bytes[frame.bytes()..], SALT), Err(Fault::Nothing));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = record(b"group");
        for at in 0..bytes.len() - HEADER_BYTES {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(
                    matches!(read(&flipped, SALT), Err(Fault::Broken(_))),
                    "byte {at}"
                );
            }
        }
    }

    #[test]
    fn a_record_of_another_use_of_the_segment_is_not_read() {
        assert!(read(&record(b"group"), SALT + 1).is_err());
    }

    #[test]
    fn a_whole_record_is_found_behind_a_broken_one() {
        let mut bytes = record(b"broken");
        let at = bytes.len() - HEADER_BYTES;
        bytes[HEADER_BYTES] ^= 1;
        bytes.truncate(at);
        bytes.extend(record(b"whole"));
        assert_eq!(find(&bytes, SALT, 0), Some(at));
        assert_eq!(find(&bytes, SALT, 1), None);
    }

    #[test]
    fn the_running_hash_depends_on_the_whole_history() {
        let one = Position::default().after(b"a").after(b"b");
        let other = Position::default().after(b"x").after(b"b");
        assert_eq!(one.commit, other.commit);
        assert_ne!(one.hash, other.hash);
    }
}
