//! Runs the subcommands, and ends the process on signals.

use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::{Command, Verb};
use crate::telemetry::logs;
use crate::{crds, operator, uninstall};

/// Runs a command. The result is the exit code of the process.
pub fn main(command: Command) -> ExitCode {
    let done = logs::start(command.log_format, &command.log).and_then(|()| dispatch(command.verb));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instancelink: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Crds(options) => crds::print(&options),
        Verb::Operator(options) => in_runtime(operate(*options)),
        Verb::Uninstall(options) => in_runtime(uninstall::run(options)),
    }
}

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the async runtime cannot be started")?
        .block_on(work)
}

async fn operate(options: crate::args::Operator) -> anyhow::Result<()> {
    operator::run(options, stop_on_signals()?).await
}

fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let on_signal = stop.clone();
    let mut terminate = signal(SignalKind::terminate()).context("the handler of SIGTERM cannot be installed")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("the handler of SIGINT cannot be installed")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: the operator finishes its running passes and stops; a second signal ends it at once"),
            _ = interrupt.recv() => tracing::info!("SIGINT: the operator finishes its running passes and stops; a second signal ends it at once"),
        }
        on_signal.cancel();
        // A second signal means: do not wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
    Ok(stop)
}
