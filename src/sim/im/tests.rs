//! Tests of im.
