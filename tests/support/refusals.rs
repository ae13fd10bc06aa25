//! A system that refuses what supervisord asks of it: calls fail as a file says, by way of a library that is preloaded.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::daemon::Setup;

/// The rules of one daemon.
pub struct Refusals {
    file: PathBuf,
}

impl Refusals {
    /// A daemon whose system refuses nothing yet.
    pub fn of(setup: Setup) -> (Setup, Refusals) {
        let file = setup.path().join("refusals");
        std::fs::write(&file, "").expect("a file");
        let setup =
            setup.env("LD_PRELOAD", &library().to_string_lossy()).env("MAJORDOMO_REFUSALS", &file.to_string_lossy());
        (setup, Refusals { file })
    }

    /// From now on these calls fail: a line for each, `<call> <errno> <once in> <path's beginning>`.
    pub fn set(&self, rules: &str) {
        // In one piece, since the daemon may read it at any moment.
        let new = self.file.with_extension("new");
        std::fs::write(&new, rules).expect("a file");
        std::fs::rename(&new, &self.file).expect("in its place");
    }

    /// Nothing fails any more.
    pub fn clear(&self) {
        self.set("");
    }

    /// How often this call was refused so far.
    pub fn count(&self, call: &str) -> usize {
        let done = std::fs::read_to_string(self.file.with_extension("done")).unwrap_or_default();
        done.lines().filter(|line| line.split(' ').next() == Some(call)).count()
    }
}

/// The library, built once for each program of tests. Whoever has Rust has a linker, and it comes with a C compiler.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/refuse.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refuse.so");
        let mine = library.with_extension(std::process::id().to_string());
        let done = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&mine, &source])
            .arg("-ldl")
            .output()
            .expect("a C compiler, cc");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::rename(&mine, &library).expect("in its place");
        library
    })
}
