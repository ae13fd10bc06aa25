//! Parameters of methods: what kinds of value each takes, how handlers read them, and how texts show them.

use crate::base::text::{bytes_repr, float_repr, repr};
use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::rpc::Call;

/// Which values a parameter takes (RPC-004).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A string, or base64 that is UTF-8.
    Text,
    /// A whole number, or what Python turns into one: decimal text, a boolean, a double. It is looked at behind the
    /// names, by [`Call::int`].
    Int,
    /// Anything, by its truth.
    Truth,
    /// A signal: a string, or what an [`Kind::Int`] may be. It is looked at behind the names, too.
    Signal,
    /// Anything: the handler looks closer.
    Any,
}

impl Kind {
    /// Whether the handler may see a value.
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Kind::Text => value.as_text().is_some(),
            Kind::Int | Kind::Signal | Kind::Truth | Kind::Any => true,
        }
    }
}

/// A number as Python's `int()` makes it of a value.
pub fn to_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Big(digits) => parse_int(digits),
        Value::Bool(truth) => Some(i64::from(*truth)),
        Value::Double(number) if number.is_finite() => Some(*number as i64),
        Value::Str(_) | Value::Bytes(_) => parse_int(value.as_text()?),
        _ => None,
    }
}

/// Reads a whole number as Python's `int()` reads text (CFG-061). Beyond 64 bits the nearest that fits, which for sizes,
/// places and priorities means the same.
pub fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let separated = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let digit = |sum: i64, byte: u8| sum.saturating_mul(10).saturating_sub(i64::from(byte - b'0'));
    // Downwards, because there is one more below 0 than above.
    let below = separated.then(|| digits.bytes().filter(|byte| *byte != b'_').fold(0, digit))?;
    Some(if negative { below } else { below.saturating_neg() })
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name, for help.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its type as `methodSignature` shows it.
    pub shown: &'static str,
    /// May be left out.
    pub optional: bool,
    /// What it means, for help.
    pub help: &'static str,
}

/// A required parameter.
pub const fn needs(name: &'static str, kind: Kind, shown: &'static str, help: &'static str) -> Param {
    Param { name, kind, shown, optional: false, help }
}

/// A parameter that may be left out.
pub const fn may(name: &'static str, kind: Kind, shown: &'static str, help: &'static str) -> Param {
    Param { name, kind, shown, optional: true, help }
}

impl Call<'_, '_> {
    /// The text of argument `index`, which the row says is text.
    pub fn text(&self, index: usize) -> &str {
        self.args.get(index).and_then(Value::as_text).unwrap_or_default()
    }

    /// The number of argument `index` (RPC-004). Whoever needs a name looks for that first, as the original does.
    pub fn int(&self, index: usize) -> Result<i64, Fault> {
        self.args.get(index).and_then(to_int).ok_or_else(|| Fault::new(fault::INCORRECT_PARAMETERS))
    }

    /// The truth of argument `index`, or of its default.
    pub fn truth(&self, index: usize, default: bool) -> bool {
        self.args.get(index).map_or(default, Value::is_truthy)
    }

    /// Takes argument `index` away, to be kept: without the room that it grew for or another call left.
    pub fn take(&mut self, index: usize) -> Value {
        let mut value = self.args.get_mut(index).map_or(Value::Nil, |value| std::mem::replace(value, Value::Nil));
        if let Value::Str(text) = &mut value {
            text.shrink_to_fit();
        }
        value
    }
}

/// A value as Python shows it, in a fault's text (RPC-064) and in the main log (TWID-071).
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Nil => "None".to_string(),
        Value::Bool(true) => "True".to_string(),
        Value::Bool(false) => "False".to_string(),
        Value::Int(number) => number.to_string(),
        Value::Big(digits) => digits.clone(),
        Value::Double(number) => float_repr(*number),
        Value::Str(text) => text.clone(),
        Value::DateTime(text) => match parts_of(text) {
            Some([year, month, day, clock]) => format!("{year}-{month}-{day} {clock}"),
            None => text.clone(),
        },
        // RPC-192: base64 that is text is text.
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_string(),
            Err(_) => bytes_repr(bytes),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(quoted).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Struct(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}: {}", repr(name), quoted(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn quoted(value: &Value) -> String {
    if let Value::DateTime(text) = value
        && let Some([year, month, day, clock]) = parts_of(text)
    {
        // The second is left out if it is none.
        let clock = clock.strip_suffix(":00").unwrap_or(clock);
        let numbers = [year, month, day].into_iter().chain(clock.split(':'));
        let numbers: Vec<String> = numbers.filter_map(|text| Some(text.parse::<u16>().ok()?.to_string())).collect();
        return format!("datetime.datetime({})", numbers.join(", "));
    }
    value.as_text().map_or_else(|| shown(value), repr)
}

/// Year, month, day and time of day of `YYYYMMDDTHH:MM:SS` (RPC-191).
fn parts_of(date: &str) -> Option<[&str; 4]> {
    Some([date.get(..4)?, date.get(4..6)?, date.get(6..8)?, date.get(9..)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evt_017_rpc_191_dates_are_shown_as_python_shows_them() {
        let date = |text: &str| Value::DateTime(text.to_string());
        assert_eq!(shown(&date("20200102T03:04:05")), "2020-01-02 03:04:05");
        let list = Value::Array(vec![date("20200102T03:04:05"), date("09991231T23:00:00")]);
        assert_eq!(shown(&list), "[datetime.datetime(2020, 1, 2, 3, 4, 5), datetime.datetime(999, 12, 31, 23, 0)]");
    }

    #[test]
    fn rpc_004_numbers_are_made_of_what_python_makes_them_of() {
        let int = |value: Value| to_int(&value);
        assert_eq!(int(Value::str(" -1_000 ")), Some(-1000));
        assert_eq!(int(Value::str("+7")), Some(7));
        assert_eq!(int(Value::str("-9223372036854775808")), Some(i64::MIN));
        assert_eq!(int(Value::str("9223372036854775808")), Some(i64::MAX));
        assert_eq!(int(Value::str(format!("-{}", "9".repeat(100)))), Some(i64::MIN));
        assert_eq!(int(Value::Big("99999999999999999999".to_string())), Some(i64::MAX));
        assert_eq!(int(Value::Double(-2.9)), Some(-2));
        assert_eq!(int(Value::Bool(true)), Some(1));
        for bad in ["", "1.5", "_1", "1__0", "-", "0x1", "--1"] {
            assert_eq!(int(Value::str(bad)), None, "{bad}");
        }
        assert_eq!(int(Value::Nil), None);
        assert_eq!(int(Value::Double(f64::NAN)), None);
    }
}
