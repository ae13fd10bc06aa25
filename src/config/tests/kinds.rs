//! CFG-060 to CFG-077: single values.
//!
//! Compiled for `#[cfg(test)]` only.

use super::machine;
use crate::base::words::Level;
use crate::config::kinds::*;
use crate::config::spec::{Autorestart, LogFile};
use crate::config::surroundings::Pretended;

/// Reads with the machine of all these tests.
fn with<T>(kind: Kind<T>, text: &str) -> Result<T, String> {
    let machine: Pretended = machine("");
    kind(text, &machine)
}

#[test]
fn cfg_060_names() {
    assert_eq!(with(name, " a-b_c.é "), Ok("a-b_c.é".to_string()));
    assert_eq!(with(name, "a/b:c d").unwrap_err(), "Invalid name: 'a/b:c d' because of character: ' '");
    assert_eq!(with(name, "a/b:c").unwrap_err(), "Invalid name: 'a/b:c' because of character: ':'");
    assert_eq!(with(name, "a/b").unwrap_err(), "Invalid name: 'a/b' because of character: '/'");
    assert_eq!(with(name, " ").unwrap_err(), "Invalid name: '' because it is empty");
}

#[test]
fn cfg_061_cfg_077_integers() {
    for (text, value) in [("1", 1), (" -5\n", -5), ("+7", 7), ("1_000", 1000), ("007", 7)] {
        assert_eq!(with(integer, text), Ok(value));
    }
    assert_eq!(with(integer, "9".repeat(40).as_str()), Ok(i64::MAX));
    for text in ["", "high", "2.5", "1__0", "_1", "1_", "--1", "0x1", "1 2"] {
        assert_eq!(with(integer, text).unwrap_err(), format!("invalid literal for int() with base 10: '{text}'"));
    }
}

#[test]
fn cfg_062_booleans() {
    for (text, value) in [
        ("yes", true),
        ("TRUE", true),
        ("On", true),
        ("1", true),
        ("no", false),
        ("False", false),
        ("off", false),
        ("0", false),
    ] {
        assert_eq!(with(boolean, text), Ok(value));
    }
    assert_eq!(with(boolean, "Later").unwrap_err(), "not a valid boolean value: 'Later'");
}

#[test]
fn cfg_063_autorestart() {
    assert_eq!(with(autorestart, "Unexpected"), Ok(Autorestart::Unexpected));
    assert_eq!(with(autorestart, "ON"), Ok(Autorestart::Always));
    assert_eq!(with(autorestart, "no"), Ok(Autorestart::Never));
    assert_eq!(with(autorestart, "Often").unwrap_err(), "invalid 'autorestart' value 'often'");
}

#[test]
fn cfg_064_sizes() {
    for (text, bytes) in
        [("0", 0), ("10", 10), ("1KB", 1024), ("1 kb", 1024), ("2Mb", 2 << 20), ("1GB", 1 << 30), ("-1MB", 0)]
    {
        assert_eq!(with(size, text), Ok(bytes));
    }
    assert_eq!(with(size, "12XB").unwrap_err(), "invalid literal for int() with base 10: '12xb'");
    assert_eq!(with(size, "xMB").unwrap_err(), "invalid literal for int() with base 10: 'x'");
}

#[test]
fn cfg_065_octals() {
    for (text, bits) in [("022", 0o22), ("0o27", 0o27), ("777", 0o777), (" 2 ", 2)] {
        assert_eq!(with(octal, text), Ok(bits));
    }
    assert_eq!(with(octal, "089").unwrap_err(), "089 can not be converted to an octal type");
}

#[test]
fn cfg_066_signals() {
    assert_eq!(with(signal, "SIGhup"), Ok(1));
    assert_eq!(with(signal, " 9 "), Ok(9));
    assert_eq!(with(signal, "BYE").unwrap_err(), "value 'BYE' is not a valid signal name");
    assert_eq!(with(signal, "4242").unwrap_err(), "value '4242' is not a valid signal number");
    // BUG-071.
    assert_eq!(with(signal, "0").unwrap_err(), "value '0' is not a valid signal number");
    assert_eq!(with(signal, "_IGN").unwrap_err(), "value '_IGN' is not a valid signal name");
}

#[test]
fn cfg_067_exit_codes() {
    assert_eq!(with(exitcodes, "0, 2,255"), Ok(vec![0, 2, 255]));
    assert_eq!(with(exitcodes, ""), Ok(vec![]));
    for text in ["1,two", "300", "-1", "1,"] {
        assert_eq!(with(exitcodes, text).unwrap_err(), format!("not a valid list of exit codes: '{text}'"));
    }
}

#[test]
fn cfg_068_lists() {
    assert_eq!(with(list, " a, b ,c,"), Ok(["a", "b", "c", ""].map(String::from).to_vec()));
    assert_eq!(with(list, ""), Ok(vec![]));
}

#[test]
fn cfg_069_cfg_070_directories() {
    assert_eq!(with(directory, "logs"), Ok("logs".to_string()));
    assert_eq!(with(directory, "~joe"), Ok("/home/joe".to_string()));
    assert_eq!(with(directory, "~/x").unwrap_err(), "~/x is not an existing directory");
    assert_eq!(with(path_in_directory, "name"), Ok("name".to_string()));
    assert_eq!(with(path_in_directory, "~/x"), Ok("/home/joe/x".to_string()));
    assert_eq!(with(path_in_directory, "logs/x"), Ok("logs/x".to_string()));
    assert_eq!(
        with(path_in_directory, "~/x/y").unwrap_err(),
        "The directory named as part of the path ~/x/y does not exist"
    );
}

#[test]
fn cfg_071_log_files() {
    for text in ["", "none", "NONE", "Off"] {
        assert_eq!(with(logfile, text), Ok(LogChoice::File(LogFile::None)));
    }
    assert_eq!(with(logfile, "Auto"), Ok(LogChoice::File(LogFile::Auto)));
    assert_eq!(with(logfile, "SYSLOG"), Ok(LogChoice::Syslog));
    assert_eq!(with(logfile, "logs/Off"), Ok(LogChoice::File(LogFile::Path("logs/Off".to_string()))));
    assert!(with(logfile, "nowhere/x").is_err());
}

#[test]
fn cfg_072_levels() {
    assert_eq!(with(level, "Blather"), Ok(Level::Blather));
    assert_eq!(with(level, "warning").unwrap_err(), "bad logging level name 'warning'");
}

#[test]
fn cfg_073_cfg_074_users_and_owners() {
    assert_eq!(with(user, "joe").unwrap().uid, 1);
    assert_eq!(with(user, "1").unwrap().text, "1");
    assert_eq!(with(user, "jim").unwrap_err(), "Invalid user name jim");
    assert_eq!(with(user, "").unwrap_err(), "Invalid user name ");
    assert_eq!(with(user, "77").unwrap_err(), "Invalid user id 77");
    assert_eq!(with(owner, "joe"), Ok((1, -1)));
    assert_eq!(with(owner, "joe:staff"), Ok((1, 50)));
    assert_eq!(with(owner, "0:50"), Ok((0, 50)));
    assert!(with(owner, "joe:nobody").is_err() && with(owner, "jim").is_err() && with(owner, "joe:51").is_err());
}

#[test]
fn cfg_075_inet_addresses() {
    let address = |host: &str, port| Ok((host.to_string(), port));
    assert_eq!(with(inet_address, "LocalHost:9001"), address("localhost", 9001));
    for text in ["9001", "*:9001", ":9001"] {
        assert_eq!(with(inet_address, text), address("", 9001));
    }
    // Ours.
    assert_eq!(with(inet_address, "[::1]:9001"), address("::1", 9001));
    assert_eq!(with(inet_address, "a:").unwrap_err(), "no port number specified in ''");
    assert_eq!(with(inet_address, "web").unwrap_err(), "not a valid port number: 'web' ");
    assert_eq!(with(inet_address, "a:web").unwrap_err(), "invalid literal for int() with base 10: 'web'");
    assert_eq!(with(inet_address, "a:0").unwrap_err(), "0 is below lower bound (1)");
    assert_eq!(with(inet_address, "a:65536").unwrap_err(), "65536 is above upper bound (65535)");
}

#[test]
fn cfg_076_environment_and_ours() {
    assert_eq!(with(environment, "A=1"), Ok(vec![("A".to_string(), "1".to_string())]));
    assert_eq!(with(url_or_auto, " Auto "), Ok(None));
    assert_eq!(with(url_or_auto, "x y"), Ok(Some("x y".to_string())));
    assert_eq!(with(results_form, "array"), Ok(true));
    assert!(with(results_form, "both").is_err());
    assert_eq!(with(cpus, "3,0-1").map(|cpus| cpus.to_string()), Ok("0-1,3".to_string()));
    assert_eq!(with(cpus, "1-").unwrap_err(), "'1-' names no processors, such as 1 or 0,2-3, from 0 to 8191");
}
