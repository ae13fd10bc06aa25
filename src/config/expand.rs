//! `%`-expansion of values, in the manner of Python's format strings with named keys (CFG-040 to CFG-044).
//!
//! Pure: the names come through [`Lookup`]. Bounded: no width or precision makes a text longer than
//! [`limits::FORMAT_WIDTH`](crate::base::limits::FORMAT_WIDTH) characters.

use std::iter::Peekable;
use std::str::Chars;

use crate::base::limits;
use crate::base::order;
use crate::base::text::repr;

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// Text, put in as it is.
    Text(&'a str),
    /// `process_num` and `numprocs`.
    Number(i64),
}

/// The names that a value may use.
pub trait Lookup {
    /// What the name stands for.
    fn value(&self, name: &str) -> Option<Value<'_>>;
    /// All names, in any order, for the message.
    fn names(&self) -> Vec<String>;
}

/// Expands `format`. The error is Supervisor's message, with `label` naming the place (CFG-042, CFG-043, CFG-045).
pub fn expand(format: &str, label: &str, names: &dyn Lookup) -> Result<String, String> {
    if !format.contains('%') {
        return Ok(format.to_string());
    }
    let mut scan = Scan { rest: format.chars().peekable(), at: 0 };
    // Mistakes are told to people who may not know it.
    let format = if label.ends_with("password") { "***" } else { format };
    scan.run(names).map_err(|wrong| match wrong {
        Wrong::Name(name) => {
            let mut all = names.names();
            order::sort(&mut all);
            all.dedup();
            format!(
                "Format string {} for {} contains names ({}) which cannot be expanded. Available names: {}",
                repr(format),
                repr(label),
                repr(&name),
                all.join(", ")
            )
        }
        Wrong::Format(reason) => {
            format!("Format string {} for {} is badly formatted: {reason}", repr(format), repr(label))
        }
    })
}

enum Wrong {
    /// No such name.
    Name(String),
    /// Anything else.
    Format(String),
}

fn incomplete() -> Wrong {
    Wrong::Format("incomplete format".to_string())
}

/// One conversion: `%(name)flags width .precision letter`.
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

struct Scan<'a> {
    rest: Peekable<Chars<'a>>,
    /// Characters taken so far.
    at: usize,
}

impl Scan<'_> {
    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.rest.next()
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let found = self.rest.peek() == Some(&wanted);
        if found {
            self.next();
        }
        found
    }

    fn run(&mut self, names: &dyn Lookup) -> Result<String, Wrong> {
        let mut out = String::new();
        while let Some(c) = self.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            if self.next_if('%') {
                out.push('%');
                continue;
            }
            let value = match self.next_if('(') {
                true => {
                    let name = self.name()?;
                    Some(names.value(&name).ok_or(Wrong::Name(name))?)
                }
                false => None,
            };
            let spec = self.spec()?;
            let letter = self.next().ok_or_else(incomplete)?;
            match (letter, value) {
                (_, None) if "diouxXeEfFgGcrsa".contains(letter) => {
                    // BUG-066.
                    return Err(Wrong::Format(format!("%{letter} has no name; write %(name){letter}, or %% for %")));
                }
                (letter, Some(Value::Text(text))) if "rsac".contains(letter) => out += &text_form(letter, text, &spec)?,
                (letter, Some(Value::Number(number))) if "diouxXeEfFgGcrsa".contains(letter) => {
                    out += &number_form(letter, number, &spec)?;
                }
                (letter, Some(Value::Text(_))) if "diu".contains(letter) => {
                    return Err(Wrong::Format(format!("%{letter} format: a real number is required, not str")));
                }
                (letter, Some(Value::Text(_))) if "oxX".contains(letter) => {
                    return Err(Wrong::Format(format!("%{letter} format: an integer is required, not str")));
                }
                (letter, Some(Value::Text(_))) if "eEfFgG".contains(letter) => {
                    return Err(Wrong::Format("must be real number, not str".to_string()));
                }
                (letter, _) => {
                    let reason = format!(
                        "unsupported format character {} (0x{:x}) at index {}",
                        repr(&letter.to_string()),
                        letter as u32,
                        self.at - 1
                    );
                    return Err(Wrong::Format(reason));
                }
            }
        }
        Ok(out)
    }

    /// The name up to its closing bracket; brackets within it count.
    fn name(&mut self) -> Result<String, Wrong> {
        let mut name = String::new();
        let mut depth = 1;
        loop {
            let c = self.next().ok_or_else(|| Wrong::Format("incomplete format key".to_string()))?;
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(name);
            }
            name.push(c);
        }
    }

    fn spec(&mut self) -> Result<Spec, Wrong> {
        let mut spec = Spec::default();
        while let Some(flag) = self.rest.next_if(|c| "-+ #0".contains(*c)) {
            self.at += 1;
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.blank = true,
                '#' => spec.alternate = true,
                _ => spec.zero = true,
            }
        }
        spec.width = self.count("width")?.unwrap_or(0);
        if self.next_if('.') {
            spec.precision = Some(self.count("precision")?.unwrap_or(0));
        }
        // Length marks of C mean nothing here.
        if self.rest.next_if(|c| "hlL".contains(*c)).is_some() {
            self.at += 1;
        }
        Ok(spec)
    }

    fn count(&mut self, what: &str) -> Result<Option<usize>, Wrong> {
        if self.next_if('*') {
            return Err(Wrong::Format("* wants int".to_string()));
        }
        let mut count = None;
        while let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            self.next();
            let so_far = count.unwrap_or(0) * 10 + digit as usize;
            if so_far > limits::FORMAT_WIDTH {
                return Err(Wrong::Format(format!("{what} too big")));
            }
            count = Some(so_far);
        }
        Ok(count)
    }
}

/// Fills up to the width.
fn pad(sign: &str, body: &str, spec: &Spec, zero: bool) -> String {
    let missing = spec.width.saturating_sub(sign.chars().count() + body.chars().count());
    if spec.left {
        format!("{sign}{body}{}", " ".repeat(missing))
    } else if zero {
        format!("{sign}{}{body}", "0".repeat(missing))
    } else {
        format!("{}{sign}{body}", " ".repeat(missing))
    }
}

fn text_form(letter: char, text: &str, spec: &Spec) -> Result<String, Wrong> {
    let shown = match letter {
        's' => text.to_string(),
        'c' if text.chars().count() == 1 => return Ok(pad("", text, spec, false)),
        'c' => return Err(Wrong::Format("%c requires int or char".to_string())),
        'r' => repr(text),
        _ => ascii(&repr(text)),
    };
    Ok(pad("", &cut(&shown, spec), spec, false))
}

fn cut(text: &str, spec: &Spec) -> String {
    spec.precision.map_or_else(|| text.to_string(), |most| text.chars().take(most).collect())
}

/// Python's `ascii` of what `repr` gave.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c as u32 {
            0..=0x7f => out.push(c),
            code @ 0x80..=0xff => out += &format!("\\x{code:02x}"),
            code @ 0x100..=0xffff => out += &format!("\\u{code:04x}"),
            code => out += &format!("\\U{code:08x}"),
        }
    }
    out
}

fn number_form(letter: char, number: i64, spec: &Spec) -> Result<String, Wrong> {
    let size = number.unsigned_abs();
    let sign = match number < 0 {
        true => "-",
        false if spec.plus => "+",
        false if spec.blank => " ",
        false => "",
    };
    let (prefix, body) = match letter {
        's' | 'r' | 'a' => return Ok(pad("", &cut(&number.to_string(), spec), spec, false)),
        'c' => {
            let c = u32::try_from(number).ok().and_then(char::from_u32);
            let c = c.ok_or_else(|| Wrong::Format("%c arg not in range(0x110000)".to_string()))?;
            return Ok(pad("", &c.to_string(), spec, false));
        }
        'o' => ("0o", format!("{size:o}")),
        'x' => ("0x", format!("{size:x}")),
        'X' => ("0X", format!("{size:X}")),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let body = float(letter.to_ascii_lowercase(), size as f64, spec.precision.unwrap_or(6), spec.alternate);
            let body = if letter.is_ascii_uppercase() { body.to_ascii_uppercase() } else { body };
            return Ok(pad(sign, &body, spec, spec.zero));
        }
        _ => ("", size.to_string()),
    };
    let digits = format!("{body:0>least$}", least = spec.precision.unwrap_or(0));
    let sign = if spec.alternate { format!("{sign}{prefix}") } else { sign.to_string() };
    Ok(pad(&sign, &digits, spec, spec.zero))
}

/// A whole number in the forms `e`, `f` and `g` of C.
fn float(letter: char, size: f64, precision: usize, alternate: bool) -> String {
    let point = if alternate && precision == 0 { "." } else { "" };
    let scientific = |precision: usize| {
        let shown = format!("{size:.precision$e}");
        let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
        (digits.to_string(), exponent.parse::<i32>().unwrap_or(0))
    };
    match letter {
        'f' => format!("{size:.precision$}{point}"),
        'e' => {
            let (digits, exponent) = scientific(precision);
            format!("{digits}{point}e+{exponent:02}")
        }
        _ => {
            let figures = precision.max(1);
            let (digits, exponent) = scientific(figures - 1);
            let trim = |text: String| match alternate || !text.contains('.') {
                true => text,
                false => text.trim_end_matches('0').trim_end_matches('.').to_string(),
            };
            match usize::try_from(exponent) {
                Ok(exponent) if exponent < figures => trim(format!("{size:.*}", figures - 1 - exponent)),
                _ => format!("{}e+{exponent:02}", trim(digits)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names;

    impl Lookup for Names {
        fn value(&self, name: &str) -> Option<Value<'_>> {
            match name {
                "x" => Some(Value::Text("text")),
                "c" => Some(Value::Text("é")),
                "n" => Some(Value::Number(7)),
                "m" => Some(Value::Number(-255)),
                "p" => Some(Value::Text("100%(x)s")),
                "a(b)" => Some(Value::Text("nested")),
                _ => None,
            }
        }
        fn names(&self) -> Vec<String> {
            ["x", "n", "c"].map(String::from).to_vec()
        }
    }

    fn good(format: &str) -> String {
        expand(format, "l", &Names).unwrap()
    }

    fn reason(format: &str) -> String {
        let error = expand(format, "s.k", &Names).unwrap_err();
        let start = format!("Format string {} for 's.k' is badly formatted: ", repr(format));
        error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_string()
    }

    #[test]
    fn cfg_040_named_conversions() {
        assert_eq!(good("a%(x)sb%%"), "atextb%");
        assert_eq!(good("%(n)02d|%(x)6s|%(x)-6s|%(x).3s|%(n)x"), "07|  text|text  |tex|7");
        assert_eq!(good("%(a(b))s"), "nested");
        assert_eq!(good("%(x)ls"), "text");
    }

    #[test]
    fn cfg_041_numbers_and_texts() {
        assert_eq!(good("%(m)d %(m)i %(m)x %(m)X %(m)o %(m)#x %(m)s"), "-255 -255 -ff -FF -377 -0xff -255");
        assert_eq!(
            good("%(n)+d|% d|%(n)05d|%(n)-5d|%(n).3d|%(m)06d".replace("% d", "%(n) d").as_str()),
            "+7| 7|00007|7    |007|-00255"
        );
        assert_eq!(good("%(n)f %(n).1f %(n)e %(n)g %(n)#.0f %(n)5.0f"), "7.000000 7.0 7.000000e+00 7 7.     7");
        assert_eq!(good("%(n)c|%(c)c|%(c)r|%(c)a|%(x)r"), "\u{7}|é|'é'|'\\xe9'|'text'");
    }

    #[test]
    fn cfg_042_unknown_names() {
        let error = expand("/b %(q)s %", "program:x.command", &Names).unwrap_err();
        assert_eq!(
            error,
            "Format string '/b %(q)s %' for 'program:x.command' contains names ('q') which cannot be expanded. \
             Available names: c, n, x"
        );
        // The name is missed before the format is found incomplete.
        assert!(expand("%(q)", "l", &Names).unwrap_err().contains("contains names ('q')"));
    }

    #[test]
    fn cfg_043_bad_formats() {
        assert_eq!(reason("a%"), "incomplete format");
        assert_eq!(reason("%(x)"), "incomplete format");
        assert_eq!(reason("%(x"), "incomplete format key");
        assert_eq!(reason("a%USER%"), "unsupported format character 'U' (0x55) at index 2");
        assert_eq!(reason("é%(x)é"), "unsupported format character 'é' (0xe9) at index 5");
        assert_eq!(reason("%5%"), "unsupported format character '%' (0x25) at index 2");
        assert_eq!(reason("%(x)04d"), "%d format: a real number is required, not str");
        assert_eq!(reason("%(x)x"), "%x format: an integer is required, not str");
        assert_eq!(reason("%(x)f"), "must be real number, not str");
        assert_eq!(reason("%(x)c"), "%c requires int or char");
        assert_eq!(reason("%(x)99999999999999999999s"), "width too big");
        assert_eq!(reason("%(x).99999999999999999999s"), "precision too big");
        assert_eq!(reason("%(x)*d"), "* wants int");
    }

    #[test]
    fn cfg_044_a_conversion_without_a_name() {
        assert!(reason("%s").starts_with("%s has no name"));
        assert!(reason("{% for x %}").starts_with("%f has no name"));
    }

    #[test]
    fn cfg_046_values_are_not_expanded_again() {
        assert_eq!(good("%(p)s"), "100%(x)s");
    }
}
