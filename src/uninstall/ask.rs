//! The question before the deed.

use std::io::{IsTerminal, Write};

use anyhow::bail;

/// Asks whether to go on. Without a terminal there is nobody to ask, and the answer is no.
pub(super) fn confirm(links: usize) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!("nothing was deleted: there is no terminal to ask on; say --yes if this is wanted");
    }
    print!("Delete all of this? {links} links will stop answering. [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if !is_yes(&answer) {
        bail!("nothing was deleted");
    }
    Ok(())
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(is_yes("y\n") && is_yes(" Yes "));
        assert!(!is_yes("") && !is_yes("n") && !is_yes("yolo"));
    }
}
