//! The programs that are compared, each with one client's answer to "is it here?".

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::contenders::Who;
use crate::large;
use crate::processors::{self, find};
use crate::support::daemon::Daemon;
use crate::support::{Folder, SERVERS, free_port, wait_until};

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Ours,
    Supervisor,
    /// nginx, which gives a body from its configuration at `/`, and files of its folder below `/files/`.
    Nginx,
    Redis,
    Memcached,
}

/// A program that runs, until this goes.
pub struct Server {
    pub address: SocketAddr,
    pub pid: i64,
    /// One of the two is there, and ends when this goes.
    _daemon: Option<Daemon>,
    other: Option<(Child, Folder)>,
}

impl Server {
    /// A daemon that was started elsewhere.
    pub fn of(daemon: Daemon) -> Server {
        let address = SocketAddr::from(([127, 0, 0, 1], daemon.port()));
        Server { address, pid: daemon.pid(), _daemon: Some(daemon), other: None }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.other {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sets the nice value of this program, and of what it starts from here on. Only root may lower it.
pub fn nice_client(nice: i32) {
    let own = std::process::id().to_string();
    let _ = Command::new("renice").args(["-n", &nice.to_string(), "-p", &own]).stdout(Stdio::null()).status();
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Peer::Ours => Who::Ours.name(),
            Peer::Supervisor => Who::Published.name(),
            Peer::Nginx => "nginx",
            Peer::Redis => "redis",
            Peer::Memcached => "memcached",
        }
    }

    /// Starts it. `body`: what nginx gives. The error says what is missing.
    pub fn start(self, body: &str) -> Result<Server, String> {
        match self {
            Peer::Ours => Ok(daemon(Who::Ours, "")),
            Peer::Supervisor => Ok(daemon(Who::Published, "")),
            Peer::Nginx => nginx(body),
            Peer::Redis => other("redis-server", |port, folder| {
                let folder = folder.path().to_string_lossy().into_owned();
                let words = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"];
                words.iter().map(|word| word.to_string()).chain([folder]).collect()
            }),
            Peer::Memcached => other("memcached", |port, _| {
                let words = ["-p", port, "-l", "127.0.0.1", "-t", "1", "-m", "1024", "-I", "8m", "-u", "root"];
                words.iter().map(|word| word.to_string()).collect()
            }),
        }
    }
}

/// A daemon with the three namespaces and more in its configuration.
pub fn daemon(who: Who, more: &str) -> Server {
    let servers = SERVERS.replace("[supervisord]\n", "[supervisord]\nloglevel=warn\nminfds=8192\n");
    let setup = who.setup(&format!("{servers}{more}"));
    Server::of(setup.through(&processors::prefix()).start())
}

fn nginx(body: &str) -> Result<Server, String> {
    let config = |port: &str, folder: &Folder| {
        let path = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .concat();
        format!(
            "daemon off;\nmaster_process off;\nworker_processes 1;\npid {path}/pid;\nerror_log {path}/error.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\naccess_log off;\nkeepalive_requests 1000000000;\nkeepalive_timeout 3600;\nsendfile on;\n\
             client_max_body_size 64m;\nclient_body_buffer_size 4m;\n{temporary}server {{\n\
             listen 127.0.0.1:{port};\nlocation / {{ default_type text/xml; return 200 \"{body}\"; }}\n\
             location /files/ {{ root {path}; }}\n}}\n}}\n"
        )
    };
    other("nginx", |port, folder| {
        std::fs::write(folder.path().join("nginx.conf"), config(port, folder)).expect("a configuration");
        std::fs::create_dir(folder.path().join("files")).expect("a folder");
        std::fs::write(folder.path().join("files/large"), large::value(false)).expect("a file");
        let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        vec!["-c".to_string(), file("nginx.conf"), "-e".to_string(), file("error.log")]
    })
}

/// Starts an installed program in a folder of its own; `args` makes its arguments of a port and the folder.
fn other(name: &str, args: impl Fn(&str, &Folder) -> Vec<String>) -> Result<Server, String> {
    let program = find(name).ok_or_else(|| format!("not found: {name} is not installed"))?;
    let (port, folder) = (free_port(), Folder::new());
    let args = args(&port.to_string(), &folder);
    let words: Vec<String> = processors::prefix().into_iter().map(str::to_string).collect();
    let words: Vec<String> = words.into_iter().chain([program.to_string_lossy().into_owned()]).chain(args).collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder.path());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("not found: {name}: {error}"))?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut ended = None;
    wait_until(name, 20, || {
        ended = child.try_wait().expect("its status");
        ended.is_some() || TcpStream::connect(address).is_ok()
    });
    if let Some(status) = ended {
        return Err(format!("not found: {name} ended at once ({status})"));
    }
    Ok(Server { address, pid: child.id().into(), _daemon: None, other: Some((child, folder)) })
}
