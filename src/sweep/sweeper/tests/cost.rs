//! What orphans and strays cost in requests, and whom they delay.

use super::*;

/// lifecycle#sweep-cost
#[tokio::test(start_paused = true)]
async fn one_list_of_all_links_judges_many_strays() {
    let requests = Requests::default();
    let sweeper = sweeper(&requests, &[]);
    for number in 0..25 {
        let policy = serde_json::from_value(stray(number, None)).unwrap();
        sweeper.cache.observe::<Policies>(Event::Apply(policy));
    }
    sweeps_for(sweeper, Duration::from_secs(1)).await;
    assert_eq!(count(&requests, "GET"), 1, "{:?}", requests.lock());
    assert_eq!(count(&requests, "GET instancelinks"), 1);
    assert_eq!(count(&requests, "DELETE web-db-"), 25);
}

/// lifecycle#sweep-cost
#[tokio::test(start_paused = true)]
async fn one_read_of_a_link_judges_all_that_it_left() {
    let requests = Requests::default();
    let sweeper = sweeper(&requests, &["db"]);
    for number in 2..20 {
        let mut slice = orphan("db");
        slice["metadata"]["name"] = format!("db-v4-{number}").into();
        slice["metadata"]["uid"] = format!("uid-{number}").into();
        sweeper
            .cache
            .observe::<Slices>(Event::Apply(serde_json::from_value(slice).unwrap()));
    }
    sweeps_for(sweeper, Duration::from_secs(1)).await;
    assert_eq!((count(&requests, "GET"), count(&requests, "DELETE db-v4")), (1, 19));
}

/// lifecycle#sweep-cost
#[tokio::test(start_paused = true)]
async fn an_annotation_that_is_no_name_leads_to_no_request_for_another_object() {
    let requests = Requests::default();
    let sweeper = sweeper(&requests, &[]);
    let named = [
        "shop/web-db/status",
        "../../../../api/v1/namespaces/kube-system/configmaps/coredns",
        "shop/..",
        "shop/web-db?watch=true",
        "kube-system/web-db%2fstatus",
    ];
    for (number, named) in named.into_iter().enumerate() {
        let policy = serde_json::from_value(stray(number, Some(named))).unwrap();
        sweeper.cache.observe::<Policies>(Event::Apply(policy));
    }
    sweeps_for(sweeper, Duration::from_secs(1)).await;
    let requests = requests.lock();
    let gets: Vec<&String> = requests.iter().filter(|request| request.starts_with("GET")).collect();
    assert_eq!(gets, ["GET instancelinks"], "they are judged by the list of all links");
}

/// lifecycle#sweep-cost
#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_be_judged_costs_a_request_every_five_minutes_at_most() {
    let requests = Requests::default();
    let sweeper = sweeper(&requests, &["silent"]);
    let scans = Arc::clone(&sweeper.requests);
    // Scans, as after re-lists, and changes of the child do not make it due earlier.
    let noise = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            scans.full_scan();
        }
    });
    sweeps_for(Arc::clone(&sweeper), Duration::from_mins(10)).await;
    let (early, before) = (count(&requests, "GET silent"), requests.lock().len());
    assert!(early <= 8, "{early} in ten minutes");
    sweeps_for(sweeper, Duration::from_hours(1)).await;
    noise.abort();
    assert!(requests.lock().len() - before <= 13, "{:?}", requests.lock());
}

/// lifecycle#sweep-cost
#[tokio::test(start_paused = true)]
async fn an_orphan_that_is_found_during_a_long_scan_does_not_wait_for_its_end() {
    let requests = Requests::default();
    let loud: Vec<String> = (0..3000).map(|number| format!("loud-{number}")).collect();
    let sweeper = sweeper(&requests, &loud.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::spawn(Arc::clone(&sweeper).run(CancellationToken::new()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut slice = orphan("quiet");
    slice["metadata"]["namespace"] = "zoo".into();
    slice["metadata"]["annotations"]["instancelink.dev/link"] = "zoo/quiet".into();
    sweeper
        .cache
        .observe::<Slices>(Event::Apply(serde_json::from_value(slice).unwrap()));
    sweeper.requests.check_soon([Key {
        kind: instancelink_core::child::Kind::Slice,
        namespace: "zoo".to_owned(),
        name: "quiet-v4".to_owned(),
    }]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let requests = requests.lock();
    let place = requests.iter().position(|request| request == "DELETE quiet-v4");
    assert!(
        requests.len() > 6000 && place.is_some_and(|place| place < 4000),
        "{place:?}"
    );
}
