//! Files in memory, with the faults that real disks have.
//!
//! Knows names, inodes and open files, so that renaming, removing and opening again behave as on a real system. Never
//! decides when something fails: [`Faults`] says so.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::base::errno::Errno;
use crate::world::host::{FileId, Meta, Opened};

/// What goes wrong from now on.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Opening a log fails.
    pub open: Option<Errno>,
    /// Renaming fails.
    pub rename: Option<Errno>,
    /// So many times; 0 is always.
    pub renames: u32,
    /// That of this file only.
    pub renamed: Option<String>,
    /// Removing fails.
    pub remove: Option<Errno>,
    /// Reading fails.
    pub read: Option<Errno>,
    /// So many bytes still fit on the disk; then ENOSPC.
    pub room: Option<usize>,
}

/// Bytes of a log that are gone for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loss {
    /// The name that their file had.
    pub path: String,
    /// Cut to nothing; if not, removed, or replaced by another file.
    pub truncated: bool,
}

/// What is written down for those who check the logs.
#[derive(Clone, Debug, Default)]
struct Records {
    appended: BTreeMap<Rc<str>, Vec<u8>>,
    removed: BTreeSet<String>,
    losses: Vec<Loss>,
}

#[derive(Clone, Debug)]
struct Inode {
    bytes: Vec<u8>,
    /// Names and open files.
    uses: u32,
    /// `Some`: no regular file, but a pipe that takes so many more bytes.
    pipe_room: Option<usize>,
}

/// A file system.
#[derive(Clone, Debug)]
pub struct Files {
    names: BTreeMap<String, u64>,
    inodes: BTreeMap<u64, Inode>,
    directories: BTreeSet<String>,
    open: BTreeMap<u32, (u64, Rc<str>)>,
    records: Option<Records>,
    next_inode: u64,
    opens: u32,
    /// What goes wrong.
    pub faults: Faults,
    /// What `stat` says of every file's size, to pretend one that is too large to keep.
    pub pretend_size: Option<u64>,
}

impl Default for Files {
    fn default() -> Files {
        Files {
            names: BTreeMap::new(),
            inodes: BTreeMap::new(),
            directories: ["/", "/dev"].map(String::from).into(),
            open: BTreeMap::new(),
            records: None,
            next_inode: 1,
            opens: 0,
            faults: Faults::default(),
            pretend_size: None,
        }
    }
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

impl Files {
    /// Makes a directory.
    pub fn put_directory(&mut self, path: &str) {
        self.directories.insert(path.to_string());
    }

    /// Makes a regular file, or changes what is in it.
    pub fn put(&mut self, path: &str, bytes: &[u8]) {
        self.inode(path).bytes = bytes.to_vec();
    }

    /// Makes a pipe that takes `room` bytes, or gives one more room.
    pub fn put_pipe(&mut self, path: &str, room: usize) {
        self.inode(path).pipe_room = Some(room);
    }

    /// What is in a file.
    pub fn text(&self, path: &str) -> Option<&[u8]> {
        Some(&self.inodes.get(self.names.get(path)?)?.bytes)
    }

    /// How many files are open.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Closes what is open.
    pub fn close_all(&mut self) {
        for (number, _) in std::mem::take(&mut self.open).into_values() {
            self.release(number);
        }
    }

    /// How often a file was opened so far.
    pub fn opens(&self) -> u32 {
        self.opens
    }

    /// From now on what happens to files is written down.
    pub fn keep_records(&mut self) {
        self.records = Some(Records::default());
    }

    /// What was appended to the files opened under this name, since this was last asked.
    pub fn take_appended(&mut self, path: &str) -> Vec<u8> {
        self.records.as_mut().and_then(|records| records.appended.remove(path)).unwrap_or_default()
    }

    /// Whether the file of this name was removed, or was missing when it was to be, since this was last asked.
    pub fn take_removed(&mut self, path: &str) -> bool {
        self.records.as_mut().is_some_and(|records| records.removed.remove(path))
    }

    /// What was destroyed, since this was last asked.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        self.records.as_mut().map(|records| std::mem::take(&mut records.losses)).unwrap_or_default()
    }

    /// The inode numbers, which grow with time, of a log and its backups, the newest first.
    pub fn ages(&self, path: &str) -> Vec<u64> {
        let own = self.names.range(path.to_string()..).take_while(|(name, _)| name.starts_with(path));
        own.filter(|(name, _)| name.len() <= path.len() + 2).map(|(_, number)| *number).collect()
    }

    fn lost(&mut self, path: &str, number: u64, truncated: bool) {
        let any = self.inodes.get(&number).is_some_and(|inode| !inode.bytes.is_empty());
        if let Some(records) = self.records.as_mut().filter(|_| any) {
            records.losses.push(Loss { path: path.to_string(), truncated });
        }
    }

    fn inode(&mut self, path: &str) -> &mut Inode {
        let number = match self.names.get(path) {
            Some(number) => *number,
            None => {
                self.next_inode += 1;
                self.names.insert(path.to_string(), self.next_inode);
                self.next_inode
            }
        };
        self.inodes.entry(number).or_insert_with(|| Inode { bytes: Vec::new(), uses: 1, pipe_room: None })
    }

    /// Frees what nobody names and nobody has open.
    fn release(&mut self, number: u64) {
        let Some(inode) = self.inodes.get_mut(&number) else { return };
        inode.uses -= 1;
        if inode.uses == 0 {
            self.inodes.remove(&number);
        }
    }

    /// [`crate::world::host::Host::open_log`].
    pub fn open_log(&mut self, path: &str) -> Result<Opened, Errno> {
        if let Some(errno) = self.faults.open {
            return Err(errno);
        }
        if self.directories.contains(path) {
            return Err(Errno::EISDIR);
        }
        if !self.directories.contains(parent(path)) {
            return Err(Errno::ENOENT);
        }
        let inode = self.inode(path);
        inode.uses += 1;
        let (size, regular) = (inode.bytes.len() as u64, inode.pipe_room.is_none());
        self.opens += 1;
        let number = self.names[path];
        self.open.insert(self.opens, (number, path.into()));
        Ok(Opened { file: FileId(self.opens), size, regular, identity: (1, number, 0) })
    }

    /// [`crate::world::host::Host::append`].
    pub fn append(&mut self, file: FileId, bytes: &[u8]) -> Result<usize, Errno> {
        let (number, path) = self.open.get(&file.0).ok_or(Errno::EBADF)?;
        let inode = self.inodes.get_mut(number).ok_or(Errno::EBADF)?;
        let (room, full) = match &mut inode.pipe_room {
            Some(room) => (Some(room), Errno::EAGAIN),
            None => (self.faults.room.as_mut(), Errno::ENOSPC),
        };
        let count = match room {
            Some(0) => return Err(full),
            Some(room) => {
                let count = bytes.len().min(*room);
                *room -= count;
                count
            }
            None => bytes.len(),
        };
        inode.bytes.extend_from_slice(&bytes[..count]);
        if let Some(records) = self.records.as_mut() {
            records.appended.entry(path.clone()).or_default().extend_from_slice(&bytes[..count]);
        }
        Ok(count)
    }

    /// [`crate::world::host::Host::truncate`].
    pub fn truncate(&mut self, file: FileId) -> Result<(), Errno> {
        let (number, path) = self.open.get(&file.0).cloned().ok_or(Errno::EBADF)?;
        self.lost(&path, number, true);
        self.inodes.get_mut(&number).ok_or(Errno::EBADF)?.bytes.clear();
        Ok(())
    }

    /// [`crate::world::host::Host::has_name`].
    pub fn has_name(&self, file: FileId) -> bool {
        self.open.get(&file.0).is_some_and(|(number, _)| self.names.values().any(|named| named == number))
    }

    /// [`crate::world::host::Host::close_log`].
    pub fn close(&mut self, file: FileId) {
        if let Some((number, _)) = self.open.remove(&file.0) {
            self.release(number);
        }
    }

    /// [`crate::world::host::Folder::rename`], by path.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        if self.faults.renamed.as_ref().is_none_or(|path| path == from)
            && let Some(errno) = self.faults.rename
        {
            if self.faults.renames == 1 {
                self.faults.rename = None;
            }
            self.faults.renames = self.faults.renames.saturating_sub(1);
            return Err(errno);
        }
        if !self.names.contains_key(from) && !self.is_folder(from) {
            return Err(Errno::ENOENT);
        }
        if self.is_folder(to) || self.names.contains_key(to) {
            return Err(Errno::EEXIST);
        }
        match self.names.remove(from) {
            Some(number) => drop(self.names.insert(to.to_string(), number)),
            None => {
                self.directories.remove(from);
                self.directories.insert(to.to_string());
            }
        }
        Ok(())
    }

    /// [`crate::world::host::Folder::is_folder`], by path.
    pub fn is_folder(&self, path: &str) -> bool {
        self.directories.contains(path)
    }

    /// [`crate::world::host::Host::remove`].
    pub fn remove(&mut self, path: &str) -> Result<(), Errno> {
        if let Some(errno) = self.faults.remove {
            return Err(errno);
        }
        if self.is_folder(path) {
            return Err(Errno::EISDIR);
        }
        if let Some(records) = self.records.as_mut() {
            records.removed.insert(path.to_string());
        }
        let number = self.names.remove(path).ok_or(Errno::ENOENT)?;
        self.lost(path, number, false);
        self.release(number);
        Ok(())
    }

    /// [`crate::world::host::Host::stat`].
    pub fn stat(&self, path: &str) -> Result<Meta, Errno> {
        let number = *self.names.get(path).ok_or(Errno::ENOENT)?;
        let inode = self.inodes.get(&number).ok_or(Errno::ENOENT)?;
        let null = path == "/dev/null";
        let size = if null { 0 } else { inode.bytes.len() as u64 };
        Ok(Meta {
            size: self.pretend_size.unwrap_or(size),
            identity: (1, number, 0),
            modified: 0,
            regular: inode.pipe_room.is_none(),
            null,
        })
    }

    /// [`crate::world::host::Host::read`].
    pub fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
        if let Some(errno) = self.faults.read {
            return Err(errno);
        }
        let inode = self.names.get(path).and_then(|number| self.inodes.get(number)).ok_or(Errno::ENOENT)?;
        if inode.pipe_room.is_some() {
            return Err(Errno::ESPIPE);
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(inode.bytes.len());
        let end = start.saturating_add(length).min(inode.bytes.len());
        Ok(inode.bytes[start..end].to_vec())
    }

    /// [`crate::world::host::Host::list`].
    pub fn list(&self, directory: &str) -> Result<Vec<String>, Errno> {
        if !self.directories.contains(directory) {
            return Err(Errno::ENOENT);
        }
        let within = |path: &&String| parent(path) == directory;
        Ok(self.names.keys().filter(within).filter_map(|path| Some(path.rsplit_once('/')?.1.to_string())).collect())
    }
}
