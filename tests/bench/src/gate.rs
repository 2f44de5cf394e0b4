//! The gate on what edges cost: each is played once, and the API server says what it was asked.

use std::time::Duration;

use control_plane::{ControlPlane, Operator, Options, Setup};
use harness::Namespace;
use instancelink_testkit::campaign::{self, Campaign};

use crate::audit::Audit;
use crate::edges::{EDGES, Edge};

/// When nothing was asked for so long, nothing more will be: the operator's own delays are shorter, but after failures.
const QUIET: Duration = Duration::from_secs(1);

/// A control plane with an operator, and what was seen so far.
pub struct Gate {
    /// Where it happens.
    pub plane: ControlPlane,
    /// Who does it.
    pub operator: Operator,
    audit: Audit,
    campaign: Campaign,
    played: Vec<&'static str>,
    violations: Vec<String>,
}

impl Gate {
    /// Starts both.
    pub async fn start() -> Self {
        let plane = ControlPlane::start_as(Setup {
            audited: true,
            ..Setup::default()
        })
        .await;
        let operator = Operator::start_ready(&plane, &plane.server(), &Options::alone()).await;
        Self {
            audit: Audit::start(&plane),
            campaign: campaign::start("what each edge costs in requests"),
            plane,
            operator,
            played: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// A namespace of one story, with a source `web` and two targets that are always ready, `pg` and `pg2`.
    pub async fn town(&self, name: &str) -> Namespace {
        self.plane.namespace(name.to_owned()).await
    }

    /// What is done costs what stands in the table under this name, and was not there before.
    pub async fn costs(&mut self, what: &str, done: impl AsyncFnOnce(&mut ControlPlane, &mut Operator)) {
        let edge = Edge::named(what);
        self.audit.until_quiet(QUIET).await;
        done(&mut self.plane, &mut self.operator).await;
        let seen = self.audit.until_quiet(QUIET).await;
        println!("{what}: {seen}");
        self.played.push(edge.what);
        let minimum = edge.minimum();
        if seen.writes != minimum.writes || seen.read() > 0 {
            self.violations
                .push(format!("{what}: {seen}\n    instead of {minimum}"));
        }
    }

    /// Tells the campaign's row; panics where an edge cost something else, or was not played.
    pub fn finish(mut self) {
        let missing = EDGES.iter().filter(|edge| !self.played.contains(&edge.what));
        self.violations
            .extend(missing.map(|edge| format!("{}: nobody played it", edge.what)));
        self.campaign.finish(self.played.len() as u64, 0, &self.violations);
    }
}
