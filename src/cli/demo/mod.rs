//! stub
use super::{failure::Failure, global::Global};
/// x
#[derive(Debug, clap::Args)]
pub struct Args {}
/// x
pub async fn run(_a: Args, _g: &Global) -> Result<(), Failure> {
    Ok(())
}
