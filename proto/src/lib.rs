//! The messages and services of Tutti's API, generated from `tutti/v1/*.proto`.
//!
//! Owns nothing but the generated code; the comments of the `.proto` files are its docs.

/// Package `tutti.v1`.
#[allow(clippy::all, missing_docs, rustdoc::all)]
pub mod v1 {
    tonic::include_proto!("tutti.v1");

    /// The compiled descriptors of the package, for reflection and for reading definitions.
    pub const FILE_DESCRIPTOR_SET: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/tutti_v1_descriptor.bin"));
}
