//! Reading a configuration is total: any bytes give a configuration or a list of mistakes.
#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use majordomo::config::json::Secrets;
use majordomo::config::options::{Asked, complaint, parse_daemon};
use majordomo::config::surroundings::Pretended;
use majordomo::config::{Surroundings, json, load};

fuzz_target!(|bytes: &[u8]| {
    let included = bytes.iter().position(|byte| *byte == 0).map_or(&[][..], |at| &bytes[at + 1..]);
    let main = &bytes[..bytes.len() - included.len()];
    let main = main.strip_suffix(b"\0").unwrap_or(main);
    let machine: Rc<dyn Surroundings> = Rc::new(Pretended {
        // What stands behind the first NUL is a second file, which the first may include.
        files: [("/c/s.conf".to_string(), main.to_vec()), ("/c/i.ini".to_string(), included.to_vec())].into(),
        directories: ["/", "/c", "/tmp"].map(String::from).into(),
        env: vec![("HOME".to_string(), "/root".to_string()), ("X".to_string(), "%(y)s \"'".to_string())],
        host_name: "box".to_string(),
        cwd: "/c".to_string(),
        uid: 0,
        ..Pretended::default()
    });
    let args = ["supervisord", "-c", "s.conf"].map(String::from);
    let Ok(Asked::Run(options)) = parse_daemon(&args, &machine) else { panic!("the command line is sound") };
    match load(&options, &machine) {
        Ok(config) => drop(json::effective(&config, Secrets::Shown)),
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            drop(complaint(&mistakes, "supervisord"));
        }
    }
});
