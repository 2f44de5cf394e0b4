//! Logs go to stderr, one line an event: JSON in a cluster, text in a terminal. Command output goes to stdout.

use std::io::IsTerminal;

use instancelink_core::text::is_harmless;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields;
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
    let lines = fmt::layer().with_writer(std::io::stderr).fmt_fields(one_line_fields());
    Box::new(lines.with_target(false).with_ansi(colored))
}

/// Fields on one line. Names, annotations and answers of the API server contain what users wrote: a line break in them would
/// look like a line of the operator, and other control characters would control the terminal.
fn one_line_fields() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    let fields = fmt::format::debug_fn(|writer, field, value| {
        let text = match field.name() {
            "message" => format!("{value:?}"),
            name => format!("{name}={value:?}"),
        };
        text.chars().try_for_each(|c| {
            if is_harmless(c) {
                writer.write_char(c)
            } else {
                write!(writer, "{}", c.escape_unicode())
            }
        })
    });
    fields.delimited(" ")
}

fn json() -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr).json();
    Box::new(lines.flatten_event(true).with_current_span(false).with_span_list(false))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The log of these texts, by text lines.
    fn logged(text: &str) -> String {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer().with_writer(move || writer.clone());
        let lines = lines.with_ansi(false).fmt_fields(one_line_fields());
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(link = %text, "shown: {text}");
            tracing::warn!(link = ?text, text, "shown");
        });
        String::from_utf8(written.0.lock().clone()).unwrap()
    }

    #[test]
    fn a_text_of_a_user_stays_on_its_line_and_controls_no_terminal() {
        let text = "x\n2026-01-01T00:00:00Z  INFO all is well\r\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{200b}";
        let log = logged(text);
        assert_eq!(log.lines().count(), 2, "{log}");
        let harmful = log.chars().filter(|c| *c != '\n' && !is_harmless(*c)).count();
        assert_eq!(harmful, 0, "{log:?}");
        assert!(log.contains("all is well"), "{log}");
    }

    #[test]
    fn other_texts_are_shown_as_they_are() {
        let log = logged("web-db: grün, 東京");
        assert!(
            log.contains("shown: web-db: grün, 東京 link=web-db: grün, 東京"),
            "{log}"
        );
    }
}
