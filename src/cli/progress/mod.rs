//! An execution shown while it runs. `tree` is the model (events in), `render` makes lines
//! of it, `journal` one line of an event; `view` puts them where they belong and `follow`
//! feeds it. Only `view` knows of terminals, only `follow` of connections.

mod follow;
mod items;
mod journal;
mod render;
mod row;
mod tree;
mod view;
mod words;

pub use follow::{conclude, follow};
pub use items::{Counter, grouped};
pub use journal::entry;
pub use render::state_tone;
pub use view::View;
pub use words::said;

#[cfg(test)]
mod tests;
