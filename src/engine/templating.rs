//! The templates in force. They change in the same instant as the rules: a rule never meets a template of another time.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::adapters::templates::library::Templates;

/// The templates in force, and those that come into force with the next rules. Clones are the same.
#[derive(Clone)]
pub struct Templating {
    in_force: Arc<ArcSwap<Templates>>,
    next: Arc<ArcSwapOption<Templates>>,
}

impl Templating {
    /// These are in force.
    pub fn new(templates: Arc<Templates>) -> Self {
        Self { in_force: Arc::new(ArcSwap::new(templates)), next: Arc::default() }
    }

    /// Those in force.
    pub fn get(&self) -> Arc<Templates> {
        self.in_force.load_full()
    }

    /// These come into force with the next rules.
    pub fn prepare(&self, templates: Arc<Templates>) {
        self.next.store(Some(templates));
    }

    /// The next rules come into force.
    pub fn take_over(&self) {
        if let Some(templates) = self.next.swap(None) {
            self.in_force.store(templates);
        }
    }
}
