//! The memory of a link in bytes of the heap. The figure does not depend on pages or the allocator.

mod heap;

use instancelink_simulation::footprint::weigh;
use instancelink_testkit::campaign;

use heap::heap;

/// Bytes of an active link, with its share of shared objects. Give the reason when you change it.
const KNOWN: u64 = 3_110;
/// Tables that double their capacity are equally full at both numbers.
const LINKS: u64 = 1500;

#[test]
fn a_link_weighs_as_many_bytes_as_it_did() {
    let campaign = campaign::start("bytes a link");
    let [some, twice] = [LINKS, 2 * LINKS].map(|links| weigh(links, heap));
    let bytes = (twice - some) / LINKS;
    println!("{bytes} bytes a link, {KNOWN} known; {some} of {LINKS} links, {twice} of twice as many");
    let violations = campaign::differs(bytes, KNOWN, "bytes a link");
    campaign.finish(2 * LINKS, 0, violations.as_slice());
}
