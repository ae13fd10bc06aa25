//! Links of all owners, in a folder of the test's own.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use crate::sys::folder;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

/// Somebody who is neither root nor us, and somebody else.
const SOMEBODY: u32 = 12_345;
const ANOTHER: u32 = 12_346;

/// A rename, and a removal, by path.
fn rename(from: &Path, to: &Path) -> Result<(), Errno> {
    let (folder, name) = folder::Folder::of(from)?;
    folder.rename(name, to.file_name().unwrap())
}

fn remove(path: &Path) -> Result<(), Errno> {
    let (folder, name) = folder::Folder::of(path)?;
    folder.remove(name)
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("links-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A folder in it with an owner (and a group of the same number) and a mode.
    fn make(&self, name: &str, owner: u32, mode: u32) {
        std::fs::create_dir_all(self.at(name)).unwrap();
        if owner != 0 {
            chown(self.at(name), Some(owner), Some(owner)).unwrap();
        }
        std::fs::set_permissions(self.at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A link in it.
    fn link(&self, name: &str, owner: u32, target: &str) {
        let target = target.replace("@", self.0.to_str().unwrap());
        symlink(target, self.at(name)).unwrap();
        if owner != 0 {
            lchown(self.at(name), Some(owner), Some(owner)).unwrap();
        }
    }

    /// What becomes of a file that is made, written, renamed, read and removed at a path.
    fn try_all(&self, path: &str) -> [Result<(), Errno>; 4] {
        let path = self.at(path);
        let other = path.with_extension("1");
        let write = open(&path, libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT, 0o600);
        let write = write.map(|mut file| file.write_all(b"x").unwrap());
        let renamed = rename(&path, &other);
        let read = open(&other, libc::O_RDONLY, 0).map(|_| ());
        [write, renamed, read, remove(&other)]
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn folders_behind_our_own_links_are_reached() {
    let folder = Folder::new("ours");
    folder.make("data/logs", 0, 0o755);
    folder.link("relative", 0, "data/logs");
    folder.link("absolute", 0, "@/data");
    folder.link("data/up", 0, "../absolute/./logs");
    folder.link("file", 0, "data/up/f");
    for path in ["f", "relative/f", "absolute/logs/f", "data/up/f", "data/up/../f", "data/up/../../f"] {
        assert_eq!(folder.try_all(path), [Ok(()); 4], "{path}");
    }
    assert!(
        open(&folder.at("file"), libc::O_WRONLY | libc::O_CREAT, 0o600).is_ok() && folder.at("data/logs/f").exists()
    );
    // What the kernel makes is followed, too.
    let shown = format!("/proc/self/fd/../cwd/../../../../../..{}", folder.at("relative/f").display());
    assert!(open(Path::new(&shown), libc::O_RDONLY, 0).is_ok(), "{shown}");
    // Mistakes are told as the system tells them.
    folder.link("round", 0, "about");
    folder.link("about", 0, "round");
    folder.link("nowhere", 0, "not/there");
    for (path, error) in [
        ("round/f", Errno::ELOOP),
        ("round", Errno::ELOOP),
        ("nowhere/f", Errno::ENOENT),
        ("file/f", Errno::ENOTDIR),
        ("relative/..", Errno::EISDIR),
        ("relative", Errno::EISDIR),
    ] {
        assert_eq!(open(&folder.at(path), libc::O_WRONLY, 0).err(), Some(error), "{path}");
    }
    assert_eq!(remove(&folder.at("none/f")), Err(Errno::ENOENT));
    assert_eq!(remove(Path::new("/")), Err(Errno::EISDIR));
    assert_eq!(open(Path::new("a\0b"), libc::O_RDONLY, 0).err(), Some(Errno::EINVAL));
    // More than the system itself would follow.
    folder.link("chain0", 0, "data");
    for number in 1..=LINKS {
        folder.link(&format!("chain{number}"), 0, &format!("chain{}", number - 1));
    }
    let reached = |number: usize| open(&folder.at(&format!("chain{number}/logs/f")), libc::O_RDONLY, 0).err();
    assert_eq!((reached(LINKS - 1), reached(LINKS)), (None, Some(Errno::ELOOP)));
}

#[test]
fn links_of_others_lead_where_their_owners_may_write() {
    if process::effective_uid() != 0 {
        return println!("left out: only root can make links of others");
    }
    let folder = Folder::new("theirs");
    // A deployment of somebody's.
    folder.make("app/releases/7/log", SOMEBODY, 0o755);
    folder.make("app/releases", SOMEBODY, 0o755);
    folder.make("app", SOMEBODY, 0o755);
    folder.link("app/current", SOMEBODY, "releases/7");
    assert_eq!(folder.try_all("app/current/log/f"), [Ok(()); 4]);
    folder.make("etc", 0, 0o755);
    folder.make("shared", 0, 0o775);
    folder.make("other", ANOTHER, 0o755);
    folder.make("all", 0, 0o1777);
    folder.link("app/all", SOMEBODY, "@/all");
    folder.link("app/shared", SOMEBODY, "@/shared");
    folder.link("app/other", SOMEBODY, "@/other");
    folder.link("app/etc", SOMEBODY, "@/etc");
    folder.link("app/again", SOMEBODY, "etc");
    folder.link("ours", 0, "app/etc");
    folder.link("app/back", SOMEBODY, "@/home");
    folder.link("home", 0, "app/releases");
    for path in ["app/all/f", "app/back/f"] {
        assert_eq!(folder.try_all(path), [Ok(()); 4], "{path}");
    }
    let refused = [Err(Errno::ELOOP); 4];
    for path in ["app/etc/f", "app/again/f", "ours/f", "app/other/f", "app/shared/f"] {
        assert_eq!(folder.try_all(path), refused, "{path}");
    }
    // A group may write there; that the link has it, as new ones in a folder that gives its own, says nothing.
    chown(folder.at("shared"), None, Some(SOMEBODY)).unwrap();
    assert_eq!(folder.try_all("app/shared/f"), refused);
    // As the last part of a path it is not followed at all.
    std::fs::write(folder.at("app/f"), "").unwrap();
    folder.link("app/last", SOMEBODY, "f");
    assert_eq!(open(&folder.at("app/last"), libc::O_RDONLY, 0).err(), Some(Errno::ELOOP));
    // Nor out of a folder for everybody, even to where its owner may write: who made it must be the folder's owner.
    folder.link("all/planted", SOMEBODY, "@/app/releases");
    assert_eq!(folder.try_all("all/planted/f"), refused);
    folder.link("all/made", 0, "@/app/releases");
    assert_eq!(folder.try_all("all/made/f"), [Ok(()); 4]);
    chown(folder.at("all"), Some(SOMEBODY), None).unwrap();
    assert_eq!(folder.try_all("all/planted/f"), [Ok(()); 4]);
    for left in ["etc", "other", "shared"] {
        assert_eq!(std::fs::read_dir(folder.at(left)).unwrap().count(), 0, "{left}");
    }
}

/// Somebody changes a folder into a link and back, as fast as it goes: what is opened is never behind the link.
#[test]
fn a_link_that_comes_and_goes_is_never_followed() {
    if process::effective_uid() != 0 {
        return println!("left out: only root can make links of others");
    }
    let folder = Folder::new("race");
    folder.make("etc", 0, 0o755);
    folder.make("app/logs", SOMEBODY, 0o755);
    folder.make("app", SOMEBODY, 0o755);
    folder.link("app/link", SOMEBODY, "@/etc");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for (from, to) in [("logs", "kept"), ("link", "logs"), ("logs", "link"), ("kept", "logs")] {
                    std::fs::rename(folder.at("app").join(from), folder.at("app").join(to)).unwrap();
                }
            }
        });
        let mut seen = [0; 3];
        while (seen[0] < 200 || seen[1] < 200 || seen[2] < 200) && seen.iter().sum::<usize>() < 1_000_000 {
            let opened = open(&folder.at("app/logs/f"), libc::O_WRONLY | libc::O_CREAT, 0o600);
            let place = match opened.map(|_| ()) {
                Ok(()) => 0,
                Err(Errno::ELOOP) => 1,
                Err(Errno::ENOENT) => 2,
                Err(error) => panic!("{error}"),
            };
            seen[place] += 1;
        }
        over.store(true, Ordering::Relaxed);
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    });
    assert_eq!(std::fs::read_dir(folder.at("etc")).unwrap().count(), 0);
}
