//! Rule tests: `*.test.yaml` beside the rules. What a helpdesk shows, line by line, and what must be told.

pub mod words;
pub mod case;
pub mod ground;
pub mod read;
mod instant;
pub mod moment;
mod ticket;
mod expected;
#[cfg(test)]
mod tests;
