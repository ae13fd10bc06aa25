//! Paths as text, in the way of Python's `os.path`: no file is looked at.

use crate::config::surroundings::Surroundings;

/// Everything before the last slash, without slashes at its end; empty for a bare name.
pub fn dirname(path: &str) -> &str {
    match path.rfind('/') {
        None => "",
        Some(at) => {
            let head = &path[..=at];
            let trimmed = head.trim_end_matches('/');
            if trimmed.is_empty() { head } else { trimmed }
        }
    }
}

/// `base/path`, or `path` alone if it is absolute.
pub fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') || base.is_empty() {
        path.to_string()
    } else if base.ends_with('/') {
        format!("{base}{path}")
    } else {
        format!("{base}/{path}")
    }
}

/// Without `.`, `..` and doubled slashes; two leading slashes stay, as POSIX has it.
pub fn normal(path: &str) -> String {
    let root = match path.bytes().take_while(|b| *b == b'/').count() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() { ".".to_string() } else { path }
}

/// Absolute against `cwd`, and normal.
pub fn absolute(path: &str, cwd: &str) -> String {
    normal(&join(cwd, path))
}

/// `~` and `~name` at the start become home directories; an unknown name stays as it is.
pub fn expand_user(path: &str, around: &dyn Surroundings) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_string() };
    let (name, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if name.is_empty() {
        let variable = around.env().into_iter().find(|(name, _)| name == "HOME").map(|(_, value)| value);
        variable.or_else(|| around.home_of(&around.user_by_id(around.uid())?.text))
    } else {
        around.home_of(name)
    };
    match home {
        None => path.to_string(),
        Some(home) => {
            let whole = format!("{}{tail}", home.trim_end_matches('/'));
            if whole.is_empty() { "/".to_string() } else { whole }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_and_joined() {
        assert_eq!(dirname("a"), "");
        assert_eq!(dirname("a/b"), "a");
        assert_eq!(dirname("/a"), "/");
        assert_eq!(dirname("a//b"), "a");
        assert_eq!(join("/a", "b"), "/a/b");
        assert_eq!(join("/a", "/b"), "/b");
        assert_eq!(join("", "b"), "b");
    }

    #[test]
    fn paths_are_made_normal() {
        for (path, normal_path) in [
            ("/a/./b//c/../d", "/a/b/d"),
            ("/../a", "/a"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("../../a", "../../a"),
            ("a/..", "."),
            ("", "."),
            ("/", "/"),
        ] {
            assert_eq!(normal(path), normal_path, "{path}");
        }
        assert_eq!(absolute("x/../y", "/w"), "/w/y");
    }
}
