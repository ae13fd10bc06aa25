//! The `KEY="value",KEY=value` lists of `environment` (CFG-080 to CFG-087).
//!
//! Deliberately as odd as the scanner that people's files were written for; it knows nothing of expansion.

use crate::base::maps::ByName;

/// Reads a list, sorted by name; of equal names the last wins. The error is Supervisor's message.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let tokens = tokens(text)?;
    let mut variables = ByName::default();
    for four in tokens.chunks(4) {
        // upstream: CFG-083: the fourth is taken for a comma, whatever it is.
        match four {
            [key, equals, value, ..] if equals == "=" => {
                variables.insert(key.clone(), value.trim_matches(['\'', '"']).to_string());
            }
            _ => return Err(format!("Unexpected end of key/value pairs in value '{text}'")),
        }
    }
    Ok(in_order(&variables))
}

/// `over` laid over `base`, sorted by name.
pub fn merge(base: &[(String, String)], over: &[(String, String)]) -> Vec<(String, String)> {
    in_order(&base.iter().chain(over).cloned().collect())
}

fn in_order(variables: &ByName<String>) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_/.+-():".contains(c)
}

/// Splits into words, quoted texts with their quotes, and single other characters (CFG-080 to CFG-082).
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => {}
            '#' => skip_line(&mut chars),
            '\'' | '"' => {
                let mut token = String::from(c);
                loop {
                    let next = chars.next().ok_or("No closing quotation")?;
                    token.push(next);
                    if next == c {
                        break;
                    }
                }
                tokens.push(token);
            }
            c if is_word(c) => {
                let mut token = String::from(c);
                while let Some(next) = chars.peek().copied() {
                    if is_word(next) || next == '\'' || next == '"' {
                        token.push(next);
                        chars.next();
                    } else if next == '#' {
                        // upstream: CFG-082: the line end goes with the comment, so the word runs on behind it.
                        skip_line(&mut chars);
                    } else {
                        break;
                    }
                }
                tokens.push(token);
            }
            c => tokens.push(c.to_string()),
        }
    }
    Ok(tokens)
}

fn skip_line(chars: &mut impl Iterator<Item = char>) {
    for c in chars {
        if c == '\n' {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap()
    }

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs.map(|(key, value)| (key.to_string(), value.to_string())).to_vec()
    }

    #[test]
    fn cfg_080_cfg_082_words_quotes_and_blanks() {
        assert_eq!(good("FOO=\"a b\",BAR=/x/y.z+-():1"), pairs([("BAR", "/x/y.z+-():1"), ("FOO", "a b")]));
        assert_eq!(good("A = 1 ,\n B='x,y=z'"), pairs([("A", "1"), ("B", "x,y=z")]));
        assert_eq!(good("A=b'c\"d"), pairs([("A", "b'c\"d")]));
        assert_eq!(good("A=1#2"), pairs([("A", "1")]));
        assert_eq!(good("A=1,# no\nB=2"), pairs([("A", "1"), ("B", "2")]));
        // Observed with the original: the word runs on behind a comment.
        assert_eq!(good("A=1#2\n3,B=2"), pairs([("A", "13"), ("B", "2")]));
    }

    #[test]
    fn cfg_081_quotes_are_stripped_from_both_ends() {
        assert_eq!(good("A=\"'x'\""), pairs([("A", "x")]));
        assert_eq!(good("FOO=\"\""), pairs([("FOO", "")]));
        assert_eq!(parse("A=\"x").unwrap_err(), "No closing quotation");
        assert_eq!(parse("LANG='en").unwrap_err(), "No closing quotation");
    }

    #[test]
    fn cfg_083_cfg_084_four_tokens_at_a_time() {
        assert_eq!(good("A=1;B=2"), pairs([("A", "1"), ("B", "2")]));
        assert_eq!(good("A=1,"), pairs([("A", "1")]));
        assert_eq!(good("A=1,A=2"), pairs([("A", "2")]));
        assert_eq!(good(""), pairs([]));
        for text in ["LANG", "A=", "A=\"1\" B=\"2\"", "A={1}", "A=a@b"] {
            assert_eq!(parse(text).unwrap_err(), format!("Unexpected end of key/value pairs in value '{text}'"));
        }
    }

    #[test]
    fn cfg_085_cfg_086_examples() {
        assert_eq!(good("\n  A=1,\n  B=2"), pairs([("A", "1"), ("B", "2")]));
        assert_eq!(good("B=é"), pairs([("B", "é")]));
        assert_eq!(good("A=\"C:\\x\""), pairs([("A", "C:\\x")]));
    }

    /// A backslash escapes nothing, before a quote neither.
    #[test]
    fn bug_067_backslashes_are_themselves() {
        assert_eq!(good(r#"A="C:\dir\",B="x""#), pairs([("A", r"C:\dir\"), ("B", "x")]));
        assert_eq!(good(r#"A='it\',B="a\""#), pairs([("A", r"it\"), ("B", r"a\")]));
        let escaped = r#"A="say \"hi\"""#;
        assert_eq!(parse(escaped).unwrap_err(), format!("Unexpected end of key/value pairs in value '{escaped}'"));
    }

    #[test]
    fn cfg_145_the_program_overrides() {
        let merged = merge(&pairs([("A", "1"), ("B", "2")]), &pairs([("B", "3"), ("C", "4")]));
        assert_eq!(merged, pairs([("A", "1"), ("B", "3"), ("C", "4")]));
    }
}
