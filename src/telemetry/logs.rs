//! Logs to stderr, one line an event: JSON in a cluster, text for people. stdout is for answers.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

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
pub fn filter(filter: &str) -> anyhow::Result<EnvFilter> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|e| anyhow::anyhow!("--log {filter:?} is no log filter: {e}; write e.g. --log info"))?;
    Ok(parsed.add_directive("kube_client::client=off".parse()?))
}

/// Starts logging what this filter lets through.
pub(crate) fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = self::filter(filter)?;
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if json {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    } else {
        builder
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .try_init()
    };
    started.map_err(|e| anyhow::anyhow!("logging was already started: {e}"))
}
