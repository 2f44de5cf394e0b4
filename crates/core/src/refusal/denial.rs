//! Who refused a write, by the words of the API server. Its answer names the authorizer, the quota, the policy or the webhook
//! first; what follows may be the words of a tenant. So a text counts only at the place where the API server writes it, and each
//! answer is read once from left to right.

/// The longest name of an object.
const LONGEST_NAME: usize = 253;

/// Who refused a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial<'a> {
    /// The authorizer: the operator lacks a right.
    MissingRight,
    /// This quota is used up.
    Quota(&'a str),
    /// This quota cannot be applied: its usage is not known yet, or it asks for a value that the object does not have.
    UnknownQuota(&'a str),
    /// This `ValidatingAdmissionPolicy`.
    Policy(&'a str),
    /// This `MutatingAdmissionPolicy` cannot be applied to the object.
    MutatingPolicy(&'a str),
    /// This webhook denied it.
    Webhook(&'a str),
    /// This webhook did not answer, or not usably, and the API server does nothing without it.
    BrokenWebhook(&'a str),
    /// A webhook answered with a patch that does not fit the object. The API server does not say which one.
    UnfitPatch,
    /// The namespace is being deleted.
    TerminatingNamespace,
    /// Another part of the API server, or one whose answer has no form that is known.
    Unknown,
}

impl<'a> Denial<'a> {
    /// Reads the message of a `Status`.
    pub fn of(message: &'a str) -> Self {
        // These come without the name of the object. What a webhook says may look like any other answer.
        if let Some(rest) = message.strip_prefix("admission webhook \"") {
            return named(rest, '"', Denial::Webhook);
        }
        if let Some(error) = message.strip_prefix("Internal error occurred: ") {
            return by_failure(error);
        }
        // An error of such a policy comes without the name of the object as well.
        if let Some(rest) = message.strip_prefix("policy '") {
            return named(rest, '\'', Denial::MutatingPolicy);
        }
        if let Some(rest) = message.strip_prefix("policy \"") {
            return named(rest, '"', Denial::MutatingPolicy);
        }
        let why = why(message);
        if let Some(rest) = why.strip_prefix("ValidatingAdmissionPolicy '") {
            return named(rest, '\'', Denial::Policy);
        }
        if let Some(rest) = why.strip_prefix("exceeded quota: ") {
            return named(rest, ',', Denial::Quota);
        }
        if let Some(rest) = why.strip_prefix("failed quota: ") {
            return named(rest, ':', Denial::UnknownQuota);
        }
        if let Some(rest) = why.strip_prefix("status unknown for quota: ") {
            return named(rest, ',', Denial::UnknownQuota);
        }
        if why.starts_with("unable to create new content in namespace ") {
            return Denial::TerminatingNamespace;
        }
        if why.starts_with("User \"") && why.contains("\" cannot ") {
            return Denial::MissingRight;
        }
        Denial::Unknown
    }

    /// True for a webhook or a policy that decided. They choose the code of the answer themselves.
    pub const fn is_decided_by_admission(&self) -> bool {
        matches!(self, Denial::Policy(_) | Denial::MutatingPolicy(_) | Denial::Webhook(_))
    }

    /// True for a webhook that does not work. The API server answers as if it had failed itself, but nothing was written.
    pub const fn is_broken_webhook(&self) -> bool {
        matches!(self, Denial::BrokenWebhook(_) | Denial::UnfitPatch)
    }
}

/// Of an error of the API server itself, the webhook that caused it.
fn by_failure(error: &str) -> Denial<'_> {
    if let Some(rest) = error.strip_prefix("failed calling webhook \"") {
        return named(rest, '"', Denial::BrokenWebhook);
    }
    if let Some(rest) = error.strip_prefix("admission webhook \"") {
        // It answers a deletion with a patch.
        return named(rest, '"', Denial::BrokenWebhook);
    }
    // `replace operation does not apply: doc is missing key`, or with one word before it.
    let operation = error
        .split_once(" operation does not apply: ")
        .map(|(operation, _)| operation);
    let is_unknown_place = operation.is_some_and(|operation| operation.split(' ').count() <= 2);
    let is_of_a_step = error.starts_with("error in ")
        && [" for path: '", " for from: '"]
            .iter()
            .any(|words| error.contains(words));
    let is_test = error.starts_with("testing value ");
    // The patched object has a value of another type.
    let is_unreadable = error.starts_with("json: cannot unmarshal ");
    if is_unknown_place || is_of_a_step || is_test || is_unreadable {
        Denial::UnfitPatch
    } else {
        Denial::Unknown
    }
}

/// The reason in a message such as `services "web-links" is forbidden: reason`; empty in another message.
pub(super) fn why(message: &str) -> &str {
    let Some((object, why)) = message.split_once(" is forbidden: ") else {
        return "";
    };
    // Resource and name. More words are a quotation.
    if object.split(' ').count() <= 2 { why } else { "" }
}

/// The name before this sign. A name that no object can have is not repeated in a command.
fn named<'a>(rest: &'a str, end: char, denial: impl FnOnce(&'a str) -> Denial<'a>) -> Denial<'a> {
    let name = rest.split_once(end).map_or(rest, |(name, _)| name);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_name = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if is_name { denial(name) } else { Denial::Unknown }
}

#[cfg(test)]
mod tests;
