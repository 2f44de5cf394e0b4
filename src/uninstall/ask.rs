//! Asks for confirmation before anything is deleted.

use std::io::{IsTerminal, Write};

use anyhow::bail;

/// Asks whether to delete. Without a terminal the answer is no.
pub(super) fn confirm(links: usize) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "nothing was deleted: there is no terminal on which to ask for confirmation. Add --yes to delete without it"
        );
    }
    print!("Delete all of this? The aliases of {links} links will stop working. [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if !is_yes(&answer) {
        bail!("nothing was deleted: the answer was not yes");
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
    fn only_y_and_yes_confirm() {
        assert!(is_yes("y\n") && is_yes(" Yes "));
        assert!(!is_yes("") && !is_yes("n") && !is_yes("yolo"));
    }
}
