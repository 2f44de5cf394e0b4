//! The samples of one scenario and size as a table: a row for each figure, a column for each contestant.

use std::fmt::Write as _;

use super::figures::{Spread, ratio};
use crate::sample::Record;

/// Every contestant, in the order of the runs.
pub(super) fn contestants(records: &[&Record]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for record in records {
        if !names.contains(&record.sample.contestant) {
            names.push(record.sample.contestant.clone());
        }
    }
    names
}

/// One figure of one contestant, with its turns.
pub(super) fn samples(records: &[&Record], contestant: &str, figure: &str) -> Vec<(usize, f64)> {
    let own = records.iter().filter(|record| record.sample.contestant == contestant);
    own.filter_map(|record| Some((record.turn, value(record, figure)?)))
        .collect()
}

/// The table in Markdown. The columns of all contestants but the first also show the ratio of the first to them.
pub(super) fn table(records: &[&Record]) -> String {
    let names = contestants(records);
    let mut text = format!(
        "| | {} |\n|---|{}\n",
        titles(records).join(" | "),
        "---:|".repeat(names.len())
    );
    for figure in figures(records) {
        write!(text, "| {} |", readable(&figure)).expect("memory");
        let first = samples(records, &names[0], &figure);
        for name in &names {
            let own = samples(records, name, &figure);
            let values: Vec<f64> = own.iter().map(|(_, value)| *value).collect();
            let cell = Spread::of(&values).map_or_else(|| "–".to_owned(), |spread| spread.to_string());
            let part = ratio(&first, &own).filter(|_| *name != names[0]);
            let part = part.map(|part| format!(" · ×{part}")).unwrap_or_default();
            write!(text, " {cell}{part} |").expect("memory");
        }
        text.push('\n');
    }
    text
}

/// Every contestant, with the number of its turns if others have more.
fn titles(records: &[&Record]) -> Vec<String> {
    let names = contestants(records);
    let turns = |name: &String| {
        records
            .iter()
            .filter(|record| record.sample.contestant == *name)
            .count()
    };
    let most = names.iter().map(turns).max();
    let title = |name: &String| match turns(name) {
        all if Some(all) == most => name.clone(),
        fewer => format!("{name} (turns: {fewer})"),
    };
    names.iter().map(title).collect()
}

/// The readable form of a name like `to_active_p50_ms`.
pub(super) fn readable(figure: &str) -> String {
    figure
        .replace('_', " ")
        .replace("mib", "MiB")
        .replace("rss", "RSS")
        .replace("cpu", "CPU")
}

/// The names of figures and of requests.
fn figures(records: &[&Record]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let requests = ["writes", "reads", "watches", "conflicts", "too_many"].map(str::to_owned);
    let measured = records.iter().flat_map(|record| record.sample.figures.keys().cloned());
    for name in measured.chain(requests) {
        if !names.contains(&name) && records.iter().any(|record| value(record, &name).is_some()) {
            names.push(name);
        }
    }
    names
}

#[allow(clippy::cast_precision_loss)] // a number of requests
fn value(record: &Record, figure: &str) -> Option<f64> {
    let requests = record.sample.requests.as_ref();
    let count = match figure {
        "writes" => requests?.written(),
        "reads" => requests?.read(),
        "watches" => requests?.watches,
        "conflicts" => requests?.conflicts,
        "too_many" => requests?.too_many,
        _ => return record.sample.figures.get(figure).copied(),
    };
    Some(count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Counts;
    use crate::machine::Machine;
    use crate::sample::Sample;

    fn record(turn: usize, contestant: &str, wall: f64, writes: Option<u64>) -> Record {
        let requests = writes.map(|count| Counts {
            writes: [("create services".to_owned(), count)].into(),
            ..Counts::default()
        });
        let sample = Sample {
            scenario: "create".to_owned(),
            contestant: contestant.to_owned(),
            size: 10,
            figures: [("wall_s".to_owned(), wall)].into(),
            requests,
        };
        Record {
            turn,
            machine: Machine::default(),
            sample,
        }
    }

    #[test]
    fn a_column_says_where_it_is_of_fewer_turns() {
        let records = [
            record(0, "operator", 2.0, None),
            record(0, "kopf", 9.0, None),
            record(1, "operator", 4.0, None),
        ];
        let records = records.iter().collect::<Vec<_>>();
        assert_eq!(titles(&records), ["operator", "kopf (turns: 1)"]);
    }

    #[test]
    fn a_line_has_the_medians_and_the_part_of_the_others() {
        let records = [
            record(0, "operator", 2.0, Some(7)),
            record(0, "raw writer", 1.0, None),
            record(1, "operator", 4.0, Some(7)),
            record(1, "raw writer", 4.0, None),
        ];
        let table = table(&records.iter().collect::<Vec<_>>());
        let expected = "\
| | operator | raw writer |
|---|---:|---:|
| wall s | 3.00 (2.00–4.00) | 2.50 (1.00–4.00) · ×1.50 (1.00–2.00) |
| writes | 7.00 | – |
| reads | 0 | – |
| watches | 0 | – |
| conflicts | 0 | – |
| too many | 0 | – |
";
        assert_eq!(table, expected);
    }
}
