//! A first pass that follows instances along each other, against one that walks each.

use proptest::prelude::*;
use terrasift_schemas::detection::Report;

use super::super::{Redactor, TaintPass};
use crate::detect::HashKey;
use crate::refusal::Refusal;

/// What an instance may hold; §1 to §4 are put in by [`LEAVES`].
const INSTANCES: &[&str] = &[
    r#"{"schema_version":0,"attributes":{"id":§1,"name":§2,"tags":{"team":§3}},"sensitive_attributes":[],"private":§4}"#,
    r#"{"schema_version":0,"attributes":{"id":§1,"name":§2,"tags":{}},"sensitive_attributes":[ ],"private":§4}"#,
    r#"{"schema_version":0,"attributes":{"id":§1,"name":§2,"tags":{"team":§3}},"sensitive_attributes":[[{"type":"get_attr","value":"name"}]]}"#,
    r#"{"schema_version":0,"attributes":{"id":§1,"name":§2},"sensitive_attributes":[[]]}"#,
    r#"{"schema_version":0,"attributes":{"id":§1,"name":§2},"sensitive_attributes":§3}"#,
    r#"{"index_key":§1,"schema_version":0,"attributes":{"list":[§2,§3],"id":§4}}"#,
    r#"{"index_key":§1,"schema_version":0,"attributes":{"list":[§2],"id":§4}}"#,
    r#"{"index_key":§1,"schema_version":0,"attributes":{"list":[],"id":§4}}"#,
    r#"{"index_key":§1,"schema_version":0,"attributes":{"list":[[§2],{"id":§3}],"id":§4}}"#,
    r#"{"deposed":"0123abcd","attributes":{"password":§1,"kms_key_id":§2,"version":§3,"token":§4}}"#,
    r#"{"attributes":{"set":[{"name":§1,"value":§2},{"name":"tier","value":§3}]},"private":§4}"#,
    r#"{"attributes":{"set":[{"name":"DB_PASSWORD","value":§2},{"value":§3,"name":"a"}]}}"#,
    r#"{"attributes":{"set":[{"name":"GIT_SHA","value":§1,"key":§2},{"name":"DB_PASSWORD","value":§3}]}}"#,
    r#"{"attributes":{"set":[{"name":"tier","value":§1,"key":"DB_PASSWORD"},{"port":1,"name":"b","value":§2}]}}"#,
    r#"{"attributes":{"set":[{"value":§1,"name":"DB_PASSWORD"},{"name":§2,"l":[],"value":§3}]}}"#,
    r#"{"attributes":{"set":[{"key":§1,"name":"DB_PASSWORD","value":§2}],"x":{"name":"GIT_SHA","o":{"name":"DB_PASSWORD"},"value":§3}}}"#,
    r#"{"attributes":{"name":"DB_PASSWORD","value":§1,"sub":{"value":§2,"a":"b"}},"value":§3}"#,
    r#"{"attributes":{"token":[{"name":"a","value":§1}],"o":{"value":§2,"p":{"value":§3},"name":"DB_PASSWORD"}}}"#,
    r#"{"attributes":{"o":{"value":§1,"p":[{"name":"c","value":"d"}],"x":1,"name":"DB_PASSWORD"}}}"#,
    r#"{"attributes":{"o":{"name":["DB_PASSWORD"],"value":§1},"p":{"name":{"a":"DB_PASSWORD"},"value":§2},"q":[["x"],{"value":§3}]}}"#,
    r#"{"attributes":{"kind":§1,"data":{"a":§2},"string_data":§3}}"#,
    r#"{"attributes":{"kind":"Secret","data":{"a":§2},"string_data":§3}}"#,
    r#"{"attributes":{"type":["string"],"password":"string","id":§1}}"#,
    r#"{"attributes":{"type":§1,"password":[{"a":§2}],"secret_arn":{"x":[§3]}}}"#,
    r#"{"attributes":{"id":§1},"attributes":{"id":§2}}"#,
    r#"{"attributes_flat":{"user.0.password":§1,"id":§2},"dependencies":[§3,§4],"dependencies":[]}"#,
    r#"{"attributes":{"ada@example.com":§1,"[REDACTED:pii]#2":§2,"a~b/c":§3}}"#,
    r#"{"identity":{"id":§1},"odd":{"n":[{"id":§2}]},"status":"tainted","attributes":{"i\u0064":§3}}"#,
    "{\n  \"attributes\": {\n    \"id\": §1,\n    \"name\" : §2\n  } ,\n  \"private\" : §4\n}",
    r#"{"attributes":{"id":§1,"result":§2,"bcrypt_hash":§3,"keepers":{"result":§4}},"sensitive_attributes":[]}"#,
    r#"{"attributes":{"set_sensitive":[{"name":§1,"type":"","value":§2},{"value":§3,"name":"b"}],"value":{"value":§4}}}"#,
    r#"{"attributes":{"set_sensitive":§1,"data":{"a":[§2,{"b":§3}],"value":§4},"name":"DB_PASSWORD"}}"#,
    r#"{"attributes":{"container":[{"volume":[{"name":§1,"secret":{"k":§2}},[]],"image":§3,"secure_environment_variables":[]}]}}"#,
    r#"{"attributes":{"container":{"volume":§1,"secret":§2},"init_container":[[{"secure_environment_variables":[§3]}],§4]}}"#,
    r#"{"attributes":{"data":{"value":§1,"name":"DB_PASSWORD","token":{"name":"a","value":§2}},"key":{"ada@example.com":§3}}}"#,
    r#"{"attributes":[{"result":§1},§2],"private":§3,"identity":{"result":§4}}"#,
    r#"{"attributes":§1,"result":§2,"sensitive_attributes":[]}"#,
    r#"{"attributes":{"command":["app","--db-password",§1,"--port",§2,"--token",§3]}}"#,
    r#"{"attributes":{"command":["--db-password",{"a":§1},§2,["-password"],§3,§4]}}"#,
    "{}",
];

/// Types of resources; schemas mark something in all but the first.
const TYPES: &[&str] =
    &["thing", "random_password", "helm_release", "azurerm_container_group", "some_vault_secret"];

/// What may stand at a place.
const LEAVES: &[&str] = &[
    r#""""#,
    r#""a""#,
    r#""--db-password""#,
    r#""-\u0070assword""#,
    r#""worker_3""#,
    r#""worker_35""#,
    r#""arn:aws:iam::123456789012:role/one""#,
    r#""Zk3qXv9LmT0wRb7YhU2cNd5g""#,
    r#""AKIA§§""#,
    r#""ada@example.com""#,
    r#""call 030/1234567, or \"Ada Lovelace\"""#,
    r#""a\nb\\ \u0041 hunter2-hunter2""#,
    r#""\ud83d\ude00 smile""#,
    r#""\ud83d""#,
    r#""postgres://app:hunter2-hunter2@db.example.com/app""#,
    r#""{\"password\":\"hunter2-hunter2\",\"id\":1}""#,
    r#""bnVsbA==""#,
    r#""[REDACTED:credential]""#,
    r#""zwölf große Rätsel""#,
    r#""Secret""#,
    "1",
    "12",
    "1 2",
    "-0.5e3",
    "4111111111111111",
    "12345678",
    "01",
    "null",
    "true",
    "nullx",
    "[]",
    "{}",
    r#"{"id":"x"}"#,
    "[ \"x\" , 1 ]",
];

fn pass(state: &[u8], chunk: usize, walks: bool) -> Result<(Vec<u8>, Report), Refusal> {
    let rules = super::rules();
    let mut first = TaintPass::new(&rules, [7; 16]);
    if walks {
        first = first.walking();
    }
    state.chunks(chunk).try_for_each(|piece| first.push(piece))?;
    let mut second = Redactor::new(&rules, first.finish()?, HashKey::new([9; 32]));
    let mut out = Vec::new();
    state.chunks(chunk).try_for_each(|piece| second.push(piece, &mut out))?;
    let report = second.finish(&mut out)?;
    Ok((out, report))
}

fn instance((shape, leaves): &(usize, Vec<usize>)) -> String {
    let mut text = INSTANCES[*shape].to_owned();
    for (number, leaf) in leaves.iter().enumerate() {
        // Not spelled in the source, where whoever looks for secrets would find it.
        let leaf = LEAVES[*leaf].replace("§§", "Z3QXV7LMT4WRB6YH");
        text = text.replace(&format!("§{}", number + 1), &leaf);
    }
    text
}

fn state(resources: &[Vec<(usize, Vec<usize>)>], name: &str) -> String {
    let resources: Vec<String> = resources
        .iter()
        .enumerate()
        .map(|(number, instances)| {
            // As random as what stands in it; many resources of each type.
            let named = instances.iter().map(|(shape, leaves)| shape + leaves[0]).sum::<usize>();
            let named = TYPES[named % TYPES.len()];
            let instances: Vec<String> = instances.iter().map(instance).collect();
            let header = if number % 3 == 2 {
                format!(r#""mode":"managed","type":"{named}","name":{name},"each":"list""#)
            } else {
                format!(r#""module":"module.a[\"b\"]","mode":"managed","type":"{named}","name":"n""#)
            };
            let behind = if number % 4 == 3 { r#","odd":[1]"# } else { "" };
            format!("{{{header},\"instances\":[\n {} ]{behind} }}", instances.join(" ,\n "))
        })
        .collect();
    format!(r#"{{"version":4,"resources":[ {} ],"check_results":null}}"#, resources.join(",\n"))
}

/// Leaves that a state may hold stand first, so that most states are not refused.
fn instances() -> impl Strategy<Value = Vec<Vec<(usize, Vec<usize>)>>> {
    let leaf = prop_oneof![40 => 0..10usize, 10 => 0..19usize, 1 => 0..LEAVES.len()];
    let one = (0..INSTANCES.len(), prop::collection::vec(leaf, 4));
    prop::collection::vec(prop::collection::vec(one, 0..6), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_followed_comes_out_as_what_is_walked(
        resources in instances(),
        name in 0..LEAVES.len(),
        chunk in prop_oneof![1 => 1..200usize, 3 => Just(usize::MAX)],
    ) {
        let state = state(&resources, &LEAVES[name].replace("§§", "Z3QXV7LMT4WRB6YH"));
        prop_assert_eq!(pass(state.as_bytes(), chunk, false), pass(state.as_bytes(), usize::MAX, true));
    }

    /// A byte is another one, or the state ends early: the same refusal, or the same state.
    #[test]
    fn what_is_spoiled_is_refused_where_the_walk_refuses_it(
        resources in instances(),
        at in 0.0..1.0f64,
        byte in prop::sample::select(&b"\"\\{}[]:, \n\x01\xc3\xffna0"[..]),
        cut in prop::bool::weighted(0.2),
    ) {
        let mut state = state(&resources, r#""n""#).into_bytes();
        #[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a small text")]
        let at = (at * state.len() as f64) as usize;
        if cut {
            state.truncate(at);
        } else {
            state[at] = byte;
        }
        prop_assert_eq!(pass(&state, usize::MAX, false), pass(&state, usize::MAX, true));
    }
}
