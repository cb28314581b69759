//! `deskbell serve`: the service, until it is told to stop.

use std::path::Path;

use crate::cli::{run::Stop, terminal::Terminal};

/// Runs the service.
pub fn run(_path: &Path, _once: bool, _terminal: Terminal) -> Result<(), Stop> {
    Err(Stop::failure("serve 还没有接上", "serve is not wired yet"))
}
