//! JSON Schema of rule files and rule tests, made from the tables the parser reads.

pub mod files;
pub mod cases;
pub mod conditions;
