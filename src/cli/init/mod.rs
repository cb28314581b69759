//! `deskbell init DIR`: from a Feishu tenant without deskbell to a configuration that starts.

pub mod console;
pub mod files;
pub mod hold;
pub mod run;
