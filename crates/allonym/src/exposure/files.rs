//! Signals in files: an `.npz` archive, a folder of `.npy` files with the same names, or tables.

use super::Models;
use super::tables::{Tables, is_table};
use crate::{Failure, Result};
use allonym_exposure::{Kind, Layout, Matrix, NpyArray, Npz};
use std::path::Path;

/// Arrays of models x records (or x population), the target among the models, left in their file
/// until they are read.
///
/// | array | shape | what it is |
/// | --- | --- | --- |
/// | `conf` | models x records | probability of the true class |
/// | `logit` | models x records | `log p - log(sum of the other classes)` |
/// | `members` | models x records, bool | record was in the model's training set |
/// | `pop_conf`, `pop_logit` | models x population | the same on records no model saw |
/// | `gap` | models x records | 1 where the model is right, else 0 |
/// | `entropy` | models x records | modified entropy of its probabilities |
/// | `features`, `pop_features` | records (population) x features | what a record looks like |
/// | `subject` | records, whole numbers | whose the record is |
///
/// One of `conf` and `logit` is enough, as is one of the two for the population; `member` will do
/// for `members`, `population` for `pop_conf`.
///
/// A Parquet or Arrow IPC file has a row for each record instead, with lists of one number for each model in
/// the columns `conf`, `logit`, `members`, `gap` and `entropy`, one for each feature in `features`, and perhaps
/// `subject`; a folder with such a file `records` may have another, `population`.
#[derive(Debug)]
pub struct SignalFile {
    conf: Option<NpyArray>,
    logit: Option<NpyArray>,
    members: NpyArray,
    population: Option<NpyArray>,
    population_logit: Option<NpyArray>,
    gap: Option<NpyArray>,
    entropy: Option<NpyArray>,
    /// Of the records and of the population, each by record.
    features: Option<(NpyArray, NpyArray)>,
    subjects: Option<NpyArray>,
    layout: Layout,
    /// What was read from tables; its arrays lie in a folder that ends with it.
    tables: Option<Tables>,
}

impl SignalFile {
    /// Opens the arrays.
    ///
    /// # Errors
    /// A file that cannot be read, arrays that are missing or not of the shape above.
    pub fn open(path: &Path) -> Result<SignalFile> {
        if is_table(path) {
            return SignalFile::of_tables(path);
        }
        let source = Source::open(path)?;
        let (conf, logit) = (source.array(&["conf"])?, source.array(&["logit"])?);
        let missing = |what: &str| {
            let known = source.names().join(", ");
            let message = format!("{}: no array {what}; there are {known}", path.display());
            Failure::new("ALO-D006", 3, message)
        };
        if conf.is_none() && logit.is_none() {
            return Err(missing("`conf` or `logit`"));
        }
        let members = source.array(&["members", "member"])?;
        let members = members.ok_or_else(|| missing("`members`"))?;
        if members.kind() != Kind::Bool {
            return Err(Failure::new(
                "ALO-D006",
                3,
                format!("{}: `members` must be truth values", path.display()),
            ));
        }
        Ok(SignalFile {
            conf,
            logit,
            members,
            population: source.array(&["pop_conf", "population"])?,
            population_logit: source.array(&["pop_logit"])?,
            gap: source.array(&["gap"])?,
            entropy: source.array(&["entropy"])?,
            features: source.array(&["features"])?.zip(source.array(&["pop_features"])?),
            subjects: source.array(&["subject", "subjects"])?,
            layout: Layout::ByReference,
            tables: None,
        })
    }

    fn of_tables(path: &Path) -> Result<SignalFile> {
        let mut tables = Tables::open(path)?;
        let missing = |what: &str| {
            let message = format!("{}: no column {what}", path.display());
            Failure::new("ALO-D006", 3, message)
        };
        let (conf, logit) = (tables.conf.take(), tables.logit.take());
        if conf.is_none() && logit.is_none() {
            return Err(missing("`conf` or `logit`"));
        }
        Ok(SignalFile {
            conf,
            logit,
            members: tables.members.take().ok_or_else(|| missing("`members`"))?,
            population: tables.population.take(),
            population_logit: tables.population_logit.take(),
            gap: tables.gap.take(),
            entropy: tables.entropy.take(),
            features: tables.features.take().zip(tables.population_features.take()),
            subjects: None,
            layout: Layout::ByRecord,
            tables: Some(tables),
        })
    }

    /// The matrices, with one of the models as the target.
    ///
    /// # Errors
    /// Arrays that have not two axes.
    pub fn models(&self, target: usize) -> Result<Models<'_>> {
        let (conf, logit) =
            match (self.matrix(self.conf.as_ref())?, self.matrix(self.logit.as_ref())?) {
                (Some(conf), Some(logit)) => (conf, logit),
                (Some(conf), None) => (conf, conf.as_logits()),
                (None, Some(logit)) => (logit.as_confidences(), logit),
                (None, None) => {
                    return Err(Failure::new("ALO-D006", 3, "there is neither `conf` nor `logit`"));
                }
            };
        let population = match (
            self.matrix(self.population.as_ref())?,
            self.matrix(self.population_logit.as_ref())?,
        ) {
            (Some(conf), _) => Some(conf),
            (None, logit) => logit.map(Matrix::as_confidences),
        };
        let members = Matrix::file(&self.members, self.layout)?;
        let features = match &self.features {
            Some((records, others)) => Some((
                Matrix::file(records, Layout::ByRecord)?,
                Matrix::file(others, Layout::ByRecord)?,
            )),
            None => None,
        };
        let (gap, entropy) = (self.matrix(self.gap.as_ref())?, self.matrix(self.entropy.as_ref())?);
        Ok(Models { conf, logit, members, population, gap, entropy, features, target })
    }

    /// Whose each record is, where the file says so.
    ///
    /// # Errors
    /// Numbers that are not whole, or not one for each record.
    pub fn subjects(&self) -> Result<Option<Vec<u64>>> {
        if let Some(tables) = &self.tables {
            return Ok(tables.subjects.clone());
        }
        let Some(array) = &self.subjects else { return Ok(None) };
        let unfit =
            || Failure::new("ALO-D006", 3, "`subject` must hold one whole number for each record");
        if array.shape().len() != 1 || matches!(array.kind(), Kind::F32 | Kind::F64 | Kind::Bool) {
            return Err(unfit());
        }
        // Every kind that is left is whole; what is negative is as good a name as any.
        Ok(Some(array.to_vec()?.iter().map(|number| number.to_bits()).collect()))
    }

    fn matrix<'a>(&self, array: Option<&'a NpyArray>) -> Result<Option<Matrix<'a>>> {
        Ok(array.map(|array| Matrix::file(array, self.layout)).transpose()?)
    }
}

enum Source<'a> {
    Archive(Npz),
    Folder(&'a Path),
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Source<'a>> {
        if path.is_dir() {
            return Ok(Source::Folder(path));
        }
        Ok(Source::Archive(Npz::open(path)?))
    }

    fn names(&self) -> Vec<String> {
        match self {
            Source::Archive(archive) => archive.names().map(str::to_owned).collect(),
            Source::Folder(folder) => NAMES
                .iter()
                .filter(|name| folder.join(format!("{name}.npy")).exists())
                .map(|name| (*name).to_owned())
                .collect(),
        }
    }

    /// The array of the first of the names that is there.
    fn array(&self, names: &[&str]) -> Result<Option<NpyArray>> {
        let known = self.names();
        let Some(name) = names.iter().find(|name| known.iter().any(|known| known == *name)) else {
            return Ok(None);
        };
        Ok(Some(match self {
            Source::Archive(archive) => archive.array(name)?,
            Source::Folder(folder) => NpyArray::open(folder.join(format!("{name}.npy")))?,
        }))
    }
}

/// Every name that means something here.
const NAMES: [&str; 13] = [
    "conf",
    "logit",
    "members",
    "member",
    "pop_conf",
    "population",
    "pop_logit",
    "gap",
    "entropy",
    "features",
    "pop_features",
    "subject",
    "subjects",
];
