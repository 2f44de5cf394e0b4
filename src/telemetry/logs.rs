//! Logs go to stderr, one line an event: JSON in a cluster, text in a terminal. Command output goes to stdout.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text if stderr is a terminal, else JSON.
    Auto,
    /// One JSON object per line.
    Json,
    /// Text.
    Text,
}

/// Parses a `tracing` filter such as `info` or `info,instancelink=debug`.
///
/// The target `kube_client::client` stays off: where it cannot parse an answer, it logs the whole answer, which may contain
/// all Secrets of a namespace. The operator logs the error without the answer.
///
/// # Errors
/// What is wrong with the filter.
pub fn filter(filter: &str) -> anyhow::Result<Targets> {
    let parsed: Targets = filter.parse().map_err(|e| {
        anyhow::anyhow!(
            "--log={filter} is not a log filter: {e}. Use a level such as --log=info, or --log=info,instancelink=debug"
        )
    })?;
    Ok(parsed.with_target("kube_client::client", LevelFilter::OFF))
}

/// Starts the logs.
pub(crate) fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = self::filter(filter)?;
    let is_terminal = std::io::stderr().is_terminal();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Auto if is_terminal => text(is_terminal),
        LogFormat::Text => text(is_terminal),
        LogFormat::Auto | LogFormat::Json => json(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()
        .map_err(|e| anyhow::anyhow!("the logs cannot be started: {e}"))
}

fn text(colored: bool) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    Box::new(lines.with_target(false).with_ansi(colored))
}

fn json() -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr).json();
    Box::new(lines.flatten_event(true).with_current_span(false).with_span_list(false))
}
