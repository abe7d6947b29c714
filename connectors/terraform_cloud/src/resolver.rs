//! Name look-up for downloads: the addresses that were judged are the ones that are connected to, so that a name cannot
//! change between the look and the leap (DNS rebinding).
//!
//! Must never hand out a single address when one of a name's addresses is not public.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard;

/// Most addresses of a name that are looked at.
const ADDRESSES_MAX: usize = 64;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a name stands for, by whoever is asked.
type LookUp = fn(String) -> BoxFuture<io::Result<Vec<SocketAddr>>>;

/// Refuses names with an address that is not public.
pub(crate) struct PublicResolver {
    look_up: LookUp,
    is_public: fn(IpAddr) -> bool,
}

impl PublicResolver {
    /// By the system's resolver.
    pub(crate) fn new() -> Self {
        Self { look_up: |name| Box::pin(by_the_system(name)), is_public: guard::is_public }
    }
}

async fn by_the_system(name: String) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.take(ADDRESSES_MAX).collect())
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (answer, is_public) = ((self.look_up)(name.as_str().to_owned()), self.is_public);
        Box::pin(async move {
            let addresses = answer.await?;
            if addresses.iter().all(|address| is_public(address.ip())) {
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
    use std::str::FromStr as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers with the addresses that the name spells, parted by `.and.`: `8-8-8-8`, colons as `x`.
    fn as_spelled(name: String) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        let spelled = name.trim_end_matches(".test").split(".and.").filter(|text| !text.is_empty());
        let parse = |text: &str| {
            let text = if text.contains('x') { text.replace('x', ":") } else { text.replace('-', ".") };
            SocketAddr::new(text.parse().expect("an address"), 0)
        };
        let found = spelled.map(parse).collect();
        Box::pin(async move { Ok(found) })
    }

    async fn check(name: &str, allowed: bool) {
        let resolver = PublicResolver { look_up: as_spelled, is_public: guard::is_public };
        let got = resolver.resolve(Name::from_str(name).expect("a name")).await;
        match got {
            Ok(addresses) => assert!(allowed && addresses.count() > 0, "{name} was let through"),
            Err(error) => assert!(!allowed && error.is::<Refused>(), "{name}: {error}"),
        }
    }

    #[tokio::test]
    async fn a_name_is_refused_when_one_of_its_addresses_is_not_public() {
        let cases = [
            ("8-8-8-8.test", true),
            ("8-8-8-8.and.1-1-1-1.test", true),
            ("2606x4700xx1111.and.1-1-1-1.test", true),
            ("127-0-0-1.test", false),
            ("8-8-8-8.and.127-0-0-1.test", false),
            ("127-0-0-1.and.8-8-8-8.test", false),
            ("8-8-8-8.and.1-1-1-1.and.10-0-0-1.test", false),
            ("8-8-8-8.and.169-254-169-254.test", false),
            ("8-8-8-8.and.100-64-0-1.test", false),
            ("8-8-8-8.and.0-0-0-0.test", false),
            ("8-8-8-8.and.224-0-0-1.test", false),
            ("8-8-8-8.and.xx1.test", false),
            ("8-8-8-8.and.fe80xx1.test", false),
            ("8-8-8-8.and.fd00xec2xx254.test", false),
            ("8-8-8-8.and.xxffffx7f00x1.test", false),
            ("8-8-8-8.and.64xff9bxxa00x1.test", false),
            ("8-8-8-8.and.2002x7f00x1xx.test", false),
            ("8-8-8-8.and.2001xx1.test", false),
        ];
        for (name, allowed) in cases {
            check(name, allowed).await;
        }
        assert_eq!(cases.len(), 18, "the table is counted");
    }

    /// The first look-up says 127.0.0.2, all later ones 127.0.0.1.
    static LOOKS: AtomicUsize = AtomicUsize::new(0);

    fn rebinding(_: String) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        let last = if LOOKS.fetch_add(1, Ordering::Relaxed) == 0 { 2 } else { 1 };
        Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, last], 0))]) })
    }

    /// What was judged is what is connected to. 127.0.0.2 plays the public address: only that is judged otherwise here.
    #[tokio::test]
    async fn a_name_that_changes_after_the_look_leads_nowhere_else() {
        let shown = TcpListener::bind("127.0.0.2:0").await.expect("a listener");
        let port = shown.local_addr().expect("an address").port();
        let hidden = TcpListener::bind(("127.0.0.1", port)).await.expect("the same port");
        let is_public = |address: IpAddr| address == IpAddr::from([127, 0, 0, 2]);
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(crate::client::tls())
            .dns_resolver(Arc::new(PublicResolver { look_up: rebinding, is_public }))
            .build()
            .expect("client");
        let serving = async {
            let (mut stream, _) = shown.accept().await.expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("a whole head"));
            }
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.expect("written");
        };
        let url = format!("http://rebinding.test:{port}/");
        let (answer, ()) = tokio::join!(client.get(&url).send(), serving);
        assert_eq!(answer.expect("an answer").status(), 200, "the address that was judged was asked");
        assert_eq!(LOOKS.load(Ordering::Relaxed), 1, "one look-up for one connection");
        // The next connection looks anew, and is refused by what it sees then.
        let error = client.get(&url).send().await.expect_err("another address now");
        assert!(was_refused(&error));
        let asked = tokio::time::timeout(std::time::Duration::from_millis(50), hidden.accept()).await;
        assert!(asked.is_err(), "nothing was asked at the address that the name changed to");
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_is_refused_and_the_refusal_is_found_in_the_error() {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(crate::client::tls())
            .dns_resolver(Arc::new(PublicResolver::new()))
            .build()
            .expect("client");
        let error = client.get("http://localhost:9/").send().await.expect_err("private");
        assert!(was_refused(&error));
    }
}
