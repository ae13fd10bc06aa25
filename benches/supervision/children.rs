//! What the daemons under measurement run: this program itself, by another first word.

use std::io::Write;
use std::time::{Duration, Instant};

/// Bytes of a line, its end included.
pub const LINE: usize = 4096;

/// The command for a child of this kind.
pub fn command(name: &str, argument: u64) -> String {
    let program = std::env::current_exe().expect("this program");
    format!("{} {name} {argument}", program.display())
}

/// Plays a child, if `name` is one.
pub fn run(name: &str, rest: &[String]) -> bool {
    let number = || rest.first().and_then(|word| word.parse().ok()).expect("a number");
    match name {
        "child-flood" => flood(number()),
        "child-chatter" => chatter(number()),
        _ => return false,
    }
    true
}

/// A line that says which one it is: so none can be missing, twice, or in another's place.
pub fn line(number: u64) -> Vec<u8> {
    let mut line = vec![b'a' + (number % 26) as u8; LINE];
    line[..20].copy_from_slice(format!("{number:020}").as_bytes());
    line[LINE - 1] = b'\n';
    line
}

/// So many lines, each in a write of its own, as fast as they are taken.
fn flood(lines: u64) {
    let mut out = std::io::stdout().lock();
    let mut line = line(0);
    for number in 0..lines {
        line[20..LINE - 1].fill(b'a' + (number % 26) as u8);
        line[..20].copy_from_slice(format!("{number:020}").as_bytes());
        // The lock's buffer holds less than a line, so this is one write.
        out.write_all(&line).expect("stdout");
    }
}

/// 1 MB a second for so many seconds, in lines.
fn chatter(seconds: u64) {
    let begin = Instant::now();
    let mut out = std::io::stdout().lock();
    for tick in 0..seconds * 10 {
        for number in tick * 25..(tick + 1) * 25 {
            out.write_all(&line(number)).expect("stdout");
        }
        let next = Duration::from_millis((tick + 1) * 100);
        std::thread::sleep(next.saturating_sub(begin.elapsed()));
    }
    // The end is not what is measured.
    std::thread::sleep(Duration::from_secs(3600));
}
