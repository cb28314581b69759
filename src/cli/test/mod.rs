//! `deskbell test`: rule tests on virtual time, without network and store.

pub mod run;
mod world;
mod stand_in;
mod check;
mod reason;
mod shown;
