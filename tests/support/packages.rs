//! Clients that are not Python's: packages of npm and of Debian, put below the target folder. Where they can't be had a
//! test says so and passes, but not in CI: there MAJORDOMO_CI is set, and everything must be there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::python::shown;

/// Whether nothing may be left out.
fn in_ci() -> bool {
    std::env::var_os("MAJORDOMO_CI").is_some()
}

/// Says what is missing, and that the test is left out for it.
fn missing(what: &str) {
    assert!(!in_ci(), "MAJORDOMO_CI is set, and {what}");
    println!("SKIPPED: {what}");
}

/// A folder that is made once by `make`, while others who want it wait; anew if `stamp` is not what it was. `None` if that
/// fails.
fn once(name: &str, stamp: &str, make: impl FnOnce(&Path) -> Result<(), String>) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let home = target.join(name);
    fs::create_dir_all(target).expect("the target folder");
    let guard = File::create(home.with_extension("lock")).expect("a lock file");
    guard.lock().expect("the lock");
    let complete = home.join("complete");
    if fs::read_to_string(&complete).ok().as_deref() != Some(stamp) {
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).expect("a folder");
        if let Err(problem) = make(&home) {
            missing(&problem);
            return None;
        }
        fs::write(&complete, stamp).expect("a mark");
    }
    Some(home)
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown_command = format!("{command:?}");
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{shown_command} failed: {}", shown(&output))),
        Err(problem) => Err(format!("{shown_command} can't be run: {problem}")),
    }
}

/// A script of `tests/node`, with the packages that its `package.json` names.
pub fn node_script(name: &str) -> Option<Command> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    let packages = fs::read_to_string(sources.join("package.json")).expect("tests/node/package.json");
    let home = once("test-node", &packages, |home| {
        fs::write(home.join("package.json"), &packages).expect("a copy of it");
        run(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(home))
    })?;
    let mut command = Command::new("node");
    command.arg(sources.join(name)).env("NODE_PATH", home.join("node_modules"));
    Some(command)
}

/// Chromium, or Chrome.
pub fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.iter().map(|name| Path::new("/usr/bin").join(name)).find(|path| path.exists());
    if found.is_none() {
        missing("there is no Chromium");
    }
    found
}

/// A program of a Debian package: the installed one, or one from the package itself, which is not installed for that.
pub fn debian_program(package: &str, path: &str) -> Option<PathBuf> {
    let installed = Path::new("/").join(path);
    if installed.exists() {
        return Some(installed);
    }
    let home = once(&format!("test-{package}"), "", |home| {
        let download = || run(Command::new("apt-get").args(["download", package]).current_dir(home));
        // Without lists of packages nothing can be found; only root can get them.
        download().or_else(|_| run(Command::new("apt-get").args(["update", "-qq"])).and_then(|()| download()))?;
        let file = fs::read_dir(home).expect("a folder").flatten().map(|entry| entry.path());
        let file = file.into_iter().find(|file| file.extension().is_some_and(|kind| kind == "deb"));
        run(Command::new("dpkg-deb").arg("-x").arg(file.ok_or("no package came")?).arg(home.join("root")))
    })?;
    let program = home.join("root").join(path);
    assert!(program.exists(), "{package} has no {path}");
    Some(program)
}
