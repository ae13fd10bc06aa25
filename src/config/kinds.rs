//! Readers of single values, each with Supervisor's message for what it can't read (CFG-060 to CFG-077).
//!
//! All have one shape, so that a row of a key table can name any of them. The text is expanded already.

use std::time::Duration;

use crate::base::cpus::{self, Cpus};
use crate::base::text::repr;
use crate::base::words::{Level, parse_signal};
use crate::config::ini::is_space;
use crate::config::paths;
use crate::config::spec::{Autorestart, LenUnit, LogFile, UserSpec};
use crate::config::surroundings::Surroundings;

/// The shape of a reader.
pub type Kind<T> = fn(&str, &dyn Surroundings) -> Result<T, String>;

/// What each reader takes, in words for the reference and the sample.
pub const WORDS: &[(&str, &str)] = &[
    ("text", "text"),
    ("name", "a name without blank, `:` and `/`"),
    ("integer", "a whole number"),
    ("count", "a whole number"),
    ("count_or_auto", "a whole number, or auto"),
    ("boolean", "true or false"),
    ("autorestart", "true, false or unexpected"),
    ("size", "bytes, or a number with KB, MB or GB"),
    ("octal", "an octal number"),
    ("signal", "a signal's name or number"),
    ("exitcodes", "numbers from 0 to 255 with commas between"),
    ("list", "words with commas between"),
    ("cpus", "numbers and ranges with commas between, such as 0,2-3"),
    ("directory", "an existing directory"),
    ("path_in_directory", "a file in an existing directory"),
    ("logfile", "a file, AUTO or NONE"),
    ("level", "critical, error, warn, info, debug, trace or blather"),
    ("user", "an account's name or number"),
    ("owner", "user or user:group"),
    ("inet_address", "host:port, port, *:port or [ipv6]:port"),
    ("url_or_auto", "a URL, or AUTO"),
    ("environment", "KEY=\"value\" pairs with commas between"),
    ("results_form", "bare or array"),
    ("body_size", "bytes from 1KB to 1GB, or a number with KB, MB or GB"),
    ("connections", "a whole number from 1"),
    ("hosts", "host names, each with or without a port, with commas between"),
    ("timeout", "seconds, from 0 to 31536000 (a year)"),
    ("factory", "the name of a factory that is built in"),
    ("values_form", "string or any"),
    ("len_unit", "characters or bytes"),
];

const TRUE: [&str; 4] = ["yes", "true", "on", "1"];
const FALSE: [&str; 4] = ["no", "false", "off", "0"];

/// Any text.
pub fn text(text: &str, _: &dyn Surroundings) -> Result<String, String> {
    Ok(text.to_string())
}

/// A name of a program, group or process (CFG-060).
pub fn name(text: &str, _: &dyn Surroundings) -> Result<String, String> {
    let name = text.trim_matches(is_space);
    if name.is_empty() {
        // BUG-073.
        return Err("Invalid name: '' because it is empty".to_string());
    }
    match [' ', ':', '/'].into_iter().find(|c| name.contains(*c)) {
        Some(c) => Err(format!("Invalid name: {} because of character: '{c}'", repr(name))),
        None => Ok(name.to_string()),
    }
}

/// A whole number as Python reads it (CFG-061). Beyond 64 bits the nearest that fits.
pub fn integer(text: &str, _: &dyn Surroundings) -> Result<i64, String> {
    digits(text, 10).ok_or_else(|| format!("invalid literal for int() with base 10: {}", repr(text)))
}

fn digits(text: &str, base: u32) -> Option<i64> {
    let text = text.trim_matches(is_space);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = match base {
        8 => match text.strip_prefix("0o").or_else(|| text.strip_prefix("0O")) {
            Some(rest) => rest.strip_prefix('_').unwrap_or(rest),
            None => text,
        },
        _ => text,
    };
    let mut value: i64 = 0;
    for part in text.split('_') {
        if part.is_empty() {
            return None;
        }
        for c in part.chars() {
            value = value.saturating_mul(i64::from(base)).saturating_add(i64::from(c.to_digit(base)?));
        }
    }
    Some(if negative { -value } else { value })
}

/// CFG-062.
pub fn boolean(text: &str, _: &dyn Surroundings) -> Result<bool, String> {
    let lower = text.to_ascii_lowercase();
    match (TRUE.contains(&&*lower), FALSE.contains(&&*lower)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(format!("not a valid boolean value: {}", repr(text))),
    }
}

/// CFG-063.
pub fn autorestart(text: &str, around: &dyn Surroundings) -> Result<Autorestart, String> {
    let lower = text.to_ascii_lowercase();
    match boolean(&lower, around) {
        Ok(true) => Ok(Autorestart::Always),
        Ok(false) => Ok(Autorestart::Never),
        Err(_) if lower == "unexpected" => Ok(Autorestart::Unexpected),
        Err(_) => Err(format!("invalid 'autorestart' value {}", repr(&lower))),
    }
}

/// How many old files are kept (CFG-124). Less than none is none.
pub fn count(text: &str, around: &dyn Surroundings) -> Result<u32, String> {
    integer(text, around).map(|count| u32::try_from(count.max(0)).unwrap_or(u32::MAX))
}

/// A whole number, or, ours, `None` for `auto`.
pub fn count_or_auto(text: &str, around: &dyn Surroundings) -> Result<Option<i64>, String> {
    if text.trim_matches(is_space).eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    integer(text, around).map(Some)
}

/// Bytes (CFG-064). Less than nothing is nothing: both switch off what is measured.
pub fn size(text: &str, around: &dyn Surroundings) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let suffixes = [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)];
    let cut = suffixes.iter().find_map(|(suffix, factor)| Some((lower.strip_suffix(suffix)?, *factor)));
    let (number, factor) = cut.unwrap_or((&lower, 1));
    Ok(integer(number, around)?.saturating_mul(factor).max(0).unsigned_abs())
}

/// How long a body may be: the documents of calls have some hundred bytes, and what is read of one is kept in memory.
pub fn body_size(text: &str, around: &dyn Surroundings) -> Result<u64, String> {
    let bytes = size(text, around)?;
    let fits = (1 << 10..=1 << 30).contains(&bytes);
    fits.then_some(bytes).ok_or_else(|| format!("{} is not from 1KB to 1GB", repr(text)))
}

/// How many clients a server takes.
pub fn connections(text: &str, around: &dyn Surroundings) -> Result<usize, String> {
    let count = usize::try_from(integer(text, around)?).unwrap_or(0);
    (count > 0).then_some(count).ok_or_else(|| format!("{} is below lower bound (1)", text.trim_matches(is_space)))
}

/// How long something may take; 0 is without limit.
pub fn timeout(text: &str, around: &dyn Surroundings) -> Result<Duration, String> {
    const YEAR: u64 = 365 * 24 * 3600;
    let secs = u64::try_from(integer(text, around)?).ok().filter(|secs| *secs <= YEAR);
    secs.map(Duration::from_secs).ok_or_else(|| format!("{} is not from 0 to {YEAR} seconds", repr(text)))
}

/// File mode bits (CFG-065). Of a number below zero, those that the system would take.
pub fn octal(text: &str, _: &dyn Surroundings) -> Result<u32, String> {
    let bits = digits(text, 8).map(|bits| if bits < 0 { bits & 0o7777 } else { bits });
    let bits = bits.map(|bits| u32::try_from(bits).unwrap_or(u32::MAX));
    bits.ok_or_else(|| format!("{text} can not be converted to an octal type"))
}

/// A signal that can be sent (CFG-066); 0 is none (BUG-071).
pub fn signal(text: &str, around: &dyn Surroundings) -> Result<i32, String> {
    if let Some(number) = parse_signal(text).filter(|number| *number != 0) {
        return Ok(number);
    }
    let what = if integer(text, around).is_ok() { "number" } else { "name" };
    Err(format!("value {} is not a valid signal {what}", repr(text)))
}

/// CFG-067.
pub fn exitcodes(text: &str, around: &dyn Surroundings) -> Result<Vec<i32>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let code = |part| integer(part, around).ok().filter(|code| (0..=255).contains(code)).map(|code| code as i32);
    let codes: Option<Vec<i32>> = text.split(',').map(code).collect();
    codes.ok_or_else(|| format!("not a valid list of exit codes: {}", repr(text)))
}

/// Processors by number.
pub fn cpus(text: &str, _: &dyn Surroundings) -> Result<Cpus, String> {
    let wrong = || format!("{} names no processors, such as 1 or 0,2-3, from 0 to {}", repr(text), cpus::MOST - 1);
    Cpus::parse(text).ok_or_else(wrong)
}

/// CFG-068.
pub fn list(text: &str, _: &dyn Surroundings) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(text.split(',').map(|part| part.trim_matches(is_space).to_string()).collect())
}

/// Host names, each with or without a port; `*` stands for anything at the beginning of a name.
pub fn hosts(text: &str, around: &dyn Surroundings) -> Result<Vec<String>, String> {
    let hosts = list(text, around)?;
    for host in &hosts {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (host.as_str(), None),
        };
        let bare = name.strip_prefix("*.").or_else(|| name.strip_prefix('*')).unwrap_or(name);
        let brackets = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let good = match brackets {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => bare.bytes().all(sign) && (!bare.is_empty() || name == "*"),
        };
        if !good || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(format!("{} is no host name such as box, *.example.com or [::1]:9001", repr(host)));
        }
    }
    Ok(hosts)
}

/// CFG-069.
pub fn directory(text: &str, around: &dyn Surroundings) -> Result<String, String> {
    let path = paths::expand_user(text, around);
    match !path.is_empty() && around.is_dir(&path) {
        true => Ok(path),
        false => Err(format!("{text} is not an existing directory")),
    }
}

/// CFG-070.
pub fn path_in_directory(text: &str, around: &dyn Surroundings) -> Result<String, String> {
    let path = paths::expand_user(text, around);
    let directory = paths::dirname(&path);
    match directory.is_empty() || around.is_dir(directory) {
        true => Ok(path),
        false => Err(format!("The directory named as part of the path {text} does not exist")),
    }
}

/// What a log file key can say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogChoice {
    /// A file, an automatic one, or none.
    File(LogFile),
    /// `syslog`, the old way to ask for it (CFG-122).
    Syslog,
}

/// CFG-071.
pub fn logfile(text: &str, around: &dyn Surroundings) -> Result<LogChoice, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "" | "none" | "off" => LogChoice::File(LogFile::None),
        "auto" => LogChoice::File(LogFile::Auto),
        "syslog" => LogChoice::Syslog,
        _ => LogChoice::File(LogFile::Path(path_in_directory(text, around)?)),
    })
}

/// CFG-072.
pub fn level(text: &str, _: &dyn Surroundings) -> Result<Level, String> {
    Level::from_word(text).ok_or_else(|| format!("bad logging level name {}", repr(text)))
}

/// CFG-073.
pub fn user(text: &str, around: &dyn Surroundings) -> Result<UserSpec, String> {
    let found = match integer(text, around) {
        Ok(uid) => u32::try_from(uid).ok().and_then(|uid| around.user_by_id(uid)),
        Err(_) => {
            let user = around.user_by_name(text).ok_or_else(|| format!("Invalid user name {text}"))?;
            return Ok(UserSpec { text: text.to_string(), ..user });
        }
    };
    let user = found.ok_or_else(|| format!("Invalid user id {text}"))?;
    Ok(UserSpec { text: text.to_string(), ..user })
}

/// Owner and group, -1 for "leave" (CFG-074). Callers have their own message.
pub fn owner(text: &str, around: &dyn Surroundings) -> Result<(i64, i64), String> {
    let (user_part, group_part) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let uid = i64::from(user(user_part, around)?.uid);
    let Some(group) = group_part else { return Ok((uid, -1)) };
    let gid = match integer(group, around) {
        Ok(gid) => u32::try_from(gid).ok().filter(|gid| around.group_exists(*gid)),
        Err(_) => around.group_by_name(group),
    };
    Ok((uid, i64::from(gid.ok_or_else(|| format!("Invalid group {group}"))?)))
}

/// Host, empty for every IPv4 interface, and port (CFG-075). Ours: an IPv6 address in brackets, returned without
/// them.
pub fn inet_address(text: &str, around: &dyn Surroundings) -> Result<(String, u16), String> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return match port(text, around) {
            Ok(port) => Ok((String::new(), port)),
            Err(_) => Err(format!("not a valid port number: {} ", repr(text))),
        };
    };
    if port.is_empty() {
        return Err("no port number specified in ''".to_string());
    }
    let number = self::port(port, around)?;
    let host = host.to_ascii_lowercase();
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = inner.filter(|inner| is_ipv6(inner)).unwrap_or(&host);
    Ok((if host == "*" { String::new() } else { host.to_string() }, number))
}

/// Whether a host is an address that URLs have in brackets.
pub fn is_ipv6(host: &str) -> bool {
    host.parse::<std::net::Ipv6Addr>().is_ok()
}

/// A TCP port (CFG-075).
pub fn port(text: &str, around: &dyn Surroundings) -> Result<u16, String> {
    match integer(text, around)? {
        number if number < 1 => Err(format!("{number} is below lower bound (1)")),
        number => u16::try_from(number).map_err(|_| format!("{number} is above upper bound (65535)")),
    }
}

/// `None` for `auto` and for an empty text (CFG-146). Not checked further.
pub fn url_or_auto(text: &str, _: &dyn Surroundings) -> Result<Option<String>, String> {
    let auto = text.is_empty() || text.trim_matches(is_space).eq_ignore_ascii_case("auto");
    Ok((!auto).then(|| text.to_string()))
}

/// CFG-076.
pub fn environment(text: &str, _: &dyn Surroundings) -> Result<Vec<(String, String)>, String> {
    crate::config::environment::parse(text)
}

/// What the length before an event counts (BUG-082).
pub fn len_unit(text: &str, _: &dyn Surroundings) -> Result<LenUnit, String> {
    match text.to_ascii_lowercase().as_str() {
        "characters" => Ok(LenUnit::Characters),
        "bytes" => Ok(LenUnit::Bytes),
        _ => Err(format!("not a unit of lengths (characters or bytes): {}", repr(text))),
    }
}

/// How multicall wraps its results: true for one-element arrays (DEC-011).
pub fn results_form(text: &str, _: &dyn Surroundings) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "bare" => Ok(false),
        "array" => Ok(true),
        _ => Err(format!("not a form of results (bare or array): {}", repr(text))),
    }
}
