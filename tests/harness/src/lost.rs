//! How many requests were lost by the names of links, and how many by those of ordinary Services at the same moments.

use std::fmt;

use crate::moments::Moment;
use crate::three_ways::COMPARED;
use crate::traffic::Traffic;

/// Fewer requests would prove nothing.
const ENOUGH: usize = 100;

/// How many requests failed, of those by the name of a link and of those by the name of an ordinary Service.
#[derive(Debug)]
pub struct Lost {
    /// The addressing of the link.
    pub addressing: &'static str,
    /// By the name of the link.
    pub by_link: usize,
    /// By the name of the Service.
    pub by_service: usize,
    /// How many were sent by each.
    pub of: usize,
    /// Why some of the link's failed while the Service answered.
    examples: Vec<String>,
}

impl Lost {
    /// Panics if the link lost more than the Service, and luck.
    pub fn is_no_more_than_by_a_service(&self, luck: usize) {
        assert!(self.of >= ENOUGH, "only {} requests were sent", self.of);
        assert!(self.by_link <= self.by_service + luck, "luck is {luck}: {self}");
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            addressing,
            by_link,
            by_service,
            of,
            examples,
        } = self;
        write!(
            f,
            "{addressing}: of {of} requests, {by_link} failed by the link and {by_service} by the Service; where only the \
             link's failed: {examples:#?}"
        )
    }
}

impl Traffic {
    /// What was lost since the last call, for each addressing.
    pub fn lost(&self) -> [Lost; 3] {
        let moments = self.take();
        COMPARED.map(|(addressing, link, service)| {
            let failed = |moment: &&Moment, name: usize| moment.answers[name].error().is_some();
            let only_link = moments.iter().filter(|m| failed(m, link) && !failed(m, service));
            let why = only_link.filter_map(|moment| moment.answers[link].error());
            Lost {
                addressing,
                by_link: moments.iter().filter(|m| failed(m, link)).count(),
                by_service: moments.iter().filter(|m| failed(m, service)).count(),
                of: moments.len(),
                examples: why.take(5).map(str::to_owned).collect(),
            }
        })
    }
}
