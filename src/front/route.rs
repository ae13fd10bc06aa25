//! Who may ask, and who answers: Basic authentication and the table of paths.
//!
//! Looks at a request's head only; never writes an answer, never looks anything up in the world.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::base::text::same_secret;
use crate::base::time::parse_http_date;
use crate::base::words::Channel;
use crate::config::spec::ServerSpec;
use crate::front::files::{self, File};
use crate::front::origin::Harm;
use crate::front::piece::{Asked, Which};
use crate::front::web::{self, Page};
use crate::rpc::Access;
use crate::wire::http_in::Head;

/// What one server asks of its clients (HTTP-080).
pub(super) struct Guard {
    /// None: everybody may do everything.
    accounts: Vec<Account>,
}

struct Account {
    access: Access,
    user: Vec<u8>,
    secret: Secret,
}

enum Secret {
    Plain(Vec<u8>),
    /// The hex digits of a SHA-1, as configured: upper-case ones never match (HTTP-082).
    Sha(Vec<u8>),
}

/// What a request's credentials are worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Good for this, or none are needed.
    Welcome(Access),
    /// Missing, wrong, of another scheme, or without a colon: 401 (HTTP-083, HTTP-084).
    Stranger,
    /// Not even base64: 400 (HTTP-084).
    Unreadable,
}

impl Guard {
    pub(super) fn new(server: &ServerSpec) -> Guard {
        let own = server.username.as_deref().map(|user| (Access::Full, user, server.password.as_deref()));
        let viewer =
            server.access.viewer.as_ref().map(|(user, word)| (Access::View, user.as_str(), Some(word.as_str())));
        let all = own.into_iter().filter(|(_, user, _)| !user.is_empty()).chain(viewer);
        let account = |(access, user, password): (Access, &str, Option<&str>)| {
            let password = password.unwrap_or_default();
            let secret = match password.strip_prefix("{SHA}") {
                Some(hex) => Secret::Sha(hex.into()),
                None => Secret::Plain(password.into()),
            };
            Account { access, user: user.into(), secret }
        };
        Guard { accounts: all.map(account).collect() }
    }

    /// Judges the value of an `Authorization` header. A server without an account ignores it (HTTP-152).
    pub(super) fn check(&self, authorization: Option<&str>) -> Verdict {
        if self.accounts.is_empty() {
            return Verdict::Welcome(Access::Full);
        }
        let Some((scheme, token)) = authorization.and_then(|value| value.split_once(' ')) else {
            return Verdict::Stranger;
        };
        if !scheme.eq_ignore_ascii_case("basic") {
            return Verdict::Stranger;
        }
        let Ok(pair) = BASE64.decode(token.trim()) else { return Verdict::Unreadable };
        let Some(colon) = pair.iter().position(|byte| *byte == b':') else { return Verdict::Stranger };
        let (user, password) = (&pair[..colon], &pair[colon + 1..]);
        let mut verdict = Verdict::Stranger;
        // All are compared whatever the first one says: the time must not tell which was wrong.
        for account in &self.accounts {
            if account.is(user, password) && verdict == Verdict::Stranger {
                verdict = Verdict::Welcome(account.access);
            }
        }
        verdict
    }
}

impl Account {
    fn is(&self, user: &[u8], password: &[u8]) -> bool {
        let known = match &self.secret {
            Secret::Plain(secret) => same_secret(secret, password),
            Secret::Sha(hex) => same_secret(hex, sha1_smol::Sha1::from(password).digest().to_string().as_bytes()),
        };
        same_secret(&self.user, user) & known
    }
}

/// Who answers a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Route {
    /// XML-RPC.
    Rpc,
    /// A process's log, followed; `None` if no such log can be meant (HTTP-101).
    Log(Option<(String, Channel)>),
    /// The main log, followed.
    MainLog,
    /// A log as a file.
    Read(Box<Asked>),
    /// What changes, as long as somebody listens.
    Live,
    /// A web page.
    Page(Page),
    /// A file that comes with the daemon, unless it is known already (HTTP-125): `If-Modified-Since`.
    File(&'static File, Option<i64>),
    /// To this place instead: 301 (HTTP-124).
    Moved(String),
    /// Nobody: 400 or 404.
    Refused(u16),
}

impl Route {
    /// What a page from elsewhere could do with a request that comes here; `changes`: it may change something.
    pub(super) fn harm(&self, changes: bool) -> Harm {
        match self {
            _ if changes => Harm::Changes,
            Route::Log(_) | Route::MainLog | Route::Read(_) | Route::Live => Harm::Reads,
            _ => Harm::None,
        }
    }

    /// Whether the answer depends on a body, so that a POST must announce its length (HTTP-026, WEB-029).
    pub(super) fn reads_body(&self) -> bool {
        matches!(self, Route::Rpc | Route::Page(_))
    }
}

/// Finds who answers; the first match wins (HTTP-060 to HTTP-065, HTTP-150).
pub(super) fn route(head: &Head) -> Route {
    let (method, path) = (head.method.as_str(), head.path.as_str());
    let only = |wanted: &str, route: Route| if method == wanted { route } else { Route::Refused(400) };
    if path.starts_with("/RPC2") {
        return only("POST", Route::Rpc);
    }
    if let Some(rest) = path.strip_prefix("/logtail") {
        return only("GET", Route::Log(log_name(rest)));
    }
    if path.starts_with("/mainlogtail") {
        return only("GET", Route::MainLog);
    }
    let which = match path {
        "/mainlog" => Some(Which::Main),
        _ => path.strip_prefix("/log").filter(|rest| rest.starts_with('/')).map(|rest| Which::Of(log_name(rest))),
    };
    if let Some(which) = which {
        if !matches!(method, "GET" | "HEAD") {
            return Route::Refused(400);
        }
        let mut fields = head.query.iter().flat_map(|query| query.split('&'));
        let download = fields.any(|field| field.split('=').next() == Some("download"));
        return Route::Read(Box::new(Asked { which, range: head.header("range").map(str::to_string), download }));
    }
    if path == "/live" {
        return only("GET", Route::Live);
    }
    let name = path.trim_start_matches('/');
    if matches!(method, "GET" | "POST")
        && let Some(page) = web::find(name)
    {
        return Route::Page(page);
    }
    match method {
        "GET" | "HEAD" => file(head, name),
        // upstream: HTTP-065, the one prefix that does not fall under HTTP-150.
        "POST" if is_xml(head) && !name.starts_with("RPC2") && files::find(name).is_none() => Route::Rpc,
        _ => Route::Refused(400),
    }
}

/// HTTP-064, HTTP-120 to HTTP-126: there is no way out of the table of files.
fn file(head: &Head, name: &str) -> Route {
    if let Some(file) = files::find(name) {
        let known = head.header("if-modified-since").and_then(|value| value.split(';').next());
        return Route::File(file, known.and_then(parse_http_date));
    }
    match files::is_directory(name) {
        true => Route::Moved(format!("{}/{name}/", base_url(head, "localhost"))),
        false => Route::Refused(404),
    }
}

/// How the client calls this server, so that a reverse proxy's clients stay with it (HTTP-145, WEB-030).
/// `name`: what it is called if the client doesn't say, or says what is no host. A proxy may say that it speaks https.
pub(super) fn base_url(head: &Head, name: &str) -> String {
    let is_host = |host: &&str| {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~:[]%".contains(&byte);
        !host.is_empty() && host.bytes().all(sign)
    };
    let host = head.header("host").filter(is_host).unwrap_or(name);
    let secure = head.header("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    match secure {
        true => format!("https://{}", host.strip_suffix(":443").unwrap_or(host)),
        false => format!("http://{}", host.strip_suffix(":80").unwrap_or(host)),
    }
}

/// `Content-Type: text/xml`, with or without parameters.
fn is_xml(head: &Head) -> bool {
    let kind = head.header("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/xml")
}

/// Reads what follows `/logtail`: `[...]/<name>[/<channel>]` (HTTP-100).
fn log_name(rest: &str) -> Option<(String, Channel)> {
    // upstream: HTTP-061, the match is by prefix, so `/logtailfoo/web` is `/logtail/web`.
    let (_, spec) = rest.split_once('/')?;
    let (name, channel) = spec.split_once('/').unwrap_or((spec, Channel::Stdout.name()));
    let channel = [Channel::Stdout, Channel::Stderr].into_iter().find(|known| known.name() == channel)?;
    (!name.is_empty()).then(|| (name.to_string(), channel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::spec::{AccessSpec, Address, ServerLimits};

    fn guard(user: &str, password: &str) -> Guard {
        Guard::new(&server(user, password))
    }

    fn server(user: &str, password: &str) -> ServerSpec {
        ServerSpec {
            section: "inet_http_server".into(),
            address: Address::Inet { host: String::new(), port: 9001 },
            username: Some(user.into()),
            password: Some(password.into()),
            limits: ServerLimits::default(),
            access: AccessSpec::default(),
        }
    }

    fn check(guard: &Guard, scheme: &str, pair: &str) -> Verdict {
        guard.check(Some(&format!("{scheme} {}", BASE64.encode(pair))))
    }

    #[test]
    fn http_080_without_a_user_name_everybody_is_welcome() {
        // HTTP-152: a header that nobody asked for is ignored, however broken.
        for value in [None, Some("Basic !"), Some("Digest x"), Some("")] {
            assert_eq!(guard("", "").check(value), Verdict::Welcome(Access::Full));
            assert_ne!(guard("u", "p").check(value), Verdict::Welcome(Access::Full), "{value:?}");
        }
    }

    #[test]
    fn http_081_basic_credentials() {
        let guard = guard("user", "pass:word");
        for scheme in ["Basic", "basic", "BASIC"] {
            assert_eq!(check(&guard, scheme, "user:pass:word"), Verdict::Welcome(Access::Full));
        }
        for pair in ["user:pass", "user:pass:wor", "user:pass:word2", "use:pass:word", "user2:pass:word", ":", "user:"]
        {
            assert_eq!(check(&guard, "Basic", pair), Verdict::Stranger, "{pair}");
        }
    }

    #[test]
    fn http_082_sha_passwords_compare_lower_case_hex() {
        let hex = sha1_smol::Sha1::from("thepassword").digest().to_string();
        assert_eq!(
            check(&guard("u", &format!("{{SHA}}{hex}")), "Basic", "u:thepassword"),
            Verdict::Welcome(Access::Full)
        );
        assert_eq!(check(&guard("u", &format!("{{SHA}}{hex}")), "Basic", "u:thepasswore"), Verdict::Stranger);
        assert_eq!(check(&guard("u", &format!("{{SHA}}{hex}")), "Basic", &format!("u:{hex}")), Verdict::Stranger);
        let upper = hex.to_uppercase();
        assert_eq!(check(&guard("u", &format!("{{SHA}}{upper}")), "Basic", "u:thepassword"), Verdict::Stranger);
    }

    #[test]
    fn who_may_only_look() {
        let mut server = server("u", "p");
        server.access.viewer =
            Some(("v".into(), "{SHA}".to_string() + &sha1_smol::Sha1::from("w").digest().to_string()));
        let guard = Guard::new(&server);
        assert_eq!(check(&guard, "Basic", "u:p"), Verdict::Welcome(Access::Full));
        assert_eq!(check(&guard, "Basic", "v:w"), Verdict::Welcome(Access::View));
        for pair in ["u:w", "v:p", "v:", ":w", "x:w"] {
            assert_eq!(check(&guard, "Basic", pair), Verdict::Stranger, "{pair}");
        }
        assert_eq!(guard.check(None), Verdict::Stranger);
    }

    #[test]
    fn http_083_http_084_what_can_not_be_right() {
        let guard = guard("u", "p");
        assert_eq!(guard.check(None), Verdict::Stranger);
        assert_eq!(guard.check(Some("Basic")), Verdict::Stranger);
        assert_eq!(guard.check(Some("Digest dTpw")), Verdict::Stranger);
        assert_eq!(guard.check(Some("Basic dTpw")), Verdict::Welcome(Access::Full));
        assert_eq!(guard.check(Some("Basic dTp")), Verdict::Unreadable);
        assert_eq!(guard.check(Some("Basic !!!!")), Verdict::Unreadable);
        assert_eq!(check(&guard, "Basic", "up"), Verdict::Stranger);
    }

    fn to(method: &str, path: &str, kind: &str) -> Route {
        let mut head = Head::default();
        (head.method, head.path) = (method.into(), path.into());
        head.headers.push("content-type", kind.as_bytes());
        route(&head)
    }

    #[test]
    fn http_060_http_150_calls() {
        for path in ["/RPC2", "/RPC2/", "/RPC2foo"] {
            assert_eq!(to("POST", path, ""), Route::Rpc);
            for method in ["GET", "HEAD", "PUT"] {
                assert_eq!(to(method, path, "text/xml"), Route::Refused(400), "{method} {path}");
            }
        }
        assert_eq!(to("POST", "/whatever", "text/xml"), Route::Rpc);
        assert_eq!(to("POST", "/whatever", "Text/XML; charset=utf-8"), Route::Rpc);
        assert_eq!(to("POST", "/whatever", "text/plain"), Route::Refused(400));
        // HTTP-065.
        assert_eq!(to("POST", "//RPC2", "text/xml"), Route::Refused(400));
        // What has another handler is no call.
        assert_eq!(to("POST", "/logtail/web", "text/xml"), Route::Refused(400));
        assert_eq!(to("POST", "/ok.html", "text/xml"), Route::Page(Page::Ok));
    }

    #[test]
    fn http_061_http_062_log_streams() {
        let log = |name: &str, channel| Route::Log(Some((name.to_string(), channel)));
        assert_eq!(to("GET", "/logtail/web", ""), log("web", Channel::Stdout));
        assert_eq!(to("GET", "/logtail/grp:web/stdout", ""), log("grp:web", Channel::Stdout));
        assert_eq!(to("GET", "/logtail/web/stderr", ""), log("web", Channel::Stderr));
        // HTTP-101.
        for path in ["/logtail", "/logtail/", "/logtail/web/", "/logtail/web/out", "/logtail/web/stdout/x"] {
            assert_eq!(to("GET", path, ""), Route::Log(None), "{path}");
        }
        assert_eq!(to("GET", "/mainlogtail", ""), Route::MainLog);
        for path in ["/logtail/web", "/mainlogtail"] {
            for method in ["HEAD", "POST", "DELETE"] {
                assert_eq!(to(method, path, ""), Route::Refused(400), "HTTP-047: {method} {path}");
            }
        }
    }

    #[test]
    fn http_063_http_064_pages_and_files() {
        for path in ["/ok.html", "//ok.html"] {
            assert_eq!(to("GET", path, ""), Route::Page(Page::Ok));
            assert_eq!(to("HEAD", path, ""), Route::Refused(404), "HTTP-047");
        }
        for (path, page) in [("/", Page::Status), ("/index.html", Page::Status), ("//tail.html", Page::Tail)] {
            assert_eq!(to("GET", path, ""), Route::Page(page), "{path}");
            // A page is no call either.
            assert_eq!(to("POST", path, "text/xml"), Route::Page(page), "{path}");
            assert_eq!(to("HEAD", path, ""), Route::Refused(404), "HTTP-047");
        }
        assert_eq!(to("GET", "/none", ""), Route::Refused(404));
        for path in ["/images/icon.png", "//images/icon.png", "/stylesheets/supervisor.css"] {
            for method in ["GET", "HEAD"] {
                assert!(matches!(to(method, path, ""), Route::File(_, None)), "{method} {path}");
            }
            assert_eq!(to("POST", path, ""), Route::Refused(400));
            assert_eq!(to("POST", path, "text/xml"), Route::Refused(400), "HTTP-150: it is a file");
        }
        assert_eq!(to("HEAD", "/none", ""), Route::Refused(404));
        for method in ["POST", "PUT", "get"] {
            assert_eq!(to(method, "/none", ""), Route::Refused(400), "{method}");
        }
    }
}
