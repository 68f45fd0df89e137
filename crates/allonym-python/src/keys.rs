//! Keyrings as references, and tokens of single columns.

use crate::environment::{environment, now};
use crate::failure::{raise, usage};
use crate::stream::Chunks;
use crate::text::{Texts, list, text_of};
use crate::work::{brief, interruptible};
use allonym::{
    Cancel, Environment, Failure, KeyState, Profile, TokenColumn, TokenFormat, create_default_ring,
    danger, open_ring, ring_place, tokenize as tokenized,
};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, LargeStringArray};
use arrow_schema::{DataType, Field};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyList, PyString, PyTuple, PyType};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An opened keyring; pickles as where it is and which id it has.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct Keyring {
    pub(crate) ring: Arc<allonym::Keyring>,
}

#[pymethods]
impl Keyring {
    #[classmethod]
    #[pyo3(signature = (r#ref=None, *, passphrase_file=None))]
    fn open(
        class: &Bound<'_, PyType>,
        r#ref: Option<&str>,
        passphrase_file: Option<PathBuf>,
    ) -> PyResult<Keyring> {
        let py = class.py();
        let environment = environment(py, passphrase_file)?;
        open(py, r#ref, &environment)
    }

    #[classmethod]
    #[pyo3(signature = (path, *, label="default", tenant="default", passphrase_file=None))]
    fn create(
        class: &Bound<'_, PyType>,
        path: PathBuf,
        label: &str,
        tenant: &str,
        passphrase_file: Option<PathBuf>,
    ) -> PyResult<Keyring> {
        let py = class.py();
        let environment = environment(py, passphrase_file)?;
        let now = now(&environment)?;
        interruptible(py, &Cancel::default(), move || {
            let ring = create_default_ring(&path, label, tenant, &now, &environment)?;
            Ok(Keyring { ring: Arc::new(ring) })
        })
    }

    /// For `pickle`: opens the ring at `path` and refuses another one than `id`.
    #[classmethod]
    fn _referred(class: &Bound<'_, PyType>, path: &str, id: &str) -> PyResult<Keyring> {
        let py = class.py();
        let environment = environment(py, None)?;
        let keyring = open(py, Some(&format!("file:{path}")), &environment)?;
        if keyring.ring.id() == id {
            return Ok(keyring);
        }
        let message = format!("the keyring at `{path}` is {}, not {id}", keyring.ring.id());
        Err(raise(
            &Failure::new("ALO-K015", 4, message)
                .hint("put the ring back that this object was made with, or open the new one"),
        ))
    }

    #[getter]
    fn id(&self) -> &str {
        self.ring.id()
    }

    #[getter]
    fn path(&self) -> String {
        absolute(self.ring.path()).display().to_string()
    }

    #[getter]
    fn keys(&self) -> Vec<KeyInfo> {
        self.ring.keys().iter().cloned().map(KeyInfo).collect()
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String, String))> {
        let keyring = this.get();
        let referred = this.get_type().getattr("_referred")?;
        Ok((referred, (keyring.path(), keyring.id().to_owned())))
    }

    fn __repr__(&self) -> String {
        let keys: Vec<&str> = self.ring.keys().iter().map(|key| key.id.as_str()).collect();
        format!("Keyring(id={:?}, keys=[{}])", self.ring.id(), keys.join(", "))
    }
}

/// What may be known of a key.
#[pyclass(frozen, eq, module = "allonym", skip_from_py_object)]
#[derive(PartialEq)]
pub(crate) struct KeyInfo(allonym::KeyInfo);

#[pymethods]
impl KeyInfo {
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    #[getter]
    fn label(&self) -> &str {
        &self.0.label
    }

    #[getter]
    fn tenant(&self) -> &str {
        &self.0.tenant
    }

    #[getter]
    fn state(&self) -> &'static str {
        match self.0.state {
            KeyState::Active => "active",
            KeyState::VerifyOnly => "verify-only",
        }
    }

    #[getter]
    fn created(&self) -> &str {
        &self.0.created
    }

    #[getter]
    fn epoch(&self) -> u32 {
        self.0.epoch
    }

    fn __repr__(&self) -> String {
        let allonym::KeyInfo { id, label, tenant, epoch, .. } = &self.0;
        let state = self.state();
        format!(
            "KeyInfo(id={id:?}, label={label:?}, tenant={tenant:?}, state={state:?}, epoch={epoch})"
        )
    }
}

/// The user's default ring, made if nobody named a ring and there is none; says whether it was
/// made.
#[pyfunction]
pub(crate) fn default_keyring(py: Python<'_>, tenant: &str) -> PyResult<(Keyring, bool)> {
    let environment = environment(py, None)?;
    let now = now(&environment)?;
    interruptible(py, &Cancel::default(), || {
        let place = ring_place(None, None, &environment)?;
        let made = if place.said_by == "default" && !place.path.exists() {
            match create_default_ring(&place.path, "default", tenant, &now, &environment) {
                Ok(ring) => Some(ring),
                // Somebody else was quicker.
                Err(_) if place.path.exists() => None,
                Err(failure) => return Err(failure),
            }
        } else {
            None
        };
        let is_made = made.is_some();
        let ring = match made {
            Some(ring) => ring,
            None => open_ring(None, None, &environment)?,
        };
        Ok((Keyring { ring: Arc::new(ring) }, is_made))
    })
}

/// Tokens of a list of strings and integers, or of an Arrow array: a list gives a list, an array
/// a column.
#[pyfunction]
#[pyo3(signature = (values, *, keys, domain, field, profile, key, tenant, format))]
pub(crate) fn tokenize<'py>(
    values: &Bound<'py, PyAny>,
    keys: &Keyring,
    domain: String,
    field: String,
    profile: &str,
    key: Option<String>,
    tenant: String,
    format: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let py = values.py();
    let how = TokenColumn {
        key,
        tenant,
        domain,
        field,
        profile: profile_of(profile)?,
        format: format_of(format)?,
    };
    let is_list = values.is_instance_of::<PyList>() || values.is_instance_of::<PyTuple>();
    let Texts { field, chunks, .. } = if is_list { ids(values)? } else { Texts::of(values)? };
    let ring = Arc::clone(&keys.ring);
    let cancel = Cancel::default();
    let (made, tokens) =
        interruptible(py, &cancel, || tokenized(&field, chunks, &how, &ring, &cancel))?;
    if !is_list {
        return Ok(Bound::new(py, Chunks::new(made, tokens))?.into_any());
    }
    if how.format == TokenFormat::Binary {
        let list = PyList::empty(py);
        for token in tokens.iter().flat_map(|chunk| chunk.as_fixed_size_binary()) {
            list.append(token.map(|token| PyBytes::new(py, token)))?;
        }
        return Ok(list.into_any());
    }
    Ok(list(py, &tokens)?.into_any())
}

/// The whole derivation from raw inputs.
#[pyfunction]
#[pyo3(signature = (*, epoch_secret, keyring_id, tenant, domain, field, usage, profile, value, label="TEXT"))]
pub(crate) fn derive_token(
    py: Python<'_>,
    epoch_secret: &[u8],
    keyring_id: &[u8],
    tenant: &str,
    domain: &str,
    field: &str,
    usage: &str,
    profile: &str,
    value: &str,
    label: &str,
) -> PyResult<BTreeMap<String, String>> {
    let secret: &[u8; 32] = exactly("epoch_secret", epoch_secret)?;
    let id: &[u8; 16] = exactly("keyring_id", keyring_id)?;
    let profile = profile_of(profile)?;
    brief(py, || {
        Ok(danger::derive_token(secret, id, tenant, domain, field, usage, profile, value, label)?)
    })
}

/// Opens the ring that `reference` names, else the one that environment and defaults name.
pub(crate) fn open(
    py: Python<'_>,
    reference: Option<&str>,
    environment: &Environment,
) -> PyResult<Keyring> {
    interruptible(py, &Cancel::default(), || {
        let ring = open_ring(reference, None, environment)?;
        Ok(Keyring { ring: Arc::new(ring) })
    })
}

/// A list of ids: strings as they are, whole numbers in decimal, `None` and NaN as null.
fn ids(values: &Bound<'_, PyAny>) -> PyResult<Texts> {
    let mut cells: Vec<Option<String>> = Vec::new();
    for (row, value) in values.try_iter()?.enumerate() {
        cells.push(id(&value?, row)?);
    }
    let array: ArrayRef =
        Arc::new(cells.iter().map(Option::as_deref).collect::<LargeStringArray>());
    let field = Arc::new(Field::new("", DataType::LargeUtf8, true));
    Ok(Texts { field, chunks: vec![array], is_list: true })
}

fn id(value: &Bound<'_, PyAny>, row: usize) -> PyResult<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.is_instance_of::<PyString>() {
        return text_of(value, Some(row)).map(Some);
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        if float.extract::<f64>()?.is_nan() {
            return Ok(None);
        }
        let message = format!("item {row}: a float is no id, 123 and 123.0 would get other tokens");
        return Err(raise(
            &Failure::new("ALO-P012", 2, message)
                .hint("turn the column into integers or strings first"),
        ));
    }
    // NumPy's integers are no `int`, and Python's truth values are one.
    if !value.is_instance_of::<PyBool>()
        && let Ok(whole) = value.call_method0("__index__")
    {
        return Ok(Some(whole.str()?.to_str()?.to_owned()));
    }
    let type_name = value.get_type().name()?.to_string();
    Err(PyTypeError::new_err(format!(
        "item {row}: expected a string or a whole number, not `{type_name}`"
    )))
}

fn profile_of(name: &str) -> PyResult<Profile> {
    Profile::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        raise(&usage(format!("profile is `{name}`; known are {}", known.join(", "))))
    })
}

fn format_of(name: &str) -> PyResult<TokenFormat> {
    match name {
        "base62" => Ok(TokenFormat::Base62),
        "hex" => Ok(TokenFormat::Hex),
        "crockford" => Ok(TokenFormat::Crockford),
        "binary" => Ok(TokenFormat::Binary),
        _ => Err(raise(&usage(format!(
            "format is `{name}`; known are base62, hex, crockford, binary"
        )))),
    }
}

fn exactly<'a, const N: usize>(what: &str, bytes: &'a [u8]) -> PyResult<&'a [u8; N]> {
    bytes
        .try_into()
        .map_err(|_| raise(&usage(format!("{what} has {} bytes; it must have {N}", bytes.len()))))
}

/// A worker may start in another folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
