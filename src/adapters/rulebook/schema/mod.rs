//! JSON Schema of rule files, made from the tables the parser reads.

pub mod files;
pub mod conditions;
