//! The table of calls: from WASI's names and numbers to the methods of [`Process`].

use wasmi::{Caller, Engine, Error, Extern, Linker};

use super::memory::Memory;
use super::path::OpenHow;
use super::system::{write_sizes, write_strings};
use super::{Errno, Interrupt, Process, Stop};

/// The module that programs import the calls from.
const MODULE: &str = "wasi_snapshot_preview1";

/// Everything that a program can import.
pub(in super::super) fn linker(engine: &Engine) -> Result<Linker<Process>, Error> {
    let mut linker = Linker::new(engine);
    add_system(&mut linker)?;
    add_descriptors(&mut linker)?;
    add_paths(&mut linker)?;
    add_sockets(&mut linker)?;
    Ok(linker)
}

/// Defines calls: name, arguments, and what is done with the program's memory and the process.
macro_rules! define {
    ($linker:ident: $($name:literal ($($argument:ident: $type:ty),*) |$memory:ident, $process:ident| $body:expr;)*) => {
        $($linker.func_wrap(MODULE, $name, |caller: Caller<'_, Process>, $($argument: $type),*| {
            call(caller, |$memory, $process| $body)
        })?;)*
    };
}

fn add_system(linker: &mut Linker<Process>) -> Result<(), Error> {
    define! { linker:
        "args_sizes_get"(count: u32, bytes: u32) |memory, process| write_sizes(&process.arguments, memory, count, bytes);
        "args_get"(list: u32, buffer: u32) |memory, process| write_strings(&process.arguments, memory, list, buffer);
        "environ_sizes_get"(count: u32, bytes: u32) |memory, process| write_sizes(&process.environment, memory, count, bytes);
        "environ_get"(list: u32, buffer: u32) |memory, process| write_strings(&process.environment, memory, list, buffer);
        "clock_res_get"(clock: u32, result: u32) |memory, process| {
            process.now(clock)?;
            Ok(memory.write(result, &1u64.to_le_bytes())?)
        };
        "clock_time_get"(clock: u32, _precision: u64, result: u32) |memory, process| {
            Ok(memory.write(result, &process.now(clock)?.to_le_bytes())?)
        };
        "random_get"(buffer: u32, length: u32) |memory, process| process.random(memory.bytes_mut(buffer, length)?);
        "poll_oneoff"(list: u32, events: u32, count: u32, happened: u32) |memory, process| {
            process.poll(memory, list, events, count, happened)
        };
        "sched_yield"() |_memory, _process| Ok(());
        "proc_raise"(_signal: u32) |_memory, _process| Err(Errno::NotSup.into());
    }
    linker.func_wrap(MODULE, "proc_exit", |_: Caller<'_, Process>, code: i32| -> Result<(), Error> {
        Err(Error::host(Stop::Exit(code)))
    })?;
    Ok(())
}

fn add_descriptors(linker: &mut Linker<Process>) -> Result<(), Error> {
    define! { linker:
        "fd_read"(fd: u32, list: u32, count: u32, result: u32) |memory, process| {
            let pieces = memory.pieces(list, count)?;
            let got = process.read(memory, fd, &pieces, None)?;
            Ok(memory.write_size(result, got)?)
        };
        "fd_pread"(fd: u32, list: u32, count: u32, at: u64, result: u32) |memory, process| {
            let pieces = memory.pieces(list, count)?;
            let got = process.read(memory, fd, &pieces, Some(at))?;
            Ok(memory.write_size(result, got)?)
        };
        "fd_write"(fd: u32, list: u32, count: u32, result: u32) |memory, process| {
            let pieces = memory.pieces(list, count)?;
            let put = process.write(memory, fd, &pieces, None)?;
            Ok(memory.write_size(result, put)?)
        };
        "fd_pwrite"(fd: u32, list: u32, count: u32, at: u64, result: u32) |memory, process| {
            let pieces = memory.pieces(list, count)?;
            let put = process.write(memory, fd, &pieces, Some(at))?;
            Ok(memory.write_size(result, put)?)
        };
        "fd_seek"(fd: u32, offset: i64, whence: u32, result: u32) |memory, process| {
            let position = process.seek(fd, offset, whence)?;
            Ok(memory.write(result, &position.to_le_bytes())?)
        };
        "fd_tell"(fd: u32, result: u32) |memory, process| {
            let position = process.seek(fd, 0, 1)?;
            Ok(memory.write(result, &position.to_le_bytes())?)
        };
        "fd_readdir"(fd: u32, buffer: u32, length: u32, cookie: u64, result: u32) |memory, process| {
            let used = process.list(memory, fd, (buffer, length), cookie)?;
            Ok(memory.write_size(result, used)?)
        };
        "fd_close"(fd: u32) |_memory, process| process.descriptors.close(fd, &mut process.tree);
        "fd_renumber"(from: u32, to: u32) |_memory, process| process.descriptors.renumber(from, to, &mut process.tree);
        "fd_fdstat_get"(fd: u32, result: u32) |memory, process| process.descriptor_status(memory, fd, result);
        "fd_fdstat_set_flags"(fd: u32, flags: u32) |_memory, process| process.set_flags(fd, flags);
        "fd_fdstat_set_rights"(fd: u32, _base: u64, _inheriting: u64) |_memory, process| {
            process.descriptors.get(fd)?;
            Ok(())
        };
        "fd_filestat_get"(fd: u32, result: u32) |memory, process| process.file_status(memory, fd, result);
        "fd_filestat_set_size"(fd: u32, size: u64) |_memory, process| process.set_size(fd, size, true);
        "fd_filestat_set_times"(fd: u32, accessed: u64, modified: u64, flags: u32) |_memory, process| {
            process.set_times(fd, accessed, modified, flags)
        };
        "fd_allocate"(fd: u32, offset: u64, length: u64) |_memory, process| {
            process.set_size(fd, offset.checked_add(length).ok_or(Errno::Inval)?, false)
        };
        "fd_advise"(fd: u32, _offset: u64, _length: u64, _advice: u32) |_memory, process| {
            process.descriptors.file(fd)?;
            Ok(())
        };
        // The result is written once the program has ended; until then nothing has to reach a disk.
        "fd_sync"(fd: u32) |_memory, process| {
            process.descriptors.get(fd)?;
            Ok(())
        };
        "fd_datasync"(fd: u32) |_memory, process| {
            process.descriptors.get(fd)?;
            Ok(())
        };
        "fd_prestat_get"(fd: u32, result: u32) |memory, process| {
            let length = process.given_path(fd)?.len();
            // Kind 0: a folder.
            memory.write(result, &[0; 4])?;
            Ok(memory.write_size(result.checked_add(4).ok_or(Errno::Fault)?, length)?)
        };
        "fd_prestat_dir_name"(fd: u32, buffer: u32, length: u32) |memory, process| {
            let path = process.given_path(fd)?.as_bytes();
            if path.len() > length as usize {
                return Err(Errno::NameTooLong.into());
            }
            Ok(memory.write(buffer, path)?)
        };
    }
    Ok(())
}

fn add_paths(linker: &mut Linker<Process>) -> Result<(), Error> {
    define! { linker:
        "path_open"(
            fd: u32, _lookup: u32, path: u32, length: u32, open: u32, rights: u64, _inheriting: u64, flags: u32, result: u32
        ) |memory, process| {
            let opened = process.open(fd, memory.text(path, length)?, OpenHow { open, rights, flags })?;
            Ok(memory.write(result, &opened.to_le_bytes())?)
        };
        "path_create_directory"(fd: u32, path: u32, length: u32) |memory, process| {
            process.create_directory(fd, memory.text(path, length)?)
        };
        "path_remove_directory"(fd: u32, path: u32, length: u32) |memory, process| {
            process.remove_directory(fd, memory.text(path, length)?)
        };
        "path_unlink_file"(fd: u32, path: u32, length: u32) |memory, process| {
            process.remove_file(fd, memory.text(path, length)?)
        };
        "path_rename"(from_fd: u32, from: u32, from_length: u32, to_fd: u32, to: u32, to_length: u32) |memory, process| {
            process.rename((from_fd, memory.text(from, from_length)?), (to_fd, memory.text(to, to_length)?))
        };
        "path_filestat_get"(fd: u32, _lookup: u32, path: u32, length: u32, result: u32) |memory, process| {
            process.path_status(memory, fd, (path, length), result)
        };
        "path_filestat_set_times"(
            fd: u32, _lookup: u32, path: u32, length: u32, accessed: u64, modified: u64, flags: u32
        ) |memory, process| {
            process.set_path_times(fd, memory.text(path, length)?, (accessed, modified), flags)
        };
        "path_readlink"(fd: u32, path: u32, length: u32, _buffer: u32, _room: u32, _result: u32) |memory, process| {
            process.read_link(fd, memory.text(path, length)?)
        };
        "path_symlink"(_target: u32, _target_length: u32, _fd: u32, _path: u32, _length: u32) |_memory, _process| {
            Err(Errno::NotSup.into())
        };
        "path_link"(
            _from_fd: u32, _lookup: u32, _from: u32, _from_length: u32, _to_fd: u32, _to: u32, _to_length: u32
        ) |_memory, _process| Err(Errno::NotSup.into());
    }
    Ok(())
}

fn add_sockets(linker: &mut Linker<Process>) -> Result<(), Error> {
    define! { linker:
        "sock_accept"(_fd: u32, _flags: u32, _result: u32) |_memory, _process| Err(Errno::NotSup.into());
        "sock_recv"(_fd: u32, _list: u32, _count: u32, _flags: u32, _result: u32, _flags_result: u32) |_memory, _process| {
            Err(Errno::NotSup.into())
        };
        "sock_send"(_fd: u32, _list: u32, _count: u32, _flags: u32, _result: u32) |_memory, _process| {
            Err(Errno::NotSup.into())
        };
        "sock_shutdown"(_fd: u32, _how: u32) |_memory, _process| Err(Errno::NotSup.into());
    }
    Ok(())
}

/// Makes one call: checks that the program may go on, finds its memory, and turns the outcome into what the program gets.
fn call(
    mut caller: Caller<'_, Process>,
    body: impl FnOnce(&mut Memory<'_>, &mut Process) -> Result<(), Interrupt>,
) -> Result<i32, Error> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(Error::new("the program does not export its memory under the name `memory`"));
    };
    let (bytes, process) = memory.data_and_store_mut(&mut caller);
    let outcome = match process.watch.check() {
        Ok(()) => body(&mut Memory(bytes), process),
        Err(failure) => Err(failure.into()),
    };
    match outcome {
        Ok(()) => Ok(0),
        Err(Interrupt::Errno(errno)) => Ok(i32::from(errno as u16)),
        Err(Interrupt::Stop(stop)) => Err(Error::host(stop)),
    }
}
