//! The messages and services of the API, re-exported under one short name.
//!
//! Owns nothing: the `.proto` files are the source, the `tutti-proto` crate compiles them.

pub use tutti_proto::v1::*;
