//! Removing large files without a stall: their room is given back in steps.
//!
//! To remove a log of 50 MB takes three milliseconds, in which nobody is served, as the kernel frees all its pages at
//! once. So its name goes at once, and what it held a piece at a time, unless somebody else may still want to read it.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::check;
use super::folder::Folder;
use crate::base::errno::Errno;
use crate::base::limits::{REMOVAL_STEP_BYTES, REMOVALS};

/// Files without a name that still take room.
#[derive(Default)]
pub struct Removals {
    /// With their sizes.
    files: VecDeque<(File, u64)>,
}

impl Removals {
    /// unlink(2). What a large file takes is given back by [`Removals::step`].
    pub fn remove(&mut self, path: &str) -> Result<(), Errno> {
        let (folder, name) = Folder::of(Path::new(path))?;
        self.remove_in(&folder, name)
    }

    /// The same for a name in an open folder.
    pub fn remove_in(&mut self, folder: &Folder, name: &OsStr) -> Result<(), Errno> {
        let large = if self.files.len() < REMOVALS { open_if_large(folder, name) } else { None };
        folder.remove(name)?;
        if let Some(file) = large
            && let Ok(meta) = file.metadata()
            && meta.nlink() == 0
        {
            // The first step at once: on a full disk somebody may wait for room. Then more comes free each turn than
            // is written. A log that is being cleared is open until its next file is: it is for the next turn.
            let first = is_open_once(&file);
            self.files.push_front((file, meta.size()));
            if first {
                self.step();
            }
        }
        Ok(())
    }

    /// Whether there is something to give back.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Gives back a piece of what the first file takes.
    pub fn step(&mut self) {
        let Some((file, size)) = self.files.front_mut() else { return };
        *size = size.saturating_sub(REMOVAL_STEP_BYTES);
        // What somebody else has open is theirs, and what can't be cut goes as a whole.
        if !is_open_once(file) || file.set_len(*size).is_err() || *size == 0 {
            self.files.pop_front();
        }
    }
}

/// A regular file with one name that is worth steps.
fn open_if_large(folder: &Folder, name: &OsStr) -> Option<File> {
    folder.size_of_file(name).filter(|size| *size > REMOVAL_STEP_BYTES)?;
    let file = folder.open(name, libc::O_WRONLY).ok()?;
    let meta = file.metadata().ok()?;
    (meta.is_file() && meta.nlink() == 1).then_some(file)
}

/// Whether nobody else has the file open: only then the kernel gives a lease for writing (fcntl(2)). Somebody may want to
/// open it meanwhile, by a descriptor that doesn't count. What the kernel sends us then would end us, if it were not a
/// signal that does nothing by itself.
fn is_open_once(file: &File) -> bool {
    /// fcntl(2); the crate `libc` doesn't name it.
    const F_SETSIG: libc::c_int = 10;
    let ask = |command: libc::c_int, value: libc::c_int| {
        // SAFETY: a plain call on an open descriptor.
        check(unsafe { libc::fcntl(file.as_raw_fd(), command, value) })
    };
    let told_by = ask(F_SETSIG, libc::SIGURG);
    told_by
        .and_then(|_| ask(libc::F_SETLEASE, libc::F_WRLCK))
        .and_then(|_| ask(libc::F_SETLEASE, libc::F_UNLCK))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::path::PathBuf;

    const SIZE: u64 = 3 * REMOVAL_STEP_BYTES + 1;

    fn large(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("removal-{name}-{}", std::process::id()));
        File::create(&path).unwrap().set_len(SIZE).unwrap();
        path
    }

    #[test]
    fn a_large_file_goes_by_steps() {
        let (mut removals, path) = (Removals::default(), large("steps"));
        removals.remove(path.to_str().unwrap()).unwrap();
        assert!(!path.exists());
        let mut sizes = Vec::new();
        while let Some((file, _)) = removals.files.front() {
            sizes.push(file.metadata().unwrap().size());
            removals.step();
        }
        let step = REMOVAL_STEP_BYTES;
        assert_eq!(sizes, [2 * step + 1, step + 1, 1]);
        assert!(removals.is_empty());
        assert_eq!(removals.remove(path.to_str().unwrap()), Err(Errno::ENOENT));
    }

    #[test]
    fn what_others_have_of_it_stays_whole() {
        let (mut removals, path) = (Removals::default(), large("others"));
        let path_text = path.to_str().unwrap();
        // Another name.
        let other = path.with_extension("other");
        std::fs::hard_link(&path, &other).unwrap();
        removals.remove(path_text).unwrap();
        assert!(removals.is_empty());
        assert_eq!(other.metadata().unwrap().size(), SIZE);
        // A reader.
        std::fs::rename(&other, &path).unwrap();
        let mut reader = File::open(&path).unwrap();
        removals.remove(path_text).unwrap();
        assert!(!path.exists());
        removals.step();
        assert!(removals.is_empty());
        let mut count = 0;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match reader.read(&mut buffer).unwrap() {
                0 => break,
                read => count += read as u64,
            }
        }
        assert_eq!(count, SIZE);
    }

    /// As it is with a log that is cleared.
    #[test]
    fn what_is_closed_by_the_next_turn_goes_by_steps() {
        let (mut removals, path) = (Removals::default(), large("closed"));
        let writer = File::options().append(true).open(&path).unwrap();
        removals.remove(path.to_str().unwrap()).unwrap();
        assert_eq!(writer.metadata().unwrap().size(), SIZE);
        drop(writer);
        removals.step();
        let (file, _) = removals.files.front().unwrap();
        assert_eq!(file.metadata().unwrap().size(), SIZE - REMOVAL_STEP_BYTES);
    }

    #[test]
    fn who_opens_it_meanwhile_ends_nobody() {
        use std::os::unix::fs::OpenOptionsExt;
        let path = large("opened");
        let file = File::options().write(true).open(&path).unwrap();
        // Such a descriptor does not count, and the file can be opened by way of it.
        let place = File::options().read(true).custom_flags(libc::O_PATH).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(is_open_once(&file));
        let way = format!("/proc/self/fd/{}", place.as_raw_fd());
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&way);
                }
            });
            // Without its own signal this process would end here.
            let _ = (0..20_000).filter(|_| is_open_once(&file)).count();
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn a_link_and_what_it_leads_to() {
        let (mut removals, path) = (Removals::default(), large("target"));
        let link = path.with_extension("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        removals.remove(link.to_str().unwrap()).unwrap();
        assert!(removals.is_empty() && link.symlink_metadata().is_err());
        assert_eq!(path.metadata().unwrap().size(), SIZE);
        // Not more at a time than there may be: the rest goes at once.
        removals.files.extend((0..REMOVALS).map(|_| (File::open("/dev/null").unwrap(), 1)));
        removals.remove(path.to_str().unwrap()).unwrap();
        assert_eq!((removals.files.len(), path.exists()), (REMOVALS, false));
    }
}
