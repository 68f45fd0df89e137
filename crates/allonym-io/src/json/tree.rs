//! The fields of a JSON Lines file, and which of them are columns.

use super::token::{Flaw, Kind, Token, unescape};
use crate::columns::COLUMNS_MAX;
use std::collections::HashMap;
use std::fmt;

/// Fields below fields; node 0 is the object of a line.
#[derive(Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Leaves that appeared.
    appeared: usize,
    leaves: Vec<Leaf>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    parent: usize,
    /// Which child of its parent it is.
    place: usize,
    /// `None` for the items of an array.
    key: Option<Box<str>>,
    children: Vec<usize>,
    by_key: HashMap<Box<str>, usize>,
    items: Option<usize>,
    /// When a scalar first stood here.
    leaf: Option<usize>,
    /// Scalars here were null without exception.
    only_null: bool,
    column: Option<usize>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

/// A column: its path and whether a row may have many of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) path: String,
    pub(crate) list: bool,
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Flaw(Flaw),
    /// A leaf that is no column.
    New(usize),
    /// A field that is no node.
    Unknown,
    TooMany,
}

/// What a walk needs besides the tree.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// For each node the last object it was seen in, to find keys that stand twice.
    seen: Vec<u64>,
    object: u64,
    key: Vec<u8>,
}

impl Tree {
    pub(crate) fn new() -> Tree {
        Tree { nodes: vec![Node::default()], appeared: 0, leaves: Vec::new() }
    }

    /// Meets every scalar of a line in order.
    pub(crate) fn walk(
        &self,
        walk: &mut Walk,
        text: &[u8],
        tokens: &[Token],
        meet: &mut impl FnMut(usize, Token) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        walk.seen.resize(self.nodes.len(), 0);
        self.object(walk, text, tokens, ROOT, 0, meet).map(|_| ())
    }

    /// Makes nodes of all fields of a line.
    pub(crate) fn grow(&mut self, text: &[u8], tokens: &[Token]) -> Result<(), Stop> {
        let mut key = Vec::new();
        // Where each open bracket hangs, and whether it is that of an array.
        let mut open: Vec<(usize, bool)> = Vec::new();
        let mut node = ROOT;
        for token in tokens {
            match token.kind {
                Kind::Key => {
                    let (parent, _) = *open.last().expect("a key stands in an object");
                    node = self.child_or_new(parent, text, *token, &mut key)?;
                }
                Kind::ObjectOpen => open.push((node, false)),
                Kind::ArrayOpen => {
                    // Arrays in arrays are one array of leaves.
                    if !matches!(open.last(), Some((_, true))) {
                        node = self.items_or_new(node)?;
                    }
                    open.push((node, true));
                }
                Kind::Close => {
                    open.pop();
                    node = open.last().map_or(ROOT, |(node, _)| *node);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn object(
        &self,
        walk: &mut Walk,
        text: &[u8],
        tokens: &[Token],
        node: usize,
        open: usize,
        meet: &mut impl FnMut(usize, Token) -> Result<(), Stop>,
    ) -> Result<usize, Stop> {
        walk.object += 1;
        let object = walk.object;
        let (mut at, mut hint) = (open + 1, 0);
        while tokens[at].kind != Kind::Close {
            let child = self.child(node, text, tokens[at], &mut walk.key, &mut hint);
            let child = child.ok_or(Stop::Unknown)?;
            if walk.seen[child] == object {
                let what = "a key stands twice in one object";
                return Err(Stop::Flaw(Flaw { what, at: tokens[at].start }));
            }
            walk.seen[child] = object;
            at = self.value(walk, text, tokens, child, at + 1, false, meet)?;
        }
        Ok(at + 1)
    }

    fn value(
        &self,
        walk: &mut Walk,
        text: &[u8],
        tokens: &[Token],
        node: usize,
        at: usize,
        in_array: bool,
        meet: &mut impl FnMut(usize, Token) -> Result<(), Stop>,
    ) -> Result<usize, Stop> {
        match tokens[at].kind {
            Kind::ObjectOpen => self.object(walk, text, tokens, node, at, meet),
            Kind::ArrayOpen => {
                let items = if in_array { Some(node) } else { self.items(node) };
                let items = items.ok_or(Stop::Unknown)?;
                let mut at = at + 1;
                while tokens[at].kind != Kind::Close {
                    at = self.value(walk, text, tokens, items, at, true, meet)?;
                }
                Ok(at + 1)
            }
            _ => {
                meet(node, tokens[at])?;
                Ok(at + 1)
            }
        }
    }

    /// Whether noting a scalar here would teach nothing.
    pub(crate) fn knows(&self, node: usize, null: bool) -> bool {
        let node = &self.nodes[node];
        node.leaf.is_some() && (null || !node.only_null)
    }

    /// Notes that a scalar stands here.
    pub(crate) fn note(&mut self, node: usize, null: bool) {
        let appeared = self.appeared;
        let known = &mut self.nodes[node];
        if known.leaf.is_none() {
            known.leaf = Some(appeared);
            known.only_null = true;
            self.appeared += 1;
        }
        known.only_null &= null;
    }

    /// Makes columns of the leaves noted so far, in the order they appeared. A field that is
    /// null in some lines and an object or array in others is no leaf.
    pub(crate) fn settle(&mut self) {
        let mut leaves: Vec<(usize, usize)> = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(appeared) = node.leaf
                && !(node.only_null && self.has_leaves_below(at))
            {
                leaves.push((appeared, at));
            }
        }
        leaves.sort_unstable();
        for (column, (_, at)) in leaves.iter().enumerate() {
            self.nodes[*at].column = Some(column);
        }
        let leaf = |(_, at)| Leaf { path: self.path(at), list: self.is_list(at) };
        self.leaves = leaves.into_iter().map(leaf).collect();
    }

    /// The columns, once settled.
    pub(crate) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Whether other lines have an object or array here, with columns in it.
    pub(crate) fn is_inner(&self, node: usize) -> bool {
        self.has_leaves_below(node)
    }

    pub(crate) fn column(&self, node: usize) -> Option<usize> {
        self.nodes[node].column
    }

    /// For each node whether it holds columns and `of` all of them, itself included.
    pub(crate) fn all_below(&self, of: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut columns = vec![(0_usize, 0_usize); self.nodes.len()];
        // A node is made after its parent, so children come first from the end.
        for at in (0..self.nodes.len()).rev() {
            if let Some(column) = self.nodes[at].column {
                columns[at].0 += 1;
                columns[at].1 += usize::from(of(column));
            }
            if at != ROOT {
                let (all, matching) = columns[at];
                let parent = &mut columns[self.nodes[at].parent];
                *parent = (parent.0 + all, parent.1 + matching);
            }
        }
        columns.into_iter().map(|(all, matching)| all > 0 && all == matching).collect()
    }

    /// The field of a key; `hint` is where among the children it is looked for first.
    pub(crate) fn child(
        &self,
        node: usize,
        text: &[u8],
        key: Token,
        scratch: &mut Vec<u8>,
        hint: &mut usize,
    ) -> Option<usize> {
        scratch.clear();
        unescape(text, key, scratch);
        let node = &self.nodes[node];
        if let Some(child) = node.children.get(*hint)
            && self.nodes[*child].key.as_deref().map(str::as_bytes) == Some(scratch)
        {
            *hint += 1;
            return Some(*child);
        }
        let child = *node.by_key.get(std::str::from_utf8(scratch).ok()?)?;
        *hint = self.nodes[child].place + 1;
        Some(child)
    }

    pub(crate) fn items(&self, node: usize) -> Option<usize> {
        self.nodes[node].items
    }

    /// `person.name`, `items[].id`; a key that holds a dot, bracket or quote stands in quotes.
    pub(crate) fn path(&self, node: usize) -> String {
        let mut parts = Vec::new();
        let mut at = node;
        while at != ROOT {
            parts.push(at);
            at = self.nodes[at].parent;
        }
        let mut path = String::new();
        for at in parts.into_iter().rev() {
            match &self.nodes[at].key {
                None => path.push_str("[]"),
                Some(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    if key.is_empty() || key.contains(['.', '[', ']', '"', '\\']) {
                        path.push('"');
                        path.push_str(&key.replace('\\', "\\\\").replace('"', "\\\""));
                        path.push('"');
                    } else {
                        path.push_str(key);
                    }
                }
            }
        }
        path
    }

    fn is_list(&self, node: usize) -> bool {
        let mut at = node;
        while at != ROOT {
            if self.nodes[at].key.is_none() {
                return true;
            }
            at = self.nodes[at].parent;
        }
        false
    }

    fn has_leaves_below(&self, node: usize) -> bool {
        let node = &self.nodes[node];
        let below = |at: &usize| self.nodes[*at].leaf.is_some() || self.has_leaves_below(*at);
        node.children.iter().chain(&node.items).any(below)
    }

    fn child_or_new(
        &mut self,
        node: usize,
        text: &[u8],
        key: Token,
        scratch: &mut Vec<u8>,
    ) -> Result<usize, Stop> {
        if let Some(child) = self.child(node, text, key, scratch, &mut 0) {
            return Ok(child);
        }
        let key: Box<str> = String::from_utf8_lossy(scratch).into();
        let child = self.add(node, Some(key.clone()))?;
        let parent = &mut self.nodes[node];
        let place = parent.children.len();
        parent.children.push(child);
        parent.by_key.insert(key, child);
        self.nodes[child].place = place;
        Ok(child)
    }

    fn items_or_new(&mut self, node: usize) -> Result<usize, Stop> {
        if let Some(items) = self.nodes[node].items {
            return Ok(items);
        }
        let items = self.add(node, None)?;
        self.nodes[node].items = Some(items);
        Ok(items)
    }

    fn add(&mut self, parent: usize, key: Option<Box<str>>) -> Result<usize, Stop> {
        if self.nodes.len() > COLUMNS_MAX {
            return Err(Stop::TooMany);
        }
        self.nodes.push(Node { parent, key, ..Node::default() });
        Ok(self.nodes.len() - 1)
    }
}

pub(crate) const ROOT: usize = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::token::tokenize;

    fn tree(lines: &[&str]) -> Result<(Tree, Vec<Leaf>), Stop> {
        let (mut tree, mut walk, mut tokens) = (Tree::new(), Walk::default(), Vec::new());
        for line in lines {
            tokenize(line.as_bytes(), &mut tokens).map_err(Stop::Flaw)?;
            tree.grow(line.as_bytes(), &tokens)?;
            let mut met = Vec::new();
            tree.walk(&mut walk, line.as_bytes(), &tokens, &mut |node, token| {
                met.push((node, token.kind == Kind::Null));
                Ok(())
            })?;
            met.into_iter().for_each(|(node, null)| tree.note(node, null));
        }
        tree.settle();
        let leaves = tree.leaves().to_vec();
        Ok((tree, leaves))
    }

    #[test]
    fn leaves_have_paths_in_order_of_appearance() {
        let check = |lines: &[&str], expected: &[(&str, bool)]| {
            let (_, leaves) = tree(lines).unwrap();
            let leaves: Vec<_> =
                leaves.iter().map(|leaf| (leaf.path.as_str(), leaf.list)).collect();
            assert_eq!(leaves, expected, "{lines:?}");
        };
        check(&["{}"], &[]);
        check(
            &[r#"{"b":1,"a":{"d":null,"c":"x"}}"#],
            &[("b", false), ("a.d", false), ("a.c", false)],
        );
        check(&[r#"{"b":1}"#, r#"{"a":2,"b":3}"#], &[("b", false), ("a", false)]);
        check(&[r#"{"i":[{"n":1},{"n":2,"m":[3,[4]]}]}"#], &[("i[].n", true), ("i[].m[]", true)]);
        check(&[r#"{"t":["x",["y"],[]]}"#], &[("t[]", true)]);
        check(&[r#"{"a":null}"#, r#"{"a":{"b":1}}"#], &[("a.b", false)]);
        check(&[r#"{"a":null}"#, r#"{"a":{}}"#], &[("a", false)]);
        check(&[r#"{"a":1}"#, r#"{"a":{"b":1}}"#], &[("a", false), ("a.b", false)]);
        check(&[r#"{"a":[]}"#, r#"{"a":{}}"#], &[]);
        check(
            &[r#"{"a.b":1,"c[":2,"":3,"d\"e":4,"ü":5,"\u00fc2":6}"#],
            &[
                ("\"a.b\"", false),
                ("\"c[\"", false),
                ("\"\"", false),
                ("\"d\\\"e\"", false),
                ("ü", false),
                ("ü2", false),
            ],
        );
    }

    #[test]
    fn a_key_stands_once_in_an_object() {
        let check = |line: &str| {
            assert!(matches!(tree(&[line]), Err(Stop::Flaw(flaw)) if flaw.what.contains("twice")));
        };
        check(r#"{"a":1,"a":2}"#);
        check(r#"{"a":1,"\u0061":2}"#);
        check(r#"{"a":{"b":{},"b":{}}}"#);
        check(r#"{"a":[{"b":1,"b":1}]}"#);
        assert!(tree(&[r#"{"a":[{"b":1},{"b":1}],"c":{"a":1}}"#]).is_ok());
    }

    #[test]
    fn keys_that_are_data_are_too_many() {
        let lines: Vec<String> = (0..=COLUMNS_MAX).map(|key| format!("{{\"k{key}\":1}}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(tree(&lines).map(|_| ()), Err(Stop::TooMany));
        assert!(tree(&lines[1..]).is_ok());
    }

    #[test]
    fn a_field_is_dropped_with_all_its_leaves() {
        let (tree, leaves) = tree(&[r#"{"a":{"b":1,"c":{"d":2}},"e":[3],"f":{}}"#]).unwrap();
        let below = tree.all_below(|column| leaves[column].path != "a.b");
        let paths: Vec<String> =
            (1..below.len()).filter(|node| below[*node]).map(|node| tree.path(node)).collect();
        assert_eq!(paths, ["a.c", "a.c.d", "e", "e[]"]);
    }
}
