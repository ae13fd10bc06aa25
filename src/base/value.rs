//! The tree of XML-RPC values: what a call's arguments and an answer are made of.

/// One XML-RPC value. Base64 stays bytes until somebody wants text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `<nil/>`.
    Nil,
    /// `<boolean>`.
    Bool(bool),
    /// `<int>`, `<i4>` or `<i8>`.
    Int(i64),
    /// The same beyond 64 bits, which Python has (RPC-186): decimal digits, the first one not 0, perhaps behind a `-`.
    /// Nothing can be counted in it; it is kept and given back.
    Big(String),
    /// `<double>`.
    Double(f64),
    /// `<string>`, or a value without a type.
    Str(String),
    /// `<dateTime.iso8601>` as `YYYYMMDDTHH:MM:SS`.
    DateTime(String),
    /// `<base64>`, decoded.
    Bytes(Vec<u8>),
    /// `<array>`.
    Array(Vec<Value>),
    /// `<struct>`, members in the order written, names unique.
    Struct(Vec<(String, Value)>),
}

impl Value {
    /// A string value.
    pub fn str(text: impl Into<String>) -> Value {
        Value::Str(text.into())
    }

    /// An array of strings.
    pub fn strings<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Value {
        Value::Array(texts.into_iter().map(|text| Value::Str(text.into())).collect())
    }

    /// The integer that a decimal text writes, with an optional sign (RPC-186). `None`: it writes none.
    pub fn integer(text: &str) -> Option<Value> {
        if let Ok(number) = text.parse() {
            return Some(Value::Int(number));
        }
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| Value::Big(format!("{sign}{}", digits.trim_start_matches('0'))))
    }

    /// The member `name` of a struct.
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Struct(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string, or of base64 whose bytes are UTF-8 (RPC-192).
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Truth as Python sees it (RPC-004).
    pub fn is_truthy(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(truth) => *truth,
            Value::Int(number) => *number != 0,
            Value::Big(_) => true,
            Value::Double(number) => *number != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::DateTime(_) => true,
            Value::Bytes(bytes) => !bytes.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Struct(members) => !members.is_empty(),
        }
    }
}

/// A value that somebody else has: written without being copied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// As [`Value::Int`].
    Int(i64),
    /// As [`Value::Str`].
    Str(&'a str),
    /// Any.
    Any(&'a Value),
}

/// Takes a member of a struct: its name and its value.
pub type Put<'a> = &'a mut dyn FnMut(&str, ValueRef<'_>);

impl From<ValueRef<'_>> for Value {
    fn from(lent: ValueRef<'_>) -> Value {
        match lent {
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Str(text) => Value::Str(text.to_string()),
            ValueRef::Any(value) => value.clone(),
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.to_string())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text)
    }
}
