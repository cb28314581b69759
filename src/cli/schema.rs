//! `deskbell schema <what>`: JSON Schema for editors, as the parser reads; and the admin API's reference for programs.

use clap::ValueEnum;
use serde_json::Value;

use crate::{
    adapters::rulebook::schema::{cases::tests, files::rules},
    app::config::schema::{config, public_holidays},
    cli::{run::Stop, terminal::Terminal},
    web::openapi,
};

/// What a schema is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Rule files.
    Rules,
    /// The configuration.
    Config,
    /// Files of public holidays.
    Calendars,
    /// Rule tests.
    Tests,
    /// The admin API, as OpenAPI.
    Api,
}

impl SchemaOf {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rules, Self::Config, Self::Calendars, Self::Tests, Self::Api];

    /// The file it stands in, in a folder of a configuration and in the repository.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Rules => "schemas/rules.json",
            Self::Config => "schemas/config.json",
            Self::Calendars => "schemas/calendars.json",
            Self::Tests => "schemas/tests.json",
            Self::Api => "docs/openapi.json",
        }
    }

    /// The schema.
    pub fn schema(self) -> Value {
        match self {
            Self::Rules => rules(),
            Self::Config => config(),
            Self::Calendars => public_holidays(),
            Self::Tests => tests(),
            Self::Api => openapi::document(),
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
