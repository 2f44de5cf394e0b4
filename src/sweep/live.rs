//! What the API server answers about the links of a child.

use instancelink_api::{InstanceLink, keys};
use instancelink_cluster::{CallError, Calls, Lenient, ObjectName, Stripped};
use instancelink_core::sweep::{LinkFacts, LiveAnswer, LiveCheck};
use serde::{Deserialize, Deserializer};

/// A link as the API server sends it: one that cannot be read exists, too.
type SentLink = Lenient<Stripped<InstanceLink>>;

/// A link as it is read live. Nothing else of it stays in memory, however large it is.
struct LiveLink(LinkFacts);

impl<'de> Deserialize<'de> for LiveLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let link = SentLink::deserialize(deserializer)?;
        Ok(Self(LinkFacts::from(&link.object.object)))
    }
}

/// An answer of the API server about links.
pub(super) enum Live {
    Link(Option<LinkFacts>),
    Links(Vec<LinkFacts>),
}

impl Live {
    /// Asks the API server about links. Only a live answer condemns a child.
    pub(super) async fn ask(calls: &Calls, check: &LiveCheck) -> Result<Self, CallError> {
        match check {
            LiveCheck::Link { namespace, name } => {
                let link = ObjectName::new(namespace, name);
                match calls.get::<SentLink>(keys::KIND, &link).await {
                    Ok(link) => Ok(Self::Link(Some(LinkFacts::from(&link.object.object)))),
                    Err(CallError::NotFound(_)) => Ok(Self::Link(None)),
                    Err(error) => Err(error),
                }
            }
            LiveCheck::Links { namespace } => {
                let links = calls.list::<SentLink, LiveLink>(keys::KIND, namespace).await?;
                Ok(Self::Links(links.into_iter().map(|LiveLink(link)| link).collect()))
            }
        }
    }

    pub(super) fn answer(&self) -> LiveAnswer<'_> {
        match self {
            Self::Link(link) => LiveAnswer::Link(link.as_ref()),
            Self::Links(links) => LiveAnswer::Links(links),
        }
    }
}
