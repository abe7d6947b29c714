//! The client against hand-made servers that answer what Terraform Cloud would, and what it never should.

mod api;
mod download;
mod hostile;
mod server;
mod workspace;
