//! Reading a configuration is total: whatever the bytes, it ends soon, with a configuration or with mistakes.
//!
//! Texts are made by chance from the sample, from what has a meaning, and from plain noise; a seed gives the same texts
//! every time. `FUZZ_SECONDS=600 cargo test --release --test any_config` goes on for as long, with a seed of its own.

use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use majordomo::config::json::Secrets;
use majordomo::config::options::{Asked, complaint, parse_daemon};
use majordomo::config::sample::sample;
use majordomo::config::surroundings::Pretended;
use majordomo::config::table::TABLES;
use majordomo::config::{Surroundings, json, load};
use majordomo::sim::dice::Dice;

const PIECES: &[&str] = &[
    "[",
    "]",
    "=",
    ":",
    ";",
    "#",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\n ",
    "\u{c}",
    "\u{85}",
    "\u{feff}",
    "%",
    "%%",
    "%(",
    "%(here)s",
    "%(process_num)02d",
    "%(ENV_X)s",
    "%(ENV_X)5.3s",
    "%(process_num)*d",
    "%(program_name)c",
    "%(numprocs)#x",
    "%(numprocs)+.9f",
    "%(x)",
    ")s",
    "%s",
    "\"",
    "'",
    "\\",
    ",",
    "A=1",
    "A=\"x y\",B='z'",
    "-1",
    "0",
    "1_0",
    "99999999999999999999",
    "1KB",
    "-5GB",
    "0o17",
    "true",
    "off",
    "auto",
    "AUTO",
    "syslog",
    "none",
    "unexpected",
    "TERM",
    "64",
    "joe",
    "0:0",
    "[::1]:1",
    "*:9001",
    "unix:///s",
    "tcp://h:1",
    "EVENT,TICK_5",
    "/tmp/x",
    "~joe/x",
    "..",
    "é",
    "\0",
    "\u{10ffff}",
    "inc*",
    "*[",
    "DEFAULT",
    "include",
    "files",
    "supervisor.rpcinterface_factory",
    "supervisor.rpcinterface:make_main_rpcinterface",
];

/// Whole lines that lead far into the program.
const LINES: &[&str] = &[
    "[supervisord]",
    "[include]\nfiles=inc*",
    "[program:a]\ncommand=x",
    "[program:a]\nnumprocs=3\nprocess_name=%(process_num)d",
    "[group:g]\nprograms=a,b",
    "[eventlistener:e]\ncommand=x\nevents=EVENT",
    "[fcgi-program:f]\ncommand=x\nsocket=tcp://a:1",
    "[inet_http_server]\nport=1",
    "[unix_http_server]\nfile=/s",
    "[DEFAULT]",
];

fn text(dice: &mut Dice, sample: &[String]) -> Vec<u8> {
    let keys: Vec<&str> = TABLES.iter().flat_map(|table| table.all_rows()).map(|row| row.key).collect();
    let mut text = if dice.one_in(8) { String::new() } else { "[supervisord]\n".to_string() };
    for _ in 0..dice.between(1, 12) {
        match dice.below(6) {
            0 => text += *dice.pick::<&str>(LINES),
            1 => text += dice.pick(sample).trim_start_matches(';'),
            2 => text += *dice.pick::<&str>(PIECES),
            _ => {
                text += &format!("{}=", dice.pick(&keys));
                for _ in 0..dice.between(1, 4) {
                    text += *dice.pick::<&str>(PIECES);
                }
            }
        }
        if !dice.one_in(8) {
            text.push('\n');
        }
    }
    let mut bytes = text.into_bytes();
    if dice.one_in(4) && !bytes.is_empty() {
        for _ in 0..dice.between(1, 4) {
            let at = usize::try_from(dice.below(bytes.len() as u64)).expect("a place");
            bytes[at] = dice.bits().to_le_bytes()[0];
        }
    }
    bytes
}

/// What this thread had of the processor, however busy the machine is with others.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel's figures");
    Duration::from_nanos(text.split(' ').next().and_then(|word| word.parse().ok()).expect("a number"))
}

/// Loads one configuration with one included file; says whether it was accepted.
fn try_it(config: &[u8], included: &[u8]) -> bool {
    let machine = Pretended {
        files: [("/etc/c.conf".to_string(), config.to_vec()), ("/etc/inc".to_string(), included.to_vec())].into(),
        directories: ["/", "/etc", "/tmp"].map(String::from).into(),
        env: vec![("X".to_string(), "%(y)s\"'".to_string())],
        host_name: "node".to_string(),
        cwd: "/etc".to_string(),
        ..Pretended::default()
    };
    let around: Rc<dyn Surroundings> = Rc::new(machine);
    let args = ["supervisord", "-c", "/etc/c.conf"].map(String::from);
    let Ok(Asked::Run(options)) = parse_daemon(&args, &around) else { panic!("not run") };
    let before = spent();
    let result = load(&options, &around);
    let took = spent() - before;
    assert!(took < Duration::from_secs(5), "took {took:?}");
    match result {
        Ok(config) => {
            let value: serde_json::Value =
                serde_json::from_str(&json::effective(&config, Secrets::Shown)).expect("JSON");
            assert!(value["groups"].is_array());
            assert!(majordomo::config::differences(&config.groups, &config.groups).changed.is_empty());
            true
        }
        Err(errors) => {
            assert!(!errors.is_empty() && complaint(&errors, "x").starts_with("Error: "));
            false
        }
    }
}

#[test]
fn any_bytes_give_a_result() {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let seed = end.map_or(1, |_| SystemTime::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_secs()));
    let lines: Vec<String> = sample().lines().map(String::from).collect();
    let (mut count, mut fine) = (0_u64, 0_u64);
    while end.map_or(count < 4_000, |end| Instant::now() < end) {
        let mut dice = Dice::new(seed.wrapping_mul(1 << 32).wrapping_add(count));
        let (config, included) = (text(&mut dice, &lines), text(&mut dice, &lines));
        let result = std::panic::catch_unwind(|| try_it(&config, &included));
        let shown = || format!("{}\n--- inc\n{}", config.escape_ascii(), included.escape_ascii());
        fine += u64::from(result.unwrap_or_else(|_| panic!("seed {seed}, text {count}:\n{}", shown())));
        count += 1;
    }
    println!("{count} texts, {fine} of them accepted, seed {seed}");
    assert!(fine * 50 > count && fine < count, "{fine} of {count} accepted: the texts are of one kind");
}

/// What is large or deep, not by chance.
#[test]
fn large_and_deep_texts_end_soon() {
    let big = |piece: &str, count: usize| format!("[supervisord]\n{}", piece.repeat(count));
    for config in [
        big("identifier=%(here)s\n", 100_000),
        format!("[supervisord]\nidentifier={}\n", "%(here)s".repeat(100_000)),
        format!("[supervisord]\nidentifier={}\n", "%(here)99999999s".repeat(1_000)),
        format!("[supervisord]\nenvironment={}\n", "A=1,".repeat(100_000)),
        format!("[supervisord]\nenvironment={}\n", "\"'#".repeat(100_000)),
        big("[\n", 100_000),
        big("x\n", 100_000),
        format!("[supervisord]\nidentifier=x\n{}", " y\n\n".repeat(100_000)),
        format!("[supervisord]\nidentifier=x{}\n", " ;#".repeat(100_000)),
        format!("[supervisord]\n[include]\nfiles={}\n", "*".repeat(10_000)),
        format!("[supervisord]\n[include]\nfiles={}\n", "[a-z]*".repeat(2_000)),
        (0..5_000).map(|number| format!("[program:p{number}]\ncommand=x\n")).collect::<String>() + "[supervisord]\n",
        (0..5_000).map(|number| format!("[strange{number}]\nx=y\n")).collect::<String>() + "[supervisord]\n",
        format!("[supervisord]\n{}", (0..20_000).map(|number| format!("key{number}=x\n")).collect::<String>()),
    ] {
        try_it(config.as_bytes(), b"");
    }
}
