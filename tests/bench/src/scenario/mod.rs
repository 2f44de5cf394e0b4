//! The scenarios.

pub mod brown_out;
pub mod churn;
pub mod cold;
pub mod create;
pub mod failover;
pub mod fan_in;
pub mod flips;
pub mod idle;
pub mod noisy;
pub mod shapes;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use control_plane::{ControlPlane, Setup};

use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::sample::Sample;

/// The size of a run.
#[derive(Args, Clone, Debug)]
pub struct Size {
    /// How many links there are
    #[arg(long, default_value_t = 1000)]
    pub links: usize,
    /// How many pods a target has whose readiness changes, each number in turn
    #[arg(long, value_delimiter = ',', default_value = "100")]
    pub pods: Vec<usize>,
    /// How long nothing happens, or links are changed, in seconds
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
}

/// A control plane for measurements: durable and with auditing.
async fn measured_plane() -> ControlPlane {
    ControlPlane::start_as(Setup {
        durable: true,
        audited: true,
    })
    .await
}

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Links are created, all at once
    Create,
    /// Nothing happens
    Idle,
    /// The operator starts in front of active links
    Cold,
    /// Pods become ready and unready
    Flips,
    /// Many links lead to one target, whose pods are replaced
    FanIn,
    /// The leader ends, or dies
    Failover,
    /// The links of one namespace are acted on without end
    Noisy,
    /// Links are changed without end
    Churn,
    /// The API server is slow, and refuses much
    BrownOut,
    /// A status is written in each way there is
    Shapes,
}

impl Which {
    /// Runs each contestant once. Scenarios with fixed contestants ignore the requested ones.
    pub async fn turn(self, contestants: &[Contestant], size: &Size) -> (Machine, Vec<Sample>) {
        match self {
            Self::Create => create::turn(contestants, size).await,
            Self::Idle => idle::turn(contestants, size).await,
            Self::Cold => cold::turn(contestants, size).await,
            Self::Flips => flips::turn(contestants, size).await,
            Self::FanIn => fan_in::turn(contestants, size).await,
            Self::Failover => failover::turn(contestants, size).await,
            Self::Noisy => noisy::turn(contestants, size).await,
            Self::Churn => churn::turn(contestants, size).await,
            Self::BrownOut => brown_out::turn(contestants, size).await,
            Self::Shapes => shapes::turn(contestants, size).await,
        }
    }

    /// Its name on the page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Create => "Links are created at the same time",
            Self::Idle => "Nothing happens",
            Self::Cold => "The operator starts while links are active",
            Self::Flips => "Pods become ready and unready",
            Self::FanIn => "Many links have one target, whose pods are replaced",
            Self::Failover => "The leader ends or is killed",
            Self::Noisy => "The links of one namespace get actions all the time",
            Self::Churn => "Links change all the time",
            Self::BrownOut => "The API server is slow and refuses requests",
            Self::Shapes => "A status is written with each kind of request",
        }
    }

    /// Its text on the page.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Create => create::TEXT,
            Self::Idle => idle::TEXT,
            Self::Cold => cold::TEXT,
            Self::Flips => flips::TEXT,
            Self::FanIn => fan_in::TEXT,
            Self::Failover => failover::TEXT,
            Self::Noisy => noisy::TEXT,
            Self::Churn => churn::TEXT,
            Self::BrownOut => brown_out::TEXT,
            Self::Shapes => shapes::TEXT,
        }
    }

    /// The figure in its picture.
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Create => "wall_s",
            Self::Idle => "rest_own_mib",
            Self::Cold => "to_ready_ms",
            Self::Flips => "single_p50_ms",
            Self::FanIn => "converged_ms",
            Self::Failover => "ended_gap_ms",
            Self::Noisy => "to_active_p99_ms",
            Self::Churn => "to_observed_p99_ms",
            Self::BrownOut => "recovered_s",
            Self::Shapes => "api_server_cpu_ms_a_write",
        }
    }

    /// The unit of the size of its runs.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Create
            | Self::Idle
            | Self::Cold
            | Self::FanIn
            | Self::Failover
            | Self::Noisy
            | Self::Churn
            | Self::BrownOut => "links",
            Self::Shapes => "kB",
            Self::Flips => "pods",
        }
    }

    /// The file of its samples.
    pub fn file(self, folder: &Path) -> PathBuf {
        folder.join(format!("{self}.jsonl"))
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
