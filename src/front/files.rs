//! Files that come with the daemon (HTTP-120 to HTTP-126): a table of paths, nothing from the disk, so that no path can
//! lead out of it.

/// A file.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct File {
    /// Without its leading slash.
    path: &'static str,
    /// Its `Content-Type`.
    pub(super) kind: &'static str,
    /// What is in it.
    pub(super) bytes: &'static [u8],
}

const FILES: &[File] = &[
    File { path: "images/icon.png", kind: "image/png", bytes: include_bytes!("files/icon.png") },
    File { path: "images/supervisor.gif", kind: "image/gif", bytes: include_bytes!("files/supervisor.gif") },
    File { path: "stylesheets/supervisor.css", kind: "text/css", bytes: include_bytes!("files/supervisor.css") },
];

/// The file of that name.
pub(super) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == name)
}

/// Whether files lie in a directory of that name, which has no slash behind it (HTTP-124).
pub(super) fn is_directory(name: &str) -> bool {
    FILES.iter().any(|file| file.path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_120_121_files_are_what_they_are_called() {
        for file in FILES {
            let begins: &[u8] = match file.kind {
                "image/png" => b"\x89PNG\r\n\x1a\n",
                "image/gif" => b"GIF89a",
                _ => b"/*",
            };
            assert!(file.bytes.starts_with(begins), "{}", file.path);
            assert_eq!(find(file.path), Some(file));
        }
        for name in ["", "images", "images/", "/images/icon.png", "images/../images/icon.png", "files.rs"] {
            assert_eq!(find(name), None, "{name}");
        }
        assert!(is_directory("images") && is_directory("stylesheets"));
        for name in ["", "image", "images/", "images/icon.png", "..", "."] {
            assert!(!is_directory(name), "{name}");
        }
    }
}
