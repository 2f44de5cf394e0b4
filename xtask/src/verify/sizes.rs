//! The limits for the lengths of source files. A file that exceeds them probably has more than one subject.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{command, paths};

/// Lines of the file in the middle, of all files ordered by size.
const MEDIAN: usize = 110;
/// Lines that nine of ten files do not exceed.
const NINE_OF_TEN: usize = 280;
/// Lines that no file exceeds.
const MAXIMUM: usize = 400;

/// What was found.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Lines and path of each file, the smallest first.
    files: Vec<(usize, String)>,
}

impl Sizes {
    /// Counts the lines of all Rust files, tests included.
    pub(crate) fn here() -> Result<Self> {
        let mut git = Command::new("git");
        git.current_dir(paths::checkout()).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
        ]);
        let mut files = Vec::new();
        for file in command::capture(&mut git)?.split('\0').filter(|file| !file.is_empty()) {
            let path = paths::checkout().join(file);
            if path.is_file() {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
                files.push((text.lines().count(), file.to_owned()));
            }
        }
        files.sort();
        Ok(Self { files })
    }

    /// Lines of the file that this part of the files, in per cent, does not exceed.
    fn percentile(&self, percent: usize) -> usize {
        let last = self.files.len().saturating_sub(1);
        self.files.get(last * percent / 100).map_or(0, |(lines, _)| *lines)
    }

    /// A line for each limit that is exceeded, with the files that are too long.
    pub(crate) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (name, percent, limit) in [("median", 50, MEDIAN), ("nine of ten", 90, NINE_OF_TEN)] {
            let lines = self.percentile(percent);
            if lines > limit {
                broken.push(format!("{name}: {lines} lines, the limit is {limit}"));
            }
        }
        let long = self.files.iter().rev().take_while(|(lines, _)| *lines > MAXIMUM);
        broken.extend(long.map(|(lines, file)| format!("{file}: {lines} lines, the limit is {MAXIMUM}")));
        broken
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{} files; median {} lines (limit {MEDIAN}), nine of ten {} (limit {NINE_OF_TEN}), longest {} (limit {MAXIMUM})",
            self.files.len(),
            self.percentile(50),
            self.percentile(90),
            self.percentile(100)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[usize]) -> Sizes {
        let mut files: Vec<_> = lines.iter().map(|&lines| (lines, format!("{lines}.rs"))).collect();
        files.sort();
        Sizes { files }
    }

    #[test]
    fn a_file_that_is_too_long_is_named() {
        assert_eq!(of(&[10, 401, 20, 30]).broken(), ["401.rs: 401 lines, the limit is 400"]);
    }

    #[test]
    fn many_files_of_a_medium_size_are_too_many() {
        let broken = of(&[120, 120, 300, 300, 120]).broken();
        assert_eq!(
            broken,
            [
                "median: 120 lines, the limit is 110",
                "nine of ten: 300 lines, the limit is 280"
            ]
        );
    }
}
