//! The proxy between operator and API server. It serves plain HTTP, and sends requests with the operator's token.
//! It records each request, and applies the armed plans or a brown-out to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::stream::{self, Cut};
use crate::{BrownOut, Fault, Plan, Request, WatchFault};
use control_plane::{ControlPlane, client_of, kubeconfig_of};

/// Longer than the operator's read timeout.
const SILENCE: Duration = Duration::from_secs(40);

type Answer = Response<UnsyncBoxBody<Bytes, Cut>>;

/// The proxy of one operator.
pub struct Proxy {
    /// The URL that the operator connects to.
    pub server: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    api_server: Client,
    armed: Mutex<HashMap<String, Armed>>,
    brown_out: Mutex<Option<BrownOut>>,
    seen: Mutex<Vec<Request>>,
}

/// A plan for the requests about one namespace.
struct Armed {
    plan: Plan,
    requests: u32,
    events: HashMap<String, u32>,
    /// Whether the fault has happened.
    met: bool,
}

impl Proxy {
    /// Starts a proxy in front of the API server.
    pub async fn start(plane: &ControlPlane) -> Self {
        let shared = Arc::new(Shared {
            api_server: client_of(&kubeconfig_of(&plane.server(), &json!({}))).await,
            armed: Mutex::default(),
            brown_out: Mutex::default(),
            seen: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { server, shared, task }
    }

    /// Arms a plan for the requests about a namespace. Counting restarts at 0.
    pub fn arm(&self, namespace: &str, plan: &Plan) {
        let armed = Armed {
            plan: plan.clone(),
            requests: 0,
            events: HashMap::new(),
            met: false,
        };
        self.armed().insert(namespace.to_owned(), armed);
    }

    /// Disarms the plan. Returns the number of requests, of events by plural, and whether the fault happened.
    pub fn disarm(&self, namespace: &str) -> (u32, HashMap<String, u32>, bool) {
        let armed = self.armed().remove(namespace).expect("it was armed");
        (armed.requests, armed.events, armed.met)
    }

    /// Applies a brown-out to every request until [`Self::recover`].
    pub fn brown_out(&self, brown_out: BrownOut) {
        *self.shared.brown_out.lock().expect("no panic while held") = Some(brown_out);
    }

    /// Ends the brown-out.
    pub fn recover(&self) {
        *self.shared.brown_out.lock().expect("no panic while held") = None;
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Request> {
        self.shared.seen.lock().expect("no panic while held").clone()
    }

    /// The number of requests so far.
    pub fn count(&self) -> usize {
        self.shared.seen.lock().expect("no panic while held").len()
    }

    fn armed(&self) -> std::sync::MutexGuard<'_, HashMap<String, Armed>> {
        self.shared.armed.lock().expect("no panic while held")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            continue;
        };
        let _ = connection.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let shared = Arc::clone(&shared);
                async move { shared.answer(request).await }
            });
            // An error of the service ends the connection, as the plan requires.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(connection), answer)
                .await;
        });
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, request: http::Request<Incoming>) -> Result<Answer, Cut> {
        let asked = Request::read(request.method(), request.uri());
        let fault = self.next(&asked);
        let place = {
            let mut seen = self.seen.lock().expect("no panic while held");
            seen.push(asked.clone());
            seen.len() - 1
        };
        let browned_out = self
            .brown_out
            .lock()
            .expect("no panic while held")
            .as_mut()
            .map(BrownOut::next);
        if let Some((late, refused)) = browned_out {
            sleep(late).await;
            if let Some(fault) = refused {
                return refusal(fault, &asked);
            }
        }
        if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
            return refusal(fault, &asked);
        }
        // If the API server is unavailable, the proxy closes the connection too.
        let answer = self.pass_on(request).await?;
        self.seen.lock().expect("no panic while held")[place].status = answer.status().as_u16();
        let (mut head, body) = answer.into_parts();
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.remove(header::CONNECTION);
        if asked.verb == "watch" && head.status.is_success() {
            let plural = asked.resource.clone();
            let decide = move |line: &[u8]| self.event(&plural, line);
            let body = StreamBody::new(stream::lines(body, decide));
            return Ok(Response::from_parts(head, UnsyncBoxBody::new(body)));
        }
        let mut body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        match fault {
            Some(Fault::HalfAfter) => body.truncate(body.len() / 2),
            Some(Fault::SilenceAfter) => {
                sleep(SILENCE).await;
                return Err(Cut);
            }
            Some(fault) => return refusal(fault, &asked),
            None => {}
        }
        head.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(head, full(body)))
    }

    async fn pass_on(&self, request: http::Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        head.headers.remove(header::HOST);
        let body = if body.is_empty() && head.method == Method::GET {
            Body::empty()
        } else {
            Body::from(body.to_vec())
        };
        self.api_server
            .send(http::Request::from_parts(head, body))
            .await
            .map_err(|_| Cut)
    }

    /// The fault for a request, if any.
    fn next(&self, asked: &Request) -> Option<Fault> {
        let mut armed = self.armed.lock().expect("no panic while held");
        let armed = armed.get_mut(&asked.namespace)?;
        armed.requests += 1;
        match armed.plan {
            Plan::Request(fault, n) if n == armed.requests => {
                armed.met = true;
                Some(fault)
            }
            _ => None,
        }
    }

    /// The fault for a watch before it forwards an event.
    fn event(&self, plural: &str, line: &[u8]) -> Option<WatchFault> {
        let mut all = self.armed.lock().expect("no panic while held");
        let about = |namespace: &str| {
            let text = format!("\"namespace\":\"{namespace}\"");
            line.windows(text.len()).any(|part| part == text.as_bytes())
        };
        let (_, armed) = all.iter_mut().find(|(namespace, _)| about(namespace))?;
        let count = armed.events.entry(plural.to_owned()).or_default();
        *count += 1;
        match &armed.plan {
            Plan::Event(of, fault, n) if of == plural && n == count => {
                armed.met = true;
                Some(*fault)
            }
            _ => None,
        }
    }
}

fn refusal(fault: Fault, asked: &Request) -> Result<Answer, Cut> {
    let (code, reason) = match fault {
        Fault::Conflict => (409, "Conflict"),
        Fault::TooMany => (429, "TooManyRequests"),
        Fault::Failure | Fault::FailureAfter => (500, "InternalError"),
        Fault::Timeout | Fault::TimeoutAfter => (504, "Timeout"),
        Fault::Forbidden => (403, "Forbidden"),
        Fault::Unauthorized => (401, "Unauthorized"),
        Fault::Invalid => (422, "Invalid"),
        Fault::Cut | Fault::CutAfter | Fault::HalfAfter | Fault::SilenceAfter => return Err(Cut),
    };
    let message = match fault {
        Fault::Forbidden => forbidden(asked),
        _ => "a plan of a test".to_owned(),
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    let mut answer = Response::new(full(Bytes::from(status.to_string())));
    *answer.status_mut() = StatusCode::from_u16(code).expect("a status");
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    if fault == Fault::TooMany {
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    Ok(answer)
}

/// The API server's message for a missing right.
fn forbidden(asked: &Request) -> String {
    let Request {
        verb,
        group,
        resource,
        namespace,
        name,
        ..
    } = asked;
    let plural = resource.split('/').next().unwrap_or_default();
    format!(
        "{plural} \"{name}\" is forbidden: User \"a plan of a test\" cannot {verb} resource \"{resource}\" in API group \
         \"{group}\" in the namespace \"{namespace}\""
    )
}

fn full(body: Bytes) -> UnsyncBoxBody<Bytes, Cut> {
    UnsyncBoxBody::new(Full::new(body).map_err(|never| match never {}))
}
