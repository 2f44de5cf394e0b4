//! The command line of InstanceLink.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    instancelink::run::main(instancelink::args::Command::parse())
}
