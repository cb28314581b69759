//! Templates: what people write, checked branch by branch, and cards made from it. Invariants: text from outside is
//! escaped by the slot it lands in, helpers return values and never write, and a card always comes out.

pub mod library;

mod builtin;
mod check;
mod compile;
mod context;
mod digest;
mod files;
mod frame;
mod front;
mod helpers;
mod line;
mod path;
mod scan;
mod shape;
mod source;
mod standing;
mod words;

#[cfg(test)]
mod tests;
