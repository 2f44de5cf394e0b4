//! The changes that the watches of Secrets report. Each namespace has its own watch.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::Event;

use super::{Cache, Taken};
use crate::affected::{Affected, Cause};
use crate::affects::{Secrets, Watched as _, Who};
use crate::index::secrets::{Sight, is_kept};
use crate::store::lenient::Lenient;
use crate::store::strip_managed_fields::Stripped;

impl Cache {
    /// Takes in an event of the watch of a namespace's Secrets. `referred_to` are the names that links refer to.
    pub(crate) fn observe_secrets(
        &self,
        namespace: &Arc<str>,
        referred_to: &Arc<BTreeSet<String>>,
        event: Event<Lenient<Stripped<Secret>>>,
    ) -> Taken {
        let event = match event {
            Event::Apply(mut raw) => {
                if is_kept(&mut raw.object.object, referred_to) {
                    Event::Apply(raw)
                } else {
                    // It may have been kept before.
                    Event::Delete(raw)
                }
            }
            Event::InitApply(mut raw) => {
                if !is_kept(&mut raw.object.object, referred_to) {
                    return Taken::In;
                }
                Event::InitApply(raw)
            }
            event @ (Event::Delete(_) | Event::Init | Event::InitDone) => event,
        };
        let is_all = matches!(event, Event::InitDone);
        let taken = self.observe_in::<Secrets>(namespace, event);
        if is_all && taken == Taken::In {
            self.see(namespace, Sight::Clear(Arc::clone(referred_to)));
        }
        taken
    }

    /// The right to the Secrets of a namespace is missing.
    pub(crate) fn may_not_see_secrets(&self, namespace: &Arc<str>) {
        if self.see(namespace, Sight::Forbidden) {
            tracing::info!(
                %namespace,
                "a link has outputs.binding, but the operator may not use Secrets in its namespace; the link's condition \
                 Programmed has the manifest to apply"
            );
        }
    }

    /// No link needs the Secrets of a namespace any more. Links may wait for an alias that one of them kept.
    pub(crate) fn forget_secrets(&self, namespace: &Arc<str>) {
        let affected = self.write(|index| {
            let mut affected = Affected::default();
            for change in index.secrets.forget(namespace) {
                affected.merge(Secrets::concerns(index, &change, Who::Us));
            }
            affected
        });
        self.tell(affected);
    }

    /// Records how far the Secrets of a namespace are known; true if that changed.
    fn see(&self, namespace: &Arc<str>, sight: Sight) -> bool {
        let (is_news, affected) = self.write(|index| {
            let mut affected = Affected::default();
            let is_news = index.secrets.see(namespace, sight);
            if is_news {
                affected.extend(index.links.that_need_secrets_of(namespace), Cause::Change);
            }
            (is_news, affected)
        });
        self.tell(affected);
        is_news
    }
}
