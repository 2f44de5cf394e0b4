//! What is measured.

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

/// How big a run is.
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

/// A control plane to measure on: its data are on the disk before it answers, and it writes down what is asked.
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
    /// Each contestant once, in a scenario that compares others than those that are asked for, with these.
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

    /// As the page calls it.
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

    /// What the page says of it.
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

    /// The figure of its picture.
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

    /// What the size of its runs counts.
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

    /// Where its samples are.
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
