//! Name look-up for downloads: the addresses that were judged are the ones that are connected to, so that a name cannot
//! change between the look and the leap (DNS rebinding).
//!
//! Must never hand out a single address when one of a name's addresses is not public.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard;

/// Most addresses of a name that are looked at.
const ADDRESSES_MAX: usize = 64;

/// Refuses names with an address that is not public.
pub(crate) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
            if addresses.iter().all(|address| guard::is_public(address.ip())) {
                Ok::<Addrs, _>(Box::new(addresses.into_iter()))
            } else {
                Err(Box::<dyn Error + Send + Sync>::from(Refused))
            }
        })
    }
}

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has an address that is not public")
    }
}

impl Error for Refused {}

/// Whether the resolver's refusal is what made a request fail.
pub(crate) fn was_refused(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Refused>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_a_private_address_is_refused_and_the_refusal_is_found_in_the_error() {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(crate::client::tls())
            .dns_resolver(std::sync::Arc::new(PublicResolver))
            .build()
            .expect("client");
        let error = client.get("http://localhost:9/").send().await.expect_err("private");
        assert!(was_refused(&error));
    }
}
