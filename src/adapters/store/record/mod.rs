//! What is written to disk, and both ways between that and the domain. Invariant: a record's layout never changes under
//! the same version; the domain's types know nothing of it.
//!
//! Fields are encoded in order (postcard), so a new field is a new version. Records of the version before are read as
//! well: where its layout differed, the type takes the part that differed as a parameter.

pub(super) mod parts;
pub(super) mod ticket;
pub(super) mod tracked;
pub(super) mod alert;
pub(super) mod card;
pub(super) mod notice;
pub(super) mod inbox;
pub(super) mod source;
pub(super) mod journal;
pub(super) mod trial;
pub(super) mod silence;
pub(super) mod call;
pub(super) mod rota;
pub(super) mod person;
pub(super) mod forgotten;

#[cfg(test)]
mod tests;
