;; Greets its first argument on standard output.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "Hello, ")
  (data (i32.const 8) "!\n")

  ;; How many bytes the text at $start has, up to its zero byte.
  (func $length (param $start i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $start))
    (loop $next
      (if (i32.load8_u (local.get $end))
        (then
          (local.set $end (i32.add (local.get $end) (i32.const 1)))
          (br $next))))
    (i32.sub (local.get $end) (local.get $start)))

  (func (export "_start")
    (local $name i32)
    ;; Where the arguments are goes to 64, the arguments themselves to 1024. The first is the program's own name.
    (drop (call $args_get (i32.const 64) (i32.const 1024)))
    (local.set $name (i32.load (i32.const 68)))
    ;; Three pieces to write, each a place and a length.
    (i32.store (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (i32.const 7))
    (i32.store (i32.const 24) (local.get $name))
    (i32.store (i32.const 28) (call $length (local.get $name)))
    (i32.store (i32.const 32) (i32.const 8))
    (i32.store (i32.const 36) (i32.const 2))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 3) (i32.const 40)))))
