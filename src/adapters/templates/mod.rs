//! Templates: what people write, checked branch by branch, and cards made from it. Invariants: text from outside is
//! escaped by the slot it lands in, helpers return values and never write, and a card always comes out.

pub mod library;

mod builtin;
mod context;
mod frame;
mod shape;
mod words;
