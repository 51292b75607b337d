//! Patterns, each compiled onto primitives by a file of its own: it makes the nodes that run it
//! and reports what is wrong at the fields the user wrote. The kernel knows nothing of them but
//! the name they were written by.

mod call;
pub(in crate::core) mod generate;
pub(in crate::core) mod map_reduce;
#[cfg(test)]
mod tests;
