//! Lists that are read again before a new leader writes. Another operator wrote until a moment ago, and the watches may
//! not show all of its writes yet. Without the lists, a decision could treat an existing child as missing.

use std::collections::BTreeMap;

use tokio::sync::watch::{Receiver, Sender};

/// Which lists were asked for, and which are complete.
#[derive(Debug, Default)]
pub(crate) struct Relists {
    asked: Sender<u64>,
    listed: Sender<BTreeMap<&'static str, u64>>,
}

impl Relists {
    /// Asks for a list of each of these kinds that begins after now, and waits for the last of them.
    pub(crate) async fn of(&self, kinds: &[&'static str]) {
        let mut round = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            round = *asked;
        });
        let mut listed = self.listed.subscribe();
        let have_come = |listed: &BTreeMap<_, u64>| kinds.iter().all(|kind| listed.get(kind) >= Some(&round));
        // It cannot fail: this holds the sender.
        let _ = listed.wait_for(have_come).await;
    }

    /// The number of the last request for lists. A list answers all requests up to the number that is read before the
    /// list begins.
    pub(crate) fn asked(&self) -> Receiver<u64> {
        self.asked.subscribe()
    }

    /// A list of this kind is complete. It answers all requests up to this round.
    pub(crate) fn listed(&self, kind: &'static str, round: u64) {
        self.listed.send_modify(|listed| {
            listed.insert(kind, round);
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn only_lists_that_began_after_they_were_asked_for_count() {
        let relists = Relists::default();
        let early = *relists.asked().borrow();
        let mut lists = std::pin::pin!(relists.of(&["Service", "EndpointSlice"]));
        assert!(lists.as_mut().now_or_never().is_none());
        let asked = *relists.asked().borrow();
        relists.listed("Service", asked);
        relists.listed("EndpointSlice", early);
        assert!(lists.as_mut().now_or_never().is_none(), "that list had begun before");
        relists.listed("EndpointSlice", asked);
        assert!(lists.as_mut().now_or_never().is_some());
    }
}
