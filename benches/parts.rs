//! What the parts of the daemon cost, each alone: `cargo bench --bench parts`. Heads, bodies and values are in `wire`, whole
//! requests in `requests`.
// The macros of criterion write functions without documentation.
#![allow(missing_docs)]

#[path = "support/host.rs"]
mod host;

use std::hint::black_box;
use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use host::NoSystem;
use majordomo::base::time::{Mono, Now, Wall};
use majordomo::base::value::Value;
use majordomo::base::words::{Exit, Mood, State};
use majordomo::config::ini::Ini;
use majordomo::config::spec::Config;
use majordomo::rpc::{Access, Answer, call};
use majordomo::sim::setup::read;
use majordomo::wire::listener::{Heard, Listener};
use majordomo::world::cache::Cache;
use majordomo::world::life::{Act, Life, Step};
use majordomo::world::log::Log;
use majordomo::world::{Turn, World};

const NOW: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_700_000_000_000_000_000) };

/// A file with so many programs, as people write them.
fn file(programs: usize) -> String {
    let mut text = String::from(
        "; a comment\n[supervisord]\nlogfile=/main.log\nsilent=true\nnocleanup=true\n\n\
         [unix_http_server]\nfile=%(here)s/supervisor.sock\n\n\
         [rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n",
    );
    for number in 0..programs {
        text.push_str(&format!(
            "[program:worker{number:04}]\ncommand=/bin/steady --port=8%(process_num)03d --name %(program_name)s\n\
             directory=/tmp\nenvironment=HOME=\"/tmp\",PATH=\"/bin:%(ENV_PATH)s\"  ; quoted\nautorestart=true\n\
             stdout_logfile=/tmp/%(program_name)s.log\nstdout_logfile_maxbytes=10MB\nredirect_stderr=true\n\n"
        ));
    }
    text
}

fn config(programs: usize) -> Config {
    read("/etc/s.conf", &file(programs)).expect("a configuration")
}

fn dispatch(c: &mut Criterion) {
    let mut host = NoSystem::default();
    let mut turn = Turn { now: NOW, host: &mut host };
    let mut world = World::new(config(10), &mut turn).expect("a world");
    let mut group = c.benchmark_group("dispatch");
    for (name, params) in
        [("supervisor.getState", &[] as &[Value]), ("supervisor.getProcessInfo", &["worker0007".into()])]
    {
        group.bench_function(name, |b| {
            b.iter(|| {
                let answer = call(&mut world, &mut turn, Access::Full, black_box(name), &mut params.to_vec());
                assert!(matches!(black_box(answer), Answer::Now(Ok(_))));
            })
        });
    }
    group.finish();
}

/// A cache with 100,000 keys.
fn cache(c: &mut Criterion) {
    const KEYS: usize = 100_000;
    let mut cache = Cache::default();
    let keys: Vec<String> = (0..KEYS).map(|number| format!("key{number:06}")).collect();
    let store = |cache: &mut Cache, key: &str| {
        assert!(cache.store(key, &mut Value::str("hello, world"), None).is_ok());
    };
    keys.iter().for_each(|key| store(&mut cache, key));
    // A step that has no factor in common with their number goes through all of them.
    let mut at = 0;
    let mut next = || {
        at = (at + 7919) % KEYS;
        &keys[at]
    };
    let mut group = c.benchmark_group("cache");
    group.bench_function("fetch", |b| b.iter(|| assert!(black_box(cache.fetch(next())).is_some())));
    group.bench_function("store over", |b| b.iter(|| store(&mut cache, next())));
    group.bench_function("delete, store", |b| {
        b.iter(|| {
            let key = next();
            cache.delete(key);
            store(&mut cache, key);
        })
    });
    group.finish();
    assert_eq!(cache.len(), KEYS);
}

/// From STARTING to EXITED and on to STARTING again: four steps with what they ask for.
fn life(c: &mut Criterion) {
    let config = config(1);
    let spec = config.groups[0].processes[0].clone();
    let mut life = Life::default();
    let (mut now, mut acts) = (NOW, Vec::new());
    let mut steps = |acts: &mut Vec<Act>| {
        for (step, wait, state) in [
            (Step::Start, 0, State::Starting),
            (Step::Spawned(7), 0, State::Starting),
            (Step::Due, 5, State::Running),
            (Step::Exited(Exit::Code(0)), 5, State::Exited),
        ] {
            now.mono = Mono(now.mono.0 + wait * 1_000_000_000);
            life.on(step, &spec, now, Mood::Running, acts);
            assert_eq!(life.state(), state);
        }
        acts.clear();
    };
    c.bench_function("life: four steps", |b| b.iter(|| steps(&mut acts)));
}

/// A log that is a real file, and is cut when it is full.
fn log(c: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("parts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("log").to_string_lossy().into_owned();
    let mut group = c.benchmark_group("log");
    for (name, bytes) in [("a line of 80 bytes", 80), ("a read of 64 KiB", 64 * 1024)] {
        let mut host = NoSystem::with_disk();
        let mut log = Log::new(path.clone(), 4 * 1024 * 1024, 0);
        log.open(&mut host).expect("a file");
        let text = vec![b'x'; bytes];
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(name, |b| {
            b.iter(|| assert_eq!(log.write(black_box(&text), NOW.mono, &mut host).stored, bytes))
        });
    }
    group.finish();
    std::fs::remove_dir_all(folder).expect("removed");
}

/// What a listener says for one event.
fn listener(c: &mut Criterion) {
    let mut listener = Listener::default();
    listener.push(b"READY\n");
    assert_eq!(listener.next(), Some(Heard::Ready));
    c.bench_function("listener: an answer", |b| {
        b.iter(|| {
            listener.sent();
            listener.push(black_box(b"RESULT 2\nOKREADY\n"));
            assert!(matches!(listener.next(), Some(Heard::Result(_))));
            listener.judged(true);
            assert_eq!(listener.next(), Some(Heard::Ready));
        })
    });
}

fn ini(c: &mut Criterion) {
    let text = file(1000);
    let name: Rc<str> = Rc::from("/etc/s.conf");
    let mut group = c.benchmark_group("1,000 programs");
    group.sample_size(20);
    group.bench_function("sections and keys", |b| {
        b.iter(|| assert!(Ini::new().read(black_box(&text), &name).is_ok()));
    });
    group.bench_function("configuration", |b| b.iter(|| black_box(read(&name, black_box(&text)).is_ok())));
    group.finish();
}

criterion_group!(benches, dispatch, cache, life, log, listener, ini);
criterion_main!(benches);
