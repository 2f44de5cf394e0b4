//! Links that another client creates again after their deletion. An uninstallation that deletes them again and again would
//! not end.

use std::collections::BTreeMap;

use anyhow::bail;

/// After so many times the command ends.
const TOO_OFTEN: u32 = 10;

/// The last UID of each link that was seen, and how often it changed.
#[derive(Debug, Default)]
pub(super) struct Recreated(BTreeMap<String, (String, u32)>);

impl Recreated {
    /// Takes a link of a list. A line to print if it was created again for the first time; an error if it was too often.
    pub(super) fn see(&mut self, name: &str, uid: &str) -> anyhow::Result<Option<String>> {
        let (last, times) = self.0.entry(name.to_owned()).or_insert_with(|| (uid.to_owned(), 0));
        if last == uid {
            return Ok(None);
        }
        uid.clone_into(last);
        *times = times.saturating_add(1);
        if *times >= TOO_OFTEN {
            bail!(
                "link {name} was created again {TOO_OFTEN} times, so nothing more was deleted. Stop the client that creates it, \
                 such as a GitOps tool, and run the command again"
            );
        }
        Ok((*times == 1).then(|| {
            format!(
                "{name} was created again and is deleted again; stop the client that creates it, such as a GitOps tool"
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_created_again_is_told_once_and_ends_the_command_after_ten_times() {
        let mut recreated = Recreated::default();
        for _ in 0..3 {
            assert_eq!(recreated.see("shop/web-db", "1").unwrap(), None);
        }
        let line = recreated.see("shop/web-db", "2").unwrap().unwrap();
        assert!(line.starts_with("shop/web-db was created again"), "{line}");
        let again = (3..).map_while(|uid| recreated.see("shop/web-db", &uid.to_string()).ok());
        assert_eq!(again.collect::<Vec<_>>(), vec![None; 8]);
        assert_eq!(recreated.see("shop/web-mq", "1").unwrap(), None);
    }
}
