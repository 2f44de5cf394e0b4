//! Sweeping: what to do with an object that carries our labels and whose link is not known.
//!
//! Someone can take our finalizer away and delete the link; a re-list can hide a deletion. Only a live answer of the
//! API server condemns an object: caches of different kinds may be of different ages.
