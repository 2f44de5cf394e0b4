//! HTTP access to the double for a client, with faults injected into requests and watch events.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Api;
use super::call::Call;
use super::failure::Failure;
use super::watch::Watch;
use crate::faults::hooks::{Answer, EventFate, Fate, Hooks};

/// Time between bookmarks of a watch without events, as in the API server.
const BOOKMARKS: Duration = Duration::from_mins(1);
/// Duration of a watch without `timeoutSeconds`.
const DEFAULT_DURATION: Duration = Duration::from_mins(5);

type Answered = Response<UnsyncBoxBody<Bytes, Broken>>;

/// No answer: the connection broke.
#[derive(Debug, thiserror::Error)]
#[error("connection reset by peer")]
pub struct Broken;

/// A client's connection to the double.
#[derive(Clone)]
pub struct Connection {
    api: Arc<Api>,
    by: Arc<str>,
    hooks: Arc<dyn Hooks>,
}

impl Connection {
    /// A connection of the client with this name. The hooks decide on faults.
    pub fn new(api: Arc<Api>, by: &str, hooks: Arc<dyn Hooks>) -> Self {
        Self {
            api,
            by: by.into(),
            hooks,
        }
    }

    /// A kube client that uses this connection.
    pub fn client(self) -> kube::Client {
        kube::Client::new(self, "default")
    }

    async fn answer(self, request: Request<Body>) -> Result<Answered, Broken> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(|_| Broken)?;
        let call = match Call::parse(&self.by, &parts) {
            Ok(call) => call,
            Err(failure) => return Ok(whole(failure.code, &failure.body(), None)),
        };
        let fate = self.hooks.call(&call, &body);
        self.apply(fate, &call, &body).await
    }

    async fn apply(&self, mut fate: Fate, call: &Call, body: &[u8]) -> Result<Answered, Broken> {
        loop {
            match fate {
                Fate::Served => return Ok(self.serve(call, body)),
                Fate::Held(time, then) => {
                    tokio::time::sleep(time).await;
                    fate = *then;
                }
                Fate::NotServed(answer) => return answered(&answer, call, None).await,
                Fate::ServedBut(answer) => {
                    let served = self.serve(call, body);
                    return answered(&answer, call, Some(served)).await;
                }
            }
        }
    }

    fn serve(&self, call: &Call, body: &[u8]) -> Answered {
        if call.verb == "watch" {
            return self.watch(call);
        }
        match self.api.serve(call, body) {
            Ok((code, object)) => whole(code, &object, None),
            Err(failure) => whole(failure.code, &failure.body(), None),
        }
    }

    fn watch(&self, call: &Call) -> Answered {
        let replica = self.hooks.replica(call);
        let begun = Watch::begin(&self.api.store(), call, replica);
        let watch = match begun {
            Ok(watch) => watch,
            Err(failure) => return whole(failure.code, &failure.body(), None),
        };
        let seconds = call
            .query("timeoutSeconds")
            .parse()
            .map_or(DEFAULT_DURATION, Duration::from_secs);
        let state = Stream {
            api: Arc::clone(&self.api),
            changes: self.api.changes(),
            hooks: Arc::clone(&self.hooks),
            by: Arc::clone(&self.by),
            watch,
            ends: Instant::now() + seconds,
            again: None,
        };
        let events: BoxStream<'static, Result<Frame<Bytes>, Broken>> =
            stream::unfold(Some(state), |state| async move { state?.next().await }).boxed();
        let body = StreamBody::new(events).boxed_unsync();
        Response::builder().status(200).body(body).unwrap()
    }
}

/// A watch that is being streamed.
struct Stream {
    api: Arc<Api>,
    changes: tokio::sync::watch::Receiver<u64>,
    hooks: Arc<dyn Hooks>,
    by: Arc<str>,
    watch: Watch,
    ends: Instant,
    /// An event to send a second time.
    again: Option<Value>,
}

type Sent = Option<(Result<Frame<Bytes>, Broken>, Option<Stream>)>;

impl Stream {
    /// The next event, or the end of the stream.
    async fn next(mut self) -> Sent {
        loop {
            if let Some(event) = self.again.take() {
                return Some((Ok(line(&event)), Some(self)));
            }
            self.changes.borrow_and_update();
            let next = self.watch.next(&self.api.store());
            let Some(event) = next else {
                let bookmark = Instant::now() + BOOKMARKS;
                tokio::select! {
                    biased;
                    changed = self.changes.changed() => {
                        if changed.is_err() { return None }
                    }
                    () = tokio::time::sleep_until(self.ends.min(bookmark)) => {
                        if Instant::now() >= self.ends { return None }
                        let event = self.watch.bookmark();
                        return Some((Ok(line(&event)), Some(self)));
                    }
                }
                continue;
            };
            if event["type"] == "ERROR" {
                return Some((Ok(line(&event)), None));
            }
            if event["type"] == "BOOKMARK" {
                return Some((Ok(line(&event)), Some(self)));
            }
            let (wait, fate) = match self.hooks.event(&self.by, self.watch.resource, &event) {
                EventFate::Late(time) => (Some(time), EventFate::Delivered),
                EventFate::Hidden(time) => (Some(time), EventFate::Gone),
                fate => (None, fate),
            };
            if let Some(time) = wait {
                tokio::time::sleep(time).await;
            }
            match fate {
                EventFate::Twice => self.again = Some(event.clone()),
                EventFate::Gone => {
                    let gone = Failure::expired(self.watch.seen_up_to, self.api.store().version());
                    let error = json!({"type": "ERROR", "object": gone.body()});
                    return Some((Ok(line(&error)), None));
                }
                EventFate::Reset => return Some((Err(Broken), None)),
                EventFate::Delivered | EventFate::Late(_) | EventFate::Hidden(_) => {}
            }
            return Some((Ok(line(&event)), Some(self)));
        }
    }
}

/// An event as the API server writes it: its type comes first, so that a client knows what the object is.
fn line(event: &Value) -> Frame<Bytes> {
    let (kind, object) = (&event["type"], &event["object"]);
    Frame::data(Bytes::from(format!("{{\"type\":{kind},\"object\":{object}}}\n")))
}

/// The answer that a fault puts in place of the real one. `served` is the real answer, if there was one.
async fn answered(answer: &Answer, call: &Call, served: Option<Answered>) -> Result<Answered, Broken> {
    match answer {
        Answer::Code {
            code,
            reason,
            retry_after,
        } => {
            let failure = match code {
                403 => call.forbidden(),
                _ => Failure::new(*code, reason, format!("injected into {}", call.shown())),
            };
            Ok(whole(*code, &failure.body(), *retry_after))
        }
        Answer::Failure(failure) => Ok(whole(failure.code, &failure.body(), None)),
        Answer::Reset => Err(Broken),
        Answer::Silence => std::future::pending().await,
        Answer::Truncated => {
            let bytes = match served {
                Some(served) => served.into_body().collect().await.map_err(|_| Broken)?.to_bytes(),
                None => Bytes::new(),
            };
            let half = bytes.slice(..bytes.len() / 2);
            Ok(Response::builder().status(200).body(full(half)).unwrap())
        }
    }
}

fn whole(code: u16, object: &Value, retry_after: Option<u64>) -> Answered {
    let mut response = Response::builder()
        .status(code)
        .header("Content-Type", "application/json");
    if let Some(seconds) = retry_after {
        response = response.header("Retry-After", seconds.to_string());
    }
    response.body(full(Bytes::from(object.to_string()))).unwrap()
}

fn full(bytes: Bytes) -> UnsyncBoxBody<Bytes, Broken> {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

impl tower::Service<Request<Body>> for Connection {
    type Response = Answered;
    type Error = Broken;
    type Future = Pin<Box<dyn Future<Output = Result<Answered, Broken>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

/// A client without faults.
pub fn undisturbed(api: &Arc<Api>, by: &str) -> kube::Client {
    Connection::new(Arc::clone(api), by, Arc::new(crate::faults::hooks::None)).client()
}
