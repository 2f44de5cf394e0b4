//! Logs to stderr, one line an event: JSON in a cluster, text for people. stdout is for answers.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// JSON where stderr is no terminal, else text.
    Auto,
    /// One JSON object a line.
    Json,
    /// Text.
    Text,
}

/// What is let through of this: a `tracing` filter such as `info` or `info,instancelink=debug`.
///
/// The client's own word on an answer that it cannot read is the whole answer, and may be all Secrets of a namespace. We
/// log the error that it gives us.
///
/// # Errors
/// What is wrong with the filter.
pub fn filter(filter: &str) -> anyhow::Result<Targets> {
    let parsed: Targets = filter
        .parse()
        .map_err(|e| anyhow::anyhow!("--log {filter:?} is no log filter: {e}; write e.g. --log info"))?;
    Ok(parsed.with_target("kube_client::client", LevelFilter::OFF))
}

/// Starts logging what this filter lets through.
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
        .map_err(|e| anyhow::anyhow!("logging was already started: {e}"))
}

fn text(colored: bool) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    Box::new(lines.with_target(false).with_ansi(colored))
}

fn json() -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr).json();
    Box::new(lines.flatten_event(true).with_current_span(false).with_span_list(false))
}
