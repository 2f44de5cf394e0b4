//! Links that are brought into one of the thirteen states, and kept there.

use futures::future::join_all;
use instancelink_api::State;

use crate::{Hold, Link, Namespace, idle_deployment, link};

/// Links in one state, and what keeps them there.
#[must_use]
pub struct Stage {
    /// The links, in the order of their names.
    pub links: Vec<Link>,
    hold: Option<Hold>,
}

impl Stage {
    /// A link that a test has brought into a state, and what keeps it there.
    pub fn held(link: Link, hold: Hold) -> Self {
        Self {
            links: vec![link],
            hold: Some(hold),
        }
    }

    /// Lets them continue.
    pub async fn lift(self) -> Vec<Link> {
        if let Some(hold) = self.hold {
            hold.lift().await;
        }
        self.links
    }
}

impl Namespace {
    /// Creates a source `web` without pods, and two targets that are always ready: Services `pg` and `pg2`.
    pub async fn web_and_two_databases(&self) {
        self.create_object(&idle_deployment("web")).await;
        self.fixed_service("pg").await;
        self.fixed_service("pg2").await;
    }

    /// Brings links of `web` to `pg` into a state and keeps them there; each has its name as its alias.
    pub async fn stage(&self, state: State, names: &[&str]) -> Stage {
        self.web_and_two_databases().await;
        match state {
            State::Requested => {
                let others: Vec<State> = State::ALL.into_iter().filter(|s| *s != State::Requested).collect();
                let hold = Hold::before(self, None, &others).await;
                let links = self.create_links(names, "Deployment/web").await;
                Stage {
                    links,
                    hold: Some(hold),
                }
            }
            State::Registering => {
                let links = self.create_links(names, "Deployment/missing").await;
                all_reach(&links, State::Registering).await;
                Stage { links, hold: None }
            }
            State::Activating => {
                let hold = Hold::before(self, None, &[State::Active]).await;
                let links = self.create_links(names, "Deployment/web").await;
                all_reach(&links, State::Activating).await;
                Stage {
                    links,
                    hold: Some(hold),
                }
            }
            State::Active => {
                let links = self.create_links(names, "Deployment/web").await;
                all_reach(&links, State::Active).await;
                Stage { links, hold: None }
            }
            State::UpdatingActive => {
                self.on_the_way(names, State::Active, State::Active, Step::Retarget, state)
                    .await
            }
            State::Deactivating => {
                self.on_the_way(names, State::Active, State::Inactive, Step::Act("deactivate"), state)
                    .await
            }
            State::Inactive => self.at_rest(names, State::Active, "deactivate", state).await,
            State::UpdatingInactive => {
                self.on_the_way(names, State::Inactive, State::Inactive, Step::Retarget, state)
                    .await
            }
            State::Removing => {
                self.on_the_way(names, State::Inactive, State::Removed, Step::Act("remove"), state)
                    .await
            }
            State::Removed => self.at_rest(names, State::Inactive, "remove", state).await,
            State::Restoring => {
                self.on_the_way(names, State::Removed, State::Inactive, Step::Act("restore"), state)
                    .await
            }
            State::Purging => {
                self.on_the_way(names, State::Removed, State::Purged, Step::Act("purge"), state)
                    .await
            }
            State::Purged => self.at_rest(names, State::Removed, "purge", state).await,
        }
    }

    async fn create_links(&self, names: &[&str], source: &str) -> Vec<Link> {
        join_all(
            names
                .iter()
                .map(|name| self.link(link(name, name, source, "Service/pg"))),
        )
        .await
    }

    /// Brings links from one resting state to the next with an action.
    async fn at_rest(&self, names: &[&str], from: State, verb: &str, to: State) -> Stage {
        let links = Box::pin(self.resting(names, from)).await;
        join_all(links.iter().map(|l| l.act(verb))).await;
        all_reach(&links, to).await;
        Stage { links, hold: None }
    }

    /// Brings links into a transitional state by refusing the state after it.
    async fn on_the_way(&self, names: &[&str], from: State, refused: State, step: Step, to: State) -> Stage {
        let links = Box::pin(self.resting(names, from)).await;
        let hold = Hold::before(self, None, &[refused]).await;
        join_all(links.iter().map(async |link| match step {
            Step::Act(verb) => link.action(verb).await,
            Step::Retarget => drop(link.retarget("Service/pg2").await),
        }))
        .await;
        all_reach(&links, to).await;
        Stage {
            links,
            hold: Some(hold),
        }
    }

    async fn resting(&self, names: &[&str], state: State) -> Vec<Link> {
        let links = self.create_links(names, "Deployment/web").await;
        all_reach(&links, State::Active).await;
        let way: &[(&str, State)] = match state {
            State::Inactive => &[("deactivate", State::Inactive)],
            State::Removed => &[("remove", State::Removed)],
            _ => &[],
        };
        for (verb, reached) in way {
            join_all(links.iter().map(|l| l.act(verb))).await;
            all_reach(&links, *reached).await;
        }
        links
    }
}

/// What brings a link from a resting state into a transitional state.
#[derive(Clone, Copy)]
enum Step {
    Act(&'static str),
    Retarget,
}

async fn all_reach(links: &[Link], state: State) {
    join_all(links.iter().map(|l| l.reaches(state))).await;
}
