//! `deskbell schema <what>`: JSON Schema for editors, as the parser reads.

use clap::ValueEnum;
use serde_json::Value;

use crate::{
    adapters::rulebook::schema::files::rules,
    app::config::schema::config,
    cli::{run::Stop, terminal::Terminal},
};

/// What a schema is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Rule files.
    Rules,
    /// The configuration.
    Config,
}

impl SchemaOf {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Rules, Self::Config];

    /// The file it stands in, in a folder of a configuration and in the repository.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Rules => "schemas/rules.json",
            Self::Config => "schemas/config.json",
        }
    }

    /// The schema.
    pub fn schema(self) -> Value {
        match self {
            Self::Rules => rules(),
            Self::Config => config(),
        }
    }

    /// The schema as its file holds it.
    pub fn text(self) -> String {
        format!("{:#}\n", self.schema())
    }
}

/// Prints a schema.
///
/// # Errors
/// None today: the signature is that of every verb.
pub fn run(what: SchemaOf, terminal: Terminal) -> Result<(), Stop> {
    terminal.print(what.text().trim_end());
    Ok(())
}
