use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use instancelink_core::external_name::ExternalName;
use instancelink_core::fixture;
use instancelink_core::snapshot::Service;
use instancelink_core::verify::Answer;
use parking_lot::Mutex;

use super::super::resolver::Found;
use super::*;
use crate::clock::SystemClock;

const NAME: &str = "pg.rds.example.com";

/// A DNS that gives these answers, the last one again and again, and notes the questions.
struct Dns {
    answers: Mutex<Vec<Answer>>,
    asked: Mutex<Vec<String>>,
}

impl NameResolver for Dns {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Found> {
        async move {
            self.asked.lock().push(name.to_owned());
            let mut answers = self.answers.lock();
            let answer = if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0].clone()
            };
            Found {
                answer,
                ttl: Duration::from_mins(1),
            }
        }
        .boxed()
    }
}

fn answer(address: &str) -> Answer {
    Answer::Addresses([address.parse().unwrap()].into())
}

fn lookups(answers: Vec<Answer>) -> (Arc<ExternalLookups>, Arc<Dns>) {
    let dns = Arc::new(Dns {
        answers: Mutex::new(answers),
        asked: Mutex::default(),
    });
    let allowed = AllowedNames::parse(["*.rds.example.com"]).unwrap();
    let resolver: Arc<dyn NameResolver> = Arc::clone(&dns) as Arc<dyn NameResolver>;
    let lookups = ExternalLookups::new(&allowed, Some(resolver), Arc::new(Queue::new(1)), Arc::new(SystemClock));
    (Arc::new(lookups), dns)
}

fn snapshot(name: &str) -> Snapshot {
    let service = Service {
        external_name: Some(name.to_owned()),
        cluster_ips: vec![],
        selector: [].into(),
        ..fixture::service()
    };
    fixture::snapshot().with_target_service(service, vec![])
}

fn addresses(lookups: &ExternalLookups) -> Option<BTreeSet<String>> {
    let mut s = snapshot(NAME);
    lookups.add_to(&LinkKey::new("shop", "web-db"), &mut s);
    match &s.external_names.known[NAME] {
        ExternalName::Known { addresses, .. } => Some(addresses.iter().map(ToString::to_string).collect()),
        ExternalName::Pending | ExternalName::TooMany => None,
    }
}

async fn runs_for(lookups: &Arc<ExternalLookups>, time: Duration) {
    let run = Arc::clone(lookups).run(CancellationToken::new());
    assert!(
        tokio::time::timeout(time, run).await.is_err(),
        "it runs until it is stopped"
    );
}

#[tokio::test(start_paused = true)]
async fn an_allowed_name_is_looked_up_soon_and_again_after_its_time_to_live() {
    let (lookups, dns) = lookups(vec![answer("192.0.2.1"), answer("192.0.2.2")]);
    assert_eq!(addresses(&lookups), None);
    runs_for(&lookups, Duration::from_secs(1)).await;
    assert_eq!(addresses(&lookups), Some(["192.0.2.1".to_owned()].into()));
    runs_for(&lookups, Duration::from_mins(1)).await;
    assert_eq!(addresses(&lookups), Some(["192.0.2.2".to_owned()].into()));
    assert_eq!(*dns.asked.lock(), [NAME, NAME]);
    lookups.forget(&LinkKey::new("shop", "web-db"));
    runs_for(&lookups, Duration::from_mins(10)).await;
    assert_eq!(dns.asked.lock().len(), 2, "no link leads to it any more");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_allowed_is_never_looked_up() {
    let (lookups, dns) = lookups(vec![answer("192.0.2.1")]);
    lookups.add_to(&LinkKey::new("shop", "web-db"), &mut snapshot("pg.evil.example"));
    runs_for(&lookups, Duration::from_mins(1)).await;
    assert!(dns.asked.lock().is_empty());
}
