//! One figure of all contestants as a picture: a bar for the median, a dot for each sample.

use std::path::Path;

use plotters::prelude::*;

use super::figures::{Spread, short};

const LINE: i32 = 34;
const MARGIN: i32 = 8;
const LABELS: i32 = 250;
const WIDTH: i32 = 760;
const BAR: RGBColor = RGBColor(94, 129, 172);
const DOT: RGBColor = RGBColor(46, 52, 64);

/// A bar's label and samples.
pub(super) struct Bar {
    /// The contestant.
    pub(super) label: String,
    /// The samples.
    pub(super) samples: Vec<f64>,
}

/// Writes the picture.
pub(super) fn draw(file: &Path, title: &str, bars: &[Bar]) {
    let svg = render(title, bars);
    std::fs::write(file, svg).unwrap_or_else(|e| panic!("cannot write {}: {e}", file.display()));
}

/// The picture as text.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)] // pixels
fn render(title: &str, bars: &[Bar]) -> String {
    let height = LINE * (bars.len() as i32 + 1) + 2 * MARGIN;
    let most = bars
        .iter()
        .flat_map(|bar| bar.samples.iter().copied())
        .fold(0.0, f64::max);
    // Space to the right for the number.
    let x_of = |value: f64| LABELS + (value / most.max(f64::MIN_POSITIVE) * f64::from(WIDTH - LABELS - 80)) as i32;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE).expect("memory");
        let text = |text: &str, x: i32, y: i32, size: f64| {
            let style = ("sans-serif", size).into_font().color(&DOT);
            area.draw(&Text::new(text.to_owned(), (x, y), style)).expect("memory");
        };
        text(title, MARGIN, MARGIN, 17.0);
        for (place, bar) in (1..).zip(bars) {
            let y = MARGIN + LINE * place;
            let Some(spread) = Spread::of(&bar.samples) else {
                continue;
            };
            text(&bar.label, MARGIN, y + 6, 14.0);
            let corners = [(LABELS, y + 4), (x_of(spread.median), y + LINE - 8)];
            area.draw(&Rectangle::new(corners, BAR.filled())).expect("memory");
            for sample in &bar.samples {
                let dot = Circle::new((x_of(*sample), y + LINE / 2 - 2), 3, DOT.filled());
                area.draw(&dot).expect("memory");
            }
            text(&short(spread.median), x_of(spread.max) + 10, y + 6, 14.0);
        }
        area.present().expect("memory");
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_label_a_bar_and_dots() {
        let bar = |label: &str, samples: &[f64]| Bar {
            label: label.to_owned(),
            samples: samples.to_vec(),
        };
        let svg = render(
            "wall s",
            &[bar("operator", &[1.0, 2.0, 3.0]), bar("raw writer", &[2.0])],
        );
        assert!(svg.starts_with("<svg"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 4);
        // The background is a rectangle too.
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(svg.contains("raw writer") && svg.contains("wall s"), "{svg}");
    }

    #[test]
    fn nothing_measured_is_an_empty_bar() {
        let bar = Bar {
            label: "operator".to_owned(),
            samples: vec![0.0],
        };
        assert!(render("writes", &[bar]).contains("operator"));
    }
}
