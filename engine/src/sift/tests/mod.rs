//! Tests of the sift.
