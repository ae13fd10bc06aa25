//! Logs and paths, in a folder of the test's own.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("files-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_string()
    }

    fn fifo(&self) -> String {
        let path = self.file("fifo");
        // SAFETY: the name is a valid string.
        assert_eq!(unsafe { libc::mkfifo(c_string(path.as_str()).unwrap().as_ptr(), 0o600) }, 0);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn log_049_logs_are_appended_to_and_cut() {
    let folder = Folder::new("append");
    let path = folder.file("log");
    assert_eq!(Sink::open(&path).unwrap().append(b"one\n"), Ok(4));
    let sink = Sink::open(&path).unwrap();
    assert_eq!((sink.size, sink.regular), (4, true));
    assert_eq!(sink.append(b"two\n"), Ok(4));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    sink.truncate().unwrap();
    assert_eq!(sink.append(b"x"), Ok(1));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "x");
    // LOG-054.
    assert_eq!(Sink::open(&folder.file("none/log")).err(), Some(Errno::ENOENT));
    assert_eq!(Sink::open(&folder.file("")).err(), Some(Errno::EISDIR));
}

#[test]
fn bug_055_a_fifo_is_neither_waited_for_nor_read() {
    let folder = Folder::new("fifo");
    let path = folder.fifo();
    assert_eq!(Sink::open(&path).err(), Some(Errno::EPIPE));
    assert_eq!(could_append(&path), Ok(()), "its reader may come later");
    let socket = folder.file("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(Sink::open(&socket).err(), Some(Errno::ENXIO));
    // RPC-117.
    assert_eq!(read_slice(&path, 0, 10), Err(Errno::ESPIPE));
    assert_eq!(read_slice("/dev/null", 0, 10), Err(Errno::ESPIPE));
}

#[test]
fn log_052_a_full_pipe_is_left_alone_and_never_rotated() {
    let folder = Folder::new("pipe");
    let path = folder.fifo();
    let _reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
    let sink = Sink::open(&path).unwrap();
    assert!(!sink.regular);
    let written = std::iter::from_fn(|| sink.append(&[0; 4096]).ok()).sum::<usize>();
    assert!(written > 0);
    assert_eq!(sink.append(b"x"), Err(Errno::EAGAIN));
}

#[test]
fn log_051_our_own_descriptors_are_reached_whatever_they_are() {
    let folder = Folder::new("own");
    // A socket, which can't be opened by its name.
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let sink = Sink::open(&format!("/dev/fd/{}", ours.as_raw_fd())).unwrap();
    assert_eq!((sink.regular, sink.append(b"hello")), (false, Ok(5)));
    let mut got = [0; 5];
    std::io::Read::read_exact(&mut &theirs, &mut got).unwrap();
    assert_eq!(&got, b"hello");
    // A file: it is written where others write it, and its name isn't ours to rotate.
    let file = File::create(folder.file("out")).unwrap();
    std::io::Write::write_all(&mut &file, b"before ").unwrap();
    let sink = Sink::own(file.as_raw_fd()).unwrap();
    assert_eq!((sink.regular, sink.append(b"ours ")), (false, Ok(5)));
    std::io::Write::write_all(&mut &file, b"after").unwrap();
    assert_eq!(std::fs::read_to_string(folder.file("out")).unwrap(), "before ours after");
    // A pipe that somebody else reads and writes, too: its own flags stay.
    let (reader, writer) = io::pipe().unwrap();
    let sink = Sink::own(writer.as_raw_fd()).unwrap();
    while sink.append(&[0; 4096]).is_ok() {}
    assert_eq!(sink.append(b"x"), Err(Errno::EAGAIN));
    // SAFETY: asks only.
    assert_eq!(unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_GETFL) } & libc::O_NONBLOCK, 0);
    // The same where the system refuses a second opening.
    let shared = Sink::of(io::duplicate(writer.as_raw_fd()).unwrap(), Way::Careful).unwrap();
    assert_eq!(shared.append(&[0; 10_000]), Err(Errno::EAGAIN));
    let room = io::read(reader.as_fd(), &mut [0; 8192]).unwrap();
    assert_eq!((room, shared.append(&[0; 10_000])), (8192, Ok(ATOMIC_BYTES)));
    assert_eq!(Sink::open("/dev/fd/9999").err(), Some(Errno::EBADF));
}

#[test]
fn log_044_automatic_logs() {
    let folder = Folder::new("auto");
    let paths: Vec<String> = (0..20).map(|_| auto_log_path(&folder.file(""), "p-stdout---id-").unwrap()).collect();
    for path in &paths {
        assert_eq!(create_log(path), Ok(()));
        assert_eq!(create_log(path), Err(Errno::EEXIST));
        let name = path.strip_prefix(&folder.file("p-stdout---id-")).unwrap().strip_suffix(".log").unwrap();
        assert_eq!(name.len(), 8);
        assert!(name.bytes().all(|byte| AUTO_ALPHABET.contains(&byte)), "{name}");
        let meta = std::fs::metadata(path).unwrap();
        assert_eq!((meta.len(), meta.permissions().mode() & 0o777), (0, 0o600));
    }
    assert_eq!(list(&folder.file("")).unwrap().len(), 20);
    assert_eq!(create_log(&folder.file("none/p.log")), Err(Errno::ENOENT));
    // Not even where a link leads to.
    std::os::unix::fs::symlink(folder.file("elsewhere"), folder.file("link")).unwrap();
    assert_eq!(create_log(&folder.file("link")), Err(Errno::EEXIST));
    assert!(!std::path::Path::new(&folder.file("elsewhere")).exists());
}

#[test]
fn links_are_followed_if_those_who_may_write_here_made_them() {
    let folder = Folder::new("links");
    let link = |name: &str, to: &str| std::os::unix::fs::symlink(to, folder.file(name)).unwrap();
    std::fs::write(folder.file("precious"), "").unwrap();
    // Ours, one after the other, relative ones and one that leads to nothing yet.
    link("one", &folder.file("two"));
    link("two", "precious");
    link("new", "made");
    assert_eq!(Sink::open(&folder.file("one")).unwrap().append(b"x"), Ok(1));
    assert_eq!(std::fs::read(folder.file("precious")).unwrap(), b"x");
    assert_eq!(could_append(&folder.file("new")), Ok(()));
    assert!(Sink::open(&folder.file("new")).is_ok() && std::fs::metadata(folder.file("made")).is_ok());
    link("round", "about");
    link("about", "round");
    assert_eq!(Sink::open(&folder.file("round")).err(), Some(Errno::ELOOP));
    // Of the kernel: what has no name.
    let (reader, writer) = io::pipe().unwrap();
    link("pipe", &format!("/proc/self/fd/{}", writer.as_raw_fd()));
    assert_eq!(Sink::open(&folder.file("pipe")).unwrap().append(b"hi"), Ok(2));
    assert_eq!(io::read(reader.as_fd(), &mut [0; 9]), Ok(2));
    // Somebody else's, at the first place and behind one of ours.
    if std::os::unix::fs::lchown(folder.file("two"), Some(12_345), None).is_err() {
        return println!("left out: only root can make links of others");
    }
    for name in ["one", "two"] {
        assert_eq!(Sink::open(&folder.file(name)).err(), Some(Errno::ELOOP), "{name}");
        assert_eq!(could_append(&folder.file(name)), Err(Errno::ELOOP), "{name}");
    }
    // Files of others are written: they can read no more than they could.
    std::os::unix::fs::lchown(folder.file("precious"), Some(12_345), None).unwrap();
    assert!(Sink::open(&folder.file("precious")).is_ok());
}

#[test]
fn rpc_117_slices_of_regular_files() {
    let folder = Folder::new("slices");
    let path = folder.file("f");
    std::fs::write(&path, "0123456789").unwrap();
    assert_eq!(read_slice(&path, 3, 4).unwrap(), b"3456");
    assert_eq!(read_slice(&path, 8, usize::MAX).unwrap(), b"89");
    assert_eq!(read_slice(&path, 11, 4).unwrap(), b"");
    assert_eq!(read_slice(&folder.file("none"), 0, 1), Err(Errno::ENOENT));
    let stat = stat(&path).unwrap();
    assert_eq!((stat.size, stat.regular), (10, true));
    std::fs::rename(&path, folder.file("g")).unwrap();
    assert_eq!(super::stat(&folder.file("g")).unwrap().identity, stat.identity);
    crate::sys::removal::Removals::default().remove(&folder.file("g")).unwrap();
    assert_eq!(crate::sys::removal::Removals::default().remove(&folder.file("g")), Err(Errno::ENOENT));
}

#[test]
fn rpc_117_the_null_device_is_known() {
    let kind = |path: &str| stat(path).map(|stat| (stat.null, stat.regular, stat.size));
    assert_eq!(kind("/dev/null"), Ok((true, false, 0)));
    assert_eq!(kind("/dev/zero"), Ok((false, false, 0)));
}

#[test]
fn http_105_a_file_made_anew_is_another_one() {
    let folder = Folder::new("anew");
    let path = folder.file("f");
    std::fs::write(&path, "old").unwrap();
    let (_, _, born) = stat(&path).unwrap().identity;
    if born == 0 {
        return eprintln!("this file system keeps no times of birth");
    }
    // Common file systems use the inode at once again; their clock ticks every few milliseconds.
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        crate::sys::removal::Removals::default().remove(&path).unwrap();
        std::fs::write(&path, "new").unwrap();
        if stat(&path).unwrap().identity.2 > born {
            break;
        }
        assert!(Instant::now() < deadline, "the new file is taken for the old one");
    }
}

#[test]
fn proc_043_what_can_be_executed() {
    let folder = Folder::new("probe");
    let path = folder.file("f");
    assert_eq!(probe(&path), Executable::Missing);
    assert_eq!(probe(&folder.file("")), Executable::Directory);
    std::fs::write(&path, "").unwrap();
    assert_eq!(probe(&path), Executable::NotExecutable);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(probe(&path), Executable::Yes);
    assert_eq!(probe("a\0b"), Executable::Missing);
}
