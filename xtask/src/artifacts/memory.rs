//! The memory and the processors that builds can use.

use std::fs;

/// In MiB, what programs can get without swapping; nothing where the kernel does not say.
pub(super) fn available() -> Option<u64> {
    of_meminfo(&fs::read_to_string("/proc/meminfo").ok()?)
}

pub(super) fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |number| number.get() as u64)
}

fn of_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_in_mebibytes() {
        let text = "MemTotal:       25165824 kB\nMemFree:         1048576 kB\nMemAvailable:   20971520 kB\n";
        assert_eq!(of_meminfo(text), Some(20_480));
        assert_eq!(of_meminfo("MemTotal: 1 kB\n"), None);
    }
}
