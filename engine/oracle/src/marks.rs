//! Terraform's marks as what they are: a list of paths, each followed on its own.
//!
//! Must never guess: a path that is not understood holds for everything from there on.

use serde_json::Value;

use crate::json::Node;

/// One step of a path.
#[derive(Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Element(u64),
}

/// The rest of one path, seen from some value.
#[derive(Clone)]
pub struct Path {
    steps: Vec<Step>,
    /// Kept over a `value`, which may be a dynamic attribute's wrapper: forces nothing by its shape.
    weak: bool,
    /// Of a schema, which knows no positions.
    of_schema: bool,
    /// Its first step was taken.
    begun: bool,
}

impl Path {
    /// Everything from here on is marked.
    pub fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }
}

/// The marks of an instance by its `sensitive_attributes` (JSON). An empty path marks the whole.
pub fn read(json: &str) -> Vec<Path> {
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Null) => Vec::new(),
        Ok(Value::Array(paths)) => paths.iter().map(path).collect(),
        _ => vec![of_instance(Vec::new())],
    }
}

fn of_instance(steps: Vec<Step>) -> Path {
    Path { steps, weak: false, of_schema: false, begun: false }
}

/// The marks of a schema: names with dots between them.
pub fn of_schema(path: &str) -> Path {
    let steps = path.split('.').map(|name| Step::Name(name.to_owned())).collect();
    Path { of_schema: true, ..of_instance(steps) }
}

fn path(path: &Value) -> Path {
    let steps = path.as_array().map(Vec::as_slice).unwrap_or_default();
    of_instance(steps.iter().map_while(step).collect())
}

fn step(step: &Value) -> Option<Step> {
    let value = step.get("value")?;
    match step.get("type")?.as_str()? {
        "get_attr" => Some(Step::Name(value.as_str()?.to_owned())),
        "index" => match value.get("type")?.as_str()? {
            "string" => Some(Step::Name(value.get("value")?.as_str()?.to_owned())),
            "number" => {
                let index = value.get("value")?;
                let index = index.as_u64().or_else(|| index.as_str().and_then(|text| text.parse().ok()));
                Some(Step::Element(index?))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether the paths hide the whole of this value.
pub fn hide(paths: &[Path], node: &Node) -> bool {
    paths.iter().any(|path| match (path.steps.first(), node) {
        (None, _) => true,
        (Some(Step::Name(_)), Node::Object(_)) | (Some(Step::Element(_)), Node::List(_)) => false,
        (Some(_), Node::List(_)) if path.of_schema => false,
        // It leads to where this value cannot go.
        _ => !path.weak,
    })
}

/// The paths seen from a member.
pub fn member(paths: &[Path], key: &str) -> Vec<Path> {
    let mut below = along(paths, &Step::Name(key.to_owned()));
    if key == "value" {
        below.extend(paths.iter().map(|path| Path { weak: true, ..path.clone() }));
    }
    below
}

/// The paths seen from an element.
pub fn element(paths: &[Path], index: usize) -> Vec<Path> {
    let mut below =
        u64::try_from(index).map_or_else(|_| Vec::new(), |index| along(paths, &Step::Element(index)));
    below.extend(paths.iter().filter(|path| path.of_schema && path.begun).cloned());
    below
}

fn along(paths: &[Path], step: &Step) -> Vec<Path> {
    let fits = |path: &&Path| path.steps.first() == Some(step);
    let next = |path: &Path| Path { steps: path.steps[1..].to_vec(), weak: false, begun: true, ..*path };
    paths.iter().filter(fits).map(next).collect()
}

/// Whether a path begins with the attribute that a flat key (`a.0.b`) begins with.
pub fn cover_flat(paths: &[Path], key: &str) -> bool {
    let head = key.split('.').next().unwrap_or(key);
    paths.iter().any(|path| matches!(path.steps.first(), Some(Step::Name(name)) if name == head))
}

/// All `sensitive_attributes` of a state, as JSON.
pub fn texts(state: &[u8]) -> Vec<String> {
    let state: Value = serde_json::from_slice(state).unwrap_or_default();
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let instances = list(&state, "resources").into_iter().flat_map(|resource| list(&resource, "instances"));
    instances.map(|instance| instance["sensitive_attributes"].to_string()).collect()
}
