//! Links that another client creates during an uninstallation, under the same names or new ones. An uninstallation that
//! deletes them again and again would not end.

use std::collections::BTreeMap;

use anyhow::bail;

/// After so many times the command ends.
const TOO_OFTEN: u32 = 10;

/// The links of all lists so far.
#[derive(Debug, Default)]
pub(super) struct Recreated {
    /// The last UID of each link, and whether a line was printed about it.
    seen: BTreeMap<String, (String, bool)>,
    /// In how many lists after the first were new links.
    times: u32,
}

impl Recreated {
    /// Takes a list of all links, as names and UIDs. Lines to print about those that were created again for the first time; an
    /// error if new ones were in too many lists.
    pub(super) fn see<'a>(
        &mut self,
        links: impl IntoIterator<Item = (String, &'a str)>,
    ) -> anyhow::Result<Vec<String>> {
        let is_first = self.seen.is_empty();
        let (mut told, mut new) = (Vec::new(), None);
        for (name, uid) in links {
            let Some((last, was_told)) = self.seen.get_mut(&name) else {
                self.seen.insert(name.clone(), (uid.to_owned(), false));
                new = Some(name);
                continue;
            };
            if last == uid {
                continue;
            }
            uid.clone_into(last);
            if !std::mem::replace(was_told, true) {
                told.push(format!(
                    "{name} was created again and is deleted again; stop the client that creates it, such as a GitOps tool"
                ));
            }
            new = Some(name);
        }
        if let Some(name) = new.filter(|_| !is_first) {
            self.times = self.times.saturating_add(1);
            if self.times >= TOO_OFTEN {
                bail!(
                    "new links appeared {TOO_OFTEN} times, the last is {name}, so nothing more was deleted. Stop the client that \
                     creates them, such as a GitOps tool, and run the command again"
                );
            }
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web_db(uid: &str) -> (String, &str) {
        ("shop/web-db".to_owned(), uid)
    }

    /// contract#uninstall
    #[test]
    fn a_link_that_is_created_again_is_told_once_and_ends_the_command_after_ten_times() {
        let mut recreated = Recreated::default();
        for _ in 0..3 {
            assert!(recreated.see([web_db("1")]).unwrap().is_empty());
        }
        let told = recreated.see([web_db("2")]).unwrap();
        assert!(told[0].starts_with("shop/web-db was created again"), "{told:?}");
        for uid in 3..=10 {
            assert!(recreated.see([web_db(&uid.to_string())]).unwrap().is_empty());
        }
        let error = recreated.see([web_db("11")]).unwrap_err().to_string();
        assert!(error.contains("shop/web-db"), "{error}");
    }

    /// contract#uninstall
    #[test]
    fn links_with_ever_new_names_end_the_command_after_ten_times() {
        let mut recreated = Recreated::default();
        let name = |number: u32| format!("shop/web-{number:05}");
        let ends = |number: u32| {
            let uid = number.to_string();
            // In every second list only: the deletion of the last one takes longer.
            (0..2).any(|_| recreated.see([(name(number), uid.as_str())]).is_err())
        };
        assert_eq!((0..20).position(ends), Some(10));
    }

    /// contract#uninstall
    #[test]
    fn very_many_links_that_exist_or_appear_at_once_do_not_end_the_command() {
        let mut recreated = Recreated::default();
        let uids: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let links = |count: usize| uids.iter().take(count).map(|uid| (format!("shop/{uid}"), uid.as_str()));
        for count in [50, 100, 100, 0] {
            assert!(recreated.see(links(count)).unwrap().is_empty());
        }
    }
}
