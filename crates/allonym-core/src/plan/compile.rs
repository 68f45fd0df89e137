//! From policy, schema and keys to a plan, or to the list of all that is wrong.

use super::tree::{Branch, Part, glob_matches, is_inside, names};
use super::{Node, Plan, PlanError, PlannedColumn, Spelling};
use crate::codes;
use crate::counts::grouped;
use crate::policy::{
    Consistency, FORMATS, Generalize, Listed, Pattern, Policy, Pseudonymize, Replacement, Text,
    Treatment, Unlisted,
};
use crate::treat::{InText, Kernel, PLANTED_LABEL, Sentinels, Tokens, Treat, Typed, Wanted, fits};
use crate::wording::{listed, nearest, quoted};
use allonym_keys::{
    Key, KeyError, KeyState, Keyring, Profile, TokenFormat, Tokenizer, collision_probability,
    is_text_label,
};
use allonym_recognize::{EntityId, Recognizer, RuleSet};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

pub(super) fn plan(
    policy: &Policy,
    schema: &SchemaRef,
    keys: Option<&Keyring>,
    recognizer: Option<Arc<Recognizer>>,
    judged: &BTreeMap<String, String>,
) -> Result<Plan, PlanError> {
    let mut compiler = Compiler {
        policy,
        keys,
        key: None,
        recognizer,
        judged,
        sentinels: Arc::new(Sentinels(policy.sentinels.iter().cloned().collect())),
        columns: Vec::new(),
        joins: BTreeMap::new(),
        unlisted: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    compiler.check_names(schema);
    compiler.check_entities();
    let (mut nodes, mut fields, mut untouched) = (Vec::new(), Vec::new(), Vec::new());
    for (at, field) in schema.fields().iter().enumerate() {
        let branch = Branch::new(field.name().clone(), field);
        let (node, output) = compiler.branch(&branch, field);
        if let Some(output) = output {
            untouched.push(node.is_untouched().then_some(at));
            fields.push(output);
        }
        nodes.push(node);
    }
    compiler.check_joins();
    compiler.check_collisions();
    compiler.check_unlisted();
    compiler.tell_what_is_narrowed();
    if let Some(error) = error_of(compiler.problems) {
        return Err(error);
    }
    let used = compiler.key.as_ref().map(|key| {
        let info = key.info();
        (info.id.clone(), info.epoch, policy.keys.domain.clone())
    });
    Ok(Plan {
        input: Arc::clone(schema),
        output: Arc::new(Schema::new_with_metadata(fields, output_notes(schema, &untouched))),
        nodes,
        untouched,
        columns: compiler.columns,
        warnings: compiler.warnings,
        keys: used.into_iter().collect(),
        row_expiry: None,
    })
}

/// Something wrong; `exit` by contracts.
struct Problem {
    exit: u8,
    code: &'static str,
    message: String,
    hint: Option<String>,
}

struct Compiler<'a> {
    policy: &'a Policy,
    keys: Option<&'a Keyring>,
    /// Taken from the ring when the first column needs it.
    key: Option<Key<'a>>,
    recognizer: Option<Arc<Recognizer>>,
    judged: &'a BTreeMap<String, String>,
    sentinels: Arc<Sentinels>,
    columns: Vec<PlannedColumn>,
    /// Columns of each join field, in order.
    joins: BTreeMap<String, Vec<Joined>>,
    unlisted: Vec<String>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

/// A pseudonymized column, for comparing it with others of its field.
struct Joined {
    column: String,
    /// The policy says `join`.
    declared: bool,
    profile: Profile,
    format: TokenFormat,
    consistency: Consistency,
}

impl<'a> Compiler<'a> {
    /// Columns the data has twice, and columns it does not have.
    fn check_names(&mut self, schema: &Schema) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut twice: BTreeSet<&str> = BTreeSet::new();
        let branches: Vec<Branch<'_>> =
            schema.fields().iter().map(|field| Branch::new(field.name().clone(), field)).collect();
        for branch in &branches {
            for name in branch.names() {
                if !seen.insert(name) {
                    twice.insert(name);
                }
            }
        }
        if !twice.is_empty() {
            self.problem(
                3,
                codes::DUPLICATE,
                format!("the data has {} more than once", some(&twice)),
            );
            self.hint("give each column a name of its own");
        }
        let absent: Vec<&Listed> = self
            .policy
            .columns
            .iter()
            .filter(|listed| !seen.contains(listed.name.as_str()))
            .collect();
        for listed in absent {
            let name = listed.name.as_str();
            let meant = nearest(name, seen.iter().copied()).map(str::to_owned);
            let line = listed.line.map_or_else(String::new, |line| format!(" in line {line}"));
            self.problem(
                3,
                codes::ABSENT,
                format!(
                    "the policy names the column {}{line}, which the data does not have",
                    quoted(name)
                ),
            );
            match meant {
                Some(meant) => self.hint(&format!("did you mean {}?", quoted(&meant))),
                None => {
                    self.hint("remove it from the policy, or check that this is the right file")
                }
            }
        }
    }

    /// Entities the policy names and no rule knows.
    fn check_entities(&mut self) {
        let mut wanted: Vec<(&str, String)> = Vec::new();
        for (name, find) in &self.policy.find.entities {
            // A deny list may bring a new entity.
            if find.deny.is_empty() {
                wanted.push((name, format!("find.entities.{name}")));
            }
        }
        for matched in &self.policy.matches {
            if let Pattern::Entity(name) = &matched.pattern {
                wanted.push((name, "[[match]]".to_owned()));
            }
        }
        if wanted.is_empty() {
            return;
        }
        let known = self.entity_names();
        for (name, place) in wanted {
            if !known.contains(name) {
                self.unknown_entity(name, &place, &known);
            }
        }
    }

    fn unknown_entity(&mut self, name: &str, place: &str, known: &BTreeSet<String>) {
        let meant = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        self.problem(
            2,
            codes::ENTITY,
            format!("{place}: no rule knows the entity {}", quoted(name)),
        );
        match meant {
            Some(meant) => self.hint(&format!("did you mean {}?", quoted(&meant))),
            None => self.hint("allonym rules list"),
        }
    }

    /// Every entity that a rule of ours or of the recognizer knows.
    fn entity_names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            RuleSet::builtin().entities().iter().map(|entity| entity.name.clone()).collect();
        if let Some(recognizer) = &self.recognizer {
            names.extend(recognizer.rules().entities().iter().map(|entity| entity.name.clone()));
        }
        let denied = self.policy.find.entities.iter().filter(|(_, find)| !find.deny.is_empty());
        names.extend(denied.map(|(name, _)| name.clone()));
        names.extend(NAMED_BY_CONTRACT.iter().map(|(name, _)| (*name).to_owned()));
        names
    }

    fn branch(&mut self, branch: &Branch<'_>, field: &FieldRef) -> (Node, Option<FieldRef>) {
        match &branch.part {
            Part::Leaf => self.leaf(&branch.path, &[&branch.path], field),
            Part::Struct(children) => match self.whole(branch, field) {
                Some(done) => done,
                None => self.structure(children, field),
            },
            Part::List(item) => {
                let is_flat = matches!(item.part, Part::Leaf);
                if let Some(done) = self.whole(branch, field) {
                    return done;
                }
                let (DataType::List(inner)
                | DataType::LargeList(inner)
                | DataType::FixedSizeList(inner, _)) = field.data_type()
                else {
                    return self.leaf(&branch.path, &[&branch.path], field);
                };
                let (node, output) = if is_flat {
                    self.leaf(&item.path, &[&item.path, &branch.path], inner)
                } else {
                    self.branch(item, inner)
                };
                let output = output.map(|inner| {
                    let data_type = match field.data_type() {
                        DataType::LargeList(_) => DataType::LargeList(inner),
                        DataType::FixedSizeList(_, size) => DataType::FixedSizeList(inner, *size),
                        _ => DataType::List(inner),
                    };
                    Arc::new(field.as_ref().clone().with_data_type(data_type))
                });
                (Node::List { item: Box::new(node), output: output.clone() }, output)
            }
        }
    }

    fn structure(&mut self, children: &[Branch<'_>], field: &FieldRef) -> (Node, Option<FieldRef>) {
        let DataType::Struct(fields) = field.data_type() else {
            return (Node::Struct { children: Vec::new(), output: None }, None);
        };
        let (mut nodes, mut outputs) = (Vec::new(), Vec::new());
        for (child, field) in children.iter().zip(fields) {
            let (node, output) = self.branch(child, field);
            nodes.push(node);
            outputs.extend(output);
        }
        let output = (!outputs.is_empty()).then(|| {
            let data_type = DataType::Struct(Fields::from(outputs));
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        });
        (Node::Struct { children: nodes, output: output.clone() }, output)
    }

    /// An entry for a nested column itself: kept, dropped or made null whole.
    fn whole(&mut self, branch: &Branch<'_>, field: &FieldRef) -> Option<(Node, Option<FieldRef>)> {
        let policy = self.policy;
        let listed = policy.columns.iter().find(|listed| listed.name == branch.path)?;
        let inner: Vec<&str> = match &branch.part {
            Part::Leaf => Vec::new(),
            Part::Struct(children) => children.iter().flat_map(Branch::names).collect(),
            Part::List(item) => item.names(),
        };
        let is_list_of_leaves =
            matches!(&branch.part, Part::List(item) if matches!(item.part, Part::Leaf));
        let also: Vec<&str> = inner
            .into_iter()
            .filter(|name| *name != branch.path && policy.columns.iter().any(|l| l.name == *name))
            .collect();
        if let Some(part) = also.first() {
            self.problem(
                2,
                codes::CONFLICT,
                format!(
                    "{} is listed whole, and so is its part {}",
                    quoted(&branch.path),
                    quoted(part)
                ),
            );
            self.hint("list the column or its parts, not both");
        }
        // The column of a reader that names columns by the path of their items: the items are meant.
        if is_list_of_leaves && branch.path.contains("[]") {
            return None;
        }
        let name = listed.treatment.name();
        match &listed.treatment {
            Treatment::Keep { reason } => {
                for leaf in branch.leaf_paths() {
                    self.check_kept(leaf, self.entity_of(&[leaf]), reason.as_deref());
                }
                let detail = reason.clone().unwrap_or_default();
                let column = self.planned(&branch.path, name, detail, None);
                Some((Node::Keep { column }, Some(Arc::clone(field))))
            }
            Treatment::Drop => {
                let column = self.planned(&branch.path, name, String::new(), None);
                Some((Node::Drop { column }, None))
            }
            Treatment::Redact { with: None } => {
                let column = self.planned(&branch.path, name, "null".to_owned(), None);
                let output = Arc::new(field.as_ref().clone().with_nullable(true));
                let shape = fits(&listed.treatment, field.data_type()).ok()?;
                let treat = Treat::new(Kernel::Null, shape, Arc::clone(&self.sentinels));
                Some((Node::Leaf { column, treat: Box::new(treat) }, Some(output)))
            }
            _ if is_list_of_leaves => None,
            _ => {
                let parts = branch.leaf_paths();
                self.problem(
                    2,
                    codes::UNFIT,
                    format!("`{name}` does not fit the nested column {}", quoted(&branch.path)),
                );
                self.hint(&format!("list its parts: {}", listed_some(&parts)));
                let column = self.planned(&branch.path, name, String::new(), None);
                Some((Node::Drop { column }, None))
            }
        }
    }

    /// A column, child or item that is not nested; `paths` are the names it answers to.
    fn leaf(&mut self, path: &str, paths: &[&str], field: &FieldRef) -> (Node, Option<FieldRef>) {
        let entity = self.entity_of(paths);
        let Some(treatment) = self.choose(path, paths, entity.as_deref()) else {
            let column = self.planned(path, "drop", String::new(), entity);
            return (Node::Drop { column }, None);
        };
        let name = treatment.name();
        match &treatment {
            Treatment::Keep { reason } => {
                self.check_kept(path, entity.clone(), reason.as_deref());
                let column = self.planned(path, name, reason.clone().unwrap_or_default(), entity);
                return (Node::Keep { column }, Some(Arc::clone(field)));
            }
            Treatment::Drop => {
                let column = self.planned(path, name, String::new(), entity);
                return (Node::Drop { column }, None);
            }
            _ => {}
        }
        let shape = match fits(&treatment, field.data_type()) {
            Ok(shape) => shape,
            Err(unfit) => {
                self.problem(
                    2,
                    codes::UNFIT,
                    format!("column {}: {}", quoted(path), unfit.message),
                );
                if let Some(hint) = &unfit.hint {
                    self.hint(hint);
                }
                let column = self.planned(path, name, String::new(), entity);
                return (Node::Drop { column }, None);
            }
        };
        let kernel = self.kernel(path, &treatment, field.data_type(), entity.as_deref());
        let detail = kernel.as_ref().map_or_else(String::new, |(_, detail)| detail.clone());
        let column = self.planned(path, name, detail, entity);
        let Some((kernel, _)) = kernel else { return (Node::Drop { column }, None) };
        let output = output_field(
            field,
            &shape.data_type,
            shape.makes_nulls || !self.sentinels.0.is_empty(),
        );
        let treat = Treat::new(kernel, shape, Arc::clone(&self.sentinels));
        (Node::Leaf { column, treat: Box::new(treat) }, Some(Arc::new(output)))
    }

    /// What the policy says of a column: an exact name, then a glob, then an entity, then what it
    /// says of unlisted columns.
    fn choose(&mut self, path: &str, paths: &[&str], entity: Option<&str>) -> Option<Treatment> {
        let policy = self.policy;
        let exact: Vec<_> =
            policy.columns.iter().filter(|l| paths.contains(&l.name.as_str())).collect();
        if let [first, rest @ ..] = exact.as_slice() {
            if let Some(second) = rest.first() {
                self.problem(
                    2,
                    codes::CONFLICT,
                    format!(
                        "{} and {} are the same column",
                        quoted(&first.name),
                        quoted(&second.name)
                    ),
                );
                self.hint("list it once");
            }
            return Some(first.treatment.clone());
        }
        let globs: Vec<(String, &Treatment)> = policy
            .matches
            .iter()
            .filter_map(|matched| match &matched.pattern {
                Pattern::Glob(glob) if glob_matches(glob, path) => {
                    Some((format!("glob = {}", quoted(glob)), &matched.treatment))
                }
                _ => None,
            })
            .collect();
        let entities: Vec<(String, &Treatment)> = policy
            .matches
            .iter()
            .filter_map(|matched| match &matched.pattern {
                Pattern::Entity(name) if Some(name.as_str()) == entity => {
                    Some((format!("entity = {}", quoted(name)), &matched.treatment))
                }
                _ => None,
            })
            .collect();
        for claims in [globs, entities] {
            if let [first, rest @ ..] = claims.as_slice() {
                if let Some(second) = rest.first() {
                    self.problem(
                        2,
                        codes::CONFLICT,
                        format!(
                            "column {} is claimed by two matches: {} and {}",
                            quoted(path),
                            first.0,
                            second.0
                        ),
                    );
                    self.hint(&format!("decide with {}", header(path)));
                }
                return Some(first.1.clone());
            }
        }
        match &policy.unlisted {
            Unlisted::Error => {
                self.unlisted.push(path.to_owned());
                None
            }
            Unlisted::Drop => Some(Treatment::Drop),
            Unlisted::Keep { reason } => Some(Treatment::Keep { reason: Some(reason.clone()) }),
        }
    }

    fn check_kept(&mut self, path: &str, entity: Option<String>, reason: Option<&str>) {
        if let (Some(entity), None) = (entity, reason) {
            self.problem(
                2,
                codes::KEPT_PERSONAL,
                format!("column {} is judged {entity} and kept without a reason", quoted(path)),
            );
            self.hint("add `reason = \"...\"`, or treat it");
        }
    }

    fn entity_of(&self, paths: &[&str]) -> Option<String> {
        paths.iter().find_map(|path| self.judged.get(*path)).cloned()
    }

    fn planned(
        &mut self,
        path: &str,
        treatment: &'static str,
        detail: String,
        entity: Option<String>,
    ) -> usize {
        self.columns.push(PlannedColumn { name: path.to_owned(), treatment, detail, entity });
        self.columns.len() - 1
    }

    /// What treats the cells, and what it does in words; `None` after a problem.
    fn kernel(
        &mut self,
        path: &str,
        treatment: &Treatment,
        data_type: &DataType,
        entity: Option<&str>,
    ) -> Option<(Kernel, String)> {
        let cells = match data_type {
            DataType::Dictionary(_, value) => value,
            other => other,
        };
        Some(match treatment {
            Treatment::Redact { with: None } => (Kernel::Null, "null".to_owned()),
            Treatment::Redact { with: Some(with) } => {
                (Kernel::Constant(with.clone()), format!("\"{with}\""))
            }
            Treatment::Mask(mask) => {
                let detail =
                    format!("keep_first {}, keep_last {}", mask.keep_first, mask.keep_last);
                (Kernel::Mask(*mask), detail)
            }
            Treatment::Generalize(way) => {
                let kernel = match Typed::of(way, cells) {
                    Some(typed) => Kernel::Typed(typed),
                    None => Kernel::Coarser(way.clone()),
                };
                (kernel, way.words())
            }
            Treatment::Pseudonymize(how) => self.tokens(path, how, entity)?,
            Treatment::Text(how) => self.in_text(path, how)?,
            // Kept and dropped columns have no kernel.
            Treatment::Keep { .. } | Treatment::Drop => return None,
        })
    }

    fn tokens(
        &mut self,
        path: &str,
        how: &Pseudonymize,
        entity: Option<&str>,
    ) -> Option<(Kernel, String)> {
        let field = how.join.as_deref().or(entity).unwrap_or_else(|| last_part(path)).to_owned();
        let profile = how
            .profile
            .unwrap_or_else(|| entity.map_or(Profile::Exact, |entity| self.profile_of(entity)));
        self.joins.entry(field.clone()).or_default().push(Joined {
            column: path.to_owned(),
            declared: how.join.is_some(),
            profile,
            format: how.format,
            consistency: how.consistency,
        });
        let tokenizer = self.tokenizer(&field, profile)?;
        let key = self.key.as_ref().map_or("", |key| key.info().id.as_str());
        let detail = format!(
            "join \"{field}\", profile {}, format {}, consistency {}, key {key}",
            profile.name(),
            FORMATS.iter().find(|(_, format)| *format == how.format).map_or("", |(word, _)| *word),
            how.consistency.word(),
        );
        Some((
            Kernel::Tokens(Tokens {
                tokenizer,
                spelling: Spelling::new(profile, self.policy),
                format: how.format,
                consistency: how.consistency,
            }),
            detail,
        ))
    }

    fn in_text(&mut self, path: &str, how: &Text) -> Option<(Kernel, String)> {
        let Some(recognizer) = self.recognizer.clone() else {
            self.problem(
                2,
                codes::MISSING,
                format!(
                    "column {}: treat = \"text\" needs a recognizer, and none was given",
                    quoted(path)
                ),
            );
            return None;
        };
        let rules = recognizer.rules();
        let names: Vec<String> = if how.entities.is_empty() {
            rules.entities().iter().map(|entity| entity.name.clone()).collect()
        } else {
            how.entities.clone()
        };
        let mut wanted: BTreeMap<EntityId, Wanted> = BTreeMap::new();
        let (mut lost, mut idle) = (false, Vec::new());
        for name in &names {
            let Some(id) = rules.entity_by_name(name) else {
                let known = self.entity_names();
                if known.contains(name) {
                    idle.push(name.as_str());
                } else {
                    self.unknown_entity(name, &format!("column {}", quoted(path)), &known);
                    lost = true;
                }
                continue;
            };
            let profile = self.profile_of(name);
            let tokenizer = if how.with == Replacement::Token {
                Some(self.tokenizer(name, profile)?)
            } else {
                None
            };
            let spelling = Spelling::new(profile, self.policy);
            let label = rules.entity(id).label.clone();
            let label = if is_text_label(&label) { label } else { "TEXT".to_owned() };
            wanted.insert(id, Wanted { name: name.clone(), label, tokenizer, spelling });
        }
        if !idle.is_empty() {
            self.warnings.push(format!(
                "column {}: [find] leaves no rule that finds {}",
                quoted(path),
                listed(idle.iter().copied())
            ));
        }
        let planted = if how.with == Replacement::Token {
            Some(self.tokenizer(PLANTED_LABEL, Profile::Exact)?)
        } else {
            None
        };
        if lost {
            return None;
        }
        let detail = format!(
            "with {}, consistency {}, {}",
            how.with.word(),
            how.consistency.word(),
            if how.entities.is_empty() {
                "all entities".to_owned()
            } else {
                how.entities.join(", ")
            }
        );
        let kernel = InText {
            recognizer,
            with: how.with,
            consistency: how.consistency,
            wanted,
            planted,
            pool: Mutex::default(),
        };
        Some((Kernel::InText(Box::new(kernel)), detail))
    }

    /// What `[find]` leaves out is not looked for in text: whoever reads the receipt must know.
    fn tell_what_is_narrowed(&mut self) {
        let find = &self.policy.find;
        let is_looked_into = self.columns.iter().any(|column| column.treatment == "text");
        for (narrowed, what) in [(&find.countries, "countries"), (&find.languages, "languages")] {
            if is_looked_into && !narrowed.is_empty() {
                let message =
                    format!("in text, only these {what} were looked for: {}", narrowed.join(", "));
                self.warnings.push(message);
            }
        }
    }

    /// By the rules; the profiles the contract names hold without any.
    fn profile_of(&self, entity: &str) -> Profile {
        let rules = self
            .recognizer
            .as_ref()
            .map_or_else(|| RuleSet::builtin(), |recognizer| recognizer.rules());
        super::holding::profile_of(rules, entity)
    }

    /// `None` after a problem; a missing key is told once.
    fn tokenizer(&mut self, field: &str, profile: Profile) -> Option<Tokenizer> {
        let reference = &self.policy.keys;
        if self.key.is_none() {
            if self.problems.iter().any(|problem| problem.exit == 4) {
                return None;
            }
            let Some(ring) = self.keys else {
                self.problem(
                    4,
                    codes::NO_KEYRING,
                    "the policy makes tokens and there is no keyring".to_owned(),
                );
                self.hint("allonym key new");
                return None;
            };
            match ring.key(reference.key.as_deref(), &reference.tenant) {
                Ok(key) if key.info().state == KeyState::Active => self.key = Some(key),
                Ok(key) => {
                    let id = key.info().id.clone();
                    self.problem(
                        4,
                        codes::KEY_STATE,
                        format!("key `{id}` is no longer active and writes no tokens"),
                    );
                    self.hint("leave `keys.key` out for the active key, or name it; its tokens do not join with earlier outputs");
                    return None;
                }
                Err(error) => {
                    self.key_problem(&error);
                    return None;
                }
            }
        }
        match self.key.as_ref()?.tokenizer(&reference.domain, field, profile) {
            Ok(tokenizer) => Some(tokenizer),
            Err(error) => {
                self.key_problem(&error);
                None
            }
        }
    }

    fn key_problem(&mut self, error: &KeyError) {
        let (exit, code, message, hint) =
            (error.exit(), error.code(), error.to_string(), error.hint());
        self.problems.push(Problem { exit, code, message, hint });
    }

    /// Columns that declare one join must make equal tokens of equal values.
    fn check_joins(&mut self) {
        let mut problems = Vec::new();
        for (field, columns) in &self.joins {
            let [first, rest @ ..] = columns.as_slice() else { continue };
            for other in rest {
                if !first.declared && !other.declared {
                    continue;
                }
                let what = if first.profile != other.profile {
                    format!("profile {} and {}", first.profile.name(), other.profile.name())
                } else if first.format != other.format {
                    "different formats".to_owned()
                } else if first.consistency != other.consistency {
                    format!(
                        "consistency {} and {}",
                        first.consistency.word(),
                        other.consistency.word()
                    )
                } else {
                    continue;
                };
                problems.push(format!(
                    "columns {} and {} join as \"{field}\" and have {what}, so that their tokens would never be equal",
                    quoted(&first.column),
                    quoted(&other.column),
                ));
            }
        }
        for message in problems {
            self.problem(2, codes::JOIN, message);
            self.hint("give both the same, or another `join`");
        }
    }

    fn check_collisions(&mut self) {
        let n = self.policy.expected_distinct;
        let probability = |bits| collision_probability(exact_f64(n), bits);
        let worst = self.joins.values().flatten().map(|joined| joined.format.bits()).min();
        if let Some(bits) = worst
            && probability(bits) > COLLISION_MAX
        {
            self.problem(
                2,
                codes::COLLISION,
                format!(
                    "of {} distinct values two get one {bits}-bit token with probability {:.1e}, above {COLLISION_MAX:e}",
                    grouped(n),
                    probability(bits)
                ),
            );
            self.hint("lower `expected_distinct` to what one column can hold");
        }
        let in_text = self
            .columns
            .iter()
            .any(|column| column.treatment == "text" && column.detail.starts_with("with token"));
        if in_text && probability(TEXT_BITS) > TEXT_COLLISION_NOTED {
            self.warnings.push(format!(
                "tokens in text have {TEXT_BITS} bits: of {} distinct values two get one token with probability {:.1e}; \
                 declare `expected_distinct`",
                grouped(n),
                probability(TEXT_BITS)
            ));
        }
    }

    fn check_unlisted(&mut self) {
        let unlisted: BTreeSet<&str> = self.unlisted.iter().map(String::as_str).collect();
        let Some(first) = self.unlisted.first().cloned() else { return };
        let columns = if unlisted.len() == 1 { "a column" } else { "columns" };
        let message = format!(
            "the data has {columns} the policy does not list: {}",
            listed_some(&self.unlisted.iter().map(String::as_str).collect::<Vec<_>>())
        );
        self.problem(1, codes::UNLISTED, message);
        self.hint(&format!("add {} or run: allonym init --update", header(&first)));
    }

    fn problem(&mut self, exit: u8, code: &'static str, message: String) {
        self.problems.push(Problem { exit, code, message, hint: None });
    }

    /// Of the last problem.
    fn hint(&mut self, hint: &str) {
        if let Some(problem) = self.problems.last_mut() {
            problem.hint = Some(hint.to_owned());
        }
    }
}

/// All problems as one, the most severe first.
fn error_of(mut problems: Vec<Problem>) -> Option<PlanError> {
    problems.sort_by_key(|problem| SEVERITY.iter().position(|exit| *exit == problem.exit));
    let count = problems.len();
    let message = match problems.as_slice() {
        [] => return None,
        [only] => only.message.clone(),
        several => {
            let told: Vec<&str> = several
                .iter()
                .take(PROBLEMS_TOLD)
                .map(|problem| problem.message.as_str())
                .collect();
            let more = count.saturating_sub(PROBLEMS_TOLD);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            format!("{count} things are wrong: {}{more}", told.join("; "))
        }
    };
    let first = problems.into_iter().next()?;
    Some(PlanError { code: first.code, message, hint: first.hint, exit: first.exit })
}

/// What is noted of the whole table, without what Hugging Face notes of columns that come out
/// changed or not at all: the names of a column's classes are every value it may hold.
fn output_notes(schema: &Schema, untouched: &[Option<usize>]) -> HashMap<String, String> {
    const FEATURES: &str = "huggingface";
    let mut notes = schema.metadata().clone();
    let stays = |at: usize| untouched.contains(&Some(at));
    let gone: Vec<&str> = (schema.fields().iter().enumerate())
        .filter(|(at, _)| !stays(*at))
        .map(|(_, field)| field.name().as_str())
        .collect();
    let Some(features) = notes.remove(FEATURES).filter(|_| !gone.is_empty()) else {
        return schema.metadata().clone();
    };
    // What cannot be read may name anything, and goes.
    let Ok(mut noted) = serde_json::from_str::<Value>(&features) else { return notes };
    let Some(by_column) = noted.pointer_mut("/info/features").and_then(Value::as_object_mut) else {
        return notes;
    };
    by_column.retain(|column, _| !gone.contains(&column.as_str()));
    // A description may tell of all columns, a fingerprint is of the data that was.
    let kept = json!({ "info": { "features": by_column } });
    notes.insert(FEATURES.to_owned(), kept.to_string());
    notes
}

fn output_field(field: &Field, data_type: &DataType, makes_nulls: bool) -> Field {
    let mut metadata = field.metadata().clone();
    // An extension type promises a form (JSON, a UUID) that treated cells do not have.
    // What Polars notes of an enum are its categories: every value the column may hold.
    metadata.retain(|name, _| !name.starts_with("ARROW:extension:") && !name.starts_with("_PL_"));
    Field::new(field.name(), data_type.clone(), field.is_nullable() || makes_nulls)
        .with_metadata(metadata)
}

impl Generalize {
    /// As the policy says it.
    pub(crate) fn words(&self) -> String {
        match self {
            Generalize::To(part) => format!("to {}", part.word()),
            Generalize::Step(step) => format!("step {step}"),
            Generalize::Prefix(n) => format!("prefix {n}"),
            Generalize::Bits(bits) => format!("bits {bits}"),
            Generalize::Bands(bands) => {
                let bands: Vec<String> = bands.iter().map(i64::to_string).collect();
                format!("bands {}", bands.join(", "))
            }
        }
    }
}

impl Policy {
    /// Whether `[columns]` lists this path by name.
    #[must_use]
    pub fn lists(&self, path: &str) -> bool {
        self.columns.iter().any(|listed| listed.name == path)
    }

    /// The policy for one file of several: without the columns this schema lacks and another file
    /// of the run (`present`: names and paths of all of them) has.
    #[must_use]
    pub fn for_one_of_many(&self, schema: &Schema, present: &BTreeSet<String>) -> Policy {
        let here: BTreeSet<String> = names(schema).into_iter().collect();
        let mut policy = self.clone();
        let elsewhere =
            |name: &str| present.iter().any(|path| path == name || is_inside(path, name));
        policy.columns.retain(|listed| here.contains(&listed.name) || !elsewhere(&listed.name));
        policy
    }
}

/// The last part of a path: `iban` of `person.iban`, `tags` of `tags[]`.
pub(super) fn last_part(path: &str) -> &str {
    let last = path.rsplit('.').next().unwrap_or(path);
    let name = last.trim_end_matches("[]");
    if name.is_empty() { path } else { name }
}

/// How the policy would list a column.
fn header(path: &str) -> String {
    format!("[columns.{}]", toml_edit::Key::new(path).display_repr())
}

fn some(names: &BTreeSet<&str>) -> String {
    listed_some(&names.iter().copied().collect::<Vec<_>>())
}

/// At most ten names in words.
fn listed_some(names: &[&str]) -> String {
    match names.split_at_checked(NAMES_TOLD) {
        Some((told, rest)) if !rest.is_empty() => {
            let told: Vec<String> = told.iter().map(|name| quoted(name)).collect();
            format!("{} and {} more", told.join(", "), rest.len())
        }
        _ => listed(names.iter().copied()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the policy holds no more than 2^53")]
fn exact_f64(n: u64) -> f64 {
    n as f64
}

/// Profiles of version 1 that hold even where no rule says so.
pub(super) const NAMED_BY_CONTRACT: &[(&str, Profile)] = &[
    ("EMAIL_ADDRESS", Profile::Casefold),
    ("PERSON", Profile::Casefold),
    ("IBAN_CODE", Profile::Iban),
];
/// Most severe exit first.
const SEVERITY: [u8; 8] = [5, 6, 4, 2, 3, 75, 1, 7];
/// A collision makes one person of two; beyond this probability the policy is refused.
const COLLISION_MAX: f64 = 1e-9;
/// Text tokens are for reading, not for joins, and the default of a billion values stays below this.
const TEXT_COLLISION_NOTED: f64 = 1e-6;
/// 16 Crockford characters.
const TEXT_BITS: u32 = 80;
const PROBLEMS_TOLD: usize = 10;
const NAMES_TOLD: usize = 10;
