//! `pidproxy`: stands in for a daemon that insists on going to the background, in programs that want a child to watch.
//!
//! It runs the command, passes signals on to the process whose number is in the pid file, and ends when that process
//! and the command have ended. A pid file that is older than the command is not waited for.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use majordomo::base::time::Wall;
use majordomo::ctl::pages::PIDPROXY;
use majordomo::sys::clock;
use majordomo::sys::signals::{self, Held};

/// HUP, INT, QUIT, USR1, USR2 and TERM are passed on; CHLD (17) tells of the command's end.
const SIGNALS: [i32; 7] = [1, 2, 3, 10, 12, 15, signals::CHLD];

/// How often a process that isn't our child is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Our child tells by a signal.
const LONG: Duration = Duration::from_secs(3600);

fn main() {
    let args: Vec<_> = std::env::args_os().collect();
    let [_, pid_file, command, rest @ ..] = args.as_slice() else {
        let name = args.first().map_or_else(|| PIDPROXY.name.into(), |name| name.to_string_lossy());
        let [about, synopsis] = [PIDPROXY.about, PIDPROXY.synopsis[0]];
        println!("{} -- {about}.\n\nUsage: {name} {synopsis}", PIDPROXY.name);
        std::process::exit(1);
    };
    let mut child = Command::new(located(command));
    if let Err(error) = watch(Path::new(pid_file), child.arg0(command).args(rest)) {
        eprintln!("pidproxy: can't run {}: {error}", command.to_string_lossy());
        std::process::exit(127);
    }
}

/// A relative name means a file in the working directory if there is one, as for Supervisor's; else it is searched
/// for, as usual.
fn located(command: &OsStr) -> PathBuf {
    match std::path::absolute(command) {
        Ok(path) if path.is_file() => path,
        _ => command.into(),
    }
}

fn watch(pid_file: &Path, command: &mut Command) -> std::io::Result<()> {
    let held = Held::new(&SIGNALS).map_err(|error| std::io::Error::from_raw_os_error(error.0))?;
    let began = clock::now().wall;
    let child = held.spawn_outside(command)?;
    let mut watched = Watched { pid_file: pid_file.to_path_buf(), began, child, child_ended: false };
    while watched.is_alive() {
        match held.wait(if watched.child_ended { LOOK } else { LONG }) {
            None | Some(signals::CHLD) => {}
            Some(signal) => watched.pass_on(signal),
        }
    }
    Ok(())
}

struct Watched {
    pid_file: PathBuf,
    began: Wall,
    child: Child,
    child_ended: bool,
}

impl Watched {
    /// What the pid file says, if it says anything.
    fn named(&self) -> Option<i32> {
        std::fs::read_to_string(&self.pid_file).ok()?.trim().parse().ok()
    }

    fn is_alive(&mut self) -> bool {
        self.child_ended = self.child_ended || !matches!(self.child.try_wait(), Ok(None));
        if !self.child_ended {
            return true;
        }
        // In whole seconds, as some file systems know no better.
        let fresh = std::fs::metadata(&self.pid_file).is_ok_and(|meta| meta.mtime() >= self.began.secs());
        fresh && self.named().is_some_and(signals::process_exists)
    }

    fn pass_on(&self, signal: i32) {
        match self.named() {
            Some(pid) => {
                if let Err(error) = signals::kill(pid, signal, false) {
                    eprintln!("pidproxy: can't pass signal {signal} on to {pid}: {}", error.text());
                }
            }
            // The words and the place where Supervisor's says it.
            None => println!("Can't read child pidfile {}!", self.pid_file.display()),
        }
    }
}
