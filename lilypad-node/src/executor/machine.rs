//! Runs a program a slice at a time.

use std::path::Path;

use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{
    Config, Engine, Error, Func, Module, ResumableCall, ResumableCallHostTrap, ResumableCallOutOfFuel, Store,
    StoreLimits, StoreLimitsBuilder, TrapCode, Val,
};

use super::quota::Quota;
use super::tree::Tree;
use super::wasi::{Interrupt, Process, Stop, linker};
use super::watch::Watch;
use super::{Failure, Limits, Output, Task};

/// How much a program may do before it is asked whether it has to stop: about a hundredth of a second's work.
const SLICE: u64 = 10_000_000;
/// The most entries in a program's tables of functions.
const MAX_TABLE_ENTRIES: usize = 1_000_000;
/// The function that programs begin with, unless the task names another.
const DEFAULT_ENTRY_POINT: &str = "_start";
/// Where a job's input files are.
const INPUTS: &str = "/inputs";

/// A program that has been loaded, and how far it is.
pub(super) struct Machine {
    store: Store<Process>,
    next: Next,
    limits: Limits,
    watch: Watch,
    fuel: u64,
}

/// How a program goes on.
enum Next {
    /// From its beginning.
    Start(Func),
    /// From where its fuel ran out.
    Resume(ResumableCallOutOfFuel),
    /// From the call in which it went to sleep.
    Wake(ResumableCallHostTrap),
    /// It does not: this is its exit code.
    Ended(i32),
}

/// Why a program is not running just now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pause {
    /// It ended, with this exit code.
    Ended(i32),
    /// It sleeps, for this time.
    Sleep(std::time::Duration),
}

impl Machine {
    /// Loads the program of `task` and makes its files ready.
    pub(super) fn load(task: &Task, result_dir: &Path, watch: Watch) -> Result<Self, Failure> {
        let scratch = tempfile::Builder::new().prefix(".scratch-").tempdir_in(result_dir);
        let mut tree =
            Tree::new(scratch.map_err(Failure::host("create a folder in", result_dir))?, Quota::new(&task.limits));
        let mut given = vec![(tree.root(), "/".to_owned())];
        for path in std::iter::once(INPUTS).chain(task.outputs.iter().map(|output| output.path.as_str())) {
            given.push((tree.create_fixed(path)?, path.to_owned()));
        }
        if let Some(inputs) = &task.inputs {
            let directory = tree.create_fixed(INPUTS)?;
            tree.add_inputs(directory, inputs)?;
        }
        let limits = task.limits.clone();
        let process = Process::new(task, tree, given, result_dir, watch.clone(), store_limits(&limits))?;

        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, &*task.program).map_err(unloadable)?;
        let linker = linker(&engine).map_err(unloadable)?;
        let mut store = Store::new(&engine, process);
        store.limiter(|process| &mut process.limits);
        store.set_fuel(SLICE).map_err(unloadable)?;

        let entry_point = if task.entry_point.is_empty() { DEFAULT_ENTRY_POINT } else { &task.entry_point };
        let next = match linker.instantiate_and_start(&mut store, &module) {
            Ok(instance) => match instance.get_typed_func::<(), ()>(&store, entry_point) {
                Ok(entry) => Next::Start(*entry.func()),
                Err(_) => return Err(Failure::EntryPoint(entry_point.to_owned())),
            },
            Err(error) => match error.kind() {
                ErrorKind::Instantiation(InstantiationError::FailedToInstantiateMemory(_)) => {
                    return Err(Failure::Memory { limit: limits.memory });
                }
                // Rare: a module that does its work while it is being loaded.
                ErrorKind::TrapCode(_) | ErrorKind::Host(_) | ErrorKind::Fuel(_) => {
                    Next::Ended(outcome_of(error, &limits)?)
                }
                _ => return Err(unloadable(error)),
            },
        };
        Ok(Self { store, next, limits, watch, fuel: 0 })
    }

    /// Runs the program until it ends, sleeps, or has to stop.
    pub(super) fn run(mut self) -> Result<(Self, Pause), Failure> {
        let mut next = self.next;
        loop {
            self.watch.check()?;
            let fuel = match &next {
                Next::Resume(call) => call.required_fuel().max(SLICE),
                Next::Start(_) | Next::Wake(_) | Next::Ended(_) => SLICE,
            };
            self.store.set_fuel(fuel).map_err(unloadable)?;
            let call = match next {
                Next::Start(entry) => entry.call_resumable(&mut self.store, &[], &mut []),
                Next::Resume(call) => call.resume(&mut self.store, &mut []),
                // The call that slept returns 0: it went well.
                Next::Wake(call) => call.resume(&mut self.store, &[Val::I32(0)], &mut []),
                Next::Ended(code) => return Ok((Self { next: Next::Ended(code), ..self }, Pause::Ended(code))),
            };
            self.fuel += fuel.saturating_sub(self.store.get_fuel().map_err(unloadable)?);
            next = match call {
                Ok(ResumableCall::Finished) => Next::Ended(0),
                Ok(ResumableCall::OutOfFuel(call)) => Next::Resume(call),
                Ok(ResumableCall::HostTrap(call)) => match call.host_error().downcast_ref::<Stop>() {
                    Some(&Stop::Sleep(duration)) => {
                        self.store.data_mut().flush()?;
                        return Ok((Self { next: Next::Wake(call), ..self }, Pause::Sleep(duration)));
                    }
                    _ => Next::Ended(outcome_of(call.into_host_error(), &self.limits)?),
                },
                Err(error) => Next::Ended(outcome_of(error, &self.limits)?),
            };
        }
    }

    /// Puts what the ended program wrote into `result_dir`. How much it did: instructions, roughly.
    pub(super) fn collect(self, outputs: &[Output], result_dir: &Path) -> Result<u64, Failure> {
        let tree = self.store.into_data().finish()?;
        for Output { name, path } in outputs {
            let directory = tree.find(tree.root(), path.trim_start_matches('/')).map_err(Interrupt::from)?;
            tree.collect(directory, &result_dir.join(name))?;
        }
        Ok(self.fuel)
    }
}

/// What the interpreter's error means: an exit code after all, or why the job failed.
fn outcome_of(error: Error, limits: &Limits) -> Result<i32, Failure> {
    match error.as_trap_code() {
        Some(TrapCode::GrowthOperationLimited | TrapCode::OutOfSystemMemory) => {
            return Err(Failure::Memory { limit: limits.memory });
        }
        Some(TrapCode::OutOfFuel) => return Err(Failure::Trap("it does too much while it is being loaded".to_owned())),
        Some(code) => return Err(Failure::Trap(code.trap_message().to_owned())),
        None => {}
    }
    let reason = error.to_string();
    match error.downcast::<Stop>() {
        Some(Stop::Exit(code)) => Ok(code),
        Some(Stop::Failure(failure)) => Err(failure),
        Some(Stop::Sleep(_)) | None => Err(Failure::Trap(reason)),
    }
}

/// The interpreter cannot make anything of the program.
fn unloadable(error: impl std::fmt::Display) -> Failure {
    Failure::Program(error.to_string())
}

fn store_limits(limits: &Limits) -> StoreLimits {
    StoreLimitsBuilder::new()
        .memory_size(usize::try_from(limits.memory).unwrap_or(usize::MAX))
        .table_elements(MAX_TABLE_ENTRIES)
        .memories(1)
        .tables(16)
        // Otherwise a program sees a failed allocation and ends in some way of its own, which tells nobody why.
        .trap_on_grow_failure(true)
        .build()
}
