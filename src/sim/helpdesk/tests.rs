//! Tests of helpdesk.
