//! What is wrong is named, and what to do is said. (Keys, networks, references, templates and archives are pinned beside their code.)

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::fs;
use std::time::Duration;

use lilypad_localnet::{Clock, LocalNetwork};
use lilypad_sdk::module::InputFile;
use lilypad_sdk::{Client, Error, ErrorKind, Fault, JobRequest, Network, Result, ResultOptions};

/// Fails unless the error is of this kind and its text holds all of these.
fn expect(error: &Error, kind: ErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

async fn refused(network: &LocalNetwork, request: JobRequest) -> Error {
    let error = network.client().submit(request).await.expect_err("it should be refused");
    assert_eq!(network.offers_taken(), 0, "nothing may be sent");
    assert_eq!(error.fault(), Fault::Caller);
    error
}

#[tokio::test]
async fn a_module_reference_that_is_none() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let error = refused(&network, JobRequest::new("cowsey")).await;
    expect(&error, ErrorKind::Module, &["cowsey", "cowsay"]);
    let error = refused(&network, JobRequest::new("./no/such/folder")).await;
    expect(&error, ErrorKind::Module, &["no/such/folder"]);
    Ok(())
}

#[tokio::test]
async fn an_input_that_the_module_does_not_know() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let error = refused(&network, JobRequest::new("cowsay:v0.0.4").input("Mesage", "moo")).await;
    expect(&error, ErrorKind::InvalidInput, &["Mesage", "Message"]);
    Ok(())
}

#[tokio::test]
async fn a_broken_template_with_its_line_and_column() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let folder = tempfile::tempdir().unwrap();
    let module = || JobRequest::new(folder.path().to_string_lossy());
    for (template, parts) in [
        ("{\n  {{ if .X }} \"a\": 1\n}", &["lilypad_module.json.tmpl", "line "][..]),
        ("{\n  \"machine\": {\"cpu\": \"many\"}\n}", &["machine.cpu", "line 2"][..]),
        ("{\n  \"machine\": {\"cpu\": 1},\n}", &["line 3"][..]),
    ] {
        fs::write(folder.path().join("lilypad_module.json.tmpl"), template).unwrap();
        expect(&refused(&network, module()).await, ErrorKind::Module, parts);
    }
    fs::remove_file(folder.path().join("lilypad_module.json.tmpl")).unwrap();
    expect(&refused(&network, module()).await, ErrorKind::Module, &["lilypad_module.json.tmpl"]);
    Ok(())
}

#[tokio::test]
async fn input_files_that_no_provider_would_take() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let module = || JobRequest::new("files:v1");
    let good = || InputFile::from_bytes("input.txt", "fine");
    let script = InputFile::from_bytes("more.txt", "#!/bin/sh\necho")?;
    let program = InputFile::from_bytes("data.bin", b"\x7fELF\x02\x01\x01\0".to_vec())?;
    let large = InputFile::from_bytes("data.bin", vec![0u8; 11 << 20])?;
    let absent = InputFile::from_path_as("more.txt", "/no/such/file")?;
    for (request, kind, parts) in [
        (module(), ErrorKind::InvalidInput, &["input.txt"][..]),
        (
            module().file(good()?).file(InputFile::from_bytes("mor.txt", "x")?),
            ErrorKind::InvalidInput,
            &["mor.txt", "more.txt"],
        ),
        (module().file(good()?).file(script), ErrorKind::InvalidInput, &["more.txt"]),
        (module().file(good()?).file(program), ErrorKind::InvalidInput, &["data.bin"]),
        (module().file(good()?).file(large), ErrorKind::InvalidInput, &["data.bin", "11534336"]),
        (module().file(good()?).file(absent), ErrorKind::InvalidInput, &["/no/such/file"]),
        (module().file(good()?).file(good()?), ErrorKind::InvalidInput, &["two input files named input.txt"]),
    ] {
        expect(&refused(&network, request).await, kind, parts);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("input.txt"), "fine").unwrap();
    fs::create_dir(folder.path().join("deeper")).unwrap();
    let error = refused(&network, module().inputs_dir(folder.path())).await;
    expect(&error, ErrorKind::InvalidInput, &["deeper"]);
    Ok(())
}

#[tokio::test]
async fn a_solver_that_is_down() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let client = network.client();
    let port = network.solver_url().port().unwrap();
    network.stop().await;
    // A first attempt, without the minute of patience that a submission has.
    let error = client.solver().await?.job_offers(&Default::default()).await.unwrap_err();
    expect(&error, ErrorKind::Connection, &[&format!("no solver answers at 127.0.0.1:{port}"), "solver URL"]);
    assert!(error.is_retryable());
    assert!(!error.may_have_acted());
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_no_solvers() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let elsewhere = Network::custom("elsewhere")
        .solver_url(network.solver_url().join("elsewhere").unwrap().as_str())
        .solver(&network.network().services.solver)
        .mediators(network.network().services.mediator.iter().flatten())
        .build()?;
    let client = network.client_builder().network(elsewhere).build()?;
    let error = client.submit("cowsay:v0.0.4").await.unwrap_err();
    expect(&error, ErrorKind::Config, &["404 page not found", "check the solver URL"]);
    Ok(())
}

#[tokio::test]
async fn a_client_that_is_too_old_for_the_solver() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let client = network.client_builder().client_version("v1.0.0").build()?;
    let error = client.submit("cowsay:v0.0.4").await.unwrap_err();
    expect(&error, ErrorKind::VersionRejected, &["minimum supported version v2", "client_version"]);
    assert!(!error.is_retryable());
    Ok(())
}

#[tokio::test]
async fn a_clock_that_cannot_be_followed() -> Result<()> {
    // The solver's clock is known to half a second, and this solver takes a tenth.
    let network = LocalNetwork::builder()
        .providers(0)
        .clock(Clock::manual(1_600_000_000_000))
        .solver_options(|options| options.timestamp_tolerance = Duration::from_millis(100))
        .start()
        .await?;
    let error = network.client().submit("cowsay:v0.0.4").await.unwrap_err();
    expect(
        &error,
        ErrorKind::ClockSkew,
        &["CreatedAt time is not recent", "s behind this machine's", "set this machine's clock"],
    );
    assert_eq!(network.offers_taken(), 0);
    Ok(())
}

#[tokio::test]
async fn an_id_that_nobody_knows() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let id = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    let error = network.client().job(&id.parse()?).await.unwrap_err();
    expect(&error, ErrorKind::NotFound, &[id, "check the id, the network and the key"]);
    Ok(())
}

#[tokio::test]
async fn a_client_without_a_key() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let client = Client::builder()
        .environment(lilypad_sdk::network::Environment::default())
        .network(network.network().clone())
        .bundle(lilypad_localnet::bundled_modules())
        .build()?;
    let error = client.submit("cowsay:v0.0.4").await.unwrap_err();
    expect(&error, ErrorKind::Wallet, &["LILYPAD_PRIVATE_KEY"]);
    Ok(())
}

#[tokio::test]
async fn an_output_folder_that_exists_or_cannot_be_written() -> Result<()> {
    let network = LocalNetwork::start().await?;
    let folder = tempfile::tempdir().unwrap();
    let job = network.client().submit("cowsay:v0.0.4").await?;

    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("precious"), "keep me").unwrap();
    let error = job.result_with(ResultOptions::default().save_to(&taken)).await.unwrap_err();
    expect(&error, ErrorKind::Io, &["taken"]);
    assert_eq!(fs::read_to_string(taken.join("precious")).unwrap(), "keep me");

    // It is known before the job is waited for, or sent by the command.
    let error = lilypad_sdk::result::check_destination(&taken).unwrap_err();
    expect(&error, ErrorKind::Io, &["taken"]);

    // A file in place of the folder's parent: not even root can write there.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = job.result_with(ResultOptions::default().save_to(file.join("result"))).await.unwrap_err();
    expect(&error, ErrorKind::Io, &["file"]);

    // Nothing was lost on the way: the same job still gives its result.
    let result = job.result_with(ResultOptions::default().save_to(folder.path().join("result"))).await?;
    assert!(result.stdout_text()?.contains("moo"));
    Ok(())
}

#[tokio::test]
async fn a_module_on_this_machine_cannot_run_on_a_network_elsewhere() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lilypad_module.json.tmpl"), r#"{"machine":{"cpu":1}}"#).unwrap();
    let client = Client::builder()
        .environment(lilypad_sdk::network::Environment::default())
        .network(Network::named("testnet")?)
        .wallet(lilypad_localnet::job_creator()?)
        .build()?;
    let error = client.plan(folder.path().to_string_lossy().into_owned()).await.unwrap_err();
    expect(&error, ErrorKind::Module, &["testnet", "public git repository"]);
    Ok(())
}
