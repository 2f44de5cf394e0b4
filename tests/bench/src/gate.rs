//! The gate on the cost of edges: each edge runs once, and the audit log of the API server has its requests.

use std::time::Duration;

use control_plane::{ControlPlane, Operator, Options, Setup};
use harness::Namespace;
use instancelink_testkit::campaign::{self, Campaign};

use crate::audit::Audit;
use crate::edges::{EDGES, Edge};

/// If no request arrives for this time, none will. The operator's delays are shorter, except after failures.
const QUIET: Duration = Duration::from_secs(1);

/// A control plane with an operator, and the results so far.
pub struct Gate {
    /// The control plane.
    pub plane: ControlPlane,
    /// The operator.
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

    /// A namespace for one scenario, with a source `web` and two targets that are always ready, `pg` and `pg2`.
    pub async fn town(&self, name: &str) -> Namespace {
        self.plane.namespace(name.to_owned()).await
    }

    /// Runs an edge, and checks that it costs exactly what the table has under this name.
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

    /// Reports the row of the campaign. Panics if an edge had another cost, or did not run.
    pub fn finish(mut self) {
        let missing = EDGES.iter().filter(|edge| !self.played.contains(&edge.what));
        self.violations
            .extend(missing.map(|edge| format!("{}: nobody played it", edge.what)));
        self.campaign.finish(self.played.len() as u64, 0, &self.violations);
    }
}
