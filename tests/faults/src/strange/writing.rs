//! Writes the strange objects of a kind, several at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;
use instancelink_testkit::campaign;
use kube::Client;

use super::kinds::{Kind, Writer};
use super::object::Strange;
use super::schemas::Schemas;
use crate::raw::{delete, post};

/// Objects of each kind that the API server must take.
const EACH: u32 = 146;
const LONG: u32 = 1_500;
/// Writes at a time.
const WRITERS: usize = 6;
/// How often an object is tried with fewer strange fields.
const TAMED: u32 = 5;
/// One of this number of objects stays until the end.
const STAY: u32 = 12;

/// The tenant that writes them, and its administrator.
pub struct Writers {
    /// A client of a user with the role `edit`.
    pub editor: Client,
    /// A client with all rights.
    pub administrator: Client,
    /// The namespace.
    pub namespace: String,
    /// The schemas of all kinds.
    pub schemas: Schemas,
}

impl Writers {
    /// How many objects of a kind are written.
    pub fn wanted(kind: &Kind) -> u32 {
        kind.count(if campaign::long() { LONG } else { EACH })
    }

    /// The numbers of the objects that the API server took.
    pub async fn write(&self, kind: &'static Kind) -> Vec<u32> {
        let wanted = Self::wanted(kind);
        let only = only();
        let next = AtomicU32::new(0);
        let taken = Mutex::new(Vec::new());
        let client = if kind.writer == Writer::Editor {
            &self.editor
        } else {
            &self.administrator
        };
        join_all((0..WRITERS).map(async |_| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= wanted * 3 || taken.lock().unwrap().len() >= wanted as usize {
                    return;
                }
                let is_chosen = only
                    .as_ref()
                    .is_none_or(|only| only.contains(&(kind.kind.to_owned(), number)));
                if is_chosen && self.create(client, kind, number).await {
                    taken.lock().unwrap().push(number);
                }
            }
        }))
        .await;
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        taken
    }

    async fn create(&self, client: &Client, kind: &'static Kind, number: u32) -> bool {
        let mut strange = Strange::new(&self.schemas, kind, campaign::seed(), number);
        for _ in 0..TAMED {
            match post(client, &kind.path(&self.namespace, ""), &strange.object(&self.schemas)).await {
                Ok(()) => return true,
                Err(refused) => {
                    if std::env::var_os("INSTANCELINK_REFUSALS").is_some() {
                        println!(
                            "{}:{number}: {} {}",
                            kind.kind,
                            refused.code,
                            refused.message.chars().take(300).collect::<String>()
                        );
                    }
                    match strange.tamed(&refused) {
                        Some(tamed) => strange = tamed,
                        None => return false,
                    }
                }
            }
        }
        false
    }

    /// Deletes them, but for some that stay until the end.
    pub async fn delete_most(&self, kind: &Kind, numbers: &[u32]) {
        let gone: Vec<String> = numbers
            .iter()
            .filter(|number| *number % STAY != 0)
            .map(|number| kind.path(&self.namespace, &name(kind, *number)))
            .collect();
        join_all(gone.chunks(gone.len().div_ceil(WRITERS).max(1)).map(async |paths| {
            for path in paths {
                let _ = delete(&self.administrator, path).await;
            }
        }))
        .await;
    }
}

/// The name of an object.
pub(super) fn name(kind: &Kind, number: u32) -> String {
    if kind.kind == "Namespace" {
        format!("strange-s-{number}")
    } else {
        format!("s-{number}")
    }
}

/// The objects that are to be written, if not all.
pub fn only() -> Option<Vec<(String, u32)>> {
    let chosen = std::env::var("INSTANCELINK_STRANGE").ok()?;
    let read = |text: &str| {
        let (kind, number) = text.split_once(':').expect("Kind:number");
        (kind.to_owned(), number.parse().expect("a number"))
    };
    Some(chosen.split(',').map(read).collect())
}
