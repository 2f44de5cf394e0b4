//! Label selectors, as the API server evaluates them.
//!
//! A selector is compiled once, when its object enters the cache: one rule for each key, sorted, with sorted values. After
//! that, an evaluation costs one lookup for each label or each rule, whichever are fewer, however long the selector is.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use serde::Deserialize;

use super::budget::{Budget, TooCostly};
use super::selector_problem::problem_of;
use words::Words;

/// A compiled label selector. Two selectors that differ only in the order or in repetitions of their parts are equal.
///
/// A selector that Kubernetes would refuse selects nothing: missing endpoints are a fault, but wrong ones are a security
/// problem.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "LabelSelector")]
pub struct Selector {
    /// None: it selects nothing.
    rules: Option<Rules>,
}

/// One rule for each key. An object is selected if it meets all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rules {
    /// The keys, sorted.
    keys: Words,
    /// The rule of each key.
    each: Box<[Rule]>,
    /// The values of all rules: those of one rule are next to each other, sorted.
    values: Words,
    /// How many rules an object without the label breaks.
    required: usize,
}

/// What the label of one key must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    /// Its values are `values[first..end]`.
    first: u32,
    end: u32,
    /// Its values are those that the label may have. Otherwise they are those that it must not have.
    among: bool,
    /// An object without the label meets the rule.
    may_be_absent: bool,
}

impl Selector {
    /// A selector that selects nothing.
    pub const fn nothing() -> Self {
        Self { rules: None }
    }

    /// A selector of the objects that have all of these labels.
    pub fn of_labels(labels: &BTreeMap<String, String>) -> Self {
        Self::from(LabelSelector {
            match_labels: Some(labels.clone()),
            match_expressions: None,
        })
    }

    /// True if it selects an object with these labels. An empty selector selects everything.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.selects_within(&mut Budget::unlimited(), labels) == Ok(true)
    }

    /// The same, within a budget. At most [`Self::cost`] is taken from it.
    ///
    /// # Errors
    /// If the budget does not suffice.
    pub fn selects_within(&self, budget: &mut Budget, labels: &BTreeMap<String, String>) -> Result<bool, TooCostly> {
        budget.spend(1)?;
        let Some(rules) = &self.rules else { return Ok(false) };
        rules.select(budget, labels)
    }

    /// True if it has no rule: it selects everything.
    pub fn is_empty(&self) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.each.is_empty())
    }

    /// True if it selects no object at all.
    pub const fn is_nothing(&self) -> bool {
        self.rules.is_none()
    }

    /// The lookups that [`Self::selects`] makes at most for these labels.
    pub fn cost(&self, labels: &BTreeMap<String, String>) -> usize {
        let rules = self.rules.as_ref().map_or(0, |rules| rules.each.len());
        1 + rules.min(labels.len())
    }

    /// The bytes that it takes.
    pub fn size(&self) -> usize {
        let of_rules = |rules: &Rules| rules.keys.size() + rules.values.size() + size_of_val(&*rules.each);
        self.rules.as_ref().map_or(0, of_rules)
    }

    /// The labels that an object must have, where the selector allows only one value.
    pub fn required_labels(&self) -> BTreeMap<String, String> {
        let rules = self.rules.iter().flat_map(Rules::iter);
        let single = rules.filter_map(|(key, rule, values)| match values.as_slice() {
            [value] if rule.among => Some((key.to_owned(), (*value).to_owned())),
            _ => None,
        });
        single.collect()
    }

    /// The selector for an object of the API; none if it selects everything or nothing.
    pub fn to_api(&self) -> Option<LabelSelector> {
        let rules = self.rules.as_ref().filter(|rules| !rules.each.is_empty())?;
        let labels = self.required_labels();
        let mut expressions = Vec::new();
        for (key, rule, values) in rules.iter().filter(|(key, ..)| !labels.contains_key(*key)) {
            let mut add = |operator: &str, values: &[&str]| {
                expressions.push(LabelSelectorRequirement {
                    key: key.to_owned(),
                    operator: operator.to_owned(),
                    values: (!values.is_empty()).then(|| values.iter().map(|&value| value.to_owned()).collect()),
                });
            };
            match (rule.among, rule.may_be_absent) {
                (true, false) => add("In", &values),
                (true, true) => add("DoesNotExist", &[]),
                (false, may_be_absent) => {
                    if !may_be_absent {
                        add("Exists", &[]);
                    }
                    if !values.is_empty() {
                        add("NotIn", &values);
                    }
                }
            }
        }
        Some(LabelSelector {
            match_labels: (!labels.is_empty()).then_some(labels),
            match_expressions: (!expressions.is_empty()).then_some(expressions),
        })
    }
}

impl Default for Selector {
    /// A selector that selects everything.
    fn default() -> Self {
        Self {
            rules: Some(Rules::default()),
        }
    }
}

impl From<&LabelSelector> for Selector {
    fn from(selector: &LabelSelector) -> Self {
        if problem_of(selector).is_some() {
            return Self::nothing();
        }
        let mut drafts: BTreeMap<&str, Draft<'_>> = BTreeMap::new();
        for (key, value) in selector.match_labels.iter().flatten() {
            drafts.entry(key).or_default().must_be_among([value.as_str()].into());
        }
        for LabelSelectorRequirement { key, operator, values } in selector.match_expressions.iter().flatten() {
            let draft = drafts.entry(key).or_default();
            let values: BTreeSet<&str> = values.iter().flatten().map(String::as_str).collect();
            match operator.as_str() {
                "In" => draft.must_be_among(values),
                "NotIn" => draft.except.extend(values),
                "Exists" => draft.must_exist = true,
                "DoesNotExist" => draft.must_not_exist = true,
                _ => return Self::nothing(),
            }
        }
        Self {
            rules: Rules::of(&drafts),
        }
    }
}

impl From<LabelSelector> for Selector {
    fn from(selector: LabelSelector) -> Self {
        Self::from(&selector)
    }
}

/// The requirements of one key.
#[derive(Default)]
struct Draft<'a> {
    among: Option<BTreeSet<&'a str>>,
    except: BTreeSet<&'a str>,
    must_exist: bool,
    must_not_exist: bool,
}

impl<'a> Draft<'a> {
    fn must_be_among(&mut self, values: BTreeSet<&'a str>) {
        match &mut self.among {
            None => self.among = Some(values),
            Some(among) => among.retain(|value| values.contains(value)),
        }
    }
}

impl Rules {
    /// None if the requirements contradict each other, so that no object meets all of them.
    fn of(drafts: &BTreeMap<&str, Draft<'_>>) -> Option<Self> {
        let (mut each, mut values) = (Vec::with_capacity(drafts.len()), Vec::new());
        for draft in drafts.values() {
            let first = u32::try_from(values.len()).ok()?;
            if draft.must_not_exist {
                if draft.must_exist || draft.among.is_some() {
                    return None;
                }
            } else if let Some(among) = &draft.among {
                values.extend(among.difference(&draft.except).copied());
            } else {
                values.extend(draft.except.iter().copied());
            }
            let end = u32::try_from(values.len()).ok()?;
            if draft.among.is_some() && first == end {
                return None;
            }
            each.push(Rule {
                first,
                end,
                among: draft.among.is_some() || draft.must_not_exist,
                may_be_absent: draft.must_not_exist || (draft.among.is_none() && !draft.must_exist),
            });
        }
        Some(Self {
            keys: Words::of(drafts.keys().copied())?,
            required: each.iter().filter(|rule| !rule.may_be_absent).count(),
            each: each.into(),
            values: Words::of(values)?,
        })
    }

    fn select(&self, budget: &mut Budget, labels: &BTreeMap<String, String>) -> Result<bool, TooCostly> {
        if self.required > labels.len() {
            return Ok(false);
        }
        if self.each.len() <= labels.len() {
            for (key, rule) in self.keys.iter().zip(&self.each) {
                look(budget)?;
                let is_met = match labels.get(key) {
                    Some(value) => self.allows(rule, value),
                    None => rule.may_be_absent,
                };
                if !is_met {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let mut required = 0;
        for (key, value) in labels {
            look(budget)?;
            let rule = self.keys.find(0, self.keys.len(), key).and_then(|n| self.each.get(n));
            let Some(rule) = rule else { continue };
            if !self.allows(rule, value) {
                return Ok(false);
            }
            required += usize::from(!rule.may_be_absent);
        }
        Ok(required == self.required)
    }

    fn allows(&self, rule: &Rule, value: &str) -> bool {
        let listed = self.values.find(rule.first as usize, rule.end as usize, value);
        listed.is_some() == rule.among
    }

    /// Each key with its rule and its values.
    fn iter(&self) -> impl Iterator<Item = (&str, &Rule, Vec<&str>)> {
        self.keys.iter().zip(&self.each).map(|(key, rule)| {
            let values = (rule.first..rule.end).filter_map(|n| self.values.get(n as usize));
            (key, rule, values.collect())
        })
    }
}

/// True if the labels contain all required ones, as for the selector of a Service.
pub fn contains(labels: &BTreeMap<String, String>, required: &BTreeMap<String, String>) -> bool {
    contains_within(&mut Budget::unlimited(), labels, required) == Ok(true)
}

/// The same, within a budget. At most one more is taken from it than there are required labels, or labels.
///
/// # Errors
/// If the budget does not suffice.
pub fn contains_within(
    budget: &mut Budget,
    labels: &BTreeMap<String, String>,
    required: &BTreeMap<String, String>,
) -> Result<bool, TooCostly> {
    budget.spend(1)?;
    if required.len() > labels.len() {
        return Ok(false);
    }
    for (key, value) in required {
        look(budget)?;
        if labels.get(key) != Some(value) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes one lookup from a budget.
fn look(budget: &mut Budget) -> Result<(), TooCostly> {
    budget.spend(1)?;
    #[cfg(any(test, feature = "fixture"))]
    super::lookups::count();
    Ok(())
}

#[cfg(test)]
mod tests;
