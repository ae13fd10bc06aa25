//! A configuration that the dice chose: 50 processes of every nature and setting, in a dozen groups.
//!
//! It is text, read by the same readers as a user's file; the machine that they ask about is pretended.

use std::fmt::Write;
use std::rc::Rc;

use crate::config::load;
use crate::config::options::DaemonOptions;
use crate::config::spec::Config;
use crate::config::surroundings::{Pretended, Surroundings};
use crate::sim::child::Nature;
use crate::sim::dice::Dice;

/// How many processes there are at the start.
pub const PROCESSES: u64 = 50;

/// The settings of one program, as pairs of key and value.
pub fn program_settings(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let (_, nature) = dice.pick(Nature::of_programs());
    let command = match dice.below(20) {
        0 => "/sim/missing".to_string(),
        1 => "'unfinished".to_string(),
        _ => format!("/sim/{nature} --name x"),
    };
    let mut set = vec![("command", command)];
    let mut choose = |key, values: &[&str], dice: &mut Dice| {
        if !dice.one_in(3) {
            set.push((key, dice.pick(values).to_string()));
        }
    };
    choose("autostart", &["true", "false"], dice);
    choose("autorestart", &["true", "false", "unexpected"], dice);
    choose("startsecs", &["0", "1", "2", "7"], dice);
    choose("startretries", &["0", "1", "3"], dice);
    choose("exitcodes", &["0", "0,2", "1"], dice);
    choose("stopsignal", &["TERM", "INT", "QUIT"], dice);
    choose("stopwaitsecs", &["0", "1", "3", "15"], dice);
    choose("redirect_stderr", &["true", "false"], dice);
    choose("priority", &["1", "2", "999"], dice);
    let own = "/sim/%(group_name)s.%(program_name)s.%(process_num)d";
    choose("stdout_logfile", &["AUTO", "NONE", &format!("{own}.out"), "/sim/shared.log", "/dev/stdout"], dice);
    choose("stderr_logfile", &["AUTO", "NONE", &format!("{own}.err"), "/sim/gone/x.log"], dice);
    choose("stdout_logfile_maxbytes", &["0", "100", "1KB"], dice);
    choose("stdout_logfile_backups", &["0", "1", "3", "200"], dice);
    choose("stderr_logfile_maxbytes", &["0", "200"], dice);
    choose("stderr_logfile_backups", &["0", "2"], dice);
    choose("stdout_capture_maxbytes", &["0", "50"], dice);
    choose("stdout_syslog", &["true", "false"], dice);
    choose("stdout_events_enabled", &["true", "false"], dice);
    // Only the first without the second is refused (CFG-140).
    let (stop, kill) = *dice.pick(&[(false, false), (false, true), (true, true)]);
    set.extend([("stopasgroup", stop.to_string()), ("killasgroup", kill.to_string())]);
    set
}

/// A configuration as the dice fall.
pub fn config(dice: &mut Dice) -> Result<Config, String> {
    read("/sim/supervisord.conf", &config_text(dice)).map_err(|texts| texts.join("; "))
}

/// Reads a configuration as a user's file is read, on a pretended machine that has nothing but this file and a few
/// folders, from the file's own folder. The errors are Supervisor's texts.
pub fn read(file: &str, text: &str) -> Result<Config, Vec<String>> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let folder = if folder.is_empty() { "/" } else { folder };
    let machine: Rc<dyn Surroundings> = Rc::new(Pretended {
        files: [(file.to_string(), text.as_bytes().to_vec())].into(),
        // What is gone by the time a program starts is there when its file is read.
        directories: ["/", "/dev", "/sim/gone", "/srv", "/tmp", "/var/log", folder].map(String::from).into(),
        env: [("HOME", "/root"), ("PATH", "/bin:/usr/bin")].map(|(key, value)| (key.into(), value.into())).into(),
        host_name: "box".to_string(),
        cwd: folder.to_string(),
        uid: 1000,
        ..Pretended::default()
    });
    let options = DaemonOptions { configuration: Some(name.to_string()), ..DaemonOptions::default() };
    load(&options, &machine).map_err(|errors| errors.into_iter().map(|error| error.text).collect())
}

fn config_text(dice: &mut Dice) -> String {
    let level = *dice.pick(&["info", "debug", "trace", "critical"]);
    let mut text = format!(
        "[supervisord]\nlogfile=/sim/supervisord.log\nlogfile_maxbytes=20000\nlogfile_backups=2\nloglevel={level}\n\
         pidfile=/sim/supervisord.pid\nnodaemon=true\nchildlogdir=/sim\nstrip_ansi={}\n\
         [inet_http_server]\nport=127.0.0.1:9001\n[unix_http_server]\nfile=/sim/supervisor.sock\n\
         [rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
         [rpcinterface:twiddler]\n\
         supervisor.rpcinterface_factory=supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface\n\
         [rpcinterface:cache]\n\
         supervisor.rpcinterface_factory=supervisor_cache.rpcinterface:make_cache_rpcinterface\n",
        dice.one_in(2)
    );
    let mut left = PROCESSES;
    let mut programs = Vec::new();
    while left > 0 {
        let count = dice.between(1, 7).min(left);
        left -= count;
        let name = format!("p{}", programs.len());
        let settings = program_settings(dice);
        if dice.one_in(6) {
            write_section(&mut text, &format!("fcgi-program:{name}"), &settings);
            let _ = writeln!(text, "socket=unix:///sim/{name}.sock");
        } else {
            write_section(&mut text, &format!("program:{name}"), &settings);
        }
        if count > 1 {
            let format = "process_name=%(program_name)s_%(process_num)d";
            let _ = writeln!(text, "numprocs={count}\n{format}");
        }
        programs.push(name);
    }
    write_pools(&mut text, dice);
    let mut free = programs.as_slice();
    for group in 0..3 {
        let (members, rest) = free.split_at(free.len().min(dice.between(1, 3) as usize));
        free = rest;
        if !members.is_empty() {
            let priority = *dice.pick(&[1, 5, 999]);
            let _ = writeln!(text, "[group:g{group}]\nprograms={}\npriority={priority}", members.join(","));
        }
    }
    text
}

/// Two pools of listeners.
fn write_pools(text: &mut String, dice: &mut Dice) {
    for (name, events, listeners) in [("ears", "EVENT", 3), ("clock", "TICK_5,PROCESS_STATE", 1)] {
        let settings = [
            ("command", "/sim/listener".to_string()),
            ("events", events.to_string()),
            ("numprocs", listeners.to_string()),
            ("process_name", "%(program_name)s_%(process_num)d".to_string()),
            ("buffer_size", dice.pick(&["1", "10", "1000", "auto"]).to_string()),
            ("autorestart", "true".to_string()),
            ("startsecs", dice.pick(&["0", "1", "3"]).to_string()),
            ("stderr_events_enabled", "true".to_string()),
            ("stdout_logfile", dice.pick(&["AUTO", "NONE"]).to_string()),
            ("stderr_logfile", dice.pick(&["AUTO", "NONE"]).to_string()),
        ];
        write_section(text, &format!("eventlistener:{name}"), &settings);
    }
}

fn write_section(text: &mut String, name: &str, settings: &[(&str, String)]) {
    let _ = writeln!(text, "[{name}]");
    for (key, value) in settings {
        let _ = writeln!(text, "{key}={value}");
    }
}
