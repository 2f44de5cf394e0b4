//! An operator that runs against the double: the real one, through its own client.

use std::sync::Arc;

use clap::Parser as _;
use instancelink::args::{Command, Operator, Verb};
use instancelink::clock::Clock;
use instancelink::operator::{Surroundings, run_in};
use instancelink_testkit::api::Api;
use instancelink_testkit::api::service::Connection;
use instancelink_testkit::faults::injector::Injector;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The name in which operators talk to the double, before their numbers.
pub const NAME: &str = "operator";

/// The double's time, as a machine sees it whose clock is wrong.
struct SkewedClock {
    api: Arc<Api>,
    skew: SignedDuration,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.api.now().saturating_add(self.skew).unwrap_or(Timestamp::MAX)
    }
}

/// A running operator.
pub struct Running {
    /// Its name.
    pub name: String,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts one. `elects`: it takes part in a leader election.
    pub fn start(api: &Arc<Api>, faults: &Arc<Injector>, number: u32, elects: bool) -> Self {
        let name = format!("{NAME}-{number}");
        let client = || Connection::new(Arc::clone(api), &name, faults.clone()).client();
        let surroundings = Surroundings {
            watches: client(),
            calls: client(),
            clock: Arc::new(SkewedClock {
                api: Arc::clone(api),
                skew: SignedDuration::from_secs(faults.skew()),
            }),
            dns: None,
        };
        let options = options(&name, elects);
        let task = tokio::spawn(async move {
            // One that may not lead any more ends with an error; its pod would be started again.
            let _ = run_in(surroundings, options, CancellationToken::new()).await;
        });
        Self { name, task }
    }

    /// It has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// SIGKILL: what it asked for already may still be done.
    pub fn kill(&self) {
        self.task.abort();
    }
}

fn options(name: &str, elects: bool) -> Operator {
    let mut args = vec![
        "instancelink",
        "operator",
        "--admin-port=0",
        "--lease-namespace=system",
        "--pod-name",
        name,
    ];
    if elects {
        args.push("--leader-elect");
    }
    match Command::parse_from(args).verb {
        Verb::Operator(options) => options,
        verb => panic!("{verb:?} is no operator"),
    }
}
