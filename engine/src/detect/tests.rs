//! Cases as tables: what goes, what stays, and what holds for every text.
mod texts;
