//! Terraform's own marks: the paths in an instance's `sensitive_attributes`.
//!
//! Owns the tree of marked paths and the position in it while attributes are walked. A path is an array of steps,
//! `{"type":"get_attr","value":"name"}` or `{"type":"index","value":{"value":0,"type":"number"}}` (Terraform and
//! OpenTofu, `internal/states/statefile`, `marshalPath`). Must never guess: what is not understood marks everything
//! from there on.
//!
//! A dynamic attribute is written as `{"value": …, "type": …}`, so a path may have to pass over one `value`: the marks
//! of an object therefore also hold, weakly, below its member `value`.

use serde_json::Value;

/// One step of a path.
#[derive(PartialEq, Eq)]
enum Step {
    /// Attribute, or key of a map.
    Name(Box<str>),
    /// Element of a list.
    Element(u64),
}

struct Node {
    step: Step,
    parent: u32,
    /// Everything from here on is marked.
    whole: bool,
    /// Of a schema, which knows no positions: the lists behind it are passed over.
    loose: bool,
}

/// Marks that hold at one place: a slice of [`Marks::active`].
#[derive(Clone, Copy, Default)]
pub(super) struct Here {
    start: u32,
    len: u32,
}

impl Here {
    /// No marks.
    pub(super) const NONE: Self = Self { start: 0, len: 0 };

    /// No marks here or below.
    #[inline]
    pub(super) fn is_none(self) -> bool {
        self.len == 0
    }
}

/// A position in the tree; weak when it was kept over a `value`.
#[derive(Clone, Copy)]
struct Place {
    node: u32,
    weak: bool,
}

/// What the marks say about a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Nothing, or only something below.
    Open,
    /// Marked whole.
    Whole,
}

/// The marked paths of one instance. Node 0 is the root.
#[derive(Default)]
pub(super) struct Marks {
    nodes: Vec<Node>,
    active: Vec<Place>,
}

/// Paths above this many mark everything: no provider comes near, and the tree is searched step by step.
const NODES_MAX: usize = 4096;

impl Marks {
    /// Forgets the instance.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.active.clear();
    }

    /// Takes the value of `sensitive_attributes`; the place of the attributes' root is returned.
    pub(super) fn load(&mut self, paths: &str) -> (Here, Verdict) {
        self.clear();
        let none = (Here::default(), Verdict::Open);
        let paths = match serde_json::from_str::<Value>(paths) {
            Ok(Value::Null) => return none,
            Ok(Value::Array(paths)) if paths.is_empty() => return none,
            Ok(Value::Array(paths)) => paths,
            _ => return (Here::default(), Verdict::Whole),
        };
        self.nodes.push(Node { step: Step::Element(0), parent: u32::MAX, whole: false, loose: false });
        for path in &paths {
            self.add(path);
        }
        if self.nodes[0].whole {
            return (Here::default(), Verdict::Whole);
        }
        self.active.push(Place { node: 0, weak: false });
        (Here { start: 0, len: 1 }, Verdict::Open)
    }

    /// Adds what a schema marks (`schema_marks.rs`) to what an instance does; the place of the attributes' root is returned.
    pub(super) fn add_of_schema(&mut self, paths: &[&str]) -> Here {
        if self.nodes.is_empty() {
            self.nodes.push(Node { step: Step::Element(0), parent: u32::MAX, whole: false, loose: false });
            self.active.push(Place { node: 0, weak: false });
        }
        for path in paths {
            let mut node = 0;
            for name in path.split('.') {
                node = self.child_or_new(node, Step::Name(name.into()), true);
            }
            self.nodes[usize::try_from(node).unwrap_or(0)].whole = true;
        }
        Here { start: 0, len: 1 }
    }

    fn add(&mut self, path: &Value) {
        let mut node = 0;
        let Value::Array(steps) = path else {
            self.nodes[0].whole = true;
            return;
        };
        for step in steps {
            let Some(step) = parse_step(step) else { break };
            if self.nodes.len() >= NODES_MAX {
                node = 0;
                break;
            }
            node = self.child_or_new(node, step, false);
        }
        self.nodes[usize::try_from(node).unwrap_or(0)].whole = true;
    }

    fn child_or_new(&mut self, parent: u32, step: Step, loose: bool) -> u32 {
        let same = |n: &Node| n.parent == parent && n.loose == loose && n.step == step;
        let known = self.nodes.iter().position(same);
        let index = known.unwrap_or_else(|| {
            self.nodes.push(Node { step, parent, whole: false, loose });
            self.nodes.len() - 1
        });
        u32::try_from(index).unwrap_or(0)
    }

    /// The marks of a member of the object at `here`.
    pub(super) fn member(&mut self, here: Here, key: &str) -> (Here, Verdict) {
        let keep = |_: &Self, place| (key == "value").then_some(Place { weak: true, ..place });
        self.step(here, keep, |step| matches!(step, Step::Name(name) if **name == *key))
    }

    /// The marks of an element of the array at `here`.
    pub(super) fn element(&mut self, here: Here, index: u64) -> (Here, Verdict) {
        let loose = |marks: &Self, node: usize| marks.nodes.get(node).is_some_and(|n| n.loose);
        let keep = |marks: &Self, place: Place| {
            usize::try_from(place.node).is_ok_and(|node| loose(marks, node)).then_some(place)
        };
        self.step(here, keep, |step| *step == Step::Element(index))
    }

    fn step(
        &mut self,
        here: Here,
        keep: impl Fn(&Self, Place) -> Option<Place>,
        fits: impl Fn(&Step) -> bool,
    ) -> (Here, Verdict) {
        let start = self.active.len();
        for at in here.start..here.start + here.len {
            let place = self.active[usize::try_from(at).unwrap_or(0)];
            for (index, node) in self.nodes.iter().enumerate() {
                if node.parent == place.node && fits(&node.step) {
                    if node.whole {
                        self.active.truncate(start);
                        return (Here::default(), Verdict::Whole);
                    }
                    self.active.push(Place { node: u32::try_from(index).unwrap_or(0), weak: false });
                }
            }
            if let Some(kept) = keep(self, place) {
                self.active.push(kept);
            }
        }
        let len = u32::try_from(self.active.len() - start).unwrap_or(0);
        (Here { start: u32::try_from(start).unwrap_or(0), len }, Verdict::Open)
    }

    /// Leaves a place that `member` or `element` gave.
    pub(super) fn leave(&mut self, here: Here) {
        if here.len > 0 {
            self.active.truncate(usize::try_from(here.start).unwrap_or(0));
        }
    }

    /// The value at `here` is an object, an array or a leaf: marks that name steps it cannot have hold for the whole of it.
    pub(super) fn shape(&self, here: Here, shape: Shape) -> Verdict {
        let places =
            usize::try_from(here.start).unwrap_or(0)..usize::try_from(here.start + here.len).unwrap_or(0);
        let unfit = self.active[places].iter().filter(|p| !p.weak).any(|place| {
            self.nodes.iter().filter(|n| n.parent == place.node).any(|node| match shape {
                Shape::Leaf => true,
                Shape::Object => matches!(node.step, Step::Element(_)),
                Shape::Array => matches!(node.step, Step::Name(_)) && !node.loose,
            })
        });
        if unfit { Verdict::Whole } else { Verdict::Open }
    }

    /// Whether a marked path begins with the attribute that a flat key (`a.0.b`) begins with.
    pub(super) fn covers_flat(&self, key: &str) -> bool {
        let head = key.split('.').next().unwrap_or(key);
        self.nodes.iter().any(|n| n.parent == 0 && matches!(&n.step, Step::Name(name) if **name == *head))
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * (size_of::<Node>() + 32) + self.active.capacity() * size_of::<Place>()
    }
}

/// Kind of a value, as far as marks care.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// String, number, boolean.
    Leaf,
    Object,
    Array,
}

fn parse_step(step: &Value) -> Option<Step> {
    let kind = step.get("type")?.as_str()?;
    let value = step.get("value")?;
    match kind {
        "get_attr" => Some(Step::Name(value.as_str()?.into())),
        "index" => {
            let key = value.get("value")?;
            match value.get("type")?.as_str()? {
                "string" => Some(Step::Name(key.as_str()?.into())),
                "number" => {
                    let index = key.as_u64().or_else(|| key.as_str().and_then(|text| text.parse().ok()));
                    index.map(Step::Element)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn here(place: (Here, Verdict)) -> Here {
        place.0
    }

    #[test]
    fn paths_mark_what_they_name_and_nothing_beside_it() {
        let mut marks = Marks::default();
        let (root, _) = marks.load(
            r#"[[{"type":"get_attr","value":"a"},{"type":"index","value":{"value":1,"type":"number"}}],
                [{"type":"get_attr","value":"m"},{"type":"index","value":{"value":"k","type":"string"}}]]"#,
        );
        let a = here(marks.member(root, "a"));
        assert_eq!(marks.element(a, 1).1, Verdict::Whole);
        assert_eq!(marks.element(a, 0).1, Verdict::Open);
        assert_eq!(marks.shape(a, Shape::Array), Verdict::Open);
        assert_eq!(marks.shape(a, Shape::Object), Verdict::Whole);
        assert_eq!(marks.shape(a, Shape::Leaf), Verdict::Whole);
        marks.leave(a);
        let m = here(marks.member(root, "m"));
        assert_eq!(marks.member(m, "k").1, Verdict::Whole);
        assert_eq!(marks.member(m, "l").1, Verdict::Open);
        assert!(here(marks.member(root, "z")).is_none());
    }

    #[test]
    fn what_a_schema_marks_is_found_in_every_element() {
        let mut marks = Marks::default();
        marks.load("[]");
        let root = marks.add_of_schema(&["set_sensitive.value", "result"]);
        assert_eq!(marks.member(root, "result").1, Verdict::Whole);
        let set = here(marks.member(root, "set_sensitive"));
        assert_eq!(marks.shape(set, Shape::Array), Verdict::Open);
        let third = here(marks.element(set, 3));
        assert_eq!(marks.member(third, "value").1, Verdict::Whole);
        assert_eq!(marks.member(third, "name").1, Verdict::Open);
        // Beside the marks of an instance.
        let (root, _) = marks.load(r#"[[{"type":"get_attr","value":"a"}]]"#);
        assert_eq!(marks.add_of_schema(&["b"]).len, root.len);
        assert_eq!((marks.member(root, "a").1, marks.member(root, "b").1), (Verdict::Whole, Verdict::Whole));
    }

    #[test]
    fn a_dynamic_wrapper_is_passed_over() {
        let mut marks = Marks::default();
        let (root, _) =
            marks.load(r#"[[{"type":"get_attr","value":"input"},{"type":"get_attr","value":"password"}]]"#);
        let input = here(marks.member(root, "input"));
        let value = here(marks.member(input, "value"));
        assert_eq!(marks.shape(value, Shape::Leaf), Verdict::Open);
        assert_eq!(marks.member(value, "password").1, Verdict::Whole);
    }

    #[test]
    fn what_is_not_understood_marks_everything_from_there_on() {
        let mut marks = Marks::default();
        for paths in [r#""a""#, "{}", "[1]", "[[]]", r#"[[{"type":"splat"}]]"#, r#"["a.b"]"#] {
            assert_eq!(marks.load(paths).1, Verdict::Whole, "{paths}");
        }
        let (root, verdict) = marks.load(
            r#"[[{"type":"get_attr","value":"s"},{"type":"index","value":{"value":{"a":1},"type":["object",{}]}}]]"#,
        );
        assert_eq!(verdict, Verdict::Open);
        assert_eq!(marks.member(root, "s").1, Verdict::Whole);
        assert_eq!(marks.member(root, "t").1, Verdict::Open);
        for paths in ["null", "[]"] {
            assert_eq!(marks.load(paths).1, Verdict::Open);
        }
    }
}
