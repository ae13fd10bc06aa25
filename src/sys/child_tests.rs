//! Children as they find themselves. Each test waits for its own child only.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use crate::base::cpus;
use crate::base::words::SIGKILL;
use crate::sys::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

/// A child's three pipes, and what runs in it.
struct Trial {
    spawner: Spawner,
    directory: Option<&'static str>,
    umask: Option<u32>,
    cpus: Option<Cpus>,
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

/// Until all children have left our memory.
fn settle(spawner: &mut Spawner) {
    let end = clock::mono() + Duration::from_secs(20);
    while spawner.taken > 0 {
        assert!(clock::mono() < end, "a child does not leave");
        io::pause(1);
        spawner.look();
    }
}

impl Trial {
    fn new() -> Trial {
        let spawner = Spawner::new().unwrap();
        Trial { spawner, directory: None, umask: None, cpus: None, account: None, shared: false }
    }

    fn run(&mut self, path: &str, argv: &[&str]) -> Told {
        let (stdin, to_child) = io::pipe().unwrap();
        let (stdout, child_stdout) = io::pipe().unwrap();
        let (stderr, child_stderr) = io::pipe().unwrap();
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        let error = if self.shared { &child_stdout } else { &child_stderr };
        let pid = self
            .spawner
            .spawn(Order {
                path,
                argv: &argv,
                environment: vec![c"PATH=/bin:/usr/bin".into(), c"COLOUR=red".into()],
                directory: self.directory,
                umask: self.umask,
                cpus: self.cpus.as_ref(),
                account: self.account,
                fds: [stdin.as_raw_fd(), child_stdout.as_raw_fd(), error.as_raw_fd()],
                parent_death_signal: None,
            })
            .unwrap();
        drop((stdin, to_child, child_stdout, child_stderr));
        settle(&mut self.spawner);
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
    (trial.spawner.shares, trial.spawner.detached) = (false, false);
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
fn processors_of_a_child() {
    let before = super::super::process::cpus().unwrap();
    let first = (0..cpus::MOST).find(|cpu| before.has(*cpu)).unwrap();
    let mut trial = Trial::new();
    trial.cpus = Cpus::parse(&first.to_string());
    let status = trial.run("/bin/cat", &["cat", "/proc/self/status"]).stdout;
    assert!(status.contains(&format!("\nCpus_allowed_list:\t{first}\n")), "{status}");
    // Ours are as before.
    assert_eq!(super::super::process::cpus(), Ok(before));
    trial.cpus = Cpus::parse("8190-8191");
    let told = trial.run("/bin/cat", &["cat"]);
    let reason = "supervisor: couldn't move to processors 8190-8191: EINVAL\n";
    assert_eq!(told.stderr, format!("{reason}supervisor: child process was not spawned\n"));
    assert_eq!(told.exit, Exit::Code(127));
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
        cpus: None,
        account: None,
        fds: [0, 1, 2],
        parent_death_signal: None,
    };
    assert_eq!(Spawner::new().unwrap().spawn(order), Err(Errno::EINVAL));
}

/// A pipe that takes nothing more: who says something there waits until [`read_all`].
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = io::pipe().unwrap();
    io::set_nonblocking(writer.as_fd()).unwrap();
    while io::write(writer.as_fd(), &[b'x'; 4096]).is_ok() {}
    io::set_blocking(writer.as_fd()).unwrap();
    (reader, writer)
}

/// Children of one spawner, all with the same descriptors; each is waited for by its own number.
struct Crowd {
    spawner: Spawner,
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Crowd {
    fn new((reader, writer): (OwnedFd, OwnedFd)) -> Crowd {
        Crowd { spawner: Spawner::new().unwrap(), reader, writer }
    }

    fn spawn(&mut self, path: &str, argv: &[&str]) -> Result<Pid, Errno> {
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        self.spawner.spawn(Order {
            path,
            argv: &argv,
            environment: Vec::new(),
            directory: None,
            umask: None,
            cpus: None,
            account: None,
            fds: [self.reader.as_raw_fd(), self.writer.as_raw_fd(), self.writer.as_raw_fd()],
            parent_death_signal: None,
        })
    }

    /// A child that stays on its way: it has no program, and nobody hears why.
    fn spawn_stuck(&mut self) -> Pid {
        self.spawn("/nonexistent/x", &["x"]).unwrap()
    }
}

fn wait_for(pid: Pid) -> Exit {
    let mut status = 0;
    // SAFETY: waits for a child that was just made.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    exit_of(status)
}

/// What a child has open, by number.
fn descriptors(pid: Pid) -> Vec<String> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn children_that_are_stuck_hold_nobody_up() {
    let mut crowd = Crowd::new(full_pipe());
    if !crowd.spawner.detached {
        return;
    }
    assert!(crowd.spawner.has_room());
    let kept = crowd.spawner.kept;
    let begin = clock::mono();
    let mut stuck: Vec<Pid> = (0..kept).map(|_| crowd.spawn_stuck()).collect();
    // They may yet be on their way, unless it was we who had to wait for a processor.
    assert!(!crowd.spawner.has_room() || clock::mono() >= begin + SLOW_EXEC);
    // Who is asked for by name starts all the same, with three descriptors.
    let quick = crowd.spawn("/bin/sleep", &["sleep", "100"]).unwrap();
    let end = clock::mono() + Duration::from_secs(20);
    while crowd.spawner.slots.iter().any(|slot| slot.has(quick)) {
        assert!(clock::mono() < end, "it doesn't leave");
        io::pause(1);
        crowd.spawner.look();
    }
    // The kernel closes the others after it has left our memory, and its loader opens some for a moment.
    while descriptors(quick) != ["0", "1", "2"] {
        assert!(clock::mono() < end, "it has {:?}", descriptors(quick));
        io::pause(1);
    }
    assert_eq!((crowd.spawner.taken, crowd.spawner.slots.len()), (kept, kept));
    // By now nobody believes that they wait for a processor.
    while !crowd.spawner.has_room() {
        assert!(clock::mono() < end, "no room");
        io::pause(1);
    }
    // All that there may be.
    stuck.extend((kept..SPAWNS_STUCK).map(|_| crowd.spawn_stuck()));
    assert_eq!(crowd.spawn("/bin/true", &["true"]), Err(Errno::EAGAIN));
    assert!(crowd.spawner.next_look().is_some());
    // A signal ends them as it ends others, although they never were a program.
    for pid in &stuck {
        signals::kill(*pid, libc::SIGTERM, true).unwrap();
        assert_eq!(wait_for(*pid), Exit::Signal { signal: libc::SIGTERM, core: false });
        crowd.spawner.ended(*pid);
    }
    assert_eq!((crowd.spawner.taken, crowd.spawner.slots.len(), crowd.spawner.next_look()), (0, kept, None));
    signals::kill(quick, libc::SIGKILL, true).unwrap();
    wait_for(quick);
}

/// A dump of their memory would be one of ours, and before Linux 5.16 end us, too.
#[test]
fn who_is_stuck_is_killed_and_not_dumped_and_nobody_waits_for_that() {
    const COUNT: usize = 16;
    let mut crowd = Crowd::new(full_pipe());
    if !crowd.spawner.detached {
        return;
    }
    let stuck: Vec<Pid> = (0..COUNT).map(|_| crowd.spawn_stuck()).collect();
    let begin = clock::mono();
    for (place, pid) in stuck.iter().enumerate() {
        let signal = [libc::SIGQUIT, libc::SIGABRT, libc::SIGSEGV][place % 3];
        crowd.spawner.signal(*pid, signal, place % 2 == 0).unwrap();
    }
    let told = clock::mono();
    assert!(told - begin < EXEC_PATIENCE * COUNT as u32 / 2, "{:?}", told - begin);
    // By then somebody looks again, and not only a second later.
    assert!(crowd.spawner.next_look().unwrap() <= told + *EXEC_LOOKS.start());
    settle(&mut crowd.spawner);
    assert!(clock::mono() - begin >= EXEC_PATIENCE);
    stuck.iter().for_each(|pid| assert_eq!(wait_for(*pid), Exit::Signal { signal: SIGKILL, core: false }));
}

#[test]
fn a_signal_that_waits_is_not_sent_to_who_has_ended() {
    let mut crowd = Crowd::new(full_pipe());
    if !crowd.spawner.detached {
        return;
    }
    crowd.spawner.patience = Duration::from_secs(60);
    let stuck = crowd.spawn_stuck();
    for signal in [libc::SIGQUIT, libc::SIGABRT, libc::SIGQUIT] {
        crowd.spawner.signal(stuck, signal, true).unwrap();
    }
    assert!(crowd.spawner.slots.iter().any(|slot| slot.has(stuck) && slot.keeps_signals()));
    // Others are sent at once.
    crowd.spawner.signal(stuck, libc::SIGTERM, true).unwrap();
    assert_eq!(wait_for(stuck), Exit::Signal { signal: libc::SIGTERM, core: false });
    // Its number may be another's by now.
    crowd.spawner.slots.iter_mut().for_each(|slot| slot.ended());
    assert!(!crowd.spawner.slots.iter().any(|slot| slot.keeps_signals()));
    crowd.spawner.ended(stuck);
    assert_eq!((crowd.spawner.taken, crowd.spawner.next_look()), (0, None));
}

#[test]
fn who_is_on_its_way_gets_the_signal_as_the_program() {
    let mut crowd = Crowd::new(io::pipe().unwrap());
    crowd.spawner.patience = Duration::from_secs(60);
    let mut kept = 0;
    for round in 0..20 {
        let sleeper = crowd.spawn("/bin/sleep", &["sleep", "100"]).unwrap();
        crowd.spawner.signal(sleeper, libc::SIGQUIT, round % 2 == 0).unwrap();
        kept += usize::from(crowd.spawner.slots.iter().any(|slot| slot.keeps_signals()));
        settle(&mut crowd.spawner);
        assert!(matches!(wait_for(sleeper), Exit::Signal { signal: libc::SIGQUIT, .. }));
    }
    assert!(kept > 0 || !crowd.spawner.detached, "all were too late");
    // Who is the program gets it at once.
    let sleeper = crowd.spawn("/bin/sleep", &["sleep", "100"]).unwrap();
    settle(&mut crowd.spawner);
    crowd.spawner.signal(sleeper, libc::SIGQUIT, true).unwrap();
    assert!(!crowd.spawner.slots.iter().any(|slot| slot.keeps_signals()));
    assert!(matches!(wait_for(sleeper), Exit::Signal { signal: libc::SIGQUIT, .. }));
}

/// PROC-062: a stop that comes before the child is its program.
#[test]
fn a_signal_right_after_the_start_ends_the_child_and_its_group() {
    let mut crowd = Crowd::new(io::pipe().unwrap());
    for round in 0..200 {
        let pid = crowd.spawn("/bin/sleep", &["sleep", "100"]).unwrap();
        let signal = if round % 2 == 0 { libc::SIGTERM } else { libc::SIGHUP };
        signals::kill(pid, signal, round % 4 < 2).unwrap();
        assert_eq!(wait_for(pid), Exit::Signal { signal, core: false });
        crowd.spawner.ended(pid);
    }
    assert_eq!(crowd.spawner.taken, 0);
}

/// PROC-057: children that fail in all ways, many at once, while calls of ours fail, too.
#[test]
fn proc_057_errors_of_children_and_ours_don_t_mix() {
    let (reader, writer) = io::pipe().unwrap();
    io::set_nonblocking(reader.as_fd()).unwrap();
    let mut crowd = Crowd::new((reader, writer));
    let cases =
        [("/nonexistent/x", "ENOENT"), ("/etc/passwd", "EACCES"), ("/etc/passwd/x", "ENOTDIR"), ("/", "EACCES")];
    let mut told = Vec::new();
    let mut buffer = [0; 65_536];
    for round in 0..400 {
        let (path, _) = cases[round % cases.len()];
        let pid = crowd.spawn(path, &[path]).unwrap();
        // What a child's error would change, were it the library's.
        loop {
            match io::read(crowd.reader.as_fd(), &mut buffer) {
                Ok(count) => told.extend_from_slice(&buffer[..count]),
                Err(error) => assert_eq!(error, Errno::EAGAIN),
            }
            assert_eq!(std::fs::metadata("/proc/nobody").map_err(Errno::from).err(), Some(Errno::ENOENT));
            crowd.spawner.look();
            if crowd.spawner.taken == 0 {
                break;
            }
        }
        assert_eq!(wait_for(pid), Exit::Code(127));
    }
    while let Ok(count @ 1..) = io::read(crowd.reader.as_fd(), &mut buffer) {
        told.extend_from_slice(&buffer[..count]);
    }
    let told = String::from_utf8(told).unwrap();
    let expected = (0..400).map(|round| {
        let (path, error) = cases[round % cases.len()];
        format!("supervisor: couldn't exec {path}: {error}\nsupervisor: child process was not spawned\n")
    });
    assert_eq!(told, expected.collect::<String>());
}

/// A start costs no descriptor and no memory once the child is its program.
#[test]
fn what_a_start_takes_comes_back() {
    let mut crowd = Crowd::new(io::pipe().unwrap());
    let mut pids: Vec<Pid> = (0..30).map(|_| crowd.spawn("/bin/true", &["true"]).unwrap()).collect();
    settle(&mut crowd.spawner);
    let numbers: Vec<_> = crowd.spawner.slots.iter().map(|slot| slot.pads()).collect();
    assert_eq!(numbers.len(), crowd.spawner.kept);
    let nothing = std::fs::read_link(format!("/proc/self/fd/{}", crowd.spawner.nothing.as_raw_fd())).unwrap();
    for pad in numbers.iter().flatten() {
        assert_eq!(std::fs::read_link(format!("/proc/self/fd/{pad}")).unwrap(), nothing);
    }
    let stacks = crowd.spawner.slots.iter().filter(|slot| slot.has_stack()).count();
    assert!(stacks <= 1, "{stacks} stacks");
    pids.drain(..).for_each(|pid| assert_eq!(wait_for(pid), Exit::Code(0)));
}

#[test]
fn a_child_that_outlives_its_spawner_keeps_what_it_needs() {
    let mut crowd = Crowd::new(full_pipe());
    let detached = crowd.spawner.detached;
    if !detached {
        return;
    }
    let stuck = crowd.spawn_stuck();
    let Crowd { spawner, reader, writer } = crowd;
    drop(spawner);
    drop(writer);
    // Its text is still there.
    let hear = std::thread::spawn(move || {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while !all.ends_with(b"not spawned\n") {
            let count = io::read(reader.as_fd(), &mut buffer).unwrap();
            all.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8(all).unwrap()
    });
    assert!(hear.join().unwrap().contains("couldn't exec x: ENOENT"));
    assert_eq!(wait_for(stuck), Exit::Code(127));
}
