//! Children as they find themselves. Each test waits for its own child only.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use std::os::fd::AsFd;

/// A child's three pipes, and what runs in it.
struct Trial {
    spawner: Spawner,
    directory: Option<&'static str>,
    umask: Option<u32>,
    account: Option<Account<'static>>,
    /// stderr goes where stdout goes.
    shared: bool,
}

struct Told {
    stdout: String,
    stderr: String,
    exit: Exit,
    pid: Pid,
}

fn read_all(fd: &OwnedFd) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match io::read(fd.as_fd(), &mut buffer).unwrap() {
            0 => return String::from_utf8(all).unwrap(),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

impl Trial {
    fn new() -> Trial {
        let spawner = Spawner::new().unwrap();
        Trial { spawner, directory: None, umask: None, account: None, shared: false }
    }

    fn run(&mut self, path: &str, argv: &[&str]) -> Told {
        let (stdin, to_child) = io::pipe().unwrap();
        let (stdout, child_stdout) = io::pipe().unwrap();
        let (stderr, child_stderr) = io::pipe().unwrap();
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        let error = if self.shared { &child_stdout } else { &child_stderr };
        let pid = self
            .spawner
            .spawn(&Order {
                path,
                argv: &argv,
                environment: vec![c"PATH=/bin:/usr/bin".into(), c"COLOUR=red".into()],
                directory: self.directory,
                umask: self.umask,
                account: self.account,
                fds: [stdin.as_raw_fd(), child_stdout.as_raw_fd(), error.as_raw_fd()],
                parent_death_signal: None,
            })
            .unwrap();
        drop((stdin, to_child, child_stdout, child_stderr));
        let (stdout, stderr) = (read_all(&stdout), read_all(&stderr));
        let mut status = 0;
        // SAFETY: waits for the child just made.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        Told { stdout, stderr, exit: exit_of(status), pid }
    }

    fn shell(&mut self, script: &str) -> Told {
        self.run("/bin/sh", &["sh", "-c", script])
    }
}

#[test]
fn proc_053_a_child_is_alone_in_its_group_with_three_descriptors() {
    three_descriptors(Trial::new());
}

#[test]
fn proc_053_also_where_there_is_no_close_range() {
    let mut trial = Trial::new();
    trial.spawner.shares = false;
    three_descriptors(trial);
}

fn three_descriptors(mut trial: Trial) {
    // LOG-085, PROC-052: this descriptor is neither close-on-exec nor low.
    // SAFETY: a plain call; the number stays open for the whole test run, which harms nobody.
    assert!(unsafe { libc::fcntl(1, libc::F_DUPFD, 200) } >= 200);
    let told = trial.shell("set -- $(cat /proc/$$/stat); echo $5; ls /proc/$$/fd | tr '\\n' ' '; echo $COLOUR");
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines[0], told.pid.to_string());
    // A shell may keep its script or its own input at a number of its choice, but not one of ours.
    assert!(lines[1].starts_with("0 1 2 "), "{}", told.stdout);
    assert!(!lines[1].contains(" 20"), "{}", told.stdout);
    assert!(lines[1].ends_with("red"), "{}", told.stdout);
    assert_eq!(told.exit, Exit::Code(0));
}

#[test]
fn proc_059_mask_and_dispositions() {
    signals::prepare();
    // SAFETY: nobody in this test run needs SIGUSR1 or, in this thread, SIGTERM.
    unsafe {
        libc::signal(libc::SIGUSR1, libc::SIG_IGN);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, ptr::null_mut());
    }
    let told = Trial::new().run("/bin/cat", &["cat", "/proc/self/status"]);
    let field = |name: &str| {
        let line = told.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line[name.len()..].trim(), 16).unwrap()
    };
    assert_eq!(field("SigBlk:"), 0);
    assert_eq!(field("SigIgn:"), 1 << (libc::SIGPIPE - 1) | 1 << (libc::SIGXFSZ - 1));
    assert_eq!(field("SigCgt:"), 0);
}

#[test]
fn proc_053_directory_and_umask() {
    let mut trial = Trial::new();
    (trial.directory, trial.umask) = (Some("/usr"), Some(0o027));
    assert_eq!(trial.shell("pwd; umask").stdout, "/usr\n0027\n");
    // Ours are as before.
    assert_ne!(std::env::current_dir().unwrap(), std::path::Path::new("/usr"));
    // PROC-044: a relative path is found from there.
    assert_eq!(trial.run("bin/env", &["env"]).stdout, "PATH=/bin:/usr/bin\nCOLOUR=red\n");
}

#[test]
fn proc_057_failures_are_said_on_stderr() {
    let mut trial = Trial::new();
    let told = trial.run("/nonexistent/x", &["x", "y"]);
    assert_eq!(told.stderr, "supervisor: couldn't exec x: ENOENT\nsupervisor: child process was not spawned\n");
    assert_eq!((told.exit, told.stdout.as_str()), (Exit::Code(127), ""));
    trial.directory = Some("/nonexistent");
    let told = trial.shell("true");
    let text = "supervisor: couldn't chdir to /nonexistent: ENOENT\nsupervisor: child process was not spawned\n";
    assert_eq!((told.exit, told.stderr.as_str()), (Exit::Code(127), text));
    // PROC-054.
    trial.shared = true;
    let told = trial.shell("true");
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), (text, ""));
}

#[test]
fn proc_058_no_interpreter_is_guessed() {
    let script = std::env::temp_dir().join(format!("script-{}", std::process::id()));
    std::fs::write(&script, "echo hello\n").unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let told = Trial::new().run(script.to_str().unwrap(), &["s"]);
    std::fs::remove_file(script).unwrap();
    assert_eq!(told.stderr, "supervisor: couldn't exec s: ENOEXEC\nsupervisor: child process was not spawned\n");
}

#[test]
fn proc_055_the_account_is_changed_if_it_can_be() {
    let mut trial = Trial::new();
    trial.account = Some(Account { uid: 12_345, gid: 23_456, groups: &[34_567, 23_456] });
    let told = trial.shell("id -u; id -g; id -G");
    // SAFETY: cannot fail.
    if unsafe { libc::getuid() } == 0 {
        assert_eq!(told.stdout, "12345\n23456\n23456 34567\n");
    } else {
        let text = "supervisor: couldn't setuid to 12345: Can't drop privilege as nonroot user\n";
        assert!(told.stderr.starts_with(text), "{}", told.stderr);
        assert_eq!(told.exit, Exit::Code(127));
    }
    // SAFETY: cannot fail.
    let own = unsafe { libc::getuid() };
    trial.account = Some(Account { uid: own, gid: 1, groups: &[] });
    assert_eq!(trial.shell("id -u").stdout, format!("{own}\n"));
}

#[test]
fn proc_027_an_end_by_a_signal_is_told_apart() {
    assert_eq!(Trial::new().shell("kill -9 $$").exit, Exit::Signal { signal: 9, core: false });
    assert_eq!(Trial::new().shell("exit 3").exit, Exit::Code(3));
}

#[test]
fn a_text_with_a_nul_is_no_argument() {
    let order = Order {
        path: "/bin/true",
        argv: &["a\0b".to_string()],
        environment: Vec::new(),
        directory: None,
        umask: None,
        account: None,
        fds: [0, 1, 2],
        parent_death_signal: None,
    };
    assert_eq!(Spawner::new().unwrap().spawn(&order), Err(Errno::EINVAL));
}
