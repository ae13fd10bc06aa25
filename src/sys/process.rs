//! The daemon's own process: account, limits, background, pid file, descriptors it was born with.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{check, exec, io, links};
use crate::base::cpus::Cpus;
use crate::base::errno::Errno;

/// Fills gaps among descriptors 0, 1 and 2 with `/dev/null`, so that nothing of ours ever gets one of these numbers.
pub fn fill_standard_descriptors() {
    loop {
        match open_nothing() {
            // It took the lowest free number; it is meant to stay.
            Ok(file) if file.as_raw_fd() <= 2 => std::mem::forget(file),
            _ => return,
        }
    }
}

/// `/dev/null`; the root directory, which takes and gives nothing either, where there are no devices.
pub(super) fn open_nothing() -> std::io::Result<File> {
    let null = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open("/dev/null");
    null.or_else(|_| OpenOptions::new().read(true).open("/"))
}

/// Makes large buffers, of big requests and answers, go back to the system as soon as they are free. By itself glibc
/// soon takes them for a habit, keeps them in the heap, and the daemon never gets small again.
pub fn give_back_large_buffers() {
    /// Where glibc itself begins.
    #[cfg(target_env = "gnu")]
    const LARGE_BYTES: libc::c_int = 128 * 1024;
    // SAFETY: only sets two numbers of the allocator.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE_BYTES);
    }
}

/// Makes glibc put together what was freed in small pieces since the last time. By itself it keeps them as they are, for
/// the next who want as many bytes, and puts all together at some large request: of a million that takes 20 ms.
pub fn put_together() {
    /// The size up to which pieces are small, which stays what it is. What counts is what else comes with setting it.
    #[cfg(target_env = "gnu")]
    const SMALL_BYTES: libc::c_int = 64 * size_of::<usize>() as libc::c_int / 4;
    // SAFETY: only sets a number of the allocator.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_MXFAST, SMALL_BYTES);
    }
}

/// Lets go of the pages of programs and libraries that are in memory as they are in the file, code and constants: what
/// only the start or a burst needed does not come back, the rest is found in the page cache again at the next step.
pub fn release_code() {
    // SAFETY: the function below is called with valid descriptions of what is loaded, and unwinds never.
    unsafe { libc::dl_iterate_phdr(Some(release_segments), std::ptr::null_mut()) };
    // SAFETY: gives whole free pages of the heap back, what reading the configuration or large answers left.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Lets go of the parts of one loaded file that nobody writes to. Those that are written to while loading, though
/// they are protected later, are marked as writable in the file: code is not among them, as linkers make no libraries or
/// position-independent programs whose code is relocated.
///
/// # Safety
/// To be called by dl_iterate_phdr(3) only: `info` describes a file that is loaded and stays so.
unsafe extern "C" fn release_segments(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the caller, dl_iterate_phdr, passes a valid description with a name and that many headers.
    let (info, name, headers) = unsafe {
        let info = &*info;
        let name = if info.dlpi_name.is_null() { c"" } else { std::ffi::CStr::from_ptr(info.dlpi_name) };
        (info, name, std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()))
    };
    // The program itself has no name, and what is no file at all (the vdso) one without a path.
    if !name.is_empty() && !name.to_bytes().contains(&b'/') {
        return 0;
    }
    // SAFETY: a plain call.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0) {
        let start = info.dlpi_addr as usize + header.p_vaddr as usize;
        let end = start + header.p_memsz as usize;
        let start = start / page * page;
        // SAFETY: these pages, which no other segment shares, are those of the file and were never written to: the
        // kernel maps them again when they are touched. A failure leaves everything as it is.
        unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
    }
    0
}

/// Keeps descriptors that we were born with out of our children (LOG-085). They stay open, since logs may name them.
pub fn seal_inherited_descriptors() {
    // SAFETY: numbers only; marks descriptors close-on-exec, which nobody in this process can notice.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3 as libc::c_uint,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC as libc::c_uint,
        )
    };
    if result == 0 {
        return;
    }
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for fd in numbers.filter(|fd| *fd > 2) {
        // SAFETY: as above.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Makes orphans of our descendants our children, as they are process 1's everywhere else; or no longer.
pub fn be_subreaper(wanted: bool) -> Result<(), Errno> {
    // SAFETY: a plain call.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, libc::c_ulong::from(wanted), 0, 0, 0) }).map(|_| ())
}

/// The processors on which we run.
pub fn cpus() -> Result<Cpus, Errno> {
    let mut mask = *Cpus::default().mask();
    // SAFETY: room for a mask of this size; 0 is the caller. What the kernel doesn't fill stays empty.
    check(unsafe { libc::sched_getaffinity(0, size_of_val(&mask), mask.as_mut_ptr().cast()) })?;
    Ok(Cpus::from_mask(mask))
}

/// Moves us to these processors, those of them that may be used here.
pub fn move_to(cpus: &Cpus) -> Result<(), Errno> {
    let mask = cpus.mask();
    // SAFETY: a mask of this size, which is only read; 0 is the caller.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(mask), mask.as_ptr().cast()) }).map(|_| ())
}

/// Our user id.
pub fn uid() -> u32 {
    // SAFETY: cannot fail.
    unsafe { libc::getuid() }
}

/// The user id that counts when we do something.
pub(super) fn effective_uid() -> u32 {
    // SAFETY: cannot fail.
    unsafe { libc::geteuid() }
}

/// Our process id.
pub fn pid() -> i32 {
    std::process::id() as i32
}

/// Becomes another user for good, or already is it (CFG-182). The error is the contract's text.
pub fn switch_user(uid: u32, gid: u32, groups: &[u32]) -> Result<(), String> {
    let own = self::uid();
    if own == uid {
        return Ok(());
    }
    if own != 0 {
        return Err("Can't drop privilege as nonroot user".to_string());
    }
    let groups = exec::group_list(gid, groups);
    // SAFETY: the list is valid for its length; the rest are plain calls.
    unsafe {
        check(libc::setgroups(groups.len() as _, groups.as_ptr()))
            .map_err(|_| "Could not set groups of effective user")?;
        check(libc::setgid(gid)).map_err(|_| "Could not set group id of effective user")?;
        check(libc::setuid(uid)).map_err(|error| format!("Could not set user id {uid}: {}", error.text()))?;
    }
    Ok(())
}

/// Whether we may give a file of ours to this owner and group; -1 is nobody else (chown(2)).
pub fn may_give_away(owner: i64, group: i64) -> bool {
    let mut groups = [0; 1024];
    // SAFETY: plain calls, and a buffer that is valid for its length.
    let (uid, gid, count) =
        unsafe { (libc::geteuid(), libc::getegid(), libc::getgroups(groups.len() as _, groups.as_mut_ptr())) };
    let ours =
        groups.iter().take(usize::try_from(count).unwrap_or(0)).chain([&gid]).any(|one| i64::from(*one) == group);
    uid == 0 || ((owner == -1 || owner == i64::from(uid)) && (group == -1 || ours))
}

/// How many descriptors we may have open (RLIMIT_NOFILE); all there can be, if nobody says.
pub(super) fn most_descriptors() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writing.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } {
        #[allow(clippy::unnecessary_cast)]
        0 => limit.rlim_cur as u64,
        _ => u64::MAX,
    }
}

/// A limit that CFG-180 raises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Limit {
    OpenFiles,
    Processes,
}

impl Limit {
    /// `RLIMIT_NOFILE`.
    pub fn name(self) -> &'static str {
        match self {
            Limit::OpenFiles => "RLIMIT_NOFILE",
            Limit::Processes => "RLIMIT_NPROC",
        }
    }

    /// Raises the soft limit to exactly `least` if it is below, the hard one too where that is needed. Returns whether
    /// anything had to be done; the error is the hard limit that stands in the way (CFG-180, BUG-072).
    pub fn raise(self, least: u64) -> Result<bool, u64> {
        let resource = match self {
            Limit::OpenFiles => libc::RLIMIT_NOFILE,
            Limit::Processes => libc::RLIMIT_NPROC,
        };
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is valid for reading and writing.
        unsafe {
            if libc::getrlimit(resource, &mut limit) != 0 {
                return Err(0);
            }
            // "Unlimited" is the largest number there is.
            let least = least as libc::rlim_t;
            if limit.rlim_cur >= least {
                return Ok(false);
            }
            let hard = limit.rlim_max;
            let wanted = libc::rlimit { rlim_cur: least, rlim_max: hard.max(least) };
            match libc::setrlimit(resource, &wanted) {
                0 => Ok(true),
                #[allow(clippy::unnecessary_cast)]
                _ => Err(hard as u64),
            }
        }
    }
}

/// The waiting parent of a daemon that has gone to the background.
pub struct Foreground {
    ready: OwnedFd,
}

impl Foreground {
    /// Tells the parent to leave with status 0 (LOG-084, HTTP-157).
    pub fn release(self) {
        // A parent that was killed meanwhile is no trouble.
        let _ = io::write(self.ready.as_fd(), b"1");
    }
}

/// Forks (LOG-080). Returns in the child only; the parent waits to be released, then exits 0, or 1 if the child
/// ended before.
pub fn fork_to_background() -> Result<Foreground, Errno> {
    let (told, ready) = io::pipe()?;
    // SAFETY: there are no threads, so the child is as able as the parent.
    if check(unsafe { libc::fork() })? == 0 {
        return Ok(Foreground { ready });
    }
    drop(ready);
    let status = i32::from(io::read(told.as_fd(), &mut [0]) != Ok(1));
    // SAFETY: leaves without running anything that the child will run, too.
    unsafe { libc::_exit(status) }
}

/// The child's part of LOG-080 after the change of directory: no terminal any more (setsid), the configured umask.
pub fn detach(umask: u32) -> Result<(), Errno> {
    let null = open_nothing()?;
    // SAFETY: plain calls.
    unsafe {
        for number in 0..=2 {
            check(libc::dup2(null.as_raw_fd(), number))?;
        }
        check(libc::setsid())?;
        libc::umask(umask as libc::mode_t);
    }
    Ok(())
}

/// The file that tells others our process id.
pub struct PidFile {
    path: PathBuf,
    text: String,
}

impl PidFile {
    /// Writes it, over what is there (LOG-081).
    pub fn write(path: &Path) -> Result<PidFile, Errno> {
        let text = format!("{}\n", pid());
        let mut file = links::open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, 0o666)?;
        if let Err(error) = file.write_all(text.as_bytes()) {
            // Half a number would be somebody else's.
            let _ = file.set_len(0);
            return Err(error.into());
        }
        Ok(PidFile { path: path.to_path_buf(), text })
    }

    /// Removes it, unless another instance has written it meanwhile.
    pub fn remove(self) {
        let regular = std::fs::symlink_metadata(&self.path).is_ok_and(|meta| meta.is_file());
        if regular && std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_081_the_pid_file_of_another_instance_stays() {
        let path = std::env::temp_dir().join(format!("pidfile-{}", pid()));
        std::fs::write(&path, "a longer text than a pid\n").unwrap();
        let file = PidFile::write(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", pid()));
        std::fs::write(&path, "1\n").unwrap();
        file.remove();
        assert!(path.exists());
        PidFile::write(&path).unwrap().remove();
        assert!(!path.exists());
        // LOG-082.
        assert_eq!(PidFile::write(&path.join("below")).err(), Some(Errno::ENOENT));
        // What somebody else's link leads to is not overwritten.
        let elsewhere = path.with_extension("elsewhere");
        std::fs::write(&elsewhere, "precious").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        if std::os::unix::fs::lchown(&path, Some(12_345), None).is_ok() {
            // The kernel itself may say EACCES, as in /tmp.
            assert!(matches!(PidFile::write(&path).err(), Some(Errno::ELOOP | Errno::EACCES)));
            assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "precious");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(&elsewhere).unwrap();
    }

    #[test]
    fn cfg_180_limits_are_raised_only_when_needed() {
        assert_eq!(Limit::OpenFiles.raise(1), Ok(false));
        // More than any system gives.
        assert!(Limit::OpenFiles.raise(1 << 40).is_err_and(|hard| hard > 1 && hard < 1 << 40));
    }

    #[test]
    fn cfg_182_being_the_user_already_is_enough() {
        assert_eq!(switch_user(uid(), 12_345, &[12_345]), Ok(()));
        assert_eq!(exec::group_list(5, &[7, 5, 9]), [5, 7, 9]);
    }
}
