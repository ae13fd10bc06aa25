//! HTTP servers and XML-RPC namespaces (CFG-160 to CFG-168).

use std::path::PathBuf;
use std::time::Duration;

use crate::base::text::repr;
use crate::base::words::Level;
use crate::config::error::{Report, Reported};
use crate::config::ini::{Ini, Section, is_space};
use crate::config::kinds;
use crate::config::other_keys::{
    self, API_VERSION, AccessKeys, InetServer, Login, RPC_FACTORY as FACTORY, UnixMode, UnixServer,
};
use crate::config::paths;
use crate::config::reader::{Context, Reader};
use crate::config::spec::{AccessSpec, Address, InterfaceKind, InterfaceSpec, ServerLimits, ServerSpec};
use crate::config::table::ENV;

const MAIN: &str = "supervisor.rpcinterface:make_main_rpcinterface";
const TWIDDLER: &str = "supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface";
const CACHE: &str = "supervisor_cache.rpcinterface:make_cache_rpcinterface";

/// The factories that are built in (CFG-166).
pub const FACTORIES: [&str; 3] = [MAIN, TWIDDLER, CACHE];

/// All servers: inet ones in file order, then unix ones (CFG-160). `cwd` is what relative paths start from.
pub fn servers(ini: &Ini, context: &Context, cwd: &str, report: &mut Report) -> Vec<ServerSpec> {
    let mut servers = Vec::new();
    for section in ini.sections().iter().filter(|section| section.name.starts_with("inet_http_server")) {
        servers.extend(inet(&mut Reader::new(ini, section, context, report)));
    }
    for section in ini.sections().iter().filter(|section| section.name.starts_with("unix_http_server")) {
        servers.extend(unix(&mut Reader::new(ini, section, context, report), cwd));
    }
    servers
}

/// CFG-161.
fn inet(from: &mut Reader<'_>) -> Result<ServerSpec, Reported> {
    let keys = InetServer::read(from);
    let login = login(from);
    let (limits, access) = (limits(from), access(from, &login));
    let Some((host, port)) = keys?.port else {
        return Err(from.missing("port", format!("section [{}] has no port value", from.section.name)));
    };
    let (username, password) = login?;
    let (section, address) = (from.section.name.clone(), Address::Inet { host, port });
    Ok(ServerSpec { section, address, username, password, limits: limits?, access: access? })
}

/// CFG-162.
fn unix(from: &mut Reader<'_>, cwd: &str) -> Result<ServerSpec, Reported> {
    let around = from.names.context.around.clone();
    let file = UnixServer::read(from);
    let login = login(from);
    let keys = UnixMode::read(from);
    let (limits, access) = (limits(from), access(from, &login));
    let Some(file) = file?.file else {
        return Err(from.missing("file", format!("section [{}] has no file value", from.section.name)));
    };
    let keys = keys?;
    let chown = keys.chown.map_or(Ok((-1, -1)), |text| {
        kinds::owner(&text, &*around).map_err(|_| from.fail("chown", format!("Invalid sockchown value {text}")))
    });
    let mode = kinds::octal(&keys.chmod, &*around)
        .map_err(|_| from.fail("chmod", format!("Invalid chmod value {}", keys.chmod)));
    let path = paths::absolute(&paths::expand_user(file.trim_matches(is_space), &*around), cwd);
    let (username, password) = login?;
    Ok(ServerSpec {
        section: from.section.name.clone(),
        address: Address::Unix { path: PathBuf::from(path), mode: mode?, chown: chown? },
        username,
        password,
        limits: limits?,
        access: access?,
    })
}

fn limits(from: &mut Reader<'_>) -> Result<ServerLimits, Reported> {
    let keys = other_keys::ServerLimits::read(from)?;
    let some = |time: Duration| (!time.is_zero()).then_some(time);
    Ok(ServerLimits {
        body_bytes: keys.body_maxbytes,
        connections: keys.max_connections,
        idle: some(keys.idle_timeout),
        slow_request: some(keys.request_timeout),
    })
}

/// Name and password, if there are.
type Account = (Option<String>, Option<String>);

/// Reads who may come besides the account of [`login`].
fn access(from: &mut Reader<'_>, login: &Result<Account, Reported>) -> Result<AccessSpec, Reported> {
    let keys = AccessKeys::read(from)?;
    let section = from.section.name.clone();
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let viewer = match (some(keys.viewer_username), some(keys.viewer_password)) {
        (None, None) => None,
        (Some(name), Some(password)) => Some((name, password)),
        (name, _) => {
            let (there, absent) = match name {
                Some(_) => ("viewer_username", "viewer_password"),
                None => ("viewer_password", "viewer_username"),
            };
            return Err(from.fail(there, format!("Section [{section}] has {there} and no {absent}")));
        }
    };
    if let (Some((name, _)), Ok((user, _))) = (&viewer, login) {
        // Where nobody is asked for a password, everybody may do everything.
        let text = match user.as_deref() {
            None | Some("") => format!("Section [{section}] has viewer_username, but no username and password"),
            Some(user) if user == name => format!("Section [{section}]: viewer_username is the same as username"),
            Some(_) => String::new(),
        };
        if !text.is_empty() {
            return Err(from.fail("viewer_username", text));
        }
    }
    Ok(AccessSpec { viewer, hosts: keys.allowed_hosts, get_actions: keys.web_get_actions })
}

/// CFG-163.
fn login(from: &mut Reader<'_>) -> Result<Account, Reported> {
    let Login { username, password } = Login::read(from)?;
    if username.is_some() == password.is_some() {
        return Ok((username, password));
    }
    let text = format!(
        "Section [{}] contains incomplete authentication: If a username or a password is specified, both the username \
         and password must be specified",
        from.section.name
    );
    let (there, absent) = if username.is_some() { ("username", "password") } else { ("password", "username") };
    Err(from.fail_with(there, text, format!("{absent} is missing")))
}

/// What children are told (CFG-165).
pub fn server_url(servers: &[ServerSpec]) -> Option<String> {
    let unix = servers.iter().find_map(|server| match &server.address {
        Address::Unix { path, .. } => Some(format!("unix://{}", path.display())),
        Address::Inet { .. } => None,
    });
    let inet = || {
        servers.iter().find_map(|server| match &server.address {
            Address::Inet { host, port } if host.is_empty() => Some(format!("http://localhost:{port}")),
            Address::Inet { host, port } if kinds::is_ipv6(host) => Some(format!("http://[{host}]:{port}")),
            Address::Inet { host, port } => Some(format!("http://{host}:{port}")),
            Address::Unix { .. } => None,
        })
    };
    unix.or_else(inet)
}

/// All namespaces, in file order (CFG-166, CFG-167). One that can't be loaded is said in a critical line.
pub fn interfaces(ini: &Ini, context: &Context, report: &mut Report) -> Vec<InterfaceSpec> {
    let mut interfaces = Vec::new();
    for section in ini.sections() {
        if let Some(namespace) = section.name.strip_prefix("rpcinterface:") {
            interfaces.extend(interface(ini, section, namespace, context, report));
        }
    }
    interfaces
}

fn interface(
    ini: &Ini,
    section: &Section,
    namespace: &str,
    context: &Context,
    report: &mut Report,
) -> Result<InterfaceSpec, Reported> {
    let mut from = Reader::new(ini, section, context, report);
    let mut factory = None;
    let mut extras = Vec::new();
    for key in ini.keys(section) {
        let Some(setting) = ini.get(section, key) else { continue };
        let value = from.expand(&setting.value, key, &format!("{}.{key}", section.name), ENV)?;
        match key {
            FACTORY => factory = Some(value),
            _ => extras.push((key, value)),
        }
    }
    let Some(factory) = factory else {
        return Err(from.missing(FACTORY, format!("section [{}] does not specify a {FACTORY}", section.name)));
    };
    let mut take = |wanted: &str| {
        let at = extras.iter().position(|(key, _)| *key == wanted)?;
        Some(extras.swap_remove(at).1)
    };
    let kind = match factory.as_str() {
        MAIN => InterfaceKind::Main,
        TWIDDLER => InterfaceKind::Twiddler {
            api_version: take("api_version").unwrap_or_else(|| API_VERSION.to_string()),
            whitelist: kinds::list(&take("whitelist").unwrap_or_default(), &*context.around).unwrap_or_default(),
        },
        // CACHE-004.
        CACHE => {
            let any = match take("values").as_deref().map(str::trim) {
                None => false,
                Some(values) if values.eq_ignore_ascii_case("string") => false,
                Some(values) if values.eq_ignore_ascii_case("any") => true,
                Some(values) => {
                    return Err(from.fail(
                        "values",
                        format!("values of [{}] must be string or any, not {}", section.name, repr(values)),
                    ));
                }
            };
            // CACHE-025.
            let max_bytes = kinds::size(&take("maxbytes").unwrap_or_else(|| "0".to_string()), &*context.around)
                .map_err(|text| from.fail("maxbytes", format!("maxbytes of [{}]: {text}", section.name)))?;
            InterfaceKind::Cache { any, max_bytes: Some(max_bytes).filter(|bytes| *bytes > 0) }
        }
        _ => {
            let text = format!(
                "{factory} cannot be resolved within [{}]: only {} are built in, and Python code can't be loaded; the \
                 methods of {namespace} will not exist (file: '{}', line {})",
                section.name,
                FACTORIES.join(", "),
                section.at.file,
                section.at.line,
            );
            report.notice(Level::Critical, text, Some(&section.at));
            return Ok(InterfaceSpec { namespace: namespace.to_string(), kind: InterfaceKind::Foreign { factory } });
        }
    };
    if let (InterfaceKind::Main | InterfaceKind::Twiddler { .. }, Some((key, _))) = (&kind, extras.first()) {
        let hint = format!("{factory} takes no such key");
        return Err(from.fail_with(key, format!("Could not make {namespace} rpc interface"), hint));
    }
    Ok(InterfaceSpec { namespace: namespace.to_string(), kind })
}
