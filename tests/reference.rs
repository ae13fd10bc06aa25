//! The reference page in the repository is the one that the key tables give.

use std::path::Path;

use majordomo::config::reference::reference;
use majordomo::config::table::TABLES;

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(&path, reference()).expect("the page");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(page == reference(), "docs/configuration.md is stale: run `UPDATE=1 cargo test --test reference`");
}

#[test]
fn every_section_and_key_is_there() {
    let page = reference();
    for table in TABLES {
        let part = page.split("\n## ").find(|part| part.starts_with(&format!("`[{}", table.name.start())));
        let part = part.unwrap_or_else(|| panic!("{}", table.example));
        let of_program = page.split("\n## ").find(|part| part.starts_with("`[program:")).expect("programs");
        for row in table.all_rows() {
            let start = format!("| `{}` |", row.key);
            if table.doc.contains("the keys of a program too") && !part.contains(&start) {
                assert!(of_program.contains(&start), "{}", row.key);
                continue;
            }
            let line = part.lines().find(|line| line.starts_with(&start));
            let line = line.unwrap_or_else(|| panic!("{} in {}", row.key, table.example));
            assert_eq!(line.contains("**Ours.**"), row.ours, "{line}");
            assert_eq!(line.matches(" | ").count(), 4, "{line}");
        }
    }
}
