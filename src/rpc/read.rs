//! Which bytes of a log a client gets, and in which form (RPC-110 to 132).
//!
//! Reads current files only, never backups, never anything that could block.

use crate::base::limits;
use crate::base::text::xml_text;
use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::world::host::Host;

/// Bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// The first byte.
    pub offset: u64,
    /// How many; 0 needs no reading.
    pub length: u64,
}

/// What a tail answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tail {
    /// The data.
    pub slice: Slice,
    /// Where to go on.
    pub offset: u64,
    /// Whether the file is longer than what was asked for.
    pub overflow: bool,
}

/// What `read*Log(offset, length)` returns of a file of `size` bytes; `None`: arguments without a meaning (RPC-110 to
/// 115).
pub fn plan_read(size: u64, offset: i64, length: i64) -> Option<Slice> {
    match (u64::try_from(offset), u64::try_from(length)) {
        (Ok(offset), Ok(length)) => {
            let left = size.saturating_sub(offset);
            let length = if length == 0 { left } else { length.min(left) };
            Some(Slice { offset: offset.min(size), length })
        }
        (Err(_), Ok(0)) => {
            let length = offset.unsigned_abs().min(size);
            Some(Slice { offset: size - length, length })
        }
        _ => None,
    }
}

/// What `tail*Log(offset, length)` returns of a file of `size` bytes (RPC-120, RPC-121).
pub fn plan_tail(size: u64, offset: i64, length: i64) -> Tail {
    let overflow = i128::from(size) > i128::from(offset) + i128::from(length);
    let wanted = u64::try_from(length).unwrap_or(0).min(size);
    // upstream: RPC-121, the data may begin before the offset (BUG-038).
    let nothing_new = !overflow && i128::from(offset) >= i128::from(size);
    let length = if nothing_new { 0 } else { wanted };
    Tail { slice: Slice { offset: size - length, length }, offset: size, overflow }
}

/// Answers a `read*Log`. `path`: `None` if there is no log.
pub fn read_log(path: Option<&str>, offset: i64, length: i64, host: &mut dyn Host) -> Result<Value, Fault> {
    let path = path.ok_or_else(|| Fault::new(fault::NO_FILE))?;
    let meta = host.stat(path).map_err(|_| Fault::with(fault::NO_FILE, path))?;
    let slice = plan_read(meta.size, offset, length).ok_or_else(|| Fault::new(fault::BAD_ARGUMENTS))?;
    let failed = || Fault::new(fault::FAILED);
    if !meta.regular && !meta.null {
        return Err(failed());
    }
    if slice.length > limits::LOG_READ_BYTES {
        let detail = format!("more than {} bytes at once; ask for parts", limits::LOG_READ_BYTES);
        return Err(Fault::with(fault::FAILED, detail));
    }
    read_text(path, slice, host).ok_or_else(failed)
}

/// Answers a `tail*Log`: `[data, offset, overflow]`, never a fault (RPC-122).
pub fn tail_log(path: Option<&str>, offset: i64, length: i64, host: &mut dyn Host) -> Value {
    let answer = |data, offset, overflow| Value::Array(vec![data, Value::Int(offset), Value::Bool(overflow)]);
    let Some((path, Ok(meta))) = path.map(|path| (path, host.stat(path))) else {
        return answer(Value::str(""), 0, false);
    };
    let tail = plan_tail(meta.size, offset, length);
    if !(meta.regular || meta.null) || tail.slice.length > limits::LOG_READ_BYTES {
        return answer(Value::str(""), offset, false);
    }
    match read_text(path, tail.slice, host) {
        Some(data) => answer(data, i64::try_from(tail.offset).unwrap_or(i64::MAX), tail.overflow),
        None => answer(Value::str(""), offset, false),
    }
}

fn read_text(path: &str, slice: Slice, host: &mut dyn Host) -> Option<Value> {
    if slice.length == 0 {
        return Some(Value::str(""));
    }
    let bytes = host.read(path, slice.offset, usize::try_from(slice.length).ok()?).ok()?;
    Some(Value::Str(xml_text(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::errno::Errno;

    const FILE: &str = "0123456789éabc";

    fn host() -> crate::sim::host::SimHost {
        let mut host = crate::sim::host::SimHost::default();
        host.files.put("/log", FILE.as_bytes());
        host.files.put_pipe("/dev/stdout", 10);
        host
    }

    fn read(offset: i64, length: i64) -> Result<String, i32> {
        match read_log(Some("/log"), offset, length, &mut host()) {
            Ok(Value::Str(text)) => Ok(text),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault.code),
        }
    }

    fn tail(offset: i64, length: i64) -> (String, i64, bool) {
        let answer = tail_log(Some("/log"), offset, length, &mut host());
        match answer {
            Value::Array(items) => match items.as_slice() {
                [Value::Str(data), Value::Int(offset), Value::Bool(overflow)] => (data.clone(), *offset, *overflow),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rpc_110_to_115_read_examples() {
        assert_eq!(FILE.len(), 15);
        let text = |text: &str| Ok(text.to_string());
        assert_eq!(read(0, 0), text(FILE));
        assert_eq!(read(0, 5), text("01234"));
        assert_eq!(read(3, 0), text("3456789éabc"));
        assert_eq!(read(-5, 0), text("éabc"));
        assert_eq!(read(-100, 0), text(FILE));
        // RPC-112
        assert_eq!(read(100, 0), text(""));
        assert_eq!(read(100, 7), text(""));
        assert_eq!(read(15, 1), text(""));
        // RPC-113 at the edges of 64 bits
        assert_eq!(read(i64::MIN, 0), text(FILE));
        assert_eq!(read(3, i64::MAX), text("3456789éabc"));
        // RPC-114, RPC-115
        assert_eq!(read(-5, 5), Err(fault::BAD_ARGUMENTS));
        assert_eq!(read(0, -1), Err(fault::BAD_ARGUMENTS));
        assert_eq!(read(-1, -1), Err(fault::BAD_ARGUMENTS));
    }

    #[test]
    fn rpc_116_117_no_log_and_no_regular_file() {
        let mut host = host();
        let mut text = |path| read_log(path, 0, 0, &mut host).map_err(|fault| fault.text);
        assert_eq!(text(None), Err("NO_FILE".into()));
        assert_eq!(text(Some("/gone")), Err("NO_FILE: /gone".into()));
        assert_eq!(text(Some("/dev/stdout")), Err("FAILED".into()));
        host.files.faults.read = Some(Errno::EIO);
        assert_eq!(read_log(Some("/log"), 0, 0, &mut host).map_err(|fault| fault.text), Err("FAILED".into()));
    }

    #[test]
    fn rpc_110_120_the_null_device_is_an_empty_log() {
        let mut host = host();
        host.files.put_pipe("/dev/null", 10);
        for (offset, length) in [(0, 0), (0, 5), (5, 5), (-5, 0)] {
            assert_eq!(
                read_log(Some("/dev/null"), offset, length, &mut host),
                Ok(Value::str("")),
                "{offset}, {length}"
            );
        }
        let empty = Value::Array(vec![Value::str(""), Value::Int(0), Value::Bool(false)]);
        assert_eq!(tail_log(Some("/dev/null"), 5, 5, &mut host), empty);
    }

    /// BUG-038: the last bytes, even those before the offset.
    #[test]
    fn rpc_120_to_123_tail_examples() {
        let cases: [(i64, i64, &str, bool); 12] = [
            (0, 100, FILE, false),
            (0, 5, "éabc", true),
            (5, 3, "abc", true),
            (10, 10, "56789éabc", false),
            (15, 5, "", false),
            (100, 5, "", false),
            (0, 0, "", true),
            (15, 0, "", false),
            (-5, 10, "56789éabc", true),
            (0, 15, FILE, false),
            (0, 14, "123456789éabc", true),
            (0, -1, "", true),
        ];
        for (offset, length, data, overflow) in cases {
            assert_eq!(tail(offset, length), (data.to_string(), 15, overflow), "({offset}, {length})");
        }
        assert_eq!(tail(i64::MAX, i64::MAX), (String::new(), 15, false));
        assert_eq!(tail(i64::MIN, i64::MIN), (String::new(), 15, true));
    }

    #[test]
    fn rpc_122_a_tail_never_faults() {
        let mut host = host();
        let expect = |offset| Value::Array(vec![Value::str(""), Value::Int(offset), Value::Bool(false)]);
        assert_eq!(tail_log(None, 7, 5, &mut host), expect(0));
        assert_eq!(tail_log(Some("/gone"), 7, 5, &mut host), expect(0));
        assert_eq!(tail_log(Some("/dev/stdout"), 7, 5, &mut host), expect(7));
        host.files.faults.read = Some(Errno::EIO);
        assert_eq!(tail_log(Some("/log"), 7, 5, &mut host), expect(7));
    }

    #[test]
    fn rpc_130_131_132_bytes_become_text() {
        // RPC-130: a slice that cuts a character.
        assert_eq!(read(10, 2), Ok("é".into()));
        assert_eq!(read(10, 1), Ok("\u{fffd}".into()));
        // RPC-131, RPC-132
        let mut host = host();
        host.files.put("/log", b"\x1b[1m\0\t\r\n");
        let text = read_log(Some("/log"), 0, 0, &mut host);
        assert_eq!(text, Ok(Value::str("\u{fffd}[1m\u{fffd}\t\r\n")));
    }

    #[test]
    fn a_file_too_large_for_one_answer_is_refused() {
        let size = limits::LOG_READ_BYTES + 10;
        assert_eq!(plan_read(size, 0, 0).map(|slice| slice.length), Some(size));
        let mut host = host();
        host.files.pretend_size = Some(size);
        let code = |offset, length, host: &mut crate::sim::host::SimHost| {
            read_log(Some("/log"), offset, length, host).err().map(|fault| fault.code)
        };
        assert_eq!(code(0, 0, &mut host), Some(fault::FAILED));
        assert_eq!(code(0, 10, &mut host), None);
    }
}
