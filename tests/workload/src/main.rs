//! The program in the pods of the end-to-end tests and of the demo: a small HTTP server, clients that show what a pod
//! sees of DNS and of the network, and the pause process of the native cluster. It is one static binary, so an image is
//! one file.
//!
//! It resolves names with `getaddrinfo` of libc, as most programs in containers do: a test of DNS must not use its own
//! resolver.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod address;
mod compare;
mod http;
mod kill;
mod poll;
mod resolve;
mod serve;
mod signals;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about, version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer HTTP requests with a text and the pod's host name
    Serve {
        /// A port to listen on. Can be repeated
        #[arg(long = "port", required = true)]
        ports: Vec<u16>,
        /// The text of the answer
        #[arg(long)]
        text: String,
        /// Ready as long as this file exists. `POST /ready/true|false` creates and removes it
        #[arg(long)]
        ready_file: Option<PathBuf>,
        /// Start unready
        #[arg(long)]
        not_ready: bool,
    },
    /// Send GET requests, and print one line of JSON for each
    Poll {
        #[arg(long)]
        url: String,
        #[arg(long, default_value_t = 1000)]
        every_ms: u64,
        /// The number of requests. Default: no end
        #[arg(long)]
        count: Option<u64>,
        #[arg(long, default_value_t = 1000)]
        timeout_ms: u64,
    },
    /// Send GET requests to several URLs at the same moments, without end, and print one line of JSON for each moment
    Compare {
        /// Can be repeated
        #[arg(long = "url", required = true)]
        urls: Vec<String>,
        #[arg(long, default_value_t = 50)]
        every_ms: u64,
        #[arg(long, default_value_t = 1000)]
        timeout_ms: u64,
    },
    /// Send one GET request and print the body. Exit code 1 if it fails
    Get {
        url: String,
        #[arg(long, default_value_t = 1000)]
        timeout_ms: u64,
    },
    /// Print the addresses of a name. Exit code 3 if the name does not exist
    Resolve { name: String },
    /// Print the environment variables whose names start with a prefix
    Env {
        #[arg(default_value = "")]
        prefix: String,
    },
    /// Print each file of a directory as `name=content`, sorted by name
    Files { directory: PathBuf },
    /// Send SIGKILL to the processes of another pod. Needs `hostPID` and root
    Kill {
        /// UID of the pod
        #[arg(long)]
        pod_uid: String,
        /// Name of the process
        #[arg(long)]
        name: String,
    },
    /// Do nothing for some seconds. Default: no end
    Sleep { seconds: Option<u64> },
    /// Do nothing until a signal: the sandbox process of a pod
    Pause,
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(code) => code,
        Err(error) => {
            // A closed stderr must not turn an error into a panic.
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    signals::end_on_term()?;
    match command {
        Command::Serve {
            ports,
            text,
            ready_file,
            not_ready,
        } => serve::run(&ports, &text, ready_file, !not_ready)?,
        Command::Poll {
            url,
            every_ms,
            count,
            timeout_ms,
        } => poll::run(
            &url,
            Duration::from_millis(every_ms),
            count,
            Duration::from_millis(timeout_ms),
        )?,
        Command::Compare {
            urls,
            every_ms,
            timeout_ms,
        } => compare::run(
            &urls,
            Duration::from_millis(every_ms),
            Duration::from_millis(timeout_ms),
        )?,
        Command::Get { url, timeout_ms } => {
            let answer = http::get(&url, Duration::from_millis(timeout_ms))?;
            writeln!(io::stdout(), "{}", answer.body.trim_end())?;
            if answer.code >= 400 {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Kill { pod_uid, name } => kill::run(&pod_uid, &name)?,
        Command::Resolve { name } => return resolve::run(&name),
        Command::Env { prefix } => {
            let mut variables: Vec<_> = std::env::vars().filter(|(name, _)| name.starts_with(&prefix)).collect();
            variables.sort();
            for (name, value) in variables {
                writeln!(io::stdout(), "{name}={value}")?;
            }
        }
        Command::Files { directory } => {
            let mut files: Vec<PathBuf> = std::fs::read_dir(directory)?
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<_>>()?;
            files.retain(|path| path.is_file());
            files.sort();
            for path in files {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                writeln!(io::stdout(), "{name}={}", std::fs::read_to_string(&path)?)?;
            }
        }
        Command::Sleep { seconds: Some(seconds) } => std::thread::sleep(Duration::from_secs(seconds)),
        Command::Sleep { seconds: None } | Command::Pause => loop {
            std::thread::park();
        },
    }
    Ok(ExitCode::SUCCESS)
}
