//! From what a module says to what the executor does.

use std::path::PathBuf;
use std::time::Duration;

use lilypad_sdk::module::spec::{Engine, StorageSource};
use lilypad_sdk::module::{Module, ModuleSpec};
use lilypad_sdk::protocol::Deal;
use lilypad_sdk::{Error, ErrorKind, Result};

use crate::executor::{Limits, Output, Task};

/// The program of a module that names none.
const PROGRAM: &str = "program.wasm";

/// The task that runs the job of `deal`. What its module doesn't limit, `limits` does.
///
/// # Errors
/// [`ErrorKind::Module`] if the job isn't a program that the executor can run, or if the module doesn't hold that program.
pub(super) async fn plan(
    limits: &Limits,
    module: &Module,
    spec: ModuleSpec,
    deal: &Deal,
    inputs: Option<PathBuf>,
) -> Result<Task> {
    let limits = limits_of(limits, &spec, deal);
    let job = spec.job.spec;
    let refuse = |message: String| Error::new(ErrorKind::Module, "run module").with_message(message);
    match job.engine {
        Engine::Wasm => {}
        Engine::Docker => {
            return Err(refuse(format!(
                "this provider runs WebAssembly programs, and the job is a container of the image `{}`",
                job.docker.image
            )));
        }
        Engine::Noop | Engine::Unknown => {
            return Err(refuse("the module names no engine that this provider has; it has Wasm".into()));
        }
    }
    let entry = job.wasm.entry_module;
    let program = match (entry.source, entry.source_path.as_str()) {
        (StorageSource::Unknown, "") => PROGRAM,
        (StorageSource::LocalDirectory | StorageSource::Unknown, path) => path,
        (other, _) => {
            return Err(refuse(format!(
                "the program's source is {}; this provider takes programs that lie beside their template",
                other.as_str()
            )));
        }
    };
    Ok(Task {
        program: module.file(program).await?.into(),
        entry_point: job.wasm.entry_point,
        arguments: job.wasm.parameters,
        environment: job.wasm.environment_variables.into_iter().collect(),
        inputs,
        outputs: job.outputs.into_iter().map(|output| Output { name: output.name, path: output.path }).collect(),
        limits,
    })
}

/// The limits of a job: as its offer says, else its module, else `limits`.
fn limits_of(limits: &Limits, spec: &ModuleSpec, deal: &Deal) -> Limits {
    let timeout = u64::try_from(spec.job.spec.timeout).unwrap_or(0);
    let time = [deal.job_offer.execution_timeout_seconds, spec.execution_timeout_seconds, timeout]
        .into_iter()
        .find(|seconds| *seconds > 0)
        .map_or(limits.time, Duration::from_secs);
    let memory = match u64::try_from(spec.machine.ram) {
        Ok(megabytes @ 1..) => megabytes.saturating_mul(1 << 20),
        _ => limits.memory,
    };
    Limits { time, memory, ..limits.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_limits_the_time_before_the_module_and_the_module_before_the_provider() {
        let default = Limits::default();
        let mut spec = ModuleSpec::default();
        let mut deal = Deal::default();
        assert_eq!(limits_of(&default, &spec, &deal), default);
        spec.job.spec.timeout = 30;
        assert_eq!(limits_of(&default, &spec, &deal).time, Duration::from_secs(30));
        spec.execution_timeout_seconds = 20;
        assert_eq!(limits_of(&default, &spec, &deal).time, Duration::from_secs(20));
        deal.job_offer.execution_timeout_seconds = 10;
        assert_eq!(limits_of(&default, &spec, &deal).time, Duration::from_secs(10));
        spec.machine.ram = 256;
        assert_eq!(limits_of(&default, &spec, &deal).memory, 256 << 20);
    }
}
