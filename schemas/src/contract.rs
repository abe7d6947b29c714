//! JSON Schemas and the AsyncAPI document of the Kafka contract, generated from the types.
