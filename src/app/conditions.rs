//! Conditions that people hand in while the service runs, read as the configuration's are.

use std::sync::Arc;

use crate::{
    adapters::rulebook::{alone::typed_condition, names::Names},
    web::operators::Compile,
};

/// Reads the condition of a silence, by the names of the configuration.
pub fn compile(names: Names) -> Compile {
    Arc::new(move |text| typed_condition(text, &names))
}
