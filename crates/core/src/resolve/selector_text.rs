//! Label selectors as text, as kubectl and the scale subresource write them: `app=pg,tier in (hot,warm),!canary`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::selector::Selector;

/// Parses a selector. An empty text is an empty selector.
///
/// # Errors
/// The requirement that cannot be parsed.
pub fn parse(text: &str) -> Result<Selector, String> {
    let requirements = requirements_in(text)
        .into_iter()
        .map(|requirement| read(requirement).ok_or_else(|| requirement.to_owned()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Selector::from(LabelSelector {
        match_labels: None,
        match_expressions: (!requirements.is_empty()).then_some(requirements),
    }))
}

/// The requirements: the text split at commas outside parentheses.
fn requirements_in(text: &str) -> Vec<&str> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut within = false;
    let at_comma = |c: char| {
        match c {
            '(' => within = true,
            ')' => within = false,
            _ => {}
        }
        c == ',' && !within
    };
    text.split(at_comma).map(str::trim).collect()
}

fn read(text: &str) -> Option<LabelSelectorRequirement> {
    if let Some((key, value)) = text.split_once("!=") {
        return compared(key, "NotIn", value);
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return compared(key, "In", value);
    }
    if let Some((head, values)) = text.split_once('(') {
        let mut words = head.split_whitespace();
        let (key, operator, None) = (words.next()?, words.next()?, words.next()) else {
            return None;
        };
        let operator = match operator {
            "in" => "In",
            "notin" => "NotIn",
            _ => return None,
        };
        let values: Vec<&str> = values.strip_suffix(')')?.split(',').map(str::trim).collect();
        return (is_key(key) && values.iter().all(|value| is_value(value))).then(|| requirement(key, operator, values));
    }
    let (key, operator) = match text.strip_prefix('!') {
        Some(key) => (key.trim(), "DoesNotExist"),
        None => (text, "Exists"),
    };
    is_key(key).then(|| requirement(key, operator, []))
}

fn compared(key: &str, operator: &str, value: &str) -> Option<LabelSelectorRequirement> {
    let (key, value) = (key.trim(), value.trim());
    (is_key(key) && is_value(value)).then(|| requirement(key, operator, [value]))
}

fn requirement<'a>(key: &str, operator: &str, values: impl IntoIterator<Item = &'a str>) -> LabelSelectorRequirement {
    let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: (!values.is_empty()).then_some(values),
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_plain(c) || c == '/')
}

/// A label may have an empty value.
fn is_value(text: &str) -> bool {
    text.chars().all(is_plain)
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn labels(yaml: &str) -> BTreeMap<String, String> {
        serde_yaml_ng::from_str(yaml).unwrap()
    }

    #[test]
    fn every_form_of_kubectl_is_parsed() {
        let s = parse("a=b, c!=d,e in (x, y),f,!g,h notin (z),example.com/i == j").unwrap();
        let base = "a: b, e: y, f: anything, example.com/i: j";
        assert!(s.selects(&labels(&format!("{{{base}}}"))));
        for broken in ["a: c", "c: d", "e: z", "g: \"\"", "h: z", "example.com/i: k"] {
            let (key, _) = broken.split_once(": ").unwrap();
            let kept = base.split(", ").filter(|l| !l.starts_with(&format!("{key}: ")));
            let changed = kept.chain([broken]).collect::<Vec<_>>().join(", ");
            assert!(!s.selects(&labels(&format!("{{{changed}}}"))), "{changed}");
        }
        assert!(!s.selects(&labels("{a: b, e: y, example.com/i: j}")), "f is missing");
    }

    #[test]
    fn an_empty_text_is_an_empty_selector_and_an_empty_value_is_valid() {
        assert_eq!(parse("").unwrap(), Selector::default());
        let s = parse("a=").unwrap();
        assert!(s.selects(&labels("{a: \"\"}")) && !s.selects(&labels("{a: b}")));
    }

    #[test]
    fn a_text_that_cannot_be_parsed_is_an_error() {
        for bad in [
            "a>1",
            "a in x",
            "a in (x",
            "a like (x)",
            "=b",
            "a=b,,c=d",
            "a b",
            "a=b=c",
            "!",
            "a in (x y)",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
