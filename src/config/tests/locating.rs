//! Which file is read (CFG-001 to CFG-010).
//!
//! Compiled for `#[cfg(test)]` only.

use std::path::PathBuf;
use std::rc::Rc;

use super::machine;
use crate::config::options::DaemonOptions;
use crate::config::surroundings::Pretended;
use crate::config::{Surroundings, load, locate, search_places};

fn options(configuration: Option<&str>) -> DaemonOptions {
    DaemonOptions {
        argv0: "/opt/bin/supervisord".into(),
        configuration: configuration.map(String::from),
        ..DaemonOptions::default()
    }
}

fn found(paths: &[&str]) -> Result<String, String> {
    let mut around = machine("");
    around.files = paths.iter().map(|path| (path.to_string(), b"[supervisord]\n".to_vec())).collect();
    let around: Rc<dyn Surroundings> = Rc::new(around);
    load(&options(None), &around).map(|config| config.daemon.file).map_err(|errors| errors[0].text.clone())
}

#[test]
fn cfg_002_cfg_003_cfg_004_the_search() {
    let all = [
        "/opt/etc/supervisord.conf",
        "/opt/supervisord.conf",
        "/base/supervisord.conf",
        "/base/etc/supervisord.conf",
        "/etc/supervisord.conf",
        "/etc/supervisor/supervisord.conf",
    ];
    let shown = [all[0], all[1], "supervisord.conf", "etc/supervisord.conf", all[4], all[5]];
    for at in 0..all.len() {
        assert_eq!(found(&all[at..]), Ok(shown[at].to_string()));
    }
    assert_eq!(
        found(&[]).unwrap_err(),
        format!(
            "No config file found at default paths ({}); use the -c option to specify a config file at a different path",
            shown.join(", ")
        )
    );
    assert_eq!(search_places("supervisord")[..2], ["etc/supervisord.conf", "supervisord.conf"]);
    // A directory counts as found, and can't be read (CFG-006).
    let mut around = machine("");
    around.directories.insert("/opt/supervisord.conf".into());
    let around: Rc<dyn Surroundings> = Rc::new(around);
    assert_eq!(load(&options(None), &around).unwrap_err()[0].text, "could not read config file /opt/supervisord.conf");
}

#[test]
fn cfg_001_cfg_006_cfg_008_the_named_file() {
    let around: Rc<dyn Surroundings> = Rc::new(machine("[supervisord]\n"));
    let error = |path| load(&options(Some(path)), &around).unwrap_err()[0].to_string();
    assert_eq!(load(&options(Some("../etc/c.conf")), &around).unwrap().daemon.file, "../etc/c.conf");
    assert_eq!(error("no.conf"), "could not find config file no.conf");
    assert_eq!(error("logs"), "could not read config file logs");
    assert_eq!(error(""), "could not find config file ");
}

#[test]
fn cfg_007_the_warning_for_root() {
    let mut around: Pretended = machine("");
    around.files.insert("/etc/supervisord.conf".into(), Vec::new());
    let warning = |around: &Pretended, configuration| {
        let around: Rc<dyn Surroundings> = Rc::new(around.clone());
        locate(&mut options(configuration), &around).unwrap()
    };
    let text = warning(&around, None).unwrap();
    assert!(text.starts_with(
        "Supervisord is running as root and it is searching for its configuration file in default locations"
    ));
    assert_eq!(warning(&around, Some("/etc/c.conf")), None);
    around.uid = 1;
    assert_eq!(warning(&around, None), None);
}

#[test]
fn cfg_009_cfg_010_a_reload_finds_the_file_from_anywhere() {
    let mut around = machine("[supervisord]\nidentifier=%(here)s\nlogfile=x.log\n");
    let mut options = options(Some("../etc/c.conf"));
    let first: Rc<dyn Surroundings> = Rc::new(around.clone());
    locate(&mut options, &first).unwrap();
    around.cwd = "/tmp".into();
    let around: Rc<dyn Surroundings> = Rc::new(around);
    let daemon = load(&options, &around).unwrap().daemon;
    assert_eq!((daemon.file.as_str(), daemon.identifier.as_str()), ("../etc/c.conf", "/etc"));
    assert_eq!(daemon.logfile, Some(PathBuf::from("/base/x.log")));
}
