use serde_json::{Value, json};

use super::*;

fn failure(code: u16, body: &Value) -> CallError {
    failure_of(
        StatusCode::from_u16(code).unwrap(),
        None,
        &serde_json::to_vec(body).unwrap(),
    )
}

fn status(reason: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": reason, "message": "what happened"})
}

#[test]
fn each_failure_is_sorted_by_what_can_be_done_about_it() {
    let what = || "what happened".to_owned();
    let mut gone = status("NotFound");
    gone["details"] = json!({"name": "db", "kind": "services"});
    assert_eq!(failure(404, &gone), CallError::NotFound(what()));
    assert_eq!(failure(409, &status("Conflict")), CallError::Conflict(what()));
    assert_eq!(failure(409, &status("AlreadyExists")), CallError::AlreadyExists(what()));
    assert_eq!(failure(403, &status("Forbidden")), CallError::Forbidden(what()));
    assert_eq!(failure(422, &status("Invalid")).reason(), "refused");
    assert_eq!(failure(500, &status("InternalError")).reason(), "server");
    assert_eq!(failure(401, &status("Unauthorized")).reason(), "server");
}

#[test]
fn a_policy_or_a_webhook_refuses_with_any_code_that_it_likes() {
    for message in [
        r#"services "x" is forbidden: ValidatingAdmissionPolicy 'names' with binding 'names' denied request: no"#,
        r#"admission webhook "names.example.com" denied the request: no"#,
        "policy 'names' with binding 'names' denied request: no such key: names",
    ] {
        for code in [400, 401, 403, 404, 409, 413, 422, 429, 500, 503] {
            let mut body = status("Whatever");
            body["message"] = json!(message);
            body["details"] = json!({"name": "x", "kind": "services", "retryAfterSeconds": 1});
            let failure = failure(code, &body);
            assert_eq!(failure.reason(), "refused", "{code} {message}");
            assert!(!failure.leaves_doubt());
        }
    }
}

/// lifecycle#refused-link-write: the words of etcd, and of the API server's own client of it.
#[test]
fn an_object_that_is_too_large_for_the_store_is_refused_and_not_retried_as_a_failure() {
    for message in [
        "etcdserver: request is too large",
        "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2097173 vs. 2097152)",
    ] {
        let body = json!({"kind": "Status", "status": "Failure", "message": message, "code": 500});
        let failure = failure(500, &body);
        assert_eq!(failure.reason(), "refused", "{message}");
        assert!(!failure.leaves_doubt());
    }
}

#[test]
fn only_an_answer_that_names_an_object_says_that_it_is_gone() {
    let page = failure_of(StatusCode::NOT_FOUND, None, b"404 page not found\n");
    assert_eq!(page.reason(), "server");
    let mut not_served = status("NotFound");
    not_served["details"] = json!({});
    assert_eq!(failure(404, &not_served).reason(), "server");
}

#[test]
fn a_namespace_that_terminates_is_no_missing_right() {
    let mut body = status("Forbidden");
    body["details"] =
        json!({"causes": [{"reason": "NamespaceTerminating", "message": "…", "field": "metadata.namespace"}]});
    assert_eq!(failure(403, &body).reason(), "terminating");
}

#[test]
fn the_wish_to_be_left_alone_is_read_from_the_header_and_from_the_body() {
    let header = Some(Duration::from_secs(3));
    let plain = failure_of(
        StatusCode::TOO_MANY_REQUESTS,
        header,
        b"Too many requests, please try again later.",
    );
    let text = "Too many requests, please try again later.".to_owned();
    assert_eq!(
        plain,
        CallError::Overloaded {
            code: 429,
            retry_after: header,
            message: text
        }
    );
    let mut body = status("ServerTimeout");
    body["details"] = json!({"retryAfterSeconds": 2});
    let expected = CallError::Overloaded {
        code: 504,
        retry_after: Some(Duration::from_secs(2)),
        message: "what happened".to_owned(),
    };
    assert_eq!(failure(504, &body), expected);
}

#[test]
fn messages_are_bounded() {
    let long = failure_of(StatusCode::BAD_GATEWAY, None, "é".repeat(100_000).as_bytes());
    assert!(long.to_string().len() < 2_000);
}

#[test]
fn a_write_that_was_turned_away_was_not_done_and_one_that_failed_may_have_been() {
    let later = Some(Duration::from_secs(1));
    assert!(!failure_of(StatusCode::TOO_MANY_REQUESTS, later, b"").leaves_doubt());
    assert!(failure_of(StatusCode::GATEWAY_TIMEOUT, later, b"").leaves_doubt());
    assert!(failure_of(StatusCode::INTERNAL_SERVER_ERROR, None, b"").leaves_doubt());
    assert!(CallError::Transport("connection reset".to_owned()).leaves_doubt());
}

/// A missing right becomes a manifest, whose first line is a comment with the answer.
#[test]
fn a_message_has_no_line_breaks_and_controls_no_terminal() {
    let mut body = status("Forbidden");
    body["message"] = json!("cannot create resource \"services\"\nkind: ClusterRoleBinding\r\u{1b}[2K\u{202e}");
    let message = failure(403, &body).to_string();
    assert!(message.contains("kind: ClusterRoleBinding"), "{message}");
    assert!(message.chars().all(text::is_harmless), "{message:?}");
}

#[test]
fn an_answer_cannot_ask_for_a_pause_without_end() {
    let header = Some(Duration::from_secs(u64::MAX));
    let CallError::Overloaded { retry_after, .. } = failure_of(StatusCode::TOO_MANY_REQUESTS, header, b"") else {
        panic!("overloaded")
    };
    assert_eq!(retry_after, Some(LONGEST_PAUSE));
}
