//! Prints a sample configuration.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::io::stdout().write_all(majordomo::config::sample::sample().as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
