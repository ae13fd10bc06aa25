//! The account database: users and groups by name and number.
//!
//! Only looks up; never changes identity.

use std::ffi::{CStr, CString, c_char};

use crate::config::spec::UserSpec;

/// Most bytes that one entry may need: a group with thousands of members.
const ENTRY_BYTES: usize = 1024 * 1024;

/// The user of that name.
pub fn user_by_name(name: &str) -> Option<UserSpec> {
    user(&Asked::Name(CString::new(name).ok()?)).map(|(user, _)| user)
}

/// The user of that number.
pub fn user_by_id(uid: u32) -> Option<UserSpec> {
    user(&Asked::Id(uid)).map(|(user, _)| user)
}

/// The home directory of that user.
pub fn home_of(name: &str) -> Option<String> {
    user(&Asked::Name(CString::new(name).ok()?)).map(|(_, home)| home)
}

/// The number of the group of that name.
pub fn group_by_name(name: &str) -> Option<u32> {
    group(&Asked::Name(CString::new(name).ok()?))
}

/// Whether there is a group of that number.
pub fn group_exists(gid: u32) -> bool {
    group(&Asked::Id(gid)).is_some()
}

enum Asked {
    Name(CString),
    Id(u32),
}

/// Calls `look` with a growing buffer until the entry fits; `look` returns an errno.
fn with_buffer(mut look: impl FnMut(&mut [c_char]) -> i32) {
    let mut size = 4096;
    while size <= ENTRY_BYTES {
        let mut buffer = vec![0; size];
        if look(&mut buffer) != libc::ERANGE {
            return;
        }
        size *= 4;
    }
}

/// A field of an entry.
///
/// # Safety
/// `pointer` is null, or a string with its end that lives until this returns: a field of an entry that a `get..._r` call
/// has just filled, whose buffer is still there.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// A user, and the user's home directory.
fn user(asked: &Asked) -> Option<(UserSpec, String)> {
    let mut found = None;
    with_buffer(|buffer| {
        // SAFETY: a `passwd` is numbers and pointers, for which zero is a value.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut result = std::ptr::null_mut();
        // SAFETY: entry, buffer with its true length, and result live through the call.
        let error = unsafe {
            match asked {
                Asked::Name(name) => {
                    libc::getpwnam_r(name.as_ptr(), &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut result)
                }
                Asked::Id(uid) => libc::getpwuid_r(*uid, &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut result),
            }
        };
        if error == 0 && !result.is_null() {
            // SAFETY: the entry was filled, and its fields lie in the buffer.
            let (groups, name, home) =
                unsafe { (groups_of(entry.pw_name, entry.pw_gid), text(entry.pw_name), text(entry.pw_dir)) };
            found = Some((UserSpec { text: name, uid: entry.pw_uid, gid: entry.pw_gid, groups }, home));
        }
        error
    });
    found
}

/// Every group that lists the user, without the primary one (CFG-182).
///
/// # Safety
/// `name` is a string with its end.
unsafe fn groups_of(name: *const c_char, primary: u32) -> Vec<u32> {
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let mut count = libc::c_int::try_from(groups.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the caller says what name is; groups has room for count numbers.
        let result = unsafe { libc::getgrouplist(name, primary, groups.as_mut_ptr(), &mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        if result >= 0 {
            groups.truncate(count);
            break;
        }
        if count <= groups.len() || count > ENTRY_BYTES {
            return Vec::new();
        }
        groups.resize(count, 0);
    }
    groups.retain(|gid| *gid != primary);
    groups
}

fn group(asked: &Asked) -> Option<u32> {
    let mut found = None;
    with_buffer(|buffer| {
        // SAFETY: a `group` is numbers and pointers, for which zero is a value.
        let mut entry: libc::group = unsafe { std::mem::zeroed() };
        let mut result = std::ptr::null_mut();
        // SAFETY: entry, buffer with its true length, and result live through the call.
        let error = unsafe {
            match asked {
                Asked::Name(name) => {
                    libc::getgrnam_r(name.as_ptr(), &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut result)
                }
                Asked::Id(gid) => libc::getgrgid_r(*gid, &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut result),
            }
        };
        if error == 0 && !result.is_null() {
            found = Some(entry.gr_gid);
        }
        error
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_073_074_root_is_known_and_martians_are_not() {
        let root = user_by_name("root").unwrap();
        assert_eq!((root.uid, root.gid, root.text.as_str()), (0, 0, "root"));
        assert!(!root.groups.contains(&0));
        assert_eq!(user_by_id(0).unwrap(), root);
        assert!(home_of("root").is_some_and(|home| home.starts_with('/')));
        assert!(user_by_name("martian-007").is_none());
        assert!(user_by_name("a\0b").is_none());
        assert_eq!(group_by_name("root"), Some(0));
        assert!(group_exists(0) && !group_exists(4_000_000_000));
    }
}
