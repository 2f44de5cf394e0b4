//! Runs other programs, and makes errors of those that fail.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::progress::say;

/// How much of a failed program's output goes into the error: its last lines say why it failed.
const TAIL: usize = 15;

/// Runs with the stdout and stderr of this task.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    ended_well(command, status)
}

/// As [`run`], beside other programs that write: its output is shown at once when it has ended. Returns stdout.
pub(crate) fn run_aside(title: &str, command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    say(&format!("{title}\n{out}{err}"));
    ended_well(command, output.status)?;
    Ok(out.into_owned())
}

/// Runs and returns stdout. Its stderr is the one of this task.
pub(crate) fn answer(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    ended_well(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs and returns stdout; the output is shown only when it fails.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    finish(command, &output)
}

/// As [`capture`], with a text on stdin.
pub(crate) fn feed(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading prints the reason on stderr, which is the better message.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    finish(command, &output)
}

/// Runs and passes each line on stderr to `take` when it is written; a carriage return ends a line, too. Lines for which
/// `take` returns false are part of the error if the program fails.
pub(crate) fn follow(command: &mut Command, mut take: impl FnMut(&str) -> bool) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let mut rest = String::new();
    if let Some(stderr) = child.stderr.take() {
        each_line(BufReader::new(stderr), |line| {
            if !take(line) {
                rest.push_str(line);
                rest.push('\n');
            }
        })?;
    }
    let status = child.wait()?;
    if !status.success() && !rest.is_empty() {
        bail!("{} ended with {status}:\n{}", shown(command), tail(&rest));
    }
    ended_well(command, status)
}

/// Empty lines are left out.
fn each_line(mut from: impl BufRead, mut take: impl FnMut(&str)) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        let bytes = from.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        line.extend(bytes.iter().take(end.unwrap_or(bytes.len())));
        let used = end.map_or(bytes.len(), |end| end + 1);
        from.consume(used);
        if end.is_some() {
            hand_over(&mut line, &mut take);
        }
    }
    hand_over(&mut line, &mut take);
    Ok(())
}

fn hand_over(line: &mut Vec<u8>, take: &mut impl FnMut(&str)) {
    let text = String::from_utf8_lossy(line);
    if !text.trim().is_empty() {
        take(text.trim_end());
    }
    line.clear();
}

/// Whether the program runs and succeeds. Its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn ended_well(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

fn finish(command: &Command, output: &Output) -> Result<String> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let said = if stderr.trim().is_empty() { &stdout } else { &stderr };
        bail!("{} ended with {}:\n{}", shown(command), output.status, tail(said));
    }
    Ok(stdout.into_owned())
}

/// The last lines of a program's output, indented.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let from = lines.len().saturating_sub(TAIL);
    let last: Vec<String> = lines.iter().skip(from).map(|line| format!("    {line}")).collect();
    last.join("\n")
}

fn shown(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    format!("`{}`", words.join(" "))
}

/// The path of a program. The folders of administrators are searched even if they are not in PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| is_program(file))
}

/// Whether this is an executable file.
pub(crate) fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Asks again until the answer is `Some` or an error, or until the time is over.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if started.elapsed() > limit {
            bail!("{what}: not within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(150));
    }
}

/// Tries until it succeeds. After the limit the error has the reason of the last failure.
pub(crate) fn retry<T>(what: &str, limit: Duration, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let mut last = None;
    let done = wait_for(what, limit, || match attempt() {
        Ok(done) => Ok(Some(done)),
        Err(error) => {
            last = Some(error);
            Ok(None)
        }
    });
    match last {
        Some(error) => done.context(error),
        None => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(script: &str, progress: &str) -> (Vec<String>, Result<()>) {
        let mut lines = Vec::new();
        let outcome = follow(Command::new("sh").args(["-c", script]), |line| {
            lines.push(line.to_owned());
            line.contains(progress)
        });
        (lines, outcome)
    }

    #[test]
    fn each_state_of_a_line_that_is_rewritten_is_a_line() {
        let (lines, outcome) = followed(r"printf '[=>] 1/2\r[==>] 2/2\r\nwarning: x\n\nlast' >&2", "[");
        outcome.unwrap();
        assert_eq!(lines, ["[=>] 1/2", "[==>] 2/2", "warning: x", "last"]);
    }

    #[test]
    fn the_error_of_a_program_that_fails_has_what_is_no_progress() {
        let error = followed("echo 1/2 >&2; echo 'no such file' >&2; exit 3", "/")
            .1
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no such file") && error.contains("exit status: 3"),
            "{error}"
        );
        assert!(!error.contains("1/2\n"), "{error}");
        let error = followed("echo 1/2 >&2; exit 3", "/").1.unwrap_err().to_string();
        assert!(error.ends_with("ended with exit status: 3"), "{error}");
    }
}
