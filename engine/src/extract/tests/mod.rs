//! Tests of the extractor as a whole.
