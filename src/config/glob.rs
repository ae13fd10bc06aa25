//! File name patterns of `[include]`: `*`, `?`, `[...]` (CFG-091). `**` is no more than `*`.
//!
//! Walks directories through [`Surroundings`]; follows no pattern deeper than it has slashes.

use crate::base::order;
use crate::config::paths;
use crate::config::surroundings::Surroundings;

/// The paths that match, sorted by bytes (CFG-092).
pub fn glob(pattern: &str, around: &dyn Surroundings) -> Vec<String> {
    let mut found = walk(pattern, around);
    order::sort(&mut found);
    found
}

fn walk(pattern: &str, around: &dyn Surroundings) -> Vec<String> {
    if !has_magic(pattern) {
        return if around.exists(pattern) { vec![pattern.to_string()] } else { Vec::new() };
    }
    let directory = paths::dirname(pattern);
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    // A pattern without a slash lists the working directory; one that is all directory stays itself.
    let directories = if has_magic(directory) { walk(directory, around) } else { vec![directory.to_string()] };
    let mut found = Vec::new();
    for directory in directories {
        let inside = |name: &str| paths::join(&directory, name);
        if last.is_empty() {
            if around.is_dir(&directory) {
                found.push(format!("{directory}/"));
            }
        } else if has_magic(last) {
            let listed = around.list(if directory.is_empty() { "." } else { &directory });
            let fits = |name: &&String| (!name.starts_with('.') || last.starts_with('.')) && matches(last, name);
            found.extend(listed.iter().filter(fits).map(|name| inside(name)));
        } else if around.exists(&inside(last)) {
            found.push(inside(last));
        }
    }
    found
}

fn has_magic(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a whole name fits a pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // The last star, and how much of the name it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            p += 1;
            star = Some((p, n));
            continue;
        }
        if n == name.len() && p == pattern.len() {
            return true;
        }
        match (n < name.len()).then(|| one(&pattern[p..], name[n])).flatten() {
            Some(used) => {
                p += used;
                n += 1;
            }
            None => match star {
                Some((after, taken)) if taken < name.len() => {
                    star = Some((after, taken + 1));
                    (p, n) = (after, taken + 1);
                }
                _ => return false,
            },
        }
    }
}

/// If the pattern's first item fits the character: how long the item is.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => match set(pattern) {
            Some((length, negated, items)) => (contains(items, c) != negated).then_some(length),
            // A bracket that is never closed stands for itself.
            None => (c == '[').then_some(1),
        },
        first => (*first == c).then_some(1),
    }
}

/// `[...]`: its whole length, whether it is negated, what is in it. A closing bracket at the start is an item.
fn set(pattern: &[char]) -> Option<(usize, bool, &[char])> {
    let negated = pattern.get(1) == Some(&'!');
    let start = if negated { 2 } else { 1 };
    let end = (start + 1..pattern.len()).find(|at| pattern[*at] == ']')?;
    Some((end + 1, negated, &pattern[start..end]))
}

fn contains(items: &[char], c: char) -> bool {
    let mut at = 0;
    while at < items.len() {
        if at + 2 < items.len() && items[at + 1] == '-' {
            if (items[at]..=items[at + 2]).contains(&c) {
                return true;
            }
            at += 3;
        } else {
            if items[at] == c {
                return true;
            }
            at += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::surroundings::Pretended;

    #[test]
    fn cfg_091_patterns() {
        for (pattern, name) in [
            ("*.conf", "a.conf"),
            ("*", ""),
            ("**a**", "bab"),
            ("a?c", "aéc"),
            ("[abc]", "b"),
            ("[a-c]x", "bx"),
            ("[!a-c]", "d"),
            ("[]]", "]"),
            ("[!]]", "x"),
            ("[a-]", "-"),
            ("[^a]", "^"),
            ("x[1", "x[1"),
            ("*a*b*c", "xxaxxbxxbc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.conf", "a.conf~"),
            ("?", ""),
            ("[!a]", "a"),
            ("[a-c]", "d"),
            ("[z-a]", "m"),
            ("a", "A"),
            ("", "x"),
            ("*a*b", "ba"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn cfg_091_cfg_092_walks() {
        let files = ["/d/b.conf", "/d/a.conf", "/d/.h.conf", "/d/c.txt", "/d/e/a.conf", "/d/f/a.conf", "/d/f/g/a.conf"];
        let around = Pretended {
            files: files.map(|path| (path.to_string(), Vec::new())).into(),
            directories: ["/", "/d", "/d/e", "/d/f", "/d/f/g"].map(String::from).into(),
            cwd: "/d".to_string(),
            ..Pretended::default()
        };
        let found = |pattern: &str| glob(pattern, &around);
        assert_eq!(found("/d/*.conf"), ["/d/a.conf", "/d/b.conf"]);
        assert_eq!(found("/d/.*.conf"), ["/d/.h.conf"]);
        assert_eq!(found("/d/*/a.conf"), ["/d/e/a.conf", "/d/f/a.conf"]);
        assert_eq!(found("/d/**/a.conf"), ["/d/e/a.conf", "/d/f/a.conf"]);
        assert_eq!(found("/*/?/*.conf"), ["/d/e/a.conf", "/d/f/a.conf"]);
        assert_eq!(found("*.txt"), ["c.txt"]);
        assert_eq!(found("/d/[e]/"), ["/d/e/"]);
        assert_eq!(found("/d/a.conf"), ["/d/a.conf"]);
        assert!(found("/d/nothing").is_empty() && found("/no/*").is_empty());
    }
}
