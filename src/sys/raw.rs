//! System calls without the C library.
//!
//! The library leaves the number of an error in memory, and a child that is about to become its program has the
//! daemon's memory (see [`super::exec`]): it would change the daemon's number at any moment.

use std::ffi::c_long;

use crate::base::errno::Errno;

/// Whether a call that fails changes nothing but its result here.
pub const LEAVES_NO_TRACE: bool =
    cfg!(any(all(target_arch = "x86_64", target_pointer_width = "64"), target_arch = "aarch64"));

/// Makes a system call with up to four arguments.
///
/// # Safety
/// As that of the call: what its pointers lead to must be valid for it.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
#[inline]
pub unsafe fn call(number: c_long, args: [usize; 4]) -> Result<usize, Errno> {
    let [a, b, c, d] = args;
    let result: isize;
    // SAFETY: syscall(2), "Architecture calling conventions"; the kernel changes rcx and r11, and no memory but what
    // the caller passes.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    outcome(result)
}

/// Makes a system call with up to four arguments.
///
/// # Safety
/// As that of the call: what its pointers lead to must be valid for it.
#[cfg(target_arch = "aarch64")]
#[inline]
pub unsafe fn call(number: c_long, args: [usize; 4]) -> Result<usize, Errno> {
    let [a, b, c, d] = args;
    let result: isize;
    // SAFETY: syscall(2), "Architecture calling conventions"; the kernel changes no memory but what the caller passes.
    unsafe {
        std::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b, in("x2") c, in("x3") d,
            options(nostack),
        );
    }
    outcome(result)
}

/// The kernel answers with the negative number of an error: at most 4095 (syscall(2)).
#[cfg(any(all(target_arch = "x86_64", target_pointer_width = "64"), target_arch = "aarch64"))]
fn outcome(result: isize) -> Result<usize, Errno> {
    match result {
        -4095..=-1 => Err(Errno(-result as i32)),
        _ => Ok(result as usize),
    }
}

/// Makes a system call with up to four arguments, by the library.
///
/// # Safety
/// As that of the call: what its pointers lead to must be valid for it.
#[cfg(not(any(all(target_arch = "x86_64", target_pointer_width = "64"), target_arch = "aarch64")))]
pub unsafe fn call(number: c_long, args: [usize; 4]) -> Result<usize, Errno> {
    // SAFETY: the caller's.
    unsafe { by_library(number, args) }
}

/// See [`call`].
///
/// # Safety
/// As that of the call.
#[cfg(any(test, not(any(all(target_arch = "x86_64", target_pointer_width = "64"), target_arch = "aarch64"))))]
unsafe fn by_library(number: c_long, args: [usize; 4]) -> Result<usize, Errno> {
    let [a, b, c, d] = args;
    // SAFETY: the caller's.
    match unsafe { libc::syscall(number, a, b, c, d) } {
        -1 => Err(super::last_errno()),
        result => Ok(result as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::last_errno;

    #[test]
    fn results_are_the_library_s_and_errors_leave_no_trace() {
        let path = c"/nonexistent/x";
        let none = [0; 4];
        let denied = [path.as_ptr() as usize, 0, 0, 0];
        // SAFETY: calls that only ask, and a path that is valid; chdir fails.
        unsafe {
            for way in [call, by_library] {
                assert_eq!(way(libc::SYS_getppid, none), Ok(libc::getppid() as usize));
                assert_eq!(way(libc::SYS_chdir, denied), Err(Errno::ENOENT));
                assert_eq!(way(libc::SYS_close, [usize::MAX, 0, 0, 0]), Err(Errno::EBADF));
            }
            *libc::__errno_location() = 0;
            assert_eq!(call(libc::SYS_chdir, denied), Err(Errno::ENOENT));
            assert_eq!(last_errno() == Errno(0), LEAVES_NO_TRACE);
            // Results that are no small numbers: an address.
            let length = 4096;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let map = libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, flags, -1, 0);
            assert_eq!(call(libc::SYS_mremap, [map as usize, length, length, 0]), Ok(map as usize));
            libc::munmap(map, length);
        }
    }
}
