//! What labelled corpora call things, and what we call them.

use crate::{Failure, Result};
use allonym_recognize::RuleSet;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Gold labels, and the entities that are right for each.
#[derive(Debug)]
pub(super) struct Labels {
    classes: Vec<Class>,
    by_label: BTreeMap<String, usize>,
}

/// What one or several labels stand for.
#[derive(Debug)]
struct Class {
    name: String,
    /// Entities that are right for it.
    right: BTreeSet<String>,
}

/// An entry of the labels file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    name: Option<String>,
    entities: Vec<String>,
    categories: Vec<String>,
}

impl Labels {
    /// The built-in labels, with `file` (TOML of the same form) over them. `rules` are looked for, of
    /// `all` that there are.
    pub(super) fn new(file: Option<&str>, rules: &RuleSet, all: &RuleSet) -> Result<Labels> {
        let mut entries = parse(include_str!("labels.toml"))
            .map_err(|_| Failure::new("ALO-X005", 5, "internal error: the built-in labels"))?;
        if let Some(file) = file {
            let given = parse(file).map_err(|message| {
                Failure::new("ALO-U015", 2, format!("the labels file: {message}"))
            })?;
            for (label, entry) in &given {
                known(label, entry, all)?;
            }
            entries.extend(given);
        }
        let mut labels = Labels { classes: Vec::new(), by_label: BTreeMap::new() };
        for (label, entry) in entries {
            let name = match (&entry.name, entry.entities.as_slice()) {
                (Some(name), _) => name.clone(),
                (None, [only]) if entry.categories.is_empty() => only.clone(),
                _ => label.clone(),
            };
            let right = rules.entities().iter().filter(|entity| {
                entry.entities.contains(&entity.name)
                    || entry.categories.iter().any(|category| under(&entity.category, category))
            });
            let right = right.map(|entity| entity.name.clone()).collect();
            labels.add(label, name, right);
        }
        for entity in rules.entities() {
            if !labels.by_label.contains_key(&entity.name) {
                let name = entity.name.clone();
                labels.add(name.clone(), name.clone(), BTreeSet::from([name]));
            }
        }
        Ok(labels)
    }

    /// Labels of one name are one class, whose entities are those of all.
    fn add(&mut self, label: String, name: String, right: BTreeSet<String>) {
        let class = match self.classes.iter_mut().position(|class| class.name == name) {
            Some(class) => {
                self.classes[class].right.extend(right);
                class
            }
            None => {
                self.classes.push(Class { name, right });
                self.classes.len() - 1
            }
        };
        self.by_label.insert(label, class);
    }

    /// The class of a gold label; `None` is not scored: nobody knows it, or nothing that would be
    /// right is looked for.
    pub(super) fn class(&self, label: &str) -> Option<usize> {
        let class = *self.by_label.get(label)?;
        (!self.classes[class].right.is_empty()).then_some(class)
    }

    pub(super) fn name(&self, class: usize) -> &str {
        &self.classes[class].name
    }

    /// Whether a finding of the entity is right for the class.
    pub(super) fn is_right(&self, class: usize, entity: &str) -> bool {
        self.classes[class].right.contains(entity)
    }
}

fn parse(text: &str) -> std::result::Result<BTreeMap<String, Entry>, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// Refuses names that no rule has.
fn known(label: &str, entry: &Entry, rules: &RuleSet) -> Result<()> {
    for entity in &entry.entities {
        if rules.entity_by_name(entity).is_none() {
            let message = format!("the labels file: [{label}]: no entity `{entity}`");
            return Err(Failure::new("ALO-U015", 2, message).hint("see: allonym rules list"));
        }
    }
    Ok(())
}

fn under(category: &str, root: &str) -> bool {
    category.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(labels: &Labels, label: &str) -> Vec<String> {
        let class = labels.class(label).expect("a known label");
        let entities = RuleSet::builtin().entities().iter().map(|entity| entity.name.clone());
        entities.filter(|entity| labels.is_right(class, entity)).collect()
    }

    #[test]
    fn every_entity_and_category_of_the_built_in_labels_exists() {
        let labels = Labels::new(None, RuleSet::builtin(), RuleSet::builtin()).unwrap();
        for (label, entry) in parse(include_str!("labels.toml")).unwrap() {
            known(&label, &entry, RuleSet::builtin()).unwrap();
            for category in &entry.categories {
                let mut entities = RuleSet::builtin().entities().iter();
                assert!(entities.any(|entity| under(&entity.category, category)), "{category}");
            }
            assert!(!right(&labels, &label).is_empty(), "{label}");
        }
        assert_eq!(right(&labels, "EMAIL"), ["EMAIL_ADDRESS"]);
        assert_eq!(labels.class("EMAIL"), labels.class("EMAIL_ADDRESS"));
        assert!(right(&labels, "NATIONAL_ID").contains(&"US_SSN".to_owned()));
        assert!(!right(&labels, "DRIVER_LICENSE").contains(&"US_SSN".to_owned()));
        assert_eq!(labels.class("MISC"), None);
    }

    #[test]
    fn a_callers_file_adds_and_replaces() {
        let file =
            "[PER]\nentities = [\"PERSON\"]\n[PHONE]\nentities = [\"PHONE_NUMBER\", \"IMEI\"]";
        let labels = Labels::new(Some(file), RuleSet::builtin(), RuleSet::builtin()).unwrap();
        assert_eq!(labels.class("PER"), labels.class("PERSON"));
        assert_eq!(right(&labels, "PHONE").len(), 2);
        let refused =
            |file| Labels::new(Some(file), RuleSet::builtin(), RuleSet::builtin()).unwrap_err();
        assert_eq!(refused("[PER]\nentities = [\"PERSONN\"]").exit, 2);
        assert!(refused("[PER]\nentity = \"PERSON\"").message.contains("unknown field"));
    }
}
