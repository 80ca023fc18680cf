use super::*;

/// A task whose program is `text`, in the text form of WASM.
fn task(text: &str) -> Task {
    Task {
        program: wat::parse_str(text).unwrap().into(),
        entry_point: String::new(),
        arguments: Vec::new(),
        environment: Vec::new(),
        inputs: None,
        outputs: vec![output("outputs", "/outputs")],
        limits: Limits::default(),
    }
}

fn output(name: &str, path: &str) -> Output {
    Output { name: name.to_owned(), path: path.to_owned() }
}

/// A task whose program makes `_start` of `body`, with what it needs to write: `$write` puts `length` bytes to a stream.
fn writing(body: &str) -> Task {
    task(&format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        (import "wasi_snapshot_preview1" "path_create_directory" (func $create (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 2)
        (data (i32.const 1024) "hello from wasm\n")
        (func $write (param $stream i32) (param $length i32)
            (i32.store (i32.const 0) (i32.const 1024))
            (i32.store (i32.const 4) (local.get $length))
            (drop (call $fd_write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))
        (func (export "_start") {body}))"#
    ))
}

async fn run_in(folder: &Path, task: Task) -> Result<Execution, Failure> {
    run(task, folder, CancellationToken::new()).await
}

/// Why `task` fails, in the words of its owner.
async fn failure(task: Task) -> String {
    let folder = tempfile::tempdir().unwrap();
    let failure = run_in(folder.path(), task).await.unwrap_err();
    assert!(!folder.path().join("exitCode").exists(), "{failure}");
    failure.to_string()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_result_is_two_streams_an_exit_code_and_the_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let execution = run_in(folder.path(), writing("(call $write (i32.const 1) (i32.const 16))")).await.unwrap();
    assert_eq!(execution.exit_code, 0);
    assert!(execution.fuel > 0);
    assert_eq!(names(folder.path()), ["exitCode", "outputs", "stderr", "stdout"]);
    let text = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!([text("stdout"), text("stderr"), text("exitCode")], ["hello from wasm\n", "", "0"]);
}

#[tokio::test]
async fn an_exit_code_is_a_result_and_not_a_failure() {
    for code in [0, 1, 3, 255, -1] {
        let folder = tempfile::tempdir().unwrap();
        let program =
            writing(&format!("(call $write (i32.const 2) (i32.const 5)) (call $proc_exit (i32.const {code}))"));
        assert_eq!(run_in(folder.path(), program).await.unwrap().exit_code, code);
        assert_eq!(fs::read_to_string(folder.path().join("exitCode")).unwrap(), code.to_string());
        assert_eq!(fs::read_to_string(folder.path().join("stderr")).unwrap(), "hello");
    }
}

#[tokio::test]
async fn a_crash_is_a_failure_that_says_what_happened() {
    for (body, reason) in [
        ("unreachable", "the program crashed: wasm `unreachable` instruction executed"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "the program crashed: integer divide by zero"),
        ("(drop (i32.load (i32.const -1)))", "the program crashed: out of bounds memory access"),
    ] {
        assert_eq!(failure(writing(body)).await, reason);
    }
    let endless = task("(module (func $f (export \"_start\") (call $f)))");
    assert_eq!(failure(endless).await, "the program crashed: call stack exhausted");
}

#[tokio::test]
async fn what_a_crashed_program_wrote_is_kept_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), writing("(call $write (i32.const 2) (i32.const 16)) unreachable")).await.unwrap_err();
    assert_eq!(fs::read_to_string(folder.path().join("stderr")).unwrap(), "hello from wasm\n");
    assert_eq!(names(folder.path()), ["stderr", "stdout"]);
}

#[tokio::test]
async fn time_ends_a_program_that_computes_calls_or_sleeps() {
    let sleep_for_an_hour =
        "(i64.store (i32.const 24) (i64.const 3600000000000)) (i32.store (i32.const 16) (i32.const 1))
        (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))";
    for body in ["(loop (br 0))", "(loop (call $write (i32.const 1) (i32.const 0)) (br 0))", sleep_for_an_hour] {
        let started = Instant::now();
        let mut task = writing(body);
        task.limits.time = Duration::from_millis(200);
        assert_eq!(failure(task).await, "execution timed out after 200ms");
        assert!(started.elapsed() < Duration::from_secs(10), "{body}");
    }
}

#[tokio::test]
async fn a_start_function_that_never_ends_does_not_hold_the_provider() {
    let reason = failure(task("(module (func $f (loop (br 0))) (start $f) (func (export \"_start\")))")).await;
    assert_eq!(reason, "the program crashed: it does too much while it is being loaded");
}

#[tokio::test]
async fn memory_ends_a_program_that_wants_too_much() {
    let mut growing = task(
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (loop (drop (memory.grow (i32.const 16))) (br 0))))",
    );
    growing.limits.memory = 8 << 20;
    assert_eq!(failure(growing).await, "the program needs more than its 8388608 bytes of memory");
    let mut large = task("(module (memory (export \"memory\") 1000) (func (export \"_start\")))");
    large.limits.memory = 8 << 20;
    assert_eq!(failure(large).await, "the program needs more than its 8388608 bytes of memory");
}

#[tokio::test]
async fn output_ends_a_program_that_writes_too_much() {
    let mut chatty = writing("(loop (call $write (i32.const 1) (i32.const 4096)) (br 0))");
    chatty.limits.output_bytes = 100_000;
    assert_eq!(failure(chatty).await, "the program wrote more than its 100000 bytes of output");
    // Folders within folders, each made of `h` in the one before: 1, 3, 5, … bytes of `h/h/h`.
    let mut many = writing(
        "(local $length i32) (local.set $length (i32.const 1))
        (memory.fill (i32.const 4096) (i32.const 47) (i32.const 4096))
        (loop
            (i32.store8 (i32.add (i32.const 4095) (local.get $length)) (i32.const 104))
            (drop (call $create (i32.const 3) (i32.const 4096) (local.get $length)))
            (local.set $length (i32.add (local.get $length) (i32.const 2))) (br 0))",
    );
    many.limits.files = 50;
    assert_eq!(failure(many).await, "the program made more than its 50 files and folders");
}

#[tokio::test]
async fn a_cancelled_program_stops_whatever_it_does() {
    let sleep = "(i64.store (i32.const 24) (i64.const 3600000000000)) (i32.store (i32.const 16) (i32.const 1))
        (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))";
    for body in ["(loop (br 0))", sleep] {
        let folder = tempfile::tempdir().unwrap();
        let cancel = CancellationToken::new();
        // On the other side of the `join`, the program is under way when this fires.
        let (outcome, ()) = tokio::join!(run(writing(body), folder.path(), cancel.clone()), async {
            while !folder.path().join("stderr").exists() {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        });
        assert!(matches!(outcome, Err(Failure::Cancelled)), "{outcome:?}");
        assert!(names(folder.path()).iter().all(|name| !name.starts_with('.')), "scratch files are left");
    }
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let running = tokio::spawn(async move { run(writing("(loop (br 0))"), &path, CancellationToken::new()).await });
    while names(folder.path()).len() < 3 {
        tokio::task::yield_now().await;
    }
    running.abort();
    // The machine takes its scratch folder with it when it stops.
    while names(folder.path()).iter().any(|name| name.starts_with('.')) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_program_that_cannot_run_is_told_apart_by_its_reason() {
    let with_program = |program: &[u8]| Task { program: program.into(), ..task("(module)") };
    for (task, reason) in [
        (with_program(b"not wasm"), "the program cannot be loaded: "),
        (with_program(b""), "the program cannot be loaded: "),
        (
            task("(module (import \"env\" \"socket\" (func)) (func (export \"_start\")))"),
            "the program cannot be loaded: ",
        ),
        (task("(module)"), "unable to find the entrypoint '_start' in the WASM module"),
        (task("(module (func (export \"_start\") (param i32)))"), "unable to find the entrypoint '_start'"),
        (
            Task { entry_point: "main".to_owned(), ..writing("") },
            "unable to find the entrypoint 'main' in the WASM module",
        ),
        (Task { arguments: vec!["a\0b".to_owned()], ..writing("") }, "the job cannot be run: an argument"),
        (
            Task { inputs: Some(PathBuf::from("/nowhere/at all")), ..writing("") },
            "could not list /nowhere/at all: No such file or directory",
        ),
    ] {
        let failure = failure(task).await;
        assert!(failure.starts_with(reason), "{failure}");
    }
}

#[tokio::test]
async fn another_entry_point_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let task = Task { entry_point: "begin".to_owned(), ..task("(module (func (export \"begin\")))") };
    assert_eq!(run_in(folder.path(), task).await.unwrap().exit_code, 0);
}

#[tokio::test]
async fn outputs_stay_inside_of_the_result() {
    for (name, path) in [
        ("..", "/outputs"),
        ("a/b", "/outputs"),
        ("/etc", "/outputs"),
        ("", "/outputs"),
        (".", "/outputs"),
        ("stdout", "/outputs"),
        ("exitCode", "/outputs"),
        ("first", "/second"),
        ("outputs", "outputs"),
        ("outputs", "/"),
        ("outputs", "/a/../.."),
        ("outputs", "/first/inner"),
    ] {
        let task = Task { outputs: vec![output("first", "/first"), output(name, path)], ..writing("") };
        let failure = failure(task).await;
        assert!(failure.starts_with("the job cannot be run: the output "), "{name} {path}: {failure}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_among_the_inputs_is_not_followed() {
    let inputs = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", inputs.path().join("input.txt")).unwrap();
    let task = Task { inputs: Some(inputs.path().to_owned()), ..writing("") };
    assert_eq!(failure(task).await, "the job cannot be run: the input `input.txt` is neither a file nor a folder");
}

#[tokio::test]
async fn a_result_folder_that_is_not_there_is_named() {
    let failure = run_in(Path::new("/nowhere/result"), writing("")).await.unwrap_err().to_string();
    assert!(failure.contains("/nowhere/result"), "{failure}");
}
