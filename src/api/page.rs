//! Pages of lists: opaque tokens, each typed by what its list is ordered by, and pages that fit
//! into a message whatever the size of their items.

use prost::Message;
use uuid::Uuid;

/// The bytes of a message that a page leaves to everything but its items.
const FRAME_BYTES: usize = 4 << 10;

/// A place in a list: the next page begins after it.
pub trait Cursor: Sized {
    /// Tells the tokens of one kind of list from those of another.
    const KIND: char;
    /// The place as text.
    fn text(&self) -> String;
    /// The place that `text` names.
    fn parse(text: &str) -> Option<Self>;

    /// The token that names this place.
    fn token(&self) -> String {
        let text = self.text();
        let hex = text.bytes().map(|byte| format!("{byte:02x}"));
        format!("{}{}", Self::KIND, hex.collect::<String>())
    }

    /// The place that a token names; `None` when it is not a token of this kind of list.
    fn read(token: &str) -> Option<Self> {
        let hex = token.strip_prefix(Self::KIND)?.as_bytes();
        let (pairs, []) = hex.as_chunks::<2>() else {
            return None;
        };
        let bytes = pairs.iter().map(|pair| {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            u8::try_from(high? << 4 | low?).ok()
        });
        Self::parse(&String::from_utf8(bytes.collect::<Option<_>>()?).ok()?)
    }
}

/// After an execution, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterExecution(pub Uuid);

/// After an event's sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterSequence(pub u64);

/// After a name or an id, in the order of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterName(pub String);

/// After a workflow's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterVersion(pub u32);

/// After a step, by its place at each level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterStep(pub Vec<u32>);

impl Cursor for AfterStep {
    const KIND: char = 'p';

    fn text(&self) -> String {
        let levels: Vec<String> = self.0.iter().map(u32::to_string).collect();
        levels.join(".")
    }

    fn parse(text: &str) -> Option<Self> {
        let levels = text.split('.').map(|level| level.parse().ok());
        levels.collect::<Option<_>>().map(Self)
    }
}

impl Cursor for AfterExecution {
    const KIND: char = 'x';

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Cursor for AfterSequence {
    const KIND: char = 's';

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Cursor for AfterName {
    const KIND: char = 'n';

    fn text(&self) -> String {
        self.0.clone()
    }

    fn parse(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

impl Cursor for AfterVersion {
    const KIND: char = 'v';

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// How large a page may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most items.
    pub items_max: usize,
    /// The most bytes of a message that holds the page.
    pub bytes_max: usize,
}

/// The first of `items` that fit into a page, at least one of them, and the token of the next
/// page, which is empty when all of them fit.
pub fn cut<M: Message, C: Cursor>(
    mut items: Vec<M>,
    bounds: Bounds,
    place: impl FnOnce(&M) -> C,
) -> (Vec<M>, String) {
    let count = items.len();
    items.truncate(fitting(&items, bounds));
    let next = match items.last() {
        Some(last) if items.len() < count => place(last).token(),
        _ => String::new(),
    };
    (items, next)
}

fn fitting<M: Message>(items: &[M], bounds: Bounds) -> usize {
    let room = bounds.bytes_max.saturating_sub(FRAME_BYTES);
    let sizes = items.iter().map(|item| {
        let bytes = item.encoded_len();
        1 + prost::length_delimiter_len(bytes) + bytes
    });
    let fitting = sizes
        .scan(0, |total, bytes| {
            *total += bytes;
            Some(*total)
        })
        .take(bounds.items_max)
        .take_while(|total| *total <= room)
        .count();
    fitting.max(items.len().min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(items_max: usize, bytes_max: usize) -> Bounds {
        Bounds {
            items_max,
            bytes_max,
        }
    }

    const NAME: fn(&String) -> AfterName = |text| AfterName(text.clone());

    #[test]
    fn a_token_names_the_place_it_was_made_for() {
        let id = Uuid::from_u128(7);
        assert_eq!(
            AfterExecution::read(&AfterExecution(id).token()),
            Some(AfterExecution(id))
        );
        assert_eq!(
            AfterSequence::read(&AfterSequence(9).token()),
            Some(AfterSequence(9))
        );
        let name = AfterName("Größe".into());
        assert_eq!(AfterName::read(&name.token()), Some(name));
    }

    #[test]
    fn a_token_of_another_list_is_none_of_this_one() {
        assert_eq!(AfterVersion::read(&AfterSequence(9).token()), None);
        for made_up in ["", "v", "v3", "vzz", "v+1", "vff", "ö"] {
            assert_eq!(AfterVersion::read(made_up), None, "{made_up}");
        }
    }

    #[test]
    fn a_page_ends_at_its_count_or_at_its_bytes() {
        let items: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let page = cut(items.clone(), bounds(2, 1 << 20), NAME);
        assert_eq!(page, (items[..2].to_vec(), NAME(&items[1]).token()));
        let large: Vec<String> = vec!["x".repeat(3000), "y".repeat(3000)];
        let page = cut(large.clone(), bounds(10, 8 << 10), NAME);
        assert_eq!(page, (large[..1].to_vec(), NAME(&large[0]).token()));
    }

    #[test]
    fn the_last_page_has_no_token_and_an_oversize_item_still_comes() {
        let items = vec!["x".repeat(9000)];
        let page = cut(items.clone(), bounds(10, 8 << 10), NAME);
        assert_eq!(page, (items, String::new()));
        let none: (Vec<String>, String) = cut(vec![], bounds(10, 8 << 10), NAME);
        assert_eq!(none, (vec![], String::new()));
    }
}
