//! Rotation in a pretended folder that counts.
//!
//! Compiled for `#[cfg(test)]` only.

use super::*;

/// A folder in which the log `f` and its backups are.
#[derive(Default)]
struct Pretended {
    /// What is there, in files with one letter each; a folder has none.
    files: Vec<(String, Option<char>)>,
    /// Renames that were asked for.
    renames: u32,
    /// What the log or backup of a name can't be renamed for.
    refused: Option<(&'static str, Errno)>,
    /// What the folder can't be read for.
    unreadable: Option<Errno>,
    removed: String,
}

impl Pretended {
    fn of(files: &[(&str, char)]) -> Pretended {
        let files = files.iter().map(|(name, letter)| (name.to_string(), Some(*letter))).collect();
        Pretended { files, ..Pretended::default() }
    }

    fn put(&mut self, name: &str, letter: Option<char>) {
        self.files.push((name.to_string(), letter));
    }

    fn place(&self, name: &str) -> Result<usize, Errno> {
        self.files.iter().position(|(there, _)| there == name).ok_or(Errno::ENOENT)
    }

    /// As `f=a f.1=b`.
    fn text(&mut self) -> String {
        self.files.sort();
        let all: Vec<String> =
            self.files.iter().map(|(name, letter)| format!("{name}={}", letter.unwrap_or('/'))).collect();
        all.join(" ")
    }
}

impl Folder for Pretended {
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        self.renames += 1;
        let place = self.place(from)?;
        if self.place(to).is_ok() {
            return Err(Errno::EEXIST);
        }
        match self.refused {
            Some((name, errno)) if name == from => Err(errno),
            _ => {
                self.files[place].0 = to.to_string();
                Ok(())
            }
        }
    }

    fn remove(&mut self, name: &str) -> Result<(), Errno> {
        let place = self.place(name)?;
        self.removed.push(self.files[place].1.ok_or(Errno::EISDIR)?);
        self.files.remove(place);
        Ok(())
    }

    fn is_folder(&mut self, name: &str) -> bool {
        self.place(name).is_ok_and(|place| self.files[place].1.is_none())
    }

    fn names(&mut self, most: usize, take: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        if let Some(errno) = self.unreadable {
            return Err(errno);
        }
        for (number, (name, _)) in self.files.iter().enumerate() {
            if number == most {
                return Err(Errno::E2BIG);
            }
            take(name.as_bytes());
        }
        Ok(())
    }
}

fn shift(backups: u32, folder: &mut Pretended) -> Result<(), Errno> {
    Rotation::default().shift("f", backups, folder)
}

const GAPS: [(&str, char); 6] = [("f", 'a'), ("f.1", 'b'), ("f.3", 'c'), ("f.4", 'd'), ("f.499", 'e'), ("f.500", 'f')];

#[test]
fn log_071_074_075_the_work_grows_with_the_backups_that_exist() {
    let mut folder = Pretended::of(&GAPS);
    let others = ["f.501", "f.2.gz", "f.02", "f.0", "f.", "f.x", "f.99999999999", "g.2", "f.2/", "ff.2"];
    others.into_iter().for_each(|name| folder.put(name, Some('-')));
    assert_eq!(shift(500, &mut folder), Ok(()));
    // Once more where the oldest was in the way.
    assert_eq!(folder.renames, 6);
    assert_eq!(folder.removed, "f");
    folder.files.retain(|(_, letter)| *letter != Some('-'));
    assert_eq!(folder.text(), "f.1=a f.2=b f.4=c f.5=d f.500=e");
    // The log itself is missing, and the oldest has nobody who needs its place.
    folder.put("f.499", Some('g'));
    assert_eq!(shift(499, &mut folder), Ok(()));
    assert_eq!(folder.text(), "f.2=a f.3=b f.499=g f.5=c f.500=e f.6=d");
}

#[test]
fn log_071_a_folder_that_is_not_read_is_tried_number_by_number() {
    for unreadable in [Errno::EACCES, Errno::EMFILE] {
        let mut folder = Pretended { unreadable: Some(unreadable), ..Pretended::of(&GAPS) };
        assert_eq!(shift(500, &mut folder), Ok(()));
        assert_eq!((folder.text().as_str(), folder.renames), ("f.1=a f.2=b f.4=c f.5=d f.500=e", 501));
    }
    // Of others' names, there are too many.
    let mut folder = Pretended::of(&GAPS);
    (0..500 * NAMES_PER_BACKUP).for_each(|number| folder.put(&format!("g.{number}"), Some('-')));
    assert_eq!((shift(500, &mut folder), folder.renames), (Ok(()), 501));
    // However many there may be: the work has a bound.
    let mut folder = Pretended { unreadable: Some(Errno::EACCES), ..Pretended::of(&GAPS[..1]) };
    assert_eq!((shift(u32::MAX, &mut folder), folder.renames), (Ok(()), BACKUPS_GUESSED + 1));
    let mut folder = Pretended::of(&GAPS);
    assert_eq!((shift(u32::MAX, &mut folder), folder.renames), (Ok(()), 6));
    // A few are not worth reading a folder.
    let mut folder = Pretended { unreadable: Some(Errno::EIO), ..Pretended::of(&GAPS[..4]) };
    assert_eq!((shift(10, &mut folder), folder.renames), (Ok(()), 10));
}

#[test]
fn log_071_what_failed_half_way_goes_on_there_and_costs_one_backup() {
    let files = [("f", 'a'), ("f.1", 'b'), ("f.2", 'c'), ("f.3", 'd'), ("f.4", 'e')];
    let mut folder = Pretended { refused: Some(("f.2", Errno::EIO)), ..Pretended::of(&files) };
    let mut rotation = Rotation::default();
    for _ in 0..5 {
        assert_eq!(rotation.shift("f", 4, &mut folder), Err(Errno::EIO));
        assert_eq!((folder.text().as_str(), folder.removed.as_str()), ("f=a f.1=b f.2=c f.4=d", "e"));
    }
    folder.refused = None;
    assert_eq!(rotation.shift("f", 4, &mut folder), Ok(()));
    assert_eq!((folder.text().as_str(), folder.removed.as_str()), ("f.1=a f.2=b f.3=c f.4=d", "e"));
    // From the beginning, the next time.
    folder.put("f", Some('z'));
    assert_eq!(rotation.shift("f", 4, &mut folder), Ok(()));
    assert_eq!((folder.text().as_str(), folder.removed.as_str()), ("f.1=z f.2=a f.3=b f.4=c", "ed"));
}

#[test]
fn log_071_where_somebody_took_the_place_it_begins_anew() {
    let mut folder = Pretended { refused: Some(("f.1", Errno::EIO)), ..Pretended::of(&GAPS[..2]) };
    let mut rotation = Rotation::default();
    assert_eq!(rotation.shift("f", 4, &mut folder), Err(Errno::EIO));
    folder.put("f.2", Some('x'));
    folder.refused = None;
    assert_eq!(rotation.shift("f", 4, &mut folder), Err(Errno::EEXIST));
    assert_eq!(folder.text(), "f=a f.1=b f.2=x");
    assert_eq!(rotation.shift("f", 4, &mut folder), Ok(()));
    assert_eq!(folder.text(), "f.1=a f.2=b f.3=x");
}

#[test]
fn log_071_the_oldest_stays_if_the_next_can_t_be_moved() {
    // A folder is moved while there is room, as Supervisor does; no backup goes for it, and it stays in the end.
    let mut folder = Pretended::of(&[("f", 'a'), ("f.3", 'd')]);
    folder.put("f.1", None);
    assert_eq!((shift(3, &mut folder), folder.text().as_str()), (Ok(()), "f.1=a f.2=/ f.3=d"));
    folder.put("f", Some('b'));
    for _ in 0..3 {
        assert_eq!((shift(3, &mut folder), folder.text().as_str()), (Err(Errno::EISDIR), "f=b f.1=a f.2=/ f.3=d"));
    }
    folder.remove("f.3").unwrap();
    assert_eq!((shift(3, &mut folder), folder.text().as_str()), (Ok(()), "f.1=b f.2=a f.3=/"));
    folder.put("f", Some('c'));
    assert_eq!((shift(3, &mut folder), folder.text().as_str()), (Err(Errno::EISDIR), "f=c f.1=b f.2=a f.3=/"));
}
