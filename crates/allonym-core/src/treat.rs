//! The treatments over columns of cells.

mod cells;
mod civil;
mod generalize;
mod mask;
mod pseudonymize;
mod text;

pub use generalize::Coarseness;
pub(crate) use generalize::Typed;
pub(crate) use pseudonymize::Tokens;
pub(crate) use text::{InText, PLANTED_LABEL, Wanted};

use crate::counts::ColumnCounts;
use crate::policy::{Consistency, Generalize, Mask, Treatment};
use allonym_keys::TokenFormat;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    AnyDictionaryArray, Array, ArrayRef, DictionaryArray, PrimitiveArray, new_null_array,
};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;
use cells::{Cells, Distinct, Kind, NULL_CELL, Texts, Written, index};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a treatment makes of a type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) data_type: DataType,
    /// Whether cells can become null that were not.
    pub(crate) makes_nulls: bool,
}

/// Why a treatment and a type do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// The type a treatment makes of a column that is not nested.
pub(crate) fn fits(treatment: &Treatment, data_type: &DataType) -> Result<Shape, Unfit> {
    let class = Class::of(data_type);
    let same = || Shape { data_type: data_type.clone(), makes_nulls: false };
    let lossy = |data_type: DataType| Shape { data_type, makes_nulls: true };
    if class == Class::Null && !matches!(treatment, Treatment::Drop) {
        return Ok(lossy(DataType::Null));
    }
    let unfit = |hint: &str| {
        Err(Unfit {
            message: format!("`{}` does not fit a column of type {data_type}", treatment.name()),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        })
    };
    let text = |per_row: bool| match data_type {
        DataType::Dictionary(_, value) if class != Class::Text => Shape {
            data_type: if Class::of(value) == Class::Text {
                (**value).clone()
            } else {
                DataType::Utf8
            },
            makes_nulls: false,
        },
        // Every row has its own token: a dictionary would only be longer, or overflow its keys.
        DataType::Dictionary(_, value) if per_row => {
            Shape { data_type: (**value).clone(), makes_nulls: false }
        }
        _ if class == Class::Text => same(),
        _ => Shape { data_type: DataType::Utf8, makes_nulls: false },
    };
    match treatment {
        Treatment::Keep { .. } | Treatment::Drop => Ok(same()),
        Treatment::Redact { with: None } => Ok(lossy(data_type.clone())),
        Treatment::Redact { with: Some(_) } => match class {
            Class::Text => Ok(same()),
            _ => unfit("leave `with` out, so that cells become null, or read the column as text"),
        },
        Treatment::Mask(_) => match class {
            Class::Text | Class::Integer => Ok(text(false)),
            Class::Date | Class::Instant(_) => unfit("use treat = \"generalize\" with `to`"),
            Class::Float | Class::Decimal(_) => unfit("use treat = \"generalize\" with `step`"),
            _ => unfit("use `redact`, `drop` or `keep`"),
        },
        Treatment::Pseudonymize(tokens) => {
            let shape = match class {
                Class::Text => text(tokens.consistency == Consistency::None),
                Class::Integer
                | Class::Decimal(0)
                | Class::Date
                | Class::Instant(_)
                | Class::Time => text(false),
                Class::Float => {
                    return Err(Unfit {
                        message: format!(
                            "a column of type {data_type} cannot be pseudonymized: floats are no ids, \
                             since 123 and 123.0 are one number and two texts"
                        ),
                        hint: Some("read the column as text or as an integer, or use treat = \"generalize\" with `step`".to_owned()),
                    });
                }
                Class::Decimal(_) => {
                    return unfit(
                        "an id has no decimal places; use treat = \"generalize\" with `step`",
                    );
                }
                Class::Boolean => {
                    return unfit(
                        "two values are told apart by their frequency; use `redact`, `drop` or `keep`",
                    );
                }
                _ => return unfit("use `redact`, `drop` or `keep`"),
            };
            Ok(match tokens.format {
                TokenFormat::Binary => {
                    Shape { data_type: DataType::FixedSizeBinary(16), makes_nulls: false }
                }
                _ => shape,
            })
        }
        Treatment::Generalize(way) => generalized(way, data_type, class, &unfit).map(|same_type| {
            if same_type { lossy(unpacked(data_type)) } else { lossy(text(false).data_type) }
        }),
        Treatment::Text(in_text) => match class {
            Class::Text => Ok(text(in_text.consistency != Consistency::Dataset)),
            _ => unfit("only text holds findings; use `pseudonymize`, `generalize` or `redact`"),
        },
    }
}

/// Whether cells of the type have no text that anybody could look at.
pub(crate) fn is_opaque(data_type: &DataType) -> bool {
    Class::of(data_type) == Class::Opaque
}

/// Whether the type stays; an error when the way does not fit.
fn generalized(
    way: &Generalize,
    data_type: &DataType,
    class: Class<'_>,
    unfit: &dyn Fn(&str) -> Result<Shape, Unfit>,
) -> Result<bool, Unfit> {
    let refuse = |hint: &str| unfit(hint).map(|_| false);
    match (way, class) {
        (_, Class::Text) => Ok(false),
        (_, Class::Float) if unpacked(data_type) == DataType::Float16 => {
            refuse("half floats are not read; cast the column to Float32")
        }
        (Generalize::To(_), Class::Date | Class::Instant(None)) => Ok(true),
        (Generalize::To(_), Class::Instant(Some(zone))) => {
            if generalize::zone(zone).is_some() {
                Ok(true)
            } else {
                refuse("its time zone is not known; write it in UTC")
            }
        }
        (Generalize::To(_), Class::Integer) => {
            refuse("`to` reads dates; whole years take `step = 10`")
        }
        (Generalize::To(_), _) => refuse("`to` reads dates"),
        (Generalize::Step(step), Class::Integer) => {
            let most = largest(&unpacked(data_type));
            if step.at_scale(0).is_some_and(|step| step <= most) {
                Ok(true)
            } else {
                refuse("`step` must be a whole number that the type can hold")
            }
        }
        (Generalize::Step(_), Class::Float) => Ok(true),
        (Generalize::Step(step), Class::Decimal(scale)) => {
            if generalize::decimal_step(*step, scale).is_some() {
                Ok(true)
            } else {
                refuse("`step` has more decimal places than the type")
            }
        }
        (Generalize::Step(_), Class::Date | Class::Instant(_)) => refuse("dates take `to`"),
        (Generalize::Bands(_), Class::Integer | Class::Float | Class::Decimal(_)) => Ok(false),
        (Generalize::Prefix(_), Class::Integer) => Ok(false),
        (Generalize::Prefix(_) | Generalize::Bits(_), _) => refuse("`prefix` and `bits` read text"),
        _ => refuse("`step` and `bands` read numbers"),
    }
}

/// What kind of cells a type holds; a dictionary's are those of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class<'a> {
    Text,
    Integer,
    Float,
    /// With its scale.
    Decimal(i8),
    Boolean,
    Date,
    /// With its zone.
    Instant(Option<&'a str>),
    Time,
    Null,
    /// Only kept, dropped or redacted.
    Opaque,
}

impl<'a> Class<'a> {
    fn of(data_type: &'a DataType) -> Class<'a> {
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Class::Text,
            DataType::Dictionary(_, value) => Class::of(value),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Class::Float,
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => Class::Decimal(*scale),
            data_type if data_type.is_integer() => Class::Integer,
            DataType::Boolean => Class::Boolean,
            DataType::Date32 | DataType::Date64 => Class::Date,
            DataType::Timestamp(_, zone) => Class::Instant(zone.as_deref()),
            DataType::Time32(_) | DataType::Time64(_) => Class::Time,
            DataType::Null => Class::Null,
            _ => Class::Opaque,
        }
    }
}

/// The type of the cells themselves.
fn unpacked(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) if Class::of(data_type) != Class::Text => (**value).clone(),
        other => other.clone(),
    }
}

fn largest(integer: &DataType) -> i128 {
    match integer {
        DataType::Int8 => i8::MAX.into(),
        DataType::Int16 => i16::MAX.into(),
        DataType::Int32 => i32::MAX.into(),
        DataType::UInt8 => u8::MAX.into(),
        DataType::UInt16 => u16::MAX.into(),
        DataType::UInt32 => u32::MAX.into(),
        DataType::UInt64 => u64::MAX.into(),
        _ => i64::MAX.into(),
    }
}

/// A treatment bound to a column, its keys and its output type.
#[derive(Debug)]
pub(crate) struct Treat {
    pub(crate) kernel: Kernel,
    pub(crate) shape: Shape,
    pub(crate) sentinels: Arc<Sentinels>,
    /// The dictionary treated last.
    cache: Mutex<Option<Arc<TreatedValues>>>,
}

/// What is done to a cell.
#[derive(Debug)]
pub(crate) enum Kernel {
    Null,
    Constant(String),
    Mask(Mask),
    Tokens(Tokens),
    Coarser(Generalize),
    /// The same for cells that may be coarse already.
    CoarserOnce(Coarseness),
    Typed(Typed),
    InText(Box<InText>),
}

impl Treat {
    pub(crate) fn new(kernel: Kernel, shape: Shape, sentinels: Arc<Sentinels>) -> Treat {
        Treat { kernel, shape, sentinels, cache: Mutex::new(None) }
    }

    /// Treats a column. As many rows come out as went in, in the same order.
    pub(crate) fn apply(
        &self,
        array: &ArrayRef,
        rows: &Rows<'_>,
        counts: &mut ColumnCounts,
    ) -> Result<ArrayRef, Fault> {
        let all = number(array.len());
        if *array.data_type() == DataType::Null {
            counts.nulls += all;
            return Ok(Arc::clone(array));
        }
        if matches!(self.kernel, Kernel::Null) {
            let nulls = number(array.logical_null_count());
            counts.nulls += nulls;
            counts.treated += all - nulls;
            return Ok(new_null_array(&self.shape.data_type, array.len()));
        }
        match array.as_any_dictionary_opt() {
            Some(dictionary)
                if Texts::of(dictionary.values().as_ref()).is_some() && !self.is_per_row() =>
            {
                self.dictionary(dictionary, rows, counts)
            }
            Some(dictionary) => {
                let unpacked =
                    arrow_select::take::take(dictionary.values().as_ref(), dictionary.keys(), None)
                        .map_err(|_| Fault::layout())?;
                self.plain(&unpacked, rows, counts)
            }
            None => self.plain(array, rows, counts),
        }
    }

    fn plain(
        &self,
        array: &ArrayRef,
        rows: &Rows<'_>,
        counts: &mut ColumnCounts,
    ) -> Result<ArrayRef, Fault> {
        if let Kernel::Typed(typed) = &self.kernel {
            let as_text =
                (!self.sentinels.0.is_empty()).then(|| cells::text_form(array.as_ref())).flatten();
            let is_sentinel = |row: usize| {
                as_text.as_ref().is_some_and(|cells| self.sentinels.holds(cells.value(row)))
            };
            let mut kinds = Vec::with_capacity(array.len());
            let treated = typed.apply(array.as_ref(), &is_sentinel, &mut kinds);
            count(&kinds, |_| 1, counts);
            return Ok(treated);
        }
        if let Some(texts) = Texts::of(array.as_ref()) {
            return self.texts(texts, rows, counts);
        }
        let written = cells::text_form(array.as_ref()).ok_or_else(Fault::layout)?;
        self.texts(Texts::Utf8(&written), rows, counts)
    }

    fn texts(
        &self,
        texts: Texts<'_>,
        rows: &Rows<'_>,
        counts: &mut ColumnCounts,
    ) -> Result<ArrayRef, Fault> {
        let distinct = if self.is_per_row() { None } else { Distinct::of(texts) };
        let cells = match &distinct {
            None => Cells::all(texts),
            Some(distinct) => {
                Cells { texts, chosen: Some(&distinct.first), weights: Some(&distinct.weights) }
            }
        };
        if let Some(tokens) = self.as_bytes() {
            let written = tokens.bytes(cells, rows, &self.sentinels, &mut counts.distinct);
            let Some(distinct) = distinct else {
                count(&written.kinds, |_| 1, counts);
                return written.finish();
            };
            let places =
                distinct.value_of.iter().map(|value| (*value != NULL_CELL).then(|| index(*value)));
            let spread = written.spread(places);
            count(&spread.kinds, |_| 1, counts);
            return spread.finish();
        }
        let mut written = self.written(cells, rows, counts);
        if let Some(distinct) = &distinct {
            written = written.spread(distinct);
        }
        count(&written.kinds, |_| 1, counts);
        written.finish(&self.shape.data_type)
    }

    fn written(&self, cells: Cells<'_>, rows: &Rows<'_>, counts: &mut ColumnCounts) -> Written {
        match &self.kernel {
            Kernel::Tokens(tokens) => {
                tokens.spelt(cells, rows, &self.sentinels, &mut counts.distinct)
            }
            Kernel::InText(in_text) => in_text.written(cells, rows, &self.sentinels, counts),
            _ => {
                let mut written = Written::with_capacity(cells.len());
                for n in 0..cells.len() {
                    written.push(|out| match cells.get(n) {
                        None => Kind::Null,
                        Some(text) if self.sentinels.holds(text) => Kind::Sentinel,
                        Some(text) => self.cell(text, out),
                    });
                }
                written
            }
        }
    }

    /// Kernels that look at nothing but the cell.
    fn cell(&self, text: &str, out: &mut String) -> Kind {
        match &self.kernel {
            Kernel::Constant(with) => out.push_str(with),
            Kernel::Mask(how) => mask::mask(text, how, out),
            Kernel::CoarserOnce(coarse) if coarse.writes(text) => {
                out.push_str(text);
                return Kind::Unchanged;
            }
            Kernel::Coarser(way) | Kernel::CoarserOnce(Coarseness { way, .. }) => {
                let start = out.len();
                if generalize::text(text, way, out).is_none() {
                    return Kind::Unparseable;
                }
                if out.get(start..) == Some(text) {
                    return Kind::Unchanged;
                }
            }
            // The other kernels do not come here; a lost cell is the safe side.
            _ => return Kind::Unparseable,
        }
        Kind::Treated
    }

    /// Treats the values of a dictionary once and points the rows to the results. Values that
    /// became equal are stored once: some readers refuse a dictionary that repeats itself.
    fn dictionary(
        &self,
        dictionary: &dyn AnyDictionaryArray,
        rows: &Rows<'_>,
        counts: &mut ColumnCounts,
    ) -> Result<ArrayRef, Fault> {
        let keys = places_of(dictionary)?;
        let values = dictionary.values();
        let mut weights = vec![0_u64; values.len()];
        for key in keys.iter().flatten() {
            weights[*key] += 1;
        }
        // What is found in text is counted by row, so that text is treated again in each batch.
        let treated = if matches!(self.kernel, Kernel::InText(_)) {
            Arc::new(self.treated_values(values, Some(&weights), rows)?)
        } else if let Some(known) = self.remembered(values, rows.document) {
            known
        } else {
            let treated = Arc::new(self.treated_values(values, None, rows)?);
            *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&treated));
            treated
        };
        counts.add(&treated.counts);
        count(&treated.kinds, |n| weights[n], counts);
        counts.nulls += number(keys.iter().filter(|key| key.is_none()).count());
        let places: Vec<Option<usize>> =
            keys.into_iter().map(|key| key.and_then(|key| treated.places[key])).collect();
        match &self.shape.data_type {
            DataType::Dictionary(key, _) => pointed(key, &places, &treated.values),
            _ => {
                let places: arrow_array::UInt64Array = places
                    .into_iter()
                    .map(|place| place.and_then(|at| u64::try_from(at).ok()))
                    .collect();
                arrow_select::take::take(treated.values.as_ref(), &places, None)
                    .map_err(|_| Fault::layout())
            }
        }
    }

    fn treated_values(
        &self,
        values: &ArrayRef,
        weights: Option<&[u64]>,
        rows: &Rows<'_>,
    ) -> Result<TreatedValues, Fault> {
        let texts = Texts::of(values.as_ref()).ok_or_else(Fault::layout)?;
        let cells = Cells { texts, chosen: None, weights };
        let mut counts = ColumnCounts::default();
        let (treated, places, kinds) = if let Some(tokens) = self.as_bytes() {
            let written = tokens.bytes(cells, rows, &self.sentinels, &mut counts.distinct);
            let kinds = written.kinds.clone();
            let places =
                kinds.iter().enumerate().map(|(n, kind)| kind.holds_value().then_some(n)).collect();
            (written.finish()?, places, kinds)
        } else {
            let written = self.written(cells, rows, &mut counts);
            let (unique, places) = written.unique();
            let value_type = match &self.shape.data_type {
                DataType::Dictionary(_, value) => value,
                other => other,
            };
            (unique.finish(value_type)?, places, written.kinds)
        };
        Ok(TreatedValues {
            of: Arc::clone(values),
            document: rows.document.to_owned(),
            values: treated,
            places,
            kinds,
            counts,
        })
    }

    /// The treated dictionary of an earlier batch, when this one has the same.
    fn remembered(&self, values: &ArrayRef, document: &str) -> Option<Arc<TreatedValues>> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let known = cache.as_ref()?;
        // Holding the values keeps their memory from being used for others.
        let same = known.document == document && known.of.to_data().ptr_eq(&values.to_data());
        same.then(|| Arc::clone(known))
    }

    /// Whether equal cells of one document may get different results.
    fn is_per_row(&self) -> bool {
        match &self.kernel {
            Kernel::Tokens(tokens) => tokens.consistency == Consistency::None,
            Kernel::InText(in_text) => in_text.consistency != Consistency::Dataset,
            _ => false,
        }
    }

    /// The tokens, where they are written as sixteen bytes.
    fn as_bytes(&self) -> Option<&Tokens> {
        match &self.kernel {
            Kernel::Tokens(tokens) if tokens.format == TokenFormat::Binary => Some(tokens),
            _ => None,
        }
    }
}

/// A dictionary's values after treatment.
struct TreatedValues {
    /// The values before: they tell whether a batch has the same dictionary.
    of: ArrayRef,
    document: String,
    values: ArrayRef,
    /// Where each value went; `None` is null.
    places: Vec<Option<usize>>,
    kinds: Vec<Kind>,
    /// What is counted by value and not by row.
    counts: ColumnCounts,
}

impl fmt::Debug for TreatedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreatedValues").field("len", &self.places.len()).finish_non_exhaustive()
    }
}

/// Cells that mean "nothing is known" and become null.
#[derive(Debug, Default)]
pub(crate) struct Sentinels(pub(crate) BTreeSet<String>);

impl Sentinels {
    /// Compares the trimmed cell, exactly.
    fn holds(&self, cell: &str) -> bool {
        !self.0.is_empty() && self.0.contains(cell.trim())
    }
}

/// Which rows of which document the cells of a column belong to.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) document: &'a str,
    pub(crate) first_row: u64,
    /// For cells inside lists: row, and number of the cell within it.
    pub(crate) nested: Option<Vec<(u64, u64)>>,
}

impl Rows<'_> {
    /// Row of the `n`th cell.
    pub(crate) fn row(&self, n: usize) -> u64 {
        self.place(n).0
    }

    /// Row of the `n`th cell, and which cell of that row when a row may have several.
    fn place(&self, n: usize) -> (u64, Option<u64>) {
        match &self.nested {
            None => (self.first_row + number(n), None),
            Some(places) => {
                places.get(n).map_or((self.first_row, None), |(row, item)| (*row, Some(*item)))
            }
        }
    }

    /// Rows of the cells inside lists of these lengths.
    pub(crate) fn inside(&self, lengths: impl Iterator<Item = usize>) -> Self {
        let mut places: Vec<(u64, u64)> = Vec::new();
        for (n, length) in lengths.enumerate() {
            let (row, _) = self.place(n);
            for _ in 0..length {
                let item = match places.last() {
                    Some((before, item)) if *before == row => item + 1,
                    _ => 0,
                };
                places.push((row, item));
            }
        }
        Rows { nested: Some(places), ..self.clone() }
    }
}

/// Why cells could not be treated: where, and what stood in the way; never what they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Row within the batch.
    pub(crate) row: usize,
    pub(crate) message: String,
}

impl Fault {
    fn full(row: usize) -> Fault {
        Fault {
            row,
            message: "the treated text of one batch is longer than 2 GiB; use smaller batches or a column of type LargeUtf8".to_owned(),
        }
    }

    pub(crate) fn layout() -> Fault {
        Fault { row: 0, message: "the column is not laid out as its type says".to_owned() }
    }
}

fn count(kinds: &[Kind], weight: impl Fn(usize) -> u64, counts: &mut ColumnCounts) {
    for (n, kind) in kinds.iter().enumerate() {
        let counter = match kind {
            Kind::Null => &mut counts.nulls,
            Kind::Treated => &mut counts.treated,
            Kind::Unchanged => continue,
            Kind::Sentinel => &mut counts.sentinels,
            Kind::Unparseable => &mut counts.unparseable,
        };
        *counter += weight(n);
    }
}

/// Which value each row of a dictionary column has.
fn places_of(dictionary: &dyn AnyDictionaryArray) -> Result<Vec<Option<usize>>, Fault> {
    fn places<K: ArrowDictionaryKeyType>(
        keys: &dyn Array,
        values: usize,
    ) -> Result<Vec<Option<usize>>, Fault> {
        let keys = keys.as_primitive::<K>().iter().enumerate();
        keys.map(|(row, key)| match key.map(ArrowNativeType::as_usize) {
            Some(key) if key >= values => Err(Fault { row, ..Fault::layout() }),
            key => Ok(key),
        })
        .collect()
    }
    let keys = dictionary.keys();
    let values = dictionary.values().len();
    match keys.data_type() {
        DataType::Int8 => places::<Int8Type>(keys, values),
        DataType::Int16 => places::<Int16Type>(keys, values),
        DataType::Int32 => places::<Int32Type>(keys, values),
        DataType::Int64 => places::<Int64Type>(keys, values),
        DataType::UInt8 => places::<UInt8Type>(keys, values),
        DataType::UInt16 => places::<UInt16Type>(keys, values),
        DataType::UInt32 => places::<UInt32Type>(keys, values),
        DataType::UInt64 => places::<UInt64Type>(keys, values),
        _ => Err(Fault::layout()),
    }
}

/// A dictionary column whose rows have these values.
fn pointed(key: &DataType, places: &[Option<usize>], values: &ArrayRef) -> Result<ArrayRef, Fault> {
    fn column<K: ArrowDictionaryKeyType>(
        places: &[Option<usize>],
        values: &ArrayRef,
    ) -> Result<ArrayRef, Fault> {
        let keys: PrimitiveArray<K> =
            places.iter().map(|place| place.and_then(K::Native::from_usize)).collect();
        let column = DictionaryArray::<K>::try_new(keys, Arc::clone(values));
        Ok(Arc::new(column.map_err(|_| Fault::layout())?))
    }
    match key {
        DataType::Int8 => column::<Int8Type>(places, values),
        DataType::Int16 => column::<Int16Type>(places, values),
        DataType::Int32 => column::<Int32Type>(places, values),
        DataType::Int64 => column::<Int64Type>(places, values),
        DataType::UInt8 => column::<UInt8Type>(places, values),
        DataType::UInt16 => column::<UInt16Type>(places, values),
        DataType::UInt32 => column::<UInt32Type>(places, values),
        DataType::UInt64 => column::<UInt64Type>(places, values),
        _ => Err(Fault::layout()),
    }
}

pub(crate) fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
