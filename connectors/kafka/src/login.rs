//! A password that rotates while clients run: librdkafka shows the new one when it connects the next time.
//!
//! Must never keep a copy of a password.

use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering};

use rdkafka::ClientContext;
use rdkafka::client::Client;

use crate::config::Login;

/// The login of one client, and which of its passwords librdkafka has.
pub(crate) struct CurrentLogin {
    login: Option<Login>,
    generation: AtomicU64,
}

impl CurrentLogin {
    /// Begins before the client is built, so that no rotation is missed.
    pub(crate) fn new(login: Option<Login>) -> Self {
        let generation = login.as_ref().map_or(0, |login| login.password.generation());
        Self { login, generation: AtomicU64::new(generation) }
    }

    /// Hands librdkafka the password that holds now, if it has another one.
    pub(crate) fn renew<C: ClientContext>(&self, client: &Client<C>) {
        let Some(login) = &self.login else { return };
        let (password, generation) = login.password.numbered();
        if self.generation.swap(generation, Ordering::Relaxed) == generation {
            return;
        }
        let (Ok(username), Ok(password)) =
            (CString::new(login.username.as_str()), CString::new(password.expose()))
        else {
            return;
        };
        // SAFETY: the client outlives the call, both strings end with a zero, and librdkafka copies them under its own lock
        // (rdkafka.h, rd_kafka_sasl_set_credentials).
        let refused = unsafe {
            let native = client.native_ptr();
            rdkafka::bindings::rd_kafka_sasl_set_credentials(native, username.as_ptr(), password.as_ptr())
        };
        if refused.is_null() {
            tracing::info!("kafka's password was taken for new connections");
            return;
        }
        // SAFETY: an error that librdkafka returned is ours to destroy, once.
        unsafe { rdkafka::bindings::rd_kafka_error_destroy(refused) };
        tracing::error!("librdkafka does not take another password: it holds from the next start on");
    }
}
