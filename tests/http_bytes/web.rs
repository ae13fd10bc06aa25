//! The web pages (contract http.md, section 9).

use crate::rig::{Rig, body, header, status};

fn get(rig: &mut Rig, path: &str) -> String {
    rig.ask(format!("GET {path} HTTP/1.1\r\nHost: box:9001\r\n\r\n"))
}

#[test]
fn web_001_headers_of_the_status_page() {
    let mut rig = Rig::new();
    for path in ["/", "/index.html", "//index.html", "/?x=1"] {
        let page = get(&mut rig, path);
        assert_eq!(status(&page), "200", "{path}");
        assert_eq!(header(&page, "Content-Type"), Some("text/html;charset=utf-8"));
        assert_eq!(header(&page, "Pragma"), Some("no-cache"));
        assert_eq!(header(&page, "Cache-Control"), Some("no-cache"));
        assert_eq!(header(&page, "Expires"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(header(&page, "Content-Length"), Some(body(&page).len().to_string().as_str()));
        assert!(
            header(&page, "Content-Security-Policy").is_some_and(|policy| policy.starts_with("default-src 'none'"))
        );
        assert_eq!(header(&page, "X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(header(&page, "Referrer-Policy"), Some("no-referrer"));
    }
}
