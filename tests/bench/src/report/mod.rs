//! Renders `docs/benchmarks.md` and the pictures from the samples in `docs/benchmarks/`.

mod figures;
mod goals;
mod plot;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum as _;

use crate::edges;
use crate::sample::{self, Record};
use crate::scenario::Which;

/// Reads the samples of a folder. Writes the pictures into the folder and the page next to it.
pub fn write(folder: &Path) {
    let limits = include_str!("limits.md");
    let mut text = format!(
        "{INTRODUCTION}{}{limits}\n{EDGES}{}",
        goals::table(folder),
        edges::table()
    );
    text.push_str(include_str!("profile.md"));
    for scenario in Which::value_variants() {
        let records = sample::read(&scenario.file(folder));
        if records.is_empty() {
            continue;
        }
        let bars = bars(&records, scenario.shown());
        let title = format!("{}: {}", scenario.title(), table::readable(scenario.shown()));
        plot::draw(&folder.join(format!("{scenario}.svg")), &title, &bars);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let picture = format!("![{title}]({name}/{scenario}.svg)");
        write!(text, "\n{}\n{picture}\n", section(*scenario, &records)).expect("memory");
    }
    let page = folder.with_extension("md");
    std::fs::write(&page, text).unwrap_or_else(|e| panic!("cannot write {}: {e}", page.display()));
}

const INTRODUCTION: &str = "\
# Benchmarks

`cargo xtask bench` measures what the operator costs and writes this page. Each run has its own control plane on
loopback: etcd that syncs to the disk, an API server, and no node. Pods are objects whose status the harness writes. The
audit log of the API server counts the requests. The contestants take turns, several times: a figure is the median, with
the smallest and the largest value of all turns, and × is the first contestant's figure divided by this one's in the
same turn. The machine is small and busy: trust the ratios and the counts more than the times.

";

const EDGES: &str = "\
## Requests of each transition

The minimum number of writes. `cargo xtask campaigns edges` fails if the operator writes anything else, or reads at all.
k is the number of children that the link needs.

";

/// The section of one scenario.
fn section(scenario: Which, records: &[Record]) -> String {
    let mut text = format!("## {}\n\n{}", scenario.title(), scenario.text());
    for (size, records) in by_size(records) {
        let turns = records.iter().map(|record| record.turn).max().unwrap_or_default() + 1;
        let machine = &records[0].machine;
        let (size, unit) = (figures::short(number(size)), scenario.unit());
        write!(
            text,
            "\n### {size} {unit}, turns: {turns}\n\n{machine}\n\n{}",
            table::table(&records)
        )
        .expect("memory");
    }
    text
}

#[allow(clippy::cast_precision_loss)] // a number of links
const fn number(size: usize) -> f64 {
    size as f64
}

fn by_size(records: &[Record]) -> BTreeMap<usize, Vec<&Record>> {
    let mut sizes: BTreeMap<usize, Vec<&Record>> = BTreeMap::new();
    for record in records {
        sizes.entry(record.sample.size).or_default().push(record);
    }
    sizes
}

/// A bar for each contestant and size.
fn bars(records: &[Record], figure: &str) -> Vec<plot::Bar> {
    let mut bars = Vec::new();
    for (size, records) in by_size(records) {
        for name in table::contestants(&records) {
            let samples = table::samples(&records, &name, figure);
            bars.push(plot::Bar {
                label: format!("{name}, {}", figures::short(number(size))),
                samples: samples.into_iter().map(|(_, value)| value).collect(),
            });
        }
    }
    bars
}
