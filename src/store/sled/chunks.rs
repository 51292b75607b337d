//! Values of any size as parts small enough for the tree.
//!
//! sled writes an item of its log that is larger than a quarter of its 512 KiB segments to a
//! file of its own, which it does not sync, and such an item may be a whole leaf: up to 17
//! keys with their values. Parts of 4 KiB keep every leaf well below that.

use super::super::Error;

/// The largest part of a value, in bytes.
pub const PART_BYTES_MAX: usize = 4096;
/// The number of parts, before the first part's bytes.
const COUNT_BYTES: usize = 2;
/// The part's number, after the key.
const NUMBER_BYTES: usize = 2;

/// How many bytes of a value fit in one part.
pub const SINGLE_BYTES_MAX: usize = PART_BYTES_MAX - COUNT_BYTES;

/// A part's key and what it holds.
pub type Part = (Vec<u8>, Vec<u8>);

/// The key of one part of a value.
pub fn part(key: &[u8], number: u16) -> Vec<u8> {
    [key, &number.to_be_bytes()].concat()
}

/// The value's key, when this is the key of its first part.
pub fn first_part(part_key: &[u8]) -> Option<&[u8]> {
    part_key.strip_suffix(&[0; NUMBER_BYTES])
}

/// The key of the value that a part belongs to.
pub fn value_key(part_key: &[u8]) -> &[u8] {
    &part_key[..part_key.len().saturating_sub(NUMBER_BYTES)]
}

/// Splits a value into parts: keys and what they hold.
///
/// A value that replaces a longer one leaves the longer one's last parts behind: they are
/// never read, and go when the value is deleted.
///
/// # Errors
/// `Error::Inconsistent` when it is larger than 65,535 parts, about 256 MiB.
pub fn split(key: &[u8], value: &[u8]) -> Result<Vec<Part>, Error> {
    let (first, rest) = value.split_at(value.len().min(SINGLE_BYTES_MAX));
    let count = 1 + rest.len().div_ceil(PART_BYTES_MAX);
    let count = u16::try_from(count).map_err(|_| {
        let bytes = value.len();
        Error::Inconsistent(format!(
            "a value of {bytes} bytes is larger than one may be"
        ))
    })?;
    let mut parts = Vec::with_capacity(count.into());
    parts.push((part(key, 0), [&count.to_be_bytes(), first].concat()));
    for (number, chunk) in (1..count).zip(rest.chunks(PART_BYTES_MAX)) {
        parts.push((part(key, number), chunk.to_vec()));
    }
    Ok(parts)
}

/// How many parts a value has, and what its first one holds of it.
///
/// # Errors
/// `Error::Damaged` when it is not a first part.
pub fn count(first: &[u8]) -> Result<(u16, &[u8]), Error> {
    match first.split_first_chunk::<COUNT_BYTES>() {
        Some((count, bytes)) if *count != [0; COUNT_BYTES] => {
            Ok((u16::from_be_bytes(*count), bytes))
        }
        _ => Err(Error::Damaged(
            "a value of the state has no count of its parts".into(),
        )),
    }
}

/// Joins the parts of a value again; `None` when there is none under this key.
///
/// # Errors
/// `Error::Damaged` when a part is missing, and whatever `get` fails with.
pub fn join<V: AsRef<[u8]>>(
    key: &[u8],
    get: impl Fn(&[u8]) -> Result<Option<V>, Error>,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(first) = get(&part(key, 0))? else {
        return Ok(None);
    };
    let (count, bytes) = count(first.as_ref())?;
    let mut value = bytes.to_vec();
    for number in 1..count {
        match get(&part(key, number))? {
            Some(bytes) => value.extend(bytes.as_ref()),
            None => {
                return Err(Error::Damaged(format!(
                    "a value of the state lacks part {number} of {count}"
                )));
            }
        }
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_value_of_any_size_comes_back_whole() {
        for size in [0, 1, 4093, 4094, 4095, 8190, 8191, 50_000] {
            let value: Vec<u8> = (0..size).map(|i: usize| (i % 251) as u8).collect();
            let parts: BTreeMap<_, _> = split(b"k", &value).unwrap().into_iter().collect();
            assert!(parts.values().all(|part| part.len() <= PART_BYTES_MAX));
            let joined = join(b"k", |key| Ok(parts.get(key).cloned())).unwrap();
            assert_eq!(joined, Some(value), "of {size} bytes");
        }
    }

    #[test]
    fn a_missing_part_is_damage() {
        let mut parts: BTreeMap<_, _> = split(b"k", &[7; 9000]).unwrap().into_iter().collect();
        parts.remove(&part(b"k", 1));
        let joined = join(b"k", |key| Ok(parts.get(key).cloned()));
        assert!(matches!(joined, Err(Error::Damaged(_))));
    }

    #[test]
    fn only_the_first_part_names_its_value() {
        assert_eq!(first_part(&part(b"key", 0)), Some(&b"key"[..]));
        assert_eq!(first_part(&part(b"key", 256)), None);
    }
}
