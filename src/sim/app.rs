//! The one app of the tenant: who it is and what it knows.

/// How events or clicks reach the app, as saved in the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Posted to an address.
    Http,
    /// Pushed over a long connection.
    LongConnection,
}

/// The app, its bot and its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// `cli_…`
    pub app_id: String,
    /// Its secret.
    pub app_secret: String,
    /// The tenant it lives in.
    pub tenant_key: String,
    /// The bot's open id.
    pub bot_open_id: String,
    /// The bot's name.
    pub bot_name: String,
    /// Stands in every event.
    pub verification_token: String,
    /// Set: events are encrypted and signed.
    pub encrypt_key: Option<String>,
    /// How events reach it.
    pub events_over: Transport,
    /// How clicks on cards reach it.
    pub clicks_over: Transport,
}

impl Default for App {
    /// An app with encryption switched on.
    fn default() -> Self {
        Self {
            app_id: "cli_a1b2c3d4e5f60718".to_string(),
            app_secret: "app-secret".to_string(),
            tenant_key: "2ca1d211f64f6438".to_string(),
            bot_open_id: "ou_b0700000000000000000000000000000".to_string(),
            bot_name: "deskbell".to_string(),
            verification_token: "verification-token".to_string(),
            encrypt_key: Some("encrypt-key".to_string()),
            events_over: Transport::Http,
            clicks_over: Transport::Http,
        }
    }
}
