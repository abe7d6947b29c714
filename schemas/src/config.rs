//! Configuration: parsed once into typed values.
