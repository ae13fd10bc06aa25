//! Python 3 with the published packages, made once for each list of requirements. Touches nothing outside the target
//! folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Python with the packages of `tests/requirements.txt`.
pub struct Python {
    program: PathBuf,
    /// The folder of the packages' scripts.
    scripts: PathBuf,
    /// Where the packages are, if the interpreter doesn't find them by itself.
    packages: Option<PathBuf>,
}

/// The one Python for all tests; the first to come makes it while the others wait.
pub fn python() -> Python {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements.txt");
    let text = fs::read(&requirements).expect("tests/requirements.txt");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let home = target.join(format!("test-venv-{:016x}", hash(&text)));
    fs::create_dir_all(target).expect("the target folder");
    let guard = File::create(home.with_extension("lock")).expect("a lock file");
    guard.lock().expect("the lock");
    let complete = home.join("complete");
    if !complete.exists() {
        let _ = fs::remove_dir_all(&home);
        make(&home, &requirements);
        fs::write(&complete, "").expect("a mark");
    }
    let packages = home.join("packages");
    match packages.exists() {
        true => Python { program: "python3".into(), scripts: packages.join("bin"), packages: Some(packages) },
        false => Python { program: home.join("bin/python3"), scripts: home.join("bin"), packages: None },
    }
}

/// A virtual environment, or where Python has no `venv`, a folder of packages.
fn make(home: &Path, requirements: &Path) {
    let venv = Command::new("python3").args(["-m", "venv"]).arg(home).output().expect("Python 3 is needed");
    let mut install = if venv.status.success() {
        Command::new(home.join("bin/python3"))
    } else {
        let _ = fs::remove_dir_all(home);
        Command::new("python3")
    };
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    if !venv.status.success() {
        install.arg("--target").arg(home.join("packages"));
    }
    let done = install.arg("-r").arg(requirements).output().expect("Python 3 is needed");
    assert!(done.status.success(), "pip could not install {}:\n{}", requirements.display(), shown(&done));
}

/// FNV-1a: names a folder, no more.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Python {
    /// The interpreter, in `folder`.
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("PYTHONDONTWRITEBYTECODE", "1")]);
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }

    /// The interpreter itself: what the name leads to may be a script that has things to say of its own.
    pub fn interpreter(&self) -> String {
        let mut command = Command::new(&self.program);
        let done = command.args(["-c", "import sys; print(sys.executable)"]).output().expect("the interpreter");
        String::from_utf8_lossy(&done.stdout).trim().to_string()
    }

    /// The path of a program that came with the packages.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.scripts.join(name)
    }

    /// What a program of the packages needs in its environment, as a value of the key `environment`.
    pub fn environment(&self) -> String {
        let packages = self.packages.iter().map(|packages| format!("PYTHONPATH=\"{}\",", packages.display()));
        packages.collect::<String>() + "PYTHONDONTWRITEBYTECODE=\"1\",PYTHONUNBUFFERED=\"1\""
    }

    /// A script of `tests/python`.
    pub fn script(&self, folder: &Path, name: &str) -> Command {
        let mut command = self.command(folder);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name));
        command
    }

    /// Where a program that came with the packages is. It runs by itself only if Python has `venv`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scripts.join(name)
    }

    /// A program that came with the packages, such as `supervisorctl`.
    pub fn program(&self, folder: &Path, name: &str) -> Command {
        let mut command = self.command(folder);
        command.arg(self.scripts.join(name));
        command
    }
}

/// What a program printed, for a message.
pub fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}
