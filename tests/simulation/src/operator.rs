//! The real operator, with its own client, against the double.

use std::sync::Arc;

use clap::Parser as _;
use instancelink::args::{Command, Operator, Verb};
use instancelink::clock::Clock;
use instancelink::operator::{Dependencies, run_in};
use instancelink::vitals::Vitals;
use instancelink_testkit::api::Api;
use instancelink_testkit::api::service::Connection;
use instancelink_testkit::faults::hooks::Hooks;
use instancelink_testkit::faults::injector::Injector;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The prefix of the operators' names at the double, before their numbers.
pub const NAME: &str = "operator";

/// The double's time on a machine with a wrong clock.
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
    /// Starts an operator. `elects`: it takes part in a leader election.
    pub fn start(api: &Arc<Api>, faults: &Arc<Injector>, number: u32, elects: bool) -> Self {
        let more: &[&str] = if elects { &["--leader-elect"] } else { &[] };
        let skew = SignedDuration::from_secs(faults.skew());
        let faults: Arc<dyn Hooks> = faults.clone();
        Self::start_with(api, &faults, &format!("{NAME}-{number}"), skew, more)
    }

    /// Starts an operator with this name, this clock skew and these options.
    pub fn start_with(
        api: &Arc<Api>,
        faults: &Arc<dyn Hooks>,
        name: &str,
        skew: SignedDuration,
        options: &[&str],
    ) -> Self {
        let name = name.to_owned();
        let client = || Connection::new(Arc::clone(api), &name, Arc::clone(faults)).client();
        let api = Arc::clone(api);
        let dependencies = Dependencies {
            watches: client(),
            calls: client(),
            // Virtual time is the time of one runtime.
            vitals: Vitals {
                runtime: Handle::current(),
                watches: client(),
                calls: client(),
            },
            clock: Arc::new(SkewedClock { api, skew }),
            dns: None,
            names: None,
        };
        let options = options_of(&name, options);
        let task = tokio::spawn(async move {
            // An operator that lost the lease ends with an error. The kubelet would restart its pod.
            let _ = run_in(dependencies, options, CancellationToken::new()).await;
        });
        Self { name, task }
    }

    /// Whether the operator's task has ended.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Kills it, as with SIGKILL: requests that it sent may still be executed.
    pub fn kill(&self) {
        self.task.abort();
    }
}

fn options_of(name: &str, more: &[&str]) -> Operator {
    let mut args = vec![
        "instancelink",
        "operator",
        "--lease-namespace=system",
        "--pod-name",
        name,
    ];
    args.extend(more);
    if !more.iter().any(|option| option.starts_with("--admin-port")) {
        args.push("--admin-port=0");
    }
    match Command::parse_from(args).verb {
        Verb::Operator(options) => *options,
        verb => panic!("{verb:?} is no operator"),
    }
}
