//! Where a body begins and ends: lengths and chunks that lie, and heads that two servers would read in two ways.

use super::{Case, Post, Site, WORKSPACE};
use crate::house::payload;

const NO: &str = "401 unauthorized";
const ACCEPTED: &str = "202 accepted";

pub fn cases(site: &Site) -> Vec<Case> {
    [lengths(site), chunks(site), doubtful(site), heads(site)].into_iter().flatten().collect()
}

fn applied(run: &str) -> String {
    payload(WORKSPACE, run, "run:completed", "applied")
}

fn signed(site: &Site, body: &str) -> Post {
    Post::to(&site.house.a.slug, body).signed(&site.house.a.secret)
}

fn lengths(site: &Site) -> Vec<Case> {
    let body = applied("run-Length");
    let size = body.len();
    let says = |lines: String| signed(site, &body).framed(&lines, body.as_str());
    let length = |text: &str| says(format!("content-length: {text}\r\n"));
    vec![
        ("a length that is one short", length(&(size - 1).to_string()), NO),
        (
            "a length that is one long, then the end",
            length(&(size + 1).to_string()).then_cut(),
            "400 body_unreadable",
        ),
        ("a length that is one long, then silence", length(&(size + 1).to_string()), "408 request_timeout"),
        ("no length", says(String::new()), NO),
        ("a length of nothing", length(""), "400"),
        ("a negative length", length("-1"), "400"),
        ("a length with a sign", length(&format!("+{size}")), "400"),
        ("a length in hex", length(&format!("0x{size:x}")), "400"),
        ("a length beyond all numbers", length("99999999999999999999999"), "400"),
        ("a length of 2^63", length("9223372036854775808"), "413 body_too_large"),
        ("two lengths that differ", says(format!("content-length: {size}\r\ncontent-length: 5\r\n")), "400"),
        ("two lengths in one line", length(&format!("{size}, 5")), "400"),
        ("20 GB announced", length("20000000000"), "413 body_too_large"),
        (
            "too large, asking first",
            says("content-length: 5000000\r\nexpect: 100-continue\r\n".into()),
            "413 body_too_large",
        ),
    ]
}

fn chunks(site: &Site) -> Vec<Case> {
    let body = applied("run-Chunks");
    let size = body.len();
    let chunked = |wire: String| signed(site, &body).framed("transfer-encoding: chunked\r\n", wire);
    let (first, second) = body.split_at(7);
    let two = format!("7\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len());
    let trailer =
        format!("{size:x}\r\n{body}\r\n0\r\nx-tfe-notification-signature: {}\r\n\r\n", "0".repeat(128));
    let unsigned = || Post::to(&site.house.a.slug, body.as_str());
    let signature = crate::house::sign(&site.house.a.secret, body.as_bytes());
    let in_trailer = format!("{size:x}\r\n{body}\r\n0\r\nx-tfe-notification-signature: {signature}\r\n\r\n");
    vec![
        ("in two chunks", chunked(two), ACCEPTED),
        (
            "a chunk that is shorter than it says",
            chunked(format!("{:x}\r\n{body}\r\n0\r\n\r\n", size + 9)).then_cut(),
            "400 body_unreadable",
        ),
        (
            "a chunk that is longer than it says",
            chunked(format!("5\r\n{body}\r\n0\r\n\r\n")),
            "400 body_unreadable",
        ),
        (
            "a chunk whose size is no number",
            chunked(format!("zz\r\n{body}\r\n0\r\n\r\n")),
            "400 body_unreadable",
        ),
        (
            "a chunk whose size is negative",
            chunked(format!("-5\r\n{body}\r\n0\r\n\r\n")),
            "400 body_unreadable",
        ),
        (
            "a chunk whose size is beyond all numbers",
            chunked(format!("fffffffffffffffff\r\n{body}\r\n0\r\n\r\n")),
            "400 body_unreadable",
        ),
        ("a chunk of 2^63", chunked(format!("7fffffffffffffff\r\n{body}")).then_cut(), "400 body_unreadable"),
        (
            "a chunk with a huge extension",
            chunked(format!("{size:x};{}\r\n{body}\r\n0\r\n\r\n", "e".repeat(100_000))),
            "400 body_unreadable",
        ),
        ("chunks without an end", chunked(format!("{size:x}\r\n{body}\r\n")), "408 request_timeout"),
        ("chunks that are cut", chunked(format!("{size:x}\r\n{body}\r\n")).then_cut(), "400 body_unreadable"),
        (
            "chunks of 64 bytes, too many",
            chunked(format!("{}0\r\n\r\n", format!("40\r\n{}\r\n", "{".repeat(64)).repeat(17_000))),
            "413 body_too_large",
        ),
        ("another signature in the trailer", chunked(trailer), "200 duplicate"),
        (
            "the only signature in the trailer",
            unsigned().framed("transfer-encoding: chunked\r\n", in_trailer),
            NO,
        ),
    ]
}

/// Heads that two servers would read in two ways.
fn doubtful(site: &Site) -> Vec<Case> {
    let body = applied("run-Chunks");
    let size = body.len();
    let whole = format!("{size:x}\r\n{body}\r\n0\r\n\r\n");
    let with = |lines: &str| signed(site, &body).framed(lines, whole.as_str());
    let smuggled =
        format!("0\r\n\r\nPOST /v1/webhooks/terraform-cloud/{} HTTP/1.1\r\n\r\n", site.house.b.slug);
    vec![
        (
            "a length beside chunks: the chunks count",
            with(&format!("content-length: {size}\r\ntransfer-encoding: chunked\r\n")),
            "200 duplicate",
        ),
        (
            "another request where the length says that the body is",
            signed(site, &body)
                .framed("content-length: 5\r\ntransfer-encoding: chunked\r\n", smuggled)
                .keeping(),
            NO,
        ),
        ("an encoding that is not chunked", with("transfer-encoding: gzip\r\n"), "400"),
        ("chunked, then another encoding", with("transfer-encoding: chunked, identity\r\n"), "400"),
        ("chunked in a word that is not quite it", with("transfer-encoding: xchunked\r\n"), "400"),
        ("a blank before the colon", with("transfer-encoding : chunked\r\n"), "400"),
        ("a folded line", with("transfer-encoding:\r\n chunked\r\n"), "400"),
    ]
}

fn heads(site: &Site) -> Vec<Case> {
    let body = applied("run-Heads");
    let post = || signed(site, &body);
    let a = &site.house.a.slug;
    let path = format!("/v1/webhooks/terraform-cloud/{a}");
    let line = |line: String| post().line(&line);
    let ok = "200 duplicate";
    vec![
        ("as it should be", post(), ACCEPTED),
        ("a head of 20 KiB", post().header("x", "y".repeat(20 * 1024)), "431"),
        ("a head of 120 lines", (0..120).fold(post(), |post, n| post.header(&format!("x{n}"), "y")), "431"),
        ("a header that stands twice and means nothing", post().header("x", "1").header("x", "2"), ok),
        ("a name with a blank", post().raw_header(b"x y: z\r\n"), "400"),
        ("a line without a colon", post().raw_header(b"nothing\r\n"), "400"),
        ("a line that begins with a blank", post().raw_header(b" x: y\r\n"), "400"),
        ("a carriage return alone", post().raw_header(b"x: a\rb\r\n"), "400"),
        ("a zero byte in a value", post().raw_header(b"x: a\0b\r\n"), "400"),
        (
            "another address forwarded for",
            post().header("x-forwarded-for", "127.0.0.1").header("forwarded", "for=127.0.0.1"),
            ok,
        ),
        ("another tenant by header", post().header("x-terrasift-tenant", site.house.b.id.as_str()), ok),
        (
            "another path by header",
            post().header("x-original-url", "/v1/changes").header("x-rewrite-url", "/metrics"),
            ok,
        ),
        ("another method by header", post().header("x-http-method-override", "DELETE"), ok),
        ("a trace that is none", post().header("traceparent", "00-zz-zz-01"), ok),
        ("a trace of 10,000 characters", post().header("traceparent", "0".repeat(10_000)), ok),
        ("a media type that is no json", post().header("content-type", "text/html"), ok),
        ("an encoding that the body has not", post().header("content-encoding", "br"), ok),
        ("an upgrade", post().header("upgrade", "h2c").header("http2-settings", "AAMAAABkAAQ"), ok),
        ("two hosts", post().header("host", "y"), ok),
        ("no host", post().without_host(), ok),
        ("HTTP/1.0", line(format!("POST {path} HTTP/1.0")), ok),
        ("HTTP/2 without having agreed on it", line("PRI * HTTP/2.0".into()), "400"),
        ("HTTP/9.9", line(format!("POST {path} HTTP/9.9")), "400"),
        ("no version", line(format!("POST {path}")), "400"),
        ("no words", line("\0\0\0\0".into()), "400"),
        ("TLS on a port without it", line("\u{16}\u{3}\u{1}".into()), "400"),
        ("GET", line(format!("GET {path} HTTP/1.1")), "405 method_not_allowed"),
        ("PUT", line(format!("PUT {path} HTTP/1.1")), "405 method_not_allowed"),
        ("a method of its own", line(format!("DELIVER {path} HTTP/1.1")), "405 method_not_allowed"),
        ("a method in lower case", line(format!("post {path} HTTP/1.1")), "405 method_not_allowed"),
        ("TRACE", line(format!("TRACE {path} HTTP/1.1")), "405 method_not_allowed"),
        ("CONNECT", line("CONNECT 169.254.169.254:80 HTTP/1.1".into()), "404 route_not_found"),
    ]
}
