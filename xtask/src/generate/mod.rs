//! Files in the repository that are generated from code. Each generator also has a check: it fails when the committed
//! file differs.

pub(crate) mod crds;
pub(crate) mod docs;
pub(crate) mod seeded_page;
