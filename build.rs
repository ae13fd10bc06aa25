//! Packs the files that come with the daemon, and asks the linker for small programs.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// What makes programs smaller, and not every linker can: relocations as a bitmap, which the C library must know to
/// read (glibc 2.36), and functions of the same code made one.
const LINK_ARGS: [&str; 2] = ["-Wl,-z,pack-relative-relocs", "-Wl,--icf=all"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    pack_files(Path::new("src/front/files/web"), &out.join("web"))?;
    // Elsewhere there is nothing to gain, and debug builds are linked often.
    if env::var("PROFILE")? == "release" && env::var("CARGO_CFG_TARGET_ENV")? == "gnu" {
        for arg in LINK_ARGS.into_iter().filter(|arg| links_and_runs(arg, &out)) {
            println!("cargo:rustc-link-arg-bins={arg}");
        }
    }
    Ok(())
}

/// Packs each file of one folder into another (RFC 1952).
fn pack_files(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    const BEST: u8 = 10;
    // That it is deflated data; no flags, no time; packed as well as can be, on whatever system.
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    println!("cargo:rerun-if-changed={}", from.display());
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        let mut packed = HEAD.to_vec();
        packed.extend(miniz_oxide::deflate::compress_to_vec(&bytes, BEST));
        packed.extend(crc32fast::hash(&bytes).to_le_bytes());
        packed.extend(u32::try_from(bytes.len())?.to_le_bytes());
        let name = path.file_name().ok_or("a file without a name")?;
        fs::write(to.join(format!("{}.gz", name.display())), packed)?;
    }
    Ok(())
}

/// Whether a program can be linked so, and does run, if it is one for this machine.
fn links_and_runs(arg: &str, out: &Path) -> bool {
    let (Ok(compiler), Ok(target)) = (env::var("RUSTC"), env::var("TARGET")) else { return false };
    let (source, program) = (out.join("probe.rs"), out.join("probe"));
    if fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let mut command = Command::new(compiler);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        command.arg(format!("-Clinker={linker}"));
    }
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        command.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    }
    command.args(["--edition=2021", "--target", &target, &format!("-Clink-arg={arg}"), "-o"]).arg(&program).arg(source);
    let succeeds = |command: &mut Command| {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let here = env::var("HOST").is_ok_and(|host| host == target);
    succeeds(&mut command) && (!here || succeeds(&mut Command::new(program)))
}
