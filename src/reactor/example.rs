//! `supervisord --example`: a daemon to try, with nothing to edit. Writes only below the current folder.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// The folder for the configuration, the logs and the socket.
const FOLDER: &str = "majordomo-example";
const FILE: &str = "majordomo-example/supervisord.conf";
const TEXT: &str = include_str!("../../examples/supervisord.conf");

/// Replaces a command line that asks for the example by one that runs it in the foreground; others stay as they are.
/// The example's configuration is written if it isn't there yet, and kept if it is.
pub fn requested(args: Vec<String>) -> Result<Vec<String>, String> {
    let [program, option] = args.as_slice() else { return Ok(args) };
    if option != "--example" {
        return Ok(args);
    }
    write().map_err(|error| format!("could not write {FILE}: {error}"))?;
    let ctl = Path::new(program).with_file_name("supervisorctl");
    let hint = format!("Example in ./{FOLDER}; in another terminal, try: {} -c {FILE} status\n", ctl.display());
    let _ = std::io::stdout().write_all(hint.as_bytes());
    Ok(vec![program.clone(), "-n".to_string(), "-c".to_string(), FILE.to_string()])
}

fn write() -> std::io::Result<()> {
    std::fs::create_dir_all(FOLDER)?;
    match OpenOptions::new().write(true).create_new(true).open(FILE) {
        Ok(mut file) => file.write_all(TEXT.as_bytes()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
