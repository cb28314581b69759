//! The month's API calls: how many there are, and how far polling must stretch (`facts/feishu.md §14`).

/// Calls a month on the free plan, for the whole tenant.
pub const FREE_CALLS_PER_MONTH: u64 = 10_000;

/// How many API calls a month there are (`feishu.plan`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Plan {
    /// No limit.
    #[default]
    Paid,
    /// This many.
    Calls(u64),
}
