//! Calls as programs make them, with the answers that they must get. Each test is a list of calls, made by a real program in the
//! sandbox; its exit code is the number of the first call that was answered otherwise.

use std::fmt::Write as _;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::Errno;
use crate::executor::{Output, Task, run};

/// Names and parameters (`i`: 32 bits, `I`: 64 bits) of all calls but `proc_exit`.
const CALLS: &[(&str, &str)] = &[
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

const OK: i64 = 0;
/// The folders that are open from the start.
const ROOT: i64 = 3;
const INPUTS: i64 = 4;
const OUTPUTS: i64 = 5;
/// The number of the first descriptor that a program opens.
const FIRST: i64 = 6;
/// Where calls of these tests leave their result.
const RESULT: i64 = 1024;
/// Where texts and lists are put.
const DATA: usize = 4096;
const READ: i64 = 1 << 1;
const WRITE: i64 = 1 << 6;
const CREATE: i64 = 1;
const DIRECTORY: i64 = 2;
const EXCLUSIVE: i64 = 4;
const TRUNCATE: i64 = 8;

/// A program that makes calls and ends as soon as one is not answered as expected.
#[derive(Default)]
struct Script {
    body: String,
    data: Vec<u8>,
    steps: Vec<String>,
}

impl Script {
    /// Puts `bytes` into the program's memory: their address and length.
    fn put(&mut self, bytes: &[u8]) -> [i64; 2] {
        let address = DATA + self.data.len();
        self.data.extend_from_slice(bytes);
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        [address as i64, bytes.len() as i64]
    }

    /// Puts a list of one piece of memory there: its address and count.
    fn piece(&mut self, address: i64, length: i64) -> [i64; 2] {
        let list = [(address as u32).to_le_bytes(), (length as u32).to_le_bytes()].concat();
        [self.put(&list)[0], 1]
    }

    fn step(&mut self, what: String, got: &str, expected: i64) {
        self.steps.push(what);
        writeln!(self.body, "(call $want (i32.const {}) {got} (i64.const {expected}))", self.steps.len()).unwrap();
    }

    fn call(&mut self, name: &str, arguments: &[i64], expected: i64) {
        let (_, kinds) = CALLS.iter().find(|(known, _)| *known == name).unwrap();
        assert_eq!(kinds.len(), arguments.len(), "{name}");
        let list: String = kinds
            .chars()
            .zip(arguments)
            .map(|(kind, value)| format!("({}.const {value}) ", if kind == 'I' { "i64" } else { "i32" }))
            .collect();
        self.step(
            format!("{name}{arguments:?} = {expected}"),
            &format!("(i64.extend_i32_u (call ${name} {list}))"),
            expected,
        );
    }

    fn refused(&mut self, name: &str, arguments: &[i64], errno: Errno) {
        self.call(name, arguments, errno as i64);
    }

    fn holds(&mut self, address: i64, bits: u32, expected: i64) {
        let load = match bits {
            8 => "i64.load8_u",
            16 => "i64.load16_u",
            32 => "i64.load32_u",
            _ => "i64.load",
        };
        self.step(
            format!("{bits} bits at {address} = {expected}"),
            &format!("({load} (i32.const {address}))"),
            expected,
        );
    }

    fn holds_text(&mut self, address: i64, text: &str) {
        for (offset, byte) in (0..).zip(text.bytes()) {
            self.holds(address + offset, 8, i64::from(byte));
        }
    }

    /// Opens `path` and expects `outcome`: a new descriptor, or an error.
    fn open(&mut self, base: i64, path: &str, how: i64, rights: i64, outcome: Result<i64, Errno>) {
        let [text, length] = self.put(path.as_bytes());
        let expected = outcome.map_or_else(|errno| errno as i64, |_| OK);
        self.call("path_open", &[base, 0, text, length, how, rights, 0, 0, RESULT], expected);
        if let Ok(descriptor) = outcome {
            self.holds(RESULT, 32, descriptor);
        }
    }

    fn write(&mut self, descriptor: i64, text: &str) {
        let [address, length] = self.put(text.as_bytes());
        let [list, count] = self.piece(address, length);
        self.call("fd_write", &[descriptor, list, count, RESULT], OK);
        self.holds(RESULT, 32, length);
    }

    fn read(&mut self, descriptor: i64, room: usize, expected: &str) {
        let [address, length] = self.put(&vec![0; room]);
        let [list, count] = self.piece(address, length);
        self.call("fd_read", &[descriptor, list, count, RESULT], OK);
        self.holds(RESULT, 32, expected.len() as i64);
        self.holds_text(address, expected);
    }

    /// A call whose only arguments are a folder and a path.
    fn path(&mut self, name: &str, base: i64, path: &str, expected: i64) {
        let [text, length] = self.put(path.as_bytes());
        self.call(name, &[base, text, length], expected);
    }

    fn rename(&mut self, from: &str, to: &str, expected: i64) {
        let ([from, from_length], [to, to_length]) = (self.put(from.as_bytes()), self.put(to.as_bytes()));
        self.call("path_rename", &[OUTPUTS, from, from_length, OUTPUTS, to, to_length], expected);
    }

    fn program(&self) -> Vec<u8> {
        let mut text = String::from("(module\n");
        for (name, kinds) in CALLS {
            let kinds: String = kinds.chars().map(|kind| if kind == 'I' { " i64" } else { " i32" }).collect();
            writeln!(text, "(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param{kinds}) (result i32)))")
                .unwrap();
        }
        let data: String = self.data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        write!(
            text,
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            (memory (export "memory") 64)
            (data (i32.const {DATA}) "{data}")
            (func $want (param $step i32) (param $got i64) (param $expected i64)
                (if (i64.ne (local.get $got) (local.get $expected)) (then (call $proc_exit (local.get $step)))))
            (func (export "_start") {}))"#,
            self.body
        )
        .unwrap();
        wat::parse_str(text).unwrap()
    }

    /// Runs the program with `inputs`, and checks that every answer was the expected one. The folder of its result.
    async fn run_with(self, inputs: Option<&Path>) -> tempfile::TempDir {
        let result = tempfile::tempdir().unwrap();
        let task = Task {
            program: self.program().into(),
            entry_point: String::new(),
            arguments: vec!["one".to_owned(), "zwei ü".to_owned()],
            environment: vec![("NAME".to_owned(), "a=b".to_owned())],
            inputs: inputs.map(Path::to_owned),
            outputs: vec![Output { name: "outputs".to_owned(), path: "/outputs".to_owned() }],
            limits: Default::default(),
        };
        let execution = run(task, result.path(), CancellationToken::new()).await.unwrap();
        if execution.exit_code != 0 {
            panic!("not so: step {}, {}", execution.exit_code, self.steps[execution.exit_code as usize - 1]);
        }
        result
    }

    async fn run(self) -> tempfile::TempDir {
        self.run_with(None).await
    }
}

#[tokio::test]
async fn arguments_and_environment_arrive_as_given() {
    let mut script = Script::default();
    script.call("args_sizes_get", &[RESULT, RESULT + 4], OK);
    script.holds(RESULT, 32, 3);
    script.holds(RESULT + 4, 32, 13);
    script.call("args_get", &[RESULT, 2048], OK);
    script.holds(RESULT, 32, 2048);
    script.holds(RESULT + 4, 32, 2049);
    script.holds_text(2048, "\0one\0zwei ü\0");
    script.call("environ_sizes_get", &[RESULT, RESULT + 4], OK);
    script.holds(RESULT + 4, 32, 9);
    script.call("environ_get", &[RESULT, 2048], OK);
    script.holds_text(2048, "NAME=a=b\0");
    script.run().await;
}

#[tokio::test]
async fn the_folders_of_the_task_are_open_from_the_start() {
    let mut script = Script::default();
    for (descriptor, path) in [(ROOT, "/"), (INPUTS, "/inputs"), (OUTPUTS, "/outputs")] {
        script.call("fd_prestat_get", &[descriptor, RESULT], OK);
        script.holds(RESULT, 8, 0);
        script.holds(RESULT + 4, 32, path.len() as i64);
        script.call("fd_prestat_dir_name", &[descriptor, 2048, path.len() as i64], OK);
        script.holds_text(2048, path);
        script.refused("fd_prestat_dir_name", &[descriptor, 2048, 0], Errno::NameTooLong);
    }
    script.refused("fd_prestat_get", &[FIRST, RESULT], Errno::BadF);
    script.refused("fd_prestat_get", &[1, RESULT], Errno::BadF);
    script.run().await;
}

#[tokio::test]
async fn a_file_is_read_and_written_at_any_place() {
    let mut script = Script::default();
    script.open(OUTPUTS, "file", CREATE | EXCLUSIVE, READ | WRITE, Ok(FIRST));
    script.write(FIRST, "hello pond");
    script.call("fd_tell", &[FIRST, RESULT], OK);
    script.holds(RESULT, 64, 10);
    script.call("fd_seek", &[FIRST, -4, 2, RESULT], OK);
    script.holds(RESULT, 64, 6);
    script.read(FIRST, 20, "pond");
    script.read(FIRST, 20, "");
    script.call("fd_seek", &[FIRST, 0, 0, RESULT], OK);
    script.call("fd_seek", &[FIRST, 2, 1, RESULT], OK);
    script.read(FIRST, 3, "llo");
    script.refused("fd_seek", &[FIRST, -1, 0, RESULT], Errno::Inval);
    script.refused("fd_seek", &[FIRST, 0, 3, RESULT], Errno::Inval);
    let [text, length] = script.put(b"J");
    let [list, count] = script.piece(text, length);
    script.call("fd_pwrite", &[FIRST, list, count, 0, RESULT], OK);
    let [list, count] = script.piece(2048, 5);
    script.call("fd_pread", &[FIRST, list, count, 0, RESULT], OK);
    script.holds_text(2048, "Jello");
    script.call("fd_tell", &[FIRST, RESULT], OK);
    script.holds(RESULT, 64, 5);
    let result = script.run().await;
    assert_eq!(std::fs::read_to_string(result.path().join("outputs/file")).unwrap(), "Jello pond");
}

#[tokio::test]
async fn a_file_grows_shrinks_and_is_appended_to() {
    let mut script = Script::default();
    script.open(OUTPUTS, "file", CREATE, READ | WRITE, Ok(FIRST));
    script.write(FIRST, "abcdef");
    script.call("fd_filestat_set_size", &[FIRST, 3], OK);
    script.call("fd_allocate", &[FIRST, 0, 2], OK);
    script.call("fd_fdstat_set_flags", &[FIRST, 1], OK);
    script.write(FIRST, "X");
    script.call("fd_fdstat_get", &[FIRST, RESULT], OK);
    script.holds(RESULT, 8, 4);
    script.holds(RESULT + 2, 16, 1);
    script.call("fd_allocate", &[FIRST, 4, 2], OK);
    script.call("fd_filestat_get", &[FIRST, RESULT], OK);
    script.holds(RESULT + 16, 8, 4);
    script.holds(RESULT + 32, 64, 6);
    script.call("fd_filestat_set_times", &[FIRST, 7_000_000_000, 9_000_000_000, 5], OK);
    script.call("fd_filestat_get", &[FIRST, RESULT], OK);
    script.holds(RESULT + 40, 64, 7_000_000_000);
    script.holds(RESULT + 48, 64, 9_000_000_000);
    for name in ["fd_sync", "fd_datasync"] {
        script.call(name, &[FIRST], OK);
    }
    script.call("fd_advise", &[FIRST, 0, 0, 0], OK);
    script.call("fd_fdstat_set_rights", &[FIRST, 0, 0], OK);
    let result = script.run().await;
    assert_eq!(std::fs::read(result.path().join("outputs/file")).unwrap(), b"abcX\0\0");
}

#[tokio::test]
async fn opening_means_what_its_flags_say() {
    let mut script = Script::default();
    script.open(OUTPUTS, "file", 0, READ, Err(Errno::NoEnt));
    script.open(OUTPUTS, "file", CREATE | DIRECTORY, READ, Err(Errno::NoEnt));
    script.open(OUTPUTS, "file", CREATE, WRITE, Ok(FIRST));
    script.write(FIRST, "text");
    let [list, count] = script.piece(2048, 5);
    script.refused("fd_read", &[FIRST, list, count, RESULT], Errno::BadF);
    script.open(OUTPUTS, "file", CREATE | EXCLUSIVE, WRITE, Err(Errno::Exist));
    script.open(OUTPUTS, "file", DIRECTORY, READ, Err(Errno::NotDir));
    script.open(OUTPUTS, "file/", 0, READ, Err(Errno::NotDir));
    script.open(OUTPUTS, "new/", CREATE, WRITE, Err(Errno::IsDir));
    script.open(OUTPUTS, ".", 0, READ | WRITE, Err(Errno::IsDir));
    script.open(OUTPUTS, ".", DIRECTORY, READ | WRITE, Ok(FIRST + 1));
    script.open(OUTPUTS, "file", 0, READ, Ok(FIRST + 2));
    script.refused("fd_write", &[FIRST + 2, list, count, RESULT], Errno::BadF);
    script.refused("fd_filestat_set_size", &[FIRST + 2, 0], Errno::Inval);
    script.open(OUTPUTS, "file", TRUNCATE, READ | WRITE, Ok(FIRST + 3));
    script.read(FIRST + 2, 10, "");
    script.call("fd_close", &[FIRST], OK);
    script.refused("fd_close", &[FIRST], Errno::BadF);
    script.open(OUTPUTS, "file", 0, READ, Ok(FIRST));
    script.call("fd_renumber", &[FIRST, FIRST + 3], OK);
    script.refused("fd_tell", &[FIRST, RESULT], Errno::BadF);
    script.call("fd_tell", &[FIRST + 3, RESULT], OK);
    script.run().await;
}

#[tokio::test]
async fn nothing_outside_of_the_sandbox_can_be_named() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let absolute = secret.path().to_str().unwrap().to_owned();
    let mut script = Script::default();
    for path in [absolute.as_str(), "..", "../inputs", "../../../../../../etc/passwd", "a/../../x", "/outputs", "/"] {
        script.open(OUTPUTS, path, 0, READ, Err(if path.starts_with('a') { Errno::NoEnt } else { Errno::NotCapable }));
        script.path(
            "path_create_directory",
            OUTPUTS,
            path,
            if path.starts_with('a') { Errno::NoEnt } else { Errno::NotCapable } as i64,
        );
    }
    script.open(ROOT, absolute.trim_start_matches('/'), 0, READ, Err(Errno::NoEnt));
    script.open(ROOT, "outputs/../../etc", 0, READ, Err(Errno::NotCapable));
    script.open(ROOT, "etc/passwd", 0, READ, Err(Errno::NoEnt));
    let ([target, target_length], [link, link_length]) = (script.put(absolute.as_bytes()), script.put(b"link"));
    script.refused("path_symlink", &[target, target_length, OUTPUTS, link, link_length], Errno::NotSup);
    script.refused("path_link", &[ROOT, 0, target, target_length, OUTPUTS, link, link_length], Errno::NotSup);
    script.open(OUTPUTS, "link", 0, READ, Err(Errno::NoEnt));
    let [bad, bad_length] = script.put(b"\xff\xfe");
    script.refused("path_unlink_file", &[OUTPUTS, bad, bad_length], Errno::IlSeq);
    script.run().await;
}

#[tokio::test]
async fn folders_are_made_listed_moved_and_removed() {
    let mut script = Script::default();
    script.path("path_create_directory", OUTPUTS, "one/", OK);
    script.path("path_create_directory", OUTPUTS, "one", Errno::Exist as i64);
    script.path("path_create_directory", OUTPUTS, "no/two", Errno::NoEnt as i64);
    script.path("path_create_directory", OUTPUTS, "one/two", OK);
    script.open(OUTPUTS, "one/file", CREATE, WRITE, Ok(FIRST));
    script.path("path_remove_directory", OUTPUTS, "one", Errno::NotEmpty as i64);
    script.path("path_remove_directory", OUTPUTS, "one/file", Errno::NotDir as i64);
    script.path("path_unlink_file", OUTPUTS, "one/two", Errno::IsDir as i64);
    let [path, length] = script.put(b"one");
    script.refused("path_readlink", &[OUTPUTS, path, length, 2048, 8, RESULT], Errno::Inval);
    script.open(OUTPUTS, "one", DIRECTORY, READ, Ok(FIRST + 1));
    // `.`, `..`, then the entries by age: 24 bytes each, and the name.
    script.call("fd_readdir", &[FIRST + 1, 2048, 512, 0, RESULT], OK);
    script.holds(RESULT, 32, (24 + 1) + (24 + 2) + (24 + 3) + (24 + 4));
    script.holds_text(2048 + 24, ".");
    script.holds_text(2048 + 25 + 24, "..");
    script.holds_text(2048 + 25 + 26 + 24, "two");
    script.holds(2048 + 25 + 26 + 20, 8, 3);
    script.holds_text(2048 + 25 + 26 + 27 + 24, "file");
    script.holds(2048 + 25 + 26 + 27 + 20, 8, 4);
    // Too little room: cut off, and full, which tells the program to ask again.
    script.call("fd_readdir", &[FIRST + 1, 2048, 30, 0, RESULT], OK);
    script.holds(RESULT, 32, 30);
    script.call("fd_readdir", &[FIRST + 1, 2048, 512, 2, RESULT], OK);
    script.holds_text(2048 + 24, "two");
    script.rename("one/file", "moved", OK);
    script.rename("one", "one/two/three", Errno::Inval as i64);
    script.rename("missing", "x", Errno::NoEnt as i64);
    script.path("path_remove_directory", OUTPUTS, "one/two", OK);
    script.path("path_remove_directory", OUTPUTS, "one", OK);
    script.write(FIRST, "still open");
    script.path("path_unlink_file", ROOT, "outputs", Errno::IsDir as i64);
    script.path("path_remove_directory", ROOT, "inputs", Errno::Busy as i64);
    let result = script.run().await;
    assert_eq!(std::fs::read_to_string(result.path().join("outputs/moved")).unwrap(), "still open");
    assert_eq!(std::fs::read_dir(result.path().join("outputs")).unwrap().count(), 1);
}

#[tokio::test]
async fn inputs_can_be_read_and_changed_without_changing_the_jobs_own() {
    let inputs = tempfile::tempdir().unwrap();
    std::fs::write(inputs.path().join("a.txt"), "original").unwrap();
    std::fs::write(inputs.path().join("b.txt"), "second").unwrap();
    let mut script = Script::default();
    script.open(INPUTS, "a.txt", 0, READ, Ok(FIRST));
    script.read(FIRST, 100, "original");
    script.open(INPUTS, "a.txt", 0, READ | WRITE, Ok(FIRST + 1));
    script.write(FIRST + 1, "CHANGED");
    script.open(INPUTS, "a.txt", 0, READ, Ok(FIRST + 2));
    script.read(FIRST + 2, 100, "CHANGEDl");
    script.path("path_unlink_file", INPUTS, "b.txt", OK);
    script.open(INPUTS, "b.txt", 0, READ, Err(Errno::NoEnt));
    let ([from, from_length], [to, to_length]) = (script.put(b"a.txt"), script.put(b"kept"));
    script.call("path_rename", &[INPUTS, from, from_length, OUTPUTS, to, to_length], OK);
    let result = script.run_with(Some(inputs.path())).await;
    assert_eq!(std::fs::read_to_string(inputs.path().join("a.txt")).unwrap(), "original");
    assert_eq!(std::fs::read_to_string(inputs.path().join("b.txt")).unwrap(), "second");
    assert_eq!(std::fs::read_to_string(result.path().join("outputs/kept")).unwrap(), "CHANGEDl");
}

#[tokio::test]
async fn paths_tell_what_they_lead_to() {
    let mut script = Script::default();
    let [path, length] = script.put(b"outputs");
    script.call("path_filestat_get", &[ROOT, 1, path, length, RESULT], OK);
    script.holds(RESULT + 16, 8, 3);
    script.call("path_filestat_set_times", &[ROOT, 0, path, length, 3, 5_000, 4], OK);
    script.call("path_filestat_get", &[ROOT, 1, path, length, RESULT], OK);
    script.holds(RESULT + 48, 64, 5_000);
    let [missing, length] = script.put(b"missing");
    script.refused("path_filestat_get", &[ROOT, 1, missing, length, RESULT], Errno::NoEnt);
    script.run().await;
}

#[tokio::test]
async fn streams_have_an_end_and_no_positions() {
    let mut script = Script::default();
    script.read(0, 10, "");
    let [list, count] = script.piece(2048, 5);
    script.refused("fd_write", &[0, list, count, RESULT], Errno::BadF);
    script.refused("fd_read", &[1, list, count, RESULT], Errno::BadF);
    script.refused("fd_seek", &[1, 0, 1, RESULT], Errno::SPipe);
    script.refused("fd_pwrite", &[1, list, count, 0, RESULT], Errno::SPipe);
    script.write(1, "out");
    script.write(2, "err");
    // Not a terminal.
    script.call("fd_fdstat_get", &[1, RESULT], OK);
    script.holds(RESULT, 8, 0);
    script.call("fd_close", &[1], OK);
    script.refused("fd_write", &[1, list, count, RESULT], Errno::BadF);
    let result = script.run().await;
    assert_eq!(std::fs::read_to_string(result.path().join("stdout")).unwrap(), "out");
    assert_eq!(std::fs::read_to_string(result.path().join("stderr")).unwrap(), "err");
}

#[tokio::test]
async fn addresses_outside_of_memory_are_refused_and_harmless() {
    let mut script = Script::default();
    let end = 64 * 65536;
    for address in [end, end - 1, -1] {
        script.refused("random_get", &[address, 2], Errno::Fault);
        script.refused("args_get", &[RESULT, address], Errno::Fault);
        script.refused("clock_time_get", &[0, 0, address], Errno::Fault);
        script.refused("fd_write", &[1, address, 1, RESULT], Errno::Fault);
        script.refused("poll_oneoff", &[address, 2048, 1, RESULT], Errno::Fault);
    }
    let [list, _] = script.piece(end - 4, 8);
    script.refused("fd_write", &[1, list, 1, RESULT], Errno::Fault);
    script.refused("fd_write", &[1, list, 100_000, RESULT], Errno::Inval);
    script.run().await;
}

#[tokio::test]
async fn clocks_run_and_chance_is_not_nothing() {
    let mut script = Script::default();
    for clock in 0..4 {
        script.call("clock_res_get", &[clock, RESULT], OK);
        script.holds(RESULT, 64, 1);
        script.call("clock_time_get", &[clock, 0, RESULT], OK);
    }
    script.refused("clock_time_get", &[4, 0, RESULT], Errno::Inval);
    script.call("random_get", &[2048, 16], OK);
    script.step(
        "16 random bytes are not zero".to_owned(),
        "(i64.extend_i32_u (i64.eqz (i64.or (i64.load (i32.const 2048)) (i64.load (i32.const 2056)))))",
        0,
    );
    script.call("sched_yield", &[], OK);
    script.run().await;
}

#[tokio::test(start_paused = true)]
async fn sleep_wakes_with_the_first_clock_and_ready_descriptors_wake_at_once() {
    let clock = |user: u64, clock: u32, nanoseconds: u64| {
        let mut subscription = [0; 48];
        subscription[..8].copy_from_slice(&user.to_le_bytes());
        subscription[16..20].copy_from_slice(&clock.to_le_bytes());
        subscription[24..32].copy_from_slice(&nanoseconds.to_le_bytes());
        subscription
    };
    let mut readable = clock(3, 1, 0);
    readable[8] = 1;
    let hour = 3_600_000_000_000;

    let mut script = Script::default();
    let [list, _] = script.put(&[clock(1, 1, hour / 2), clock(2, 0, hour / 4)].concat());
    script.call("poll_oneoff", &[list, 2048, 2, RESULT], OK);
    script.holds(RESULT, 32, 1);
    script.holds(2048, 64, 2);
    script.holds(2048 + 10, 8, 0);
    let [list, _] = script.put(&[clock(1, 1, hour), readable].concat());
    script.call("poll_oneoff", &[list, 2048, 2, RESULT], OK);
    script.holds(RESULT, 32, 1);
    script.holds(2048, 64, 3);
    script.holds(2048 + 10, 8, 1);
    let [list, _] = script.put(&clock(9, 77, 0));
    script.call("poll_oneoff", &[list, 2048, 1, RESULT], OK);
    script.holds(2048 + 8, 16, Errno::Inval as i64);
    script.refused("poll_oneoff", &[list, 2048, 0, RESULT], Errno::Inval);
    script.run().await;
}

#[tokio::test]
async fn there_is_no_network_and_no_signal() {
    let mut script = Script::default();
    script.refused("sock_accept", &[3, 0, RESULT], Errno::NotSup);
    script.refused("sock_recv", &[3, 0, 0, 0, RESULT, RESULT], Errno::NotSup);
    script.refused("sock_send", &[3, 0, 0, 0, RESULT], Errno::NotSup);
    script.refused("sock_shutdown", &[3, 0], Errno::NotSup);
    script.refused("proc_raise", &[9], Errno::NotSup);
    script.run().await;
}

#[tokio::test]
async fn a_program_cannot_use_up_the_machines_descriptors() {
    let mut script = Script::default();
    script.open(OUTPUTS, "file", CREATE, WRITE, Ok(FIRST));
    for descriptor in FIRST + 1..256 {
        script.open(OUTPUTS, "file", 0, READ, Ok(descriptor));
    }
    script.open(OUTPUTS, "file", 0, READ, Err(Errno::MFile));
    script.open(OUTPUTS, "never made", CREATE, WRITE, Err(Errno::MFile));
    script.call("fd_close", &[100], OK);
    script.open(OUTPUTS, "file", 0, READ, Ok(100));
    let result = script.run().await;
    assert!(!result.path().join("outputs/never made").exists());
}
