//! Builds the programs of the bundled modules.
//!
//! `lilypad-localnet/modules/programs` becomes one `program.wasm` a module. The committed files are what users run; [`check`] proves
//! that they are what the sources give, byte for byte.
//!
//! The toolchain is Debian's, because it has all that is needed in packages: a Rust compiler with the sources of its standard library,
//! which is built here too (there is no ready-made one for WASI), a linker, and the C library of WASI. It stays apart from
//! rustup's: it is called by its full path.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{install, root, run};

/// Debian's packages, and what each of them brings.
const PACKAGES: &[(&str, &str)] = &[
    ("rustc-web", "/usr/bin/rustc"),
    ("cargo-web", "/usr/bin/cargo"),
    ("rust-web-src", "/usr/lib/rustlib/src/rust/library"),
    ("lld", "/usr/bin/wasm-ld"),
    ("wasi-libc", "/usr/lib/wasm32-wasi/crt1-command.o"),
];

/// The folder of the bundled modules, from the workspace's.
const MODULES: &str = "lilypad-localnet/modules";
/// The modules, each of which has a program of the same name.
const NAMES: &[&str] = &["cowsay", "fail", "files", "image", "sleep"];
/// The file that says which compiler made the committed programs.
const COMPILER_NOTE: &str = "programs/built-with.txt";
const TARGET: &str = "wasm32-wasip1";

/// Builds the programs and puts them into their modules' folders. Installs what is missing, which takes root.
///
/// # Errors
///
/// What failed, in words.
pub(crate) fn build() -> Result<(), String> {
    install(PACKAGES)?;
    let modules = root().join(MODULES);
    let built = compile(&root().join("target/modules"))?;
    for name in NAMES {
        let program = modules.join(name).join("program.wasm");
        // Not `fs::copy`, which would make the file executable as the linker does.
        let bytes = read(&built.join(format!("{name}.wasm")))?;
        fs::write(&program, bytes).map_err(|error| told("write", &program, &error))?;
        println!("{}", program.display());
    }
    let note = modules.join(COMPILER_NOTE);
    fs::write(&note, compiler()?).map_err(|error| told("write", &note, &error))
}

/// Builds the programs elsewhere and compares them with the committed ones.
///
/// # Errors
///
/// What failed or differs, and what to do about it.
pub(crate) fn check() -> Result<(), String> {
    install(PACKAGES)?;
    let modules = root().join(MODULES);
    let elsewhere = env::temp_dir().join(format!("lilypad-modules-{}", std::process::id()));
    let outcome = compile(&elsewhere).and_then(|built| compare(&modules, &built));
    let removed = fs::remove_dir_all(&elsewhere).map_err(|error| told("remove", &elsewhere, &error));
    outcome.and(removed)
}

fn compare(modules: &Path, built: &Path) -> Result<(), String> {
    let mut different = Vec::new();
    for name in NAMES {
        let committed = modules.join(name).join("program.wasm");
        let rebuilt = built.join(format!("{name}.wasm"));
        if read(&committed)? != read(&rebuilt)? {
            different.push(*name);
        }
    }
    if different.is_empty() {
        println!("modules: {} passed, 0 failed", NAMES.len());
        return Ok(());
    }
    let note = modules.join(COMPILER_NOTE);
    let noted = fs::read_to_string(&note).map_err(|error| told("read", &note, &error))?;
    let present = compiler()?;
    let cause = if noted == present {
        "their sources changed without them, or they without their sources".to_owned()
    } else {
        format!("they were built with another compiler:\n{noted}here is\n{present}")
    };
    Err(format!(
        "not what a rebuild gives: {}; {cause}\nrun `cargo xtask modules` and commit the files",
        different.join(", ")
    ))
}

/// Compiles the programs. The folder that they are in.
fn compile(target: &Path) -> Result<PathBuf, String> {
    let programs = root().join(MODULES).join("programs");
    let flags = [
        "-Clinker=/usr/bin/wasm-ld".to_owned(),
        "-Clink-self-contained=no".to_owned(),
        "-Clink-arg=/usr/lib/wasm32-wasi/crt1-command.o".to_owned(),
        "-Lnative=/usr/lib/wasm32-wasi".to_owned(),
        // A panic ends the program at once; its message would double the size of each.
        "-Zunstable-options".to_owned(),
        "-Cpanic=immediate-abort".to_owned(),
        // The same bytes wherever the tree is.
        format!("--remap-path-prefix={}=programs", programs.display()),
    ];
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo
        .current_dir(&programs)
        .args(["build", "--release", "--locked", "--target", TARGET])
        .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"])
        .arg("--target-dir")
        .arg(target)
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        // With the separator that allows spaces in paths.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    // Whoever calls this is under a cargo and a toolchain of their own, whose settings are not meant for Debian's.
    for (name, _) in env::vars_os().filter(|(name, _)| is_foreign(name)) {
        cargo.env_remove(name);
    }
    run(&mut cargo)?;
    Ok(target.join(TARGET).join("release"))
}

/// Whether a variable of the environment steers the calling toolchain.
fn is_foreign(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let prefixes = ["CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_", "CARGO_UNSTABLE_", "RUSTC_W"];
    name == "RUSTFLAGS" || name == "RUSTUP_TOOLCHAIN" || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// What makes the programs what they are, besides their sources.
fn compiler() -> Result<String, String> {
    let mut note = String::new();
    for command in [&["/usr/bin/rustc", "--version"][..], &["/usr/bin/wasm-ld", "--version"]] {
        note.push_str(&output(Command::new(command[0]).args(&command[1..]))?);
    }
    note.push_str(&output(Command::new("dpkg-query").args(["--show", "wasi-libc"]))?);
    Ok(note)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| told("read", path, &error))
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    String::from_utf8(output.stdout).map_err(|error| format!("{command:?} wrote no text: {error}"))
}

fn told(operation: &str, path: &Path, error: &std::io::Error) -> String {
    format!("could not {operation} {}: {error}", path.display())
}
