//! Columns and their parts, by path.

use arrow_schema::{DataType, Field, Schema};

/// A column or a part of it. Children of a struct are `person.iban`, items of a list `tags[]`;
/// readers of JSON Lines name their flat columns that way already.
#[derive(Debug)]
pub(super) struct Branch<'s> {
    pub(super) path: String,
    pub(super) field: &'s Field,
    pub(super) part: Part<'s>,
}

#[derive(Debug)]
pub(super) enum Part<'s> {
    Leaf,
    Struct(Vec<Branch<'s>>),
    List(Box<Branch<'s>>),
}

impl<'s> Branch<'s> {
    pub(super) fn new(path: String, field: &'s Field) -> Branch<'s> {
        let part = match field.data_type() {
            DataType::Struct(fields) if !fields.is_empty() => {
                let child =
                    |field: &'s Field| Branch::new(format!("{path}.{}", field.name()), field);
                Part::Struct(fields.iter().map(|field| child(field)).collect())
            }
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Part::List(Box::new(Branch::new(item_path(&path), item)))
            }
            _ => Part::Leaf,
        };
        Branch { path, field, part }
    }

    /// Paths of the leaves below, in order.
    pub(super) fn leaf_paths(&self) -> Vec<&str> {
        match &self.part {
            Part::Leaf => vec![&self.path],
            Part::Struct(children) => children.iter().flat_map(Branch::leaf_paths).collect(),
            Part::List(item) => item.leaf_paths(),
        }
    }

    /// Every name a policy may use for this branch or one below.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names = vec![self.path.as_str()];
        match &self.part {
            Part::Leaf => {}
            Part::Struct(children) => names.extend(children.iter().flat_map(Branch::names)),
            Part::List(item) => names.extend(item.names()),
        }
        names.dedup();
        names
    }
}

fn item_path(path: &str) -> String {
    if path.contains("[]") { path.to_owned() } else { format!("{path}[]") }
}

/// A leaf of a schema.
pub(crate) struct Leaf {
    path: String,
    pub(crate) data_type: DataType,
    /// The column is a list of these.
    list: Option<String>,
}

impl Leaf {
    /// Whether a policy that says `name` means this leaf.
    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.path == name || self.list.as_deref() == Some(name)
    }
}

/// The leaves of a schema, in order.
pub(crate) fn leaves(schema: &Schema) -> Vec<Leaf> {
    fn collect(branch: &Branch<'_>, list: Option<&str>, leaves: &mut Vec<Leaf>) {
        match &branch.part {
            Part::Leaf => leaves.push(Leaf {
                path: branch.path.clone(),
                data_type: branch.field.data_type().clone(),
                list: list.map(str::to_owned),
            }),
            Part::Struct(children) => {
                children.iter().for_each(|child| collect(child, None, leaves))
            }
            Part::List(item) => collect(item, Some(&branch.path), leaves),
        }
    }
    let mut leaves = Vec::new();
    for field in schema.fields() {
        collect(&Branch::new(field.name().clone(), field), None, &mut leaves);
    }
    leaves
}

/// Every name a policy may use for a column of the schema or a part of one.
pub(crate) fn names(schema: &Schema) -> Vec<String> {
    let fields = schema.fields().iter();
    fields
        .flat_map(|field| {
            let branch = Branch::new(field.name().clone(), field);
            branch.names().into_iter().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether `path` is a part of the column `whole`.
pub(crate) fn is_inside(path: &str, whole: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.starts_with('.') || rest.starts_with("[]"))
}

/// Whether a pattern matches a name, upper and lower case apart: `*` is any run of characters, `?` is
/// one; all else is itself.
#[must_use]
pub fn glob_matches(glob: &str, name: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut g, mut n) = (0, 0);
    // Where the last star stood, and how much it has taken: it takes one more on each failure.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                g += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    g = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (glob, name, expected) in [
            ("*_email", "work_email", true),
            ("*_email", "_email", true),
            ("*_email", "email", false),
            ("*_email", "work_email_2", false),
            ("person.*", "person.iban", true),
            ("items[].*", "items[].name", true),
            ("items[].*", "items.name", false),
            ("*", "", true),
            ("?", "ü", true),
            ("?", "", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("Email", "email", false),
            ("", "", true),
            ("", "a", false),
            ("***a", "bca", true),
        ] {
            assert_eq!(glob_matches(glob, name), expected, "{glob} on {name}");
        }
        // Linear in the product: no blow-up.
        assert!(!glob_matches(&"*a".repeat(200), &"b".repeat(1_000)));
    }

    #[test]
    fn parts_are_inside_their_whole() {
        assert!(is_inside("person.iban", "person"));
        assert!(is_inside("tags[]", "tags"));
        assert!(!is_inside("personal", "person"));
        assert!(!is_inside("person", "person"));
    }
}
