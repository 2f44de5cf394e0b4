//! Many links of one source: what a link costs does not grow with the number of its siblings.

use std::time::Duration;

use instancelink_simulation::crowd::bring_up;
use instancelink_testkit::campaign;

const LINKS: u64 = 2000;
/// The same links, in sources of a hundred each.
const SOURCES: u64 = 20;
/// The accepted cost of a link of one large source, in per cent of one of a small source.
const ACCEPTED: u128 = 120;
/// Each is measured so often; the fastest counts, since other programs only add time.
const TIMES: usize = 3;

#[test]
fn a_link_among_two_thousand_of_its_source_costs_little_more_than_one_among_a_hundred() {
    let campaign = campaign::start("links of one source");
    let fastest = |sources| {
        (0..TIMES)
            .map(|_| bring_up(LINKS, sources))
            .min()
            .unwrap_or(Duration::MAX)
    };
    let (small, large) = (fastest(SOURCES), fastest(1));
    let percent = large.as_micros() * 100 / small.as_micros().max(1);
    let per_link = |time: Duration| time.as_micros() / u128::from(LINKS);
    println!(
        "{} us a link of a source of {LINKS}, {} us of a source of {}: {percent} %, {ACCEPTED} accepted",
        per_link(large),
        per_link(small),
        LINKS / SOURCES
    );
    let violations = (percent > ACCEPTED).then(|| format!("a link of a large source costs {percent} %"));
    campaign.finish(2 * LINKS, 0, violations.as_slice());
}
