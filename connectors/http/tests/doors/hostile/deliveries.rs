//! All hostile deliveries in one counted table, and what came of them in Kafka.

use super::{Case, Site, WORKSPACE, bodies, framing, paths, signatures};
use crate::house::{cluster, payload, run};

/// Cases of the table. It grows, and says so.
const CASES: usize = 251;

#[test]
fn hostile_deliveries_get_the_one_right_answer_and_no_event() {
    run(async {
        let site = Site::start("hook-hostile").await;
        let cases: Vec<Case> =
            [signatures::cases(&site), bodies::cases(&site), framing::cases(&site), paths::cases(&site)]
                .into_iter()
                .flatten()
                .collect();
        let (mut wrong, mut refusals, mut accepted) = (Vec::new(), Vec::new(), 0);
        let total = cases.len();
        for (name, post, expected) in cases {
            let sent = post.sent();
            let got = site.ask(&sent).await;
            let said = got.as_ref().map_or_else(|_| "closed".to_owned(), crate::house::Answer::summary);
            if said != expected {
                wrong.push(format!("{name}: {said}, expected {expected}"));
            }
            let Ok(answer) = got else { continue };
            accepted += usize::from(said == "202 accepted" && !name.ends_with("of another tenant"));
            if said == "401 unauthorized" {
                refusals.push(answer.body.clone());
            }
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            for told in [&site.house.a.secret, &site.house.b.secret, site.house.b.id.as_str(), WORKSPACE] {
                assert!(!text.contains(told), "{name}: the answer repeats what it must not");
            }
        }
        assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(refusals.windows(2).all(|two| two[0] == two[1]), "refusals tell nothing apart");
        assert_eq!(total, CASES, "the table is counted");
        // A last one: what was refused before it and became an event all the same would stand before it.
        let last = payload(WORKSPACE, "run-TheLast", "run:completed", "applied");
        assert_eq!(site.house.deliver(&last).await.summary(), "202 accepted");
        let key = format!("{}/{WORKSPACE}", site.house.a.id);
        let is_last = |record: &terrasift_kafka::RawRecord| {
            record.value.as_ref().is_some_and(|value| value.windows(11).any(|part| part == b"run-TheLast"))
        };
        let events = cluster().await.records_of(&key, is_last).await;
        assert_eq!(events.len(), accepted + 1, "as many events as were accepted");
    });
}
