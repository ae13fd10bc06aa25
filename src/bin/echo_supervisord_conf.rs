//! Prints a sample configuration.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::io::stdout().write_all(majordomo::config::sample::sample().as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo_supervisord_conf: {error}");
            ExitCode::FAILURE
        }
    }
}
