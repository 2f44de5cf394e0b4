//! Many samples of one figure: median, range and ratios.

use std::fmt;

/// The median, the minimum and the maximum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// The median.
    pub(super) median: f64,
    /// The minimum.
    pub(super) min: f64,
    /// The maximum.
    pub(super) max: f64,
}

impl Spread {
    /// The spread of these samples. None without samples.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[half - 1], sorted[half])
        } else {
            sorted[half]
        };
        Some(Self { median, min, max })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min.total_cmp(&self.max).is_eq() {
            return f.write_str(&short(self.median));
        }
        write!(f, "{} ({}–{})", short(self.median), short(self.min), short(self.max))
    }
}

/// The ratio of samples of the same turn. None if no turn has both. Within a turn the machine has the same speed.
pub(super) fn ratio(ours: &[(usize, f64)], theirs: &[(usize, f64)]) -> Option<Spread> {
    let pairs = ours.iter().filter_map(|(turn, our)| {
        let (_, their) = theirs.iter().find(|(other, _)| other == turn)?;
        (*their > 0.0).then(|| our / their)
    });
    Spread::of(&pairs.collect::<Vec<f64>>())
}

/// Three significant digits, with separated thousands.
pub(super) fn short(number: f64) -> String {
    let size = number.abs();
    let digits = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{number:.digits$}");
    if size < 1000.0 {
        return text;
    }
    let mut grouped = String::new();
    for (place, digit) in text.char_indices() {
        if place > 0 && (text.len() - place).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // halves and whole numbers are exact
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (2.5, 1.0, 4.0));
        assert_eq!(Spread::of(&[7.0, 1.0, 2.0]).unwrap().median, 2.0);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_spread_is_told_only_where_there_is_one() {
        assert_eq!(Spread::of(&[12.34]).unwrap().to_string(), "12.3");
        assert_eq!(
            Spread::of(&[1234.6, 0.5, 2.0]).unwrap().to_string(),
            "2.00 (0.50–1,235)"
        );
    }

    #[test]
    fn ratios_are_of_the_same_turn() {
        let ours = [(0, 10.0), (1, 30.0), (2, 5.0)];
        let theirs = [(1, 10.0), (0, 5.0), (3, 1.0)];
        assert_eq!(ratio(&ours, &theirs).unwrap().to_string(), "2.50 (2.00–3.00)");
        assert_eq!(ratio(&ours, &[]), None);
        assert_eq!(ratio(&ours, &[(0, 0.0)]), None);
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let all = [0.0, 0.123, 9.0, 12.34, 123.4, 1234.0, 1_234_567.0].map(short);
        assert_eq!(all, ["0", "0.12", "9.00", "12.3", "123", "1,234", "1,234,567"]);
    }
}
