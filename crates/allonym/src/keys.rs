//! Which keyring a run uses, and how it is unlocked.

use crate::{Failure, Result, Target};
use allonym_core::KeyReference;
use allonym_keys::{Keyring, Passphrase, Unlock};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The process environment, captured once by a face and handed in.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    passphrase_file: Option<PathBuf>,
}

impl Environment {
    /// From the variables of the process.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Environment {
        Environment { variables: variables.into_iter().collect(), passphrase_file: None }
    }

    /// The same with a passphrase file that a flag named; it wins over the environment.
    #[must_use]
    pub fn with_passphrase_file(mut self, file: Option<PathBuf>) -> Environment {
        self.passphrase_file = file;
        self
    }

    /// A variable, if set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Who is said to have done something: `ALLONYM_ACTOR`, else the user of the operating system.
    #[must_use]
    pub fn actor(&self) -> &str {
        let named = ["ALLONYM_ACTOR", "USER", "LOGNAME", "USERNAME"];
        named.into_iter().find_map(|name| self.variable(name)).unwrap_or("unknown")
    }

    fn passphrase_file(&self) -> Option<PathBuf> {
        let named = || self.variable("ALLONYM_KEYRING_PASSPHRASE_FILE").map(PathBuf::from);
        self.passphrase_file.clone().or_else(named)
    }

    fn config_folder(&self) -> Result<PathBuf> {
        if let Some(folder) = self.variable("ALLONYM_CONFIG_HOME") {
            return Ok(PathBuf::from(folder));
        }
        if let Some(folder) = self.variable("XDG_CONFIG_HOME") {
            return Ok(Path::new(folder).join("allonym"));
        }
        if let Some(folder) = self.variable("APPDATA") {
            return Ok(Path::new(folder).join("allonym"));
        }
        match self.variable("HOME") {
            Some(home) => Ok(Path::new(home).join(".config/allonym")),
            None => Err(Failure::new("ALO-K010", 4, "no place for a keyring: HOME is not set")
                .hint("name one with --keys file:PATH or ALLONYM_KEYS")),
        }
    }
}

/// Where a keyring is, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// The ring file.
    pub path: PathBuf,
    /// `--keys`, `ALLONYM_KEYS`, `policy` or `default`.
    pub said_by: &'static str,
}

/// Finds the ring: the flag, else `ALLONYM_KEYS`, else the policy's `[keys] ring` (relative to
/// the policy's folder), else the user's default ring.
///
/// # Errors
/// A reference of an unknown kind, or an `env:` variable that is not set.
pub fn ring_place(
    flag: Option<&str>,
    policy: Option<(&KeyReference, &Path)>,
    environment: &Environment,
) -> Result<KeyPlace> {
    if let Some(reference) = flag {
        return place(reference, Path::new(""), "--keys", environment);
    }
    if let Some(reference) = environment.variable("ALLONYM_KEYS") {
        return place(reference, Path::new(""), "ALLONYM_KEYS", environment);
    }
    if let Some((KeyReference { ring: Some(ring), .. }, folder)) = policy {
        return place(ring, folder, "policy", environment);
    }
    Ok(KeyPlace { path: environment.config_folder()?.join("default.keyring"), said_by: "default" })
}

fn place(
    reference: &str,
    folder: &Path,
    said_by: &'static str,
    environment: &Environment,
) -> Result<KeyPlace> {
    if let Some(variable) = reference.strip_prefix("env:") {
        let inner = environment.variable(variable).ok_or_else(|| {
            Failure::new("ALO-K010", 4, format!("environment variable `{variable}` is not set"))
                .hint(format!("set {variable} to file:PATH of a keyring"))
        })?;
        if inner.starts_with("env:") {
            return Err(Failure::new(
                "ALO-K011",
                2,
                format!("environment variable `{variable}` names another variable"),
            )
            .hint(format!("set {variable} to file:PATH of a keyring")));
        }
        return place(inner, Path::new(""), said_by, environment);
    }
    let path = match reference.split_once(':') {
        Some(("file", path)) => path,
        Some((kind, _)) if kind.len() > 1 && !kind.contains('/') => {
            return Err(Failure::new(
                "ALO-K011",
                2,
                format!("keyring reference of unknown kind `{kind}:`; known are file: and env:"),
            ));
        }
        _ => reference,
    };
    Ok(KeyPlace { path: folder.join(path), said_by })
}

/// How the ring at `path` is unlocked: by a passphrase where it was made with one (read from the
/// file named by flag or environment), else by its local key file.
///
/// # Errors
/// No ring there, or a passphrase is needed and none was given.
pub fn unlock_for(path: &Path, environment: &Environment) -> Result<Unlock> {
    let facts = Keyring::public_facts(path)?;
    if !facts.needs_passphrase {
        return Ok(Unlock::LocalFile);
    }
    match environment.passphrase_file() {
        Some(file) => Ok(Unlock::Passphrase(read_passphrase(&file)?)),
        None => Err(Failure::new(
            "ALO-K012",
            4,
            format!("keyring `{}` is locked by a passphrase and none was given", path.display()),
        )
        .hint("name its file: --passphrase-file FILE or ALLONYM_KEYRING_PASSPHRASE_FILE")),
    }
}

/// A passphrase from the file named by flag or environment, for making a new ring.
pub(crate) fn new_unlock(environment: &Environment) -> Result<Unlock> {
    match environment.passphrase_file() {
        Some(file) => Ok(Unlock::Passphrase(read_passphrase(&file)?)),
        None => Ok(Unlock::LocalFile),
    }
}

fn read_passphrase(file: &Path) -> Result<Passphrase> {
    let bytes = fs::read(file).map_err(|error| {
        Failure::new(
            "ALO-K012",
            4,
            format!("cannot read passphrase file `{}`: {}", file.display(), error.kind()),
        )
    })?;
    Ok(Passphrase::new(bytes))
}

/// Opens the ring a run uses.
///
/// # Errors
/// Everything `ring_place`, `unlock_for` and opening can say; all exit 4 but unknown kinds.
pub fn open_ring(
    flag: Option<&str>,
    policy: Option<(&KeyReference, &Path)>,
    environment: &Environment,
) -> Result<Keyring> {
    let place = ring_place(flag, policy, environment)?;
    let unlock = unlock_for(&place.path, environment)?;
    Ok(Keyring::open(&place.path, &unlock)?)
}

/// Creates a ring at `path`, locked by the passphrase that flag or environment name, else by a
/// local key file.
///
/// # Errors
/// A ring that exists already, a folder that cannot be written.
pub fn create_default_ring(
    path: &Path,
    label: &str,
    tenant: &str,
    created: &str,
    environment: &Environment,
) -> Result<Keyring> {
    Ok(Keyring::create(path, &new_unlock(environment)?, label, tenant, created)?)
}

/// Refuses a keyring (or its local key file) among the inputs or inside the output's folder.
pub(crate) fn refuse_exposed_ring(ring: &Path, inputs: &[PathBuf], target: &Target) -> Result<()> {
    let ring = absolute(ring);
    let refuse = |place: &str| {
        Err(Failure::new(
            "ALO-K013",
            4,
            format!("keyring `{}` stands {place}; keys must not travel with data", ring.display()),
        )
        .hint("move the keyring elsewhere and name it with --keys file:PATH"))
    };
    let local_key = PathBuf::from(format!("{}.key", ring.display()));
    for input in inputs {
        let input = absolute(input);
        if input == ring || input == local_key {
            return refuse("among the inputs");
        }
    }
    // The folder of a single output may be the user's home, which holds the default ring further
    // down; an output folder is handed on whole.
    let exposed = match target {
        Target::Folder(folder) => ring.starts_with(absolute(folder)),
        Target::File(file) => ring.parent() == absolute(file).parent(),
        Target::Stdout => false,
    };
    if exposed { refuse("inside the output's folder") } else { Ok(()) }
}

fn absolute(path: &Path) -> PathBuf {
    // The ring or the output may not exist yet: resolve the longest part that does.
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => absolute(parent).join(name),
        (_, Some(name)) => Path::new(".").canonicalize().unwrap_or_default().join(name),
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    fn reference(ring: &str) -> KeyReference {
        KeyReference {
            ring: Some(ring.into()),
            ledger: None,
            key: None,
            tenant: "default".into(),
            domain: "default".into(),
        }
    }

    #[test]
    fn flag_then_environment_then_policy_then_default() {
        let env = environment(&[("ALLONYM_KEYS", "file:/env.keyring"), ("HOME", "/home/zoe")]);
        let policy = reference("file:keys/ring.keyring");
        let policy = Some((&policy, Path::new("/project")));
        let found = ring_place(Some("file:/flag.keyring"), policy, &env).unwrap();
        assert_eq!(found.path, Path::new("/flag.keyring"));
        assert_eq!(ring_place(None, policy, &env).unwrap().path, Path::new("/env.keyring"));
        let home = environment(&[("HOME", "/home/zoe")]);
        let found = ring_place(None, policy, &home).unwrap();
        assert_eq!(found.path, Path::new("/project/keys/ring.keyring"));
        let found = ring_place(None, None, &home).unwrap();
        assert_eq!(found.path, Path::new("/home/zoe/.config/allonym/default.keyring"));
    }

    #[test]
    fn references_that_cannot_be_followed() {
        let env = environment(&[("LOOP", "env:LOOP"), ("HOME", "/home/zoe")]);
        assert_eq!(ring_place(Some("env:MISSING"), None, &env).unwrap_err().exit, 4);
        assert_eq!(ring_place(Some("env:LOOP"), None, &env).unwrap_err().exit, 2);
        assert_eq!(ring_place(Some("vault:transit/key"), None, &env).unwrap_err().exit, 2);
        assert_eq!(ring_place(None, None, &environment(&[])).unwrap_err().exit, 4);
    }

    #[test]
    fn a_ring_with_the_data_is_refused() {
        let folder = std::env::temp_dir();
        let ring = folder.join("out/keys/a.keyring");
        let exposed = |inputs: &[PathBuf], target| refuse_exposed_ring(&ring, inputs, &target);
        let out = Target::Folder(folder.join("out"));
        assert_eq!(exposed(&[], out).unwrap_err().exit, 4);
        let beside = Target::File(folder.join("out/keys/b.csv"));
        assert_eq!(exposed(&[], beside).unwrap_err().exit, 4);
        let input = std::slice::from_ref(&ring);
        assert_eq!(exposed(input, Target::Stdout).unwrap_err().exit, 4);
        exposed(&[folder.join("in.csv")], Target::Folder(folder.join("other"))).unwrap();
        exposed(&[], Target::File(folder.join("home.csv"))).unwrap();
    }
}
