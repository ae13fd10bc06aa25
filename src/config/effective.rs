//! A process's settings as clients see them: what rows of the key tables turn into values (RPC-091 to RPC-093).
//!
//! Knows how settings are shown, not which there are: that is said by the rows.

use crate::base::value::Value;
use crate::base::words::Channel;
use crate::config::spec::{Autorestart, LogFile, ProcessSpec, UserSpec};

/// A process's settings, with the paths that its automatic logs got, if it is active.
#[derive(Clone, Copy, Debug)]
pub struct Effective<'a> {
    /// As configured.
    pub spec: &'a ProcessSpec,
    /// Of standard output and of standard error.
    pub logs: [Option<&'a str>; 2],
}

/// How a row shows what its key has come to.
pub type Show = fn(&Effective<'_>) -> Value;

impl Effective<'_> {
    /// A log: its path, `auto` while it has none, `none` if there is no log (RPC-092).
    pub fn log(&self, channel: Channel) -> Value {
        match &self.spec.channels[channel.index()].logfile {
            _ if channel == Channel::Stderr && self.spec.redirect_stderr => "none".into(),
            LogFile::None => "none".into(),
            LogFile::Path(path) => path.as_str().into(),
            LogFile::Auto => self.logs[channel.index()].unwrap_or("auto").into(),
        }
    }
}

/// Text, or `none` (RPC-092).
pub fn text(text: Option<&str>) -> Value {
    text.unwrap_or("none").into()
}

/// A number of bytes.
pub fn size(bytes: u64) -> Value {
    i64::try_from(bytes).unwrap_or(i64::MAX).into()
}

/// Whole numbers.
pub fn numbers(numbers: &[i32]) -> Value {
    Value::Array(numbers.iter().map(|number| i64::from(*number).into()).collect())
}

/// An account's number, or `none` (RPC-092).
pub fn uid(user: Option<&UserSpec>) -> Value {
    user.map_or("none".into(), |user| i64::from(user.uid).into())
}

/// A boolean, or `unexpected` (RPC-093).
pub fn autorestart(autorestart: Autorestart) -> Value {
    match autorestart {
        Autorestart::Never => false.into(),
        Autorestart::Always => true.into(),
        Autorestart::Unexpected => "unexpected".into(),
    }
}
