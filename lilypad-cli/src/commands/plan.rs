//! `lilypad plan`: what would be sent.

use std::process::ExitCode;

use lilypad_sdk::Result;
use serde_json::json;

use super::{print, print_json};
use crate::args::{Global, PlanArguments};
use crate::session::{Session, request};

/// Shows what a job would send, cost and make public.
pub(crate) async fn run(global: &Global, arguments: PlanArguments) -> Result<ExitCode> {
    let request = request(&arguments.job)?;
    let session = Session::start(global, arguments.place.local).await?;
    let plan = session.client.plan(request).await;
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            session.close().await;
            return Err(error);
        }
    };
    let offer: serde_json::Value =
        serde_json::from_slice(&lilypad_sdk::protocol::json::to_vec(plan.offer())).unwrap_or_default();
    let (machine, price, public) = (plan.machine(), plan.price(), plan.public());
    if global.json {
        print_json(&json!({
            "id": plan.id().as_str(),
            "offer": offer,
            "public": {
                "job_creator": public.job_creator,
                "module": public.module,
                "inputs": public.inputs,
                "files": public.files,
            },
        }))?;
    } else {
        let mut text = format!(
            "job      {} (stamped anew when it leaves)\nmodule   {}\nmachine  {} GPU, {} mCPU, {} MB memory, {} MB disk\n\
             price    {} LP an instruction, {} LP locked, mediation {} LP\n",
            plan.id(),
            public.module,
            machine.gpu,
            machine.cpu,
            machine.ram,
            machine.disk,
            price.instruction_price,
            price.payment_collateral,
            price.mediation_fee,
        );
        text.push_str(&format!("public   address {}\n", public.job_creator));
        for (name, value) in &public.inputs {
            text.push_str(&format!("         input {name} = {value:?}\n"));
        }
        for name in &public.files {
            text.push_str(&format!("         file {name} (solver and provider)\n"));
        }
        print(text.as_bytes())?;
    }
    session.close().await;
    Ok(ExitCode::SUCCESS)
}
