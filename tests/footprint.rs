//! How large the programs are that users run, without names and debugging information: what `strip` leaves. `.ci/run`
//! gives the release build (`MAJORDOMO_BINARIES`); others have no bound, and are only read.

mod support;

/// Bytes that each program may have, about 3 % more than it has. All four together may have 4 MB.
const PROGRAMS: [(&str, &str, u64); 4] = [
    ("supervisord", env!("CARGO_BIN_EXE_supervisord"), 1_448_000),
    ("supervisorctl", env!("CARGO_BIN_EXE_supervisorctl"), 1_057_000),
    ("echo_supervisord_conf", env!("CARGO_BIN_EXE_echo_supervisord_conf"), 332_000),
    ("pidproxy", env!("CARGO_BIN_EXE_pidproxy"), 351_000),
];

/// How many bytes of a program (ELF, 64 bits, the machine's order) are loaded: up to the end of the last section that is.
fn loaded_bytes(program: &[u8]) -> u64 {
    const NO_BITS: u64 = 8;
    const ALLOCATED: u64 = 2;
    let number = |at: usize, bytes: usize| {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(&program[at..at + bytes]);
        u64::from_le_bytes(wide)
    };
    assert_eq!(program[..6], *b"\x7fELF\x02\x01", "a program of 64 bits");
    let (table, size, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    let sections = (0..count).map(|section| (table + section * size) as usize);
    let loaded = sections.filter(|at| number(at + 4, 4) != NO_BITS && number(at + 8, 8) & ALLOCATED != 0);
    loaded.map(|at| number(at + 0x18, 8) + number(at + 0x20, 8)).max().unwrap_or(0)
}

#[test]
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
fn programs_are_small() {
    let mut all = 0;
    for (name, with_the_test, bound) in PROGRAMS {
        let program = support::built(name, with_the_test);
        let bytes = loaded_bytes(&std::fs::read(program).expect("a program"));
        println!("{name}: {bytes} bytes");
        assert!(bytes > 100_000, "{name}: {bytes} bytes");
        all += bytes;
        if std::env::var_os("MAJORDOMO_BINARIES").is_some() {
            assert!(bytes <= bound, "{name}: {bytes} bytes");
        }
    }
    if std::env::var_os("MAJORDOMO_BINARIES").is_some() {
        assert!(all <= 4_000_000, "{all} bytes in all");
    }
}
