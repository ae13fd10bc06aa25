//! A real folder, held open.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("folder-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    fn open(&self) -> Folder {
        Folder::of(&self.0.join("any")).unwrap().0
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn names(folder: &Folder, most: usize) -> Result<Vec<String>, Errno> {
    let mut found = Vec::new();
    folder.names(most, &mut |name| found.push(String::from_utf8_lossy(name).into_owned()))?;
    found.sort();
    Ok(found)
}

fn os(name: &str) -> &OsStr {
    OsStr::new(name)
}

#[test]
fn names_come_all_or_not_at_all() {
    let place = Place::new("names");
    let folder = place.open();
    assert_eq!(names(&folder, 2).unwrap(), [".", ".."]);
    // More than one list of the system has room for.
    let mut wanted: Vec<String> = (0..2000).map(|number| format!("a name of some length.{number}")).collect();
    for name in &wanted {
        std::fs::write(place.0.join(name), "").unwrap();
    }
    wanted.extend([".".to_string(), "..".to_string()]);
    wanted.sort();
    assert_eq!(names(&folder, 2002), Ok(wanted));
    assert_eq!(names(&folder, 2001), Err(Errno::E2BIG));
    assert_eq!(first_name(&[]), None);
    assert_eq!(first_name(&[0xff; 24]), None, "it would end behind the list");
}

#[test]
fn it_is_the_same_folder_under_another_name() {
    let place = Place::new("moved");
    std::fs::create_dir(place.0.join("logs")).unwrap();
    std::fs::write(place.0.join("logs/f"), "text").unwrap();
    let (folder, name) = Folder::of(&place.0.join("logs/f")).map(|(folder, name)| (folder, name.to_owned())).unwrap();
    std::fs::rename(place.0.join("logs"), place.0.join("other")).unwrap();
    std::fs::create_dir(place.0.join("logs")).unwrap();
    folder.rename(&name, os("g")).unwrap();
    assert_eq!(place.text("other/g"), "text");
    folder.remove(os("g")).unwrap();
    assert_eq!(names(&folder, 9).unwrap(), [".", ".."]);
}

#[test]
fn nothing_is_renamed_over_and_a_link_is_a_name_like_others() {
    let place = Place::new("rename");
    let folder = place.open();
    std::fs::write(place.0.join("a"), "a").unwrap();
    std::fs::create_dir(place.0.join("d")).unwrap();
    symlink("nowhere", place.0.join("l")).unwrap();
    symlink("d", place.0.join("to d")).unwrap();
    for taken in ["d", "l"] {
        assert_eq!(folder.rename(os("a"), os(taken)), Err(Errno::EEXIST));
        assert_eq!(folder.rename(os("none"), os(taken)), Err(Errno::ENOENT), "first of all");
    }
    assert!(folder.is_folder(os("d")));
    assert!(["a", "l", "to d", "none"].into_iter().all(|name| !folder.is_folder(os(name))));
    assert_eq!(folder.remove(os("d")), Err(Errno::EISDIR));
    folder.rename(os("l"), os("m")).unwrap();
    folder.remove(os("m")).unwrap();
    assert_eq!(folder.rename(os("a\0b"), os("c")), Err(Errno::EINVAL));
    assert_eq!(names(&folder, 9).unwrap(), [".", "..", "a", "d", "to d"]);
    assert_eq!(folder.size_of_file(os("a")), Some(1));
    assert_eq!(folder.size_of_file(os("to d")), None);
}
